"""The same history with made-up secrets in it, spread over commits, folders and files."""

import random
import subprocess
import zlib
from pathlib import Path

from packages import history
from stream import quoted
from tools import git, made, plain

SECRETS = 1000
ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
TEXT = (".js", ".ts", ".md", ".json", ".css", ".map")
SMALL = 1 << 18


def secrets():
    """Tokens of npm's form with a checksum that fits; nobody has ever been given them."""
    chance = random.Random(4)
    return [token("".join(chance.choices(ALPHABET, k=30))) for _ in range(SECRETS)]


def token(body):
    checksum, digits = zlib.crc32(body.encode()), ""
    for _ in range(6):
        checksum, digit = divmod(checksum, 62)
        digits = ALPHABET[digit] + digits
    return f"npm_{body}{digits}"


def planted():
    """The bare repository, made if it is not there."""
    return made("history-planted.git", make)


def make(path):
    """Writes the commits anew; the blobs of the plain history stay as they are packed."""
    git("clone", "-q", "--bare", "--no-hardlinks", history(), path)
    export = ["git", "fast-export", "--no-data", "--reencode=no", "--all"]
    importer = ["git", "fast-import", "--quiet", "--force"]
    with (
        subprocess.Popen(export, cwd=path, env=plain(), stdout=subprocess.PIPE) as old,
        subprocess.Popen(importer, cwd=path, env=plain(), stdin=subprocess.PIPE) as new,
    ):
        Planter(path, new.stdin).copy(old.stdout)
        new.stdin.close()
    if old.returncode or new.returncode:
        raise RuntimeError("the history could not be written anew")
    git("reflog", "expire", "--expire=now", "--all", cwd=path)
    git("gc", "-q", "--prune=now", cwd=path)


class Planter:
    """Copies a stream of commits and adds files to some of them.

    A third of the secrets are appended to a file of a package, until its next
    version; a third are in files of their own that the next commit removes; a
    third are in files that stay.
    """

    def __init__(self, repository, out):
        chance = random.Random(5)
        count = git("rev-list", "--count", "--all", cwd=repository, stdout=subprocess.PIPE)
        commits = int(count.stdout)
        self.chance = chance
        self.repository = repository
        self.out = out
        self.waiting = {}
        for number, secret in enumerate(secrets()):
            self.waiting.setdefault(chance.randrange(commits), []).append((number, secret))
        self.gone = []

    def copy(self, lines):
        files, commit = None, 0
        for line in lines:
            if line.startswith(b"commit "):
                files = []
            elif line.startswith(b"data "):
                line += lines.read(int(line[5:]))
            elif line.startswith(b"M "):
                files.append(line)
            elif line == b"\n" and files is not None:
                self.plant(commit, files)
                files, commit = None, commit + 1
            self.out.write(line)

    def plant(self, commit, files):
        for path in self.gone:
            self.out.write(b"D %s\n" % quoted(path))
        self.gone = []
        for number, secret in self.waiting.get(commit, []):
            line = f"\nNPM_TOKEN={secret}\n".encode()
            grown = self.appended(files, line) if number % 3 == 0 else None
            path, data = grown or (own_path(files, number), line)
            self.out.write(b"M 100644 inline %s\ndata %d\n%s\n" % (quoted(path), len(data), data))
            if number % 3 == 1:
                self.gone.append(path)

    def appended(self, files, line):
        """A text of this commit with a line more, each text once."""
        self.chance.shuffle(files)
        for at, entry in enumerate(files[:20]):
            _, _, blob, path = entry.rstrip(b"\n").split(b" ", 3)
            path = path.decode()
            if path.startswith('"') or not path.endswith(TEXT):
                continue
            command = ["cat-file", "blob", blob.decode()]
            data = git(*command, cwd=self.repository, stdout=subprocess.PIPE).stdout
            if len(data) < SMALL:
                del files[at]
                return path, data + line
        return None


def own_path(files, number):
    folders = [Path(entry.split(b" ", 3)[3].decode().strip('"\n')).parent for entry in files]
    folder = folders[number % len(folders)] if folders else Path("deploy")
    return f"{folder}/settings-{number}.env"
