"""Everything that git keeps: a bare repository of published packages."""

import json
import os
import subprocess
import tempfile
from pathlib import Path

from measure import anonymous, interleaved, median, megabytes, pairs, seconds, usage, verdict
from packages import history
from planted import planted, secrets
from tools import find_kingfisher, git


def rows(ours, options):
    plain, rounds = history(), max(1, options.rounds // 2)
    describe(plain)
    table = speed(ours, plain, rounds) + provenance(ours, plain, rounds)
    return table + [again(ours, plain, options)]


def describe(path):
    """Says what the history is, for whoever reads the figures."""
    batch = ["cat-file", "--batch-all-objects", "--unordered"]
    batch += ["--batch-check=%(objecttype) %(objectsize)"]
    lines = git(*batch, cwd=path, stdout=subprocess.PIPE, text=True).stdout.splitlines()
    blobs = [int(line.split()[1]) for line in lines if line.startswith("blob ")]
    packs = sum(pack.stat().st_size for pack in path.glob("objects/pack/*.pack"))
    print(
        f"{path.name}: {len(lines):,} objects, {len(blobs):,} blobs of {sum(blobs) / 1e9:.2f} GB, "
        f"packs of {packs / 1e6:.0f} MB"
    )


def speed(ours, path, rounds):
    threads = str(os.cpu_count())
    scan = [ours, "scan", path]
    cat = ["git", "-C", path, "cat-file", "--batch-all-objects", "--batch", "--unordered"]
    deep = [find_kingfisher(), "scan", path, "--no-validate", "--git-history", "full"]
    deep += ["--no-update-check", "-j", threads, "-f", "json", "-o", os.devnull]
    usage(scan)  # warms the page cache
    us, them, others = interleaved([scan, cat, deep], rounds)
    own = anonymous(scan)
    factor, ratio = pairs(others, us), pairs(them, us)
    return [
        ("history: Kingfisher", seconds(median(us)), seconds(median(others)),
         f"{factor:.1f} × as fast", "≥ 25", verdict(factor >= 25)),
        ("history: git cat-file", seconds(median(us)), seconds(median(them)),
         f"{ratio:.1f} × as fast", "≥ 10", verdict(ratio >= 10)),
        ("history: peak memory, mapped packs left out", megabytes(own), "", "", "≤ 300 MB",
         verdict(own <= 300_000)),
    ]


def provenance(ours, plain, rounds):
    path = planted()
    commands = [[ours, "scan", plain], [ours, "scan", path]]
    usage(commands[1])  # warms the page cache
    without, with_secrets = interleaved(commands, rounds * 3)
    ratio, found = pairs(with_secrets, without), count(ours, path)
    wanted = len(secrets())
    return [
        ("history: with 1,000 secrets", seconds(median(with_secrets)), "",
         f"{ratio:.2f} × the time without", "≤ 2.00", verdict(ratio <= 2)),
        ("history: secrets found, with their commit", f"{found} of {wanted}", "", "", "all",
         verdict(found == wanted)),
    ]


def count(ours, path):
    """How many of the planted secrets are reported with the commit that brought them."""
    command = [ours, "scan", path, "--show-secrets", "-f", "json"]
    report = json.loads(subprocess.run(command, stdout=subprocess.PIPE).stdout)
    traced = {
        finding["secret"]
        for finding in report["findings"]
        if any(place["commit"] for place in finding["locations"])
    }
    return len(traced.intersection(secrets()))


def again(ours, path, options):
    """A second search that remembers the first, with nothing new to search."""
    with tempfile.TemporaryDirectory() as folder:
        command = [ours, "scan", path, "--incremental", Path(folder, "state")]
        usage(command)
        took = median(interleaved([command], options.rounds * 3)[0])
    return ("history: --incremental, nothing new", seconds(took), "", "", "≤ 30.0 ms",
            verdict(took <= 0.030))
