"""What a push waits for: 10 commits with 100 files, in a repository of 200,000 commits."""

import contextlib
import os
import random
import subprocess
import tempfile
from pathlib import Path

from measure import interleaved, median, megabytes, seconds, usage, verdict
from stream import Stream, pack
from tools import git, made

COMMITS, NEW = 200_000, 10
FOLDERS, FILES = 50, 40
LINES = 30


def rows(ours, options):
    path = made("hooks", make)
    old, new = (revision(path, name) for name in ("refs/remotes/origin/main", "refs/heads/main"))
    command = [ours, "hook", "run", "pre-push", "origin", "../remote.git"]
    with tempfile.NamedTemporaryFile("w") as stdin, contextlib.chdir(path):
        stdin.write(f"refs/heads/main {new} refs/heads/main {old}\n")
        stdin.flush()
        usage(command, stdin.name)  # warms the page cache
        took = median(interleaved([command], options.rounds * 3, stdin.name)[0])
        peak = median([usage(command, stdin.name)[1] for _ in range(options.rounds)])
    return [
        (f"pre-push: {NEW} commits of {COMMITS:,}", seconds(took), "", "", "≤ 40.0 ms",
         verdict(took <= 0.040)),
        ("pre-push: peak memory", megabytes(peak), "", "", "≤ 40 MB", verdict(peak <= 40_000)),
    ]


def revision(path, name):
    parse = ["rev-parse", "--verify", name]
    return git(*parse, cwd=path, stdout=subprocess.PIPE, text=True).stdout.strip()


def make(path):
    """All but the last commits packed, as a repository is that is used every day."""
    git("init", "-q", "-b", "main", path)
    git("remote", "add", "origin", "../remote.git", cwd=path)
    chance = random.Random(6)
    with Stream(path) as stream:
        names = [name(folder, file) for folder in range(FOLDERS) for file in range(FILES)]
        commit(stream, chance, "Begin", names)
        for number in range(1, COMMITS - NEW):
            commit(stream, chance, f"Change {number}", [chance.choice(names)])
    git("update-ref", "refs/remotes/origin/main", "refs/heads/main", cwd=path)
    pack(path)
    git("commit-graph", "write", "--reachable", cwd=path)
    with Stream(path, onto=COMMITS) as stream:
        for number in range(NEW):
            commit(stream, chance, f"Push {number}", chance.sample(names, 10))


def commit(stream, chance, message, names):
    files = [(stream.blob(source(chance)), name) for name in names]
    stream.commit("refs/heads/main", message, files)


def name(folder, file):
    return f"source/part{folder:02}/file{file:02}.js"


def source(chance):
    lines = [f"export const v{chance.getrandbits(20)} = {chance.random()};" for _ in range(LINES)]
    return "\n".join(lines).encode() + b"\n"
