"""Files: an npm install, a log of 1 GB, 100,000 small files."""

import os
import random
import subprocess
import tempfile
from pathlib import Path

from measure import interleaved, median, megabytes, pairs, seconds, usage, verdict
from tools import find_kingfisher, find_rg, made

PACKAGES = """
    typescript webpack next react-dom vue svelte @angular/core @angular/compiler rxjs lodash three
    d3 echarts chart.js monaco-editor pdfjs-dist mermaid aws-sdk @aws-sdk/client-s3 firebase
    @babel/core eslint prettier rollup vite jest mocha date-fns core-js @mui/material antd
    puppeteer-core
""".split()
LITERALS = ["npm_", "ghp_", "AKIA", "_authToken", "xoxb-"]
WORDS = """
    the to of request response error value data name type node index key size state id list path
    file config start end count event module info offset buffer context target source token user
    session registry npm install cache fetch GET POST 200 404 status ms retry timeout connection
    worker thread queue job build step finished starting loaded password client server auth
""".split()


def rows(ours, options):
    rg, kingfisher = find_rg(), find_kingfisher()
    trees = [path.resolve() for path in options.trees]
    if not options.no_npm:
        trees.append(npm_tree())
    table = startup(ours, options)
    for path in trees:
        table += tree(ours, rg, kingfisher, path, options)
    return table + log(ours, rg, options) + memory(ours, options)


def startup(ours, options):
    """Milliseconds: measured with many rounds, and less what a spawn costs."""
    rounds = options.rounds * 10
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "one.js")
        file.write_text(text(random.Random(1), 20_000))
        commands = [["/bin/true"], [ours, "--version"], [ours, "scan", file]]
        spawn, version, one = interleaved(commands, rounds)
    base = median(spawn)
    rows = []
    for what, times, bar in [("--version", version, 0.005), ("scan of one file", one, 0.010)]:
        took = median(times) - base
        rows.append((what, seconds(took), "", "", f"≤ {seconds(bar)}", verdict(took <= bar)))
    return rows


def tree(ours, rg, kingfisher, path, options):
    threads = str(os.cpu_count())
    search = [rg, "-uuu", "-c"] + [part for text in LITERALS for part in ("-e", text)] + [path]
    deep = [kingfisher, "scan", path, "--no-validate", "--git-history", "none"]
    deep += ["--no-update-check", "-j", threads, "-f", "json", "-o", os.devnull]
    commands = [[ours, "scan", path, "--git-history", "none"], search, deep]
    first = [usage(command) for command in commands]  # warms the page cache
    us, them, others = interleaved(commands, options.rounds)
    name = path.name if path.name != "node_modules" else path.parent.name
    ratio, factor = pairs(us, them), pairs(others, us)
    return [
        (f"{name}: rg, 5 literals", seconds(median(us)), seconds(median(them)),
         f"{ratio:.2f} × its time", "≤ 1.50", verdict(ratio <= 1.5)),
        (f"{name}: Kingfisher", seconds(median(us)), seconds(median(others)),
         f"{factor:.1f} × as fast", "≥ 5.0", verdict(factor >= 5)),
        (f"{name}: peak memory", megabytes(first[0][1]), megabytes(first[2][1]), "", "", ""),
    ]


def log(ours, rg, options):
    path = made("log-1GB.txt", make_log)
    search = [rg, "-uuu", "-c"] + [part for text in LITERALS for part in ("-e", text)] + [path]
    commands = [[ours, "scan", path], search]
    peak = usage(commands[0])[1]
    us, them = interleaved(commands, options.rounds)
    took = median(us)
    return [
        ("log of 1 GB", seconds(took), seconds(median(them)) + " rg", f"{1 / took:.2f} GB/s",
         "≤ 0.50 s", verdict(took <= 0.5)),
        ("log of 1 GB: peak memory", megabytes(peak), "", "", "", ""),
    ]


def memory(ours, options):
    path = made("small-files", make_small_files)
    peak = median([usage([ours, "scan", path])[1] for _ in range(options.rounds)])
    return [
        ("100,000 files: peak memory", megabytes(peak), "", "", "≤ 60 MB",
         verdict(peak <= 60_000)),
    ]


# --- what is searched --------------------------------------------------------


def npm_tree():
    def make(path):
        path.mkdir()
        (path / "package.json").write_text("{}")
        install = ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--force"]
        subprocess.run(install + PACKAGES, cwd=path, check=True, stdout=subprocess.DEVNULL)

    return made("npm", make) / "node_modules"


def make_log(path):
    chance = random.Random(2)
    blocks = [text(chance, 1 << 20).encode() for _ in range(16)]
    with path.open("wb") as out:
        left = 10**9
        while left > 0:
            left -= out.write(chance.choice(blocks)[:left])


def make_small_files(path):
    chance = random.Random(3)
    block = text(chance, 1 << 20)
    for folder in range(500):
        below = path / f"{folder:03}"
        below.mkdir(parents=True)
        for file in range(200):
            start = chance.randrange(len(block) - 4000)
            (below / f"{file:03}.js").write_text(block[start : start + chance.randrange(200, 4000)])


def text(chance, size):
    """Lines of a log."""
    lines, length = [], 0
    while length < size:
        stamp = f"2026-03-{chance.randrange(1, 29):02}T{chance.randrange(24):02}:{chance.randrange(60):02}:07Z"
        words = " ".join(chance.choices(WORDS, k=chance.randrange(4, 16)))
        tail = chance.choice(["", f" id={chance.getrandbits(128):032x}", f" took={chance.random():.3f}"])
        lines.append(f"{stamp} [info] {words}{tail}\n")
        length += len(lines[-1])
    return "".join(lines)
