"""Writes a repository the quick way: a stream for `git fast-import`."""

import subprocess

from tools import git, plain

# Fixed, so that the same commits come out each time.
FIRST = 1_500_000_000
STEP = 3600
WHO = "Bench <bench@example.com>"


class Stream:
    """A running `git fast-import`: what is written to it is committed in order.

    It makes no deltas, those are for `pack`. With `onto`, the first commit goes
    on top of that many commits that the branch has, and all objects stay loose.
    """

    def __init__(self, repository, onto=0):
        limit = f"fastimport.unpackLimit={10_000 if onto else 0}"
        command = ["git", "-c", limit, "fast-import", "--quiet", "--depth=0"]
        self.importer = subprocess.Popen(
            command, cwd=repository, stdin=subprocess.PIPE, env=plain()
        )
        self.out = self.importer.stdin
        self.marks = 0
        self.onto = bool(onto)
        self.commits = onto

    def __enter__(self):
        return self

    def __exit__(self, error, *_):
        self.out.close()
        if self.importer.wait() and not error:
            raise RuntimeError("git fast-import failed")

    def blob(self, data):
        """Writes a blob and returns its mark."""
        self.marks += 1
        self.out.write(b"blob\nmark :%d\ndata %d\n" % (self.marks, len(data)))
        self.out.write(data)
        self.out.write(b"\n")
        return self.marks

    def blob_once(self, marks, name, data):
        """Like `blob`, for data that may have come before under this name."""
        if name not in marks:
            marks[name] = self.blob(data)
        return marks[name]

    def commit(self, ref, message, files, gone=()):
        """Commits `(mark, path)` files on top of `ref`, with what was below `gone` removed."""
        text = message.encode()
        when = f"{WHO} {FIRST + STEP * self.commits} +0000".encode()
        lines = [b"commit %s" % ref.encode(), b"committer %s" % when, b"data %d" % len(text), text]
        lines += [b"from %s^0" % ref.encode()] if self.onto else []
        lines += [b"D %s" % quoted(path) for path in gone]
        lines += [b"M 100644 :%d %s" % (mark, quoted(path)) for mark, path in files]
        self.out.write(b"\n".join(lines) + b"\n\n")
        self.onto = False
        self.commits += 1


def quoted(path):
    escaped = path.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return b'"%s"' % escaped.encode("utf-8", "surrogateescape")


def pack(repository):
    """Makes one pack, with deltas.

    A plain `git gc` seeks none between objects that stand in one pack already.
    The window is its own.
    """
    git("-c", "gc.aggressiveWindow=10", "gc", "-q", "--aggressive", "--prune=now", cwd=repository)
