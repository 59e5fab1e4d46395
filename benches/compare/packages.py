"""A history that anyone can rebuild: packages as published, version after version."""

import hashlib
import json
import subprocess
import tarfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from stream import Stream, pack
from tools import git, made

# Both ends are fixed, so that versions published later change nothing.
PACKAGES = {
    "typescript": ">=4.0.2 <=5.9.3",
    "webpack": ">=5.0.0 <=5.101.0",
    "three": ">=0.110.0 <=0.180.0",
    "lodash": "<=4.17.21",
    "antd": ">=4.20.0 <=4.24.16",
    "eslint": ">=6.0.0 <=9.35.0",
    "react-dom": "<=19.1.1",
    "echarts": ">=4.0.0 <=6.0.0",
    "prettier": ">=1.0.0 <=3.6.2",
    "rollup": ">=2.30.0 <=2.79.2",
}


def history():
    """The bare repository, made if it is not there: half an hour, and 6 GB of disk."""
    return made("history.git", make)


def make(path):
    releases = interwoven()
    tarballs = made("history-tarballs", lambda folder: fetch(releases, folder))
    git("init", "-q", "--bare", "-b", "main", path)
    with Stream(path) as stream:
        marks = {}
        for name, version in releases:
            files, below = [], f"packages/{name}"
            for file, data in members(tarballs / f"{name}-{version}.tgz"):
                known = hashlib.sha1(data).digest()
                files.append((stream.blob_once(marks, known, data), f"{below}/{file}"))
            stream.commit("refs/heads/main", f"{name} {version}", files, [below])
    pack(path)


def interwoven():
    """Every (package, version): each package in its own order, all of them from first to last."""
    places = []
    for name, wanted in PACKAGES.items():
        versions = published(name, wanted)
        places += [(at / len(versions), name, version) for at, version in enumerate(versions)]
    return [(name, version) for _, name, version in sorted(places)]


def published(name, wanted):
    view = ["npm", "view", f"{name}@{wanted}", "version", "--json", "--loglevel=error"]
    answer = subprocess.run(view, check=True, stdout=subprocess.PIPE, text=True).stdout
    return sorted(json.loads(answer), key=lambda version: list(map(int, version.split("."))))


def fetch(releases, folder):
    """Four at a time, by npm itself: so from the registry, and with the rights, of this user."""
    folder.mkdir(exist_ok=True)
    pack = ["npm", "pack", "--silent", "--ignore-scripts", "--pack-destination", folder]

    def some(names):
        subprocess.run(pack + names, check=True, stdout=subprocess.DEVNULL, cwd=folder)

    names = [f"{name}@{version}" for name, version in sorted(releases)]
    with ThreadPoolExecutor(4) as workers:
        list(workers.map(some, [names[at : at + 20] for at in range(0, len(names), 20)]))


def members(tarball):
    """Path and content of each file, the first folder left out."""
    with tarfile.open(tarball) as archive:
        for member in archive:
            if member.isfile():
                path = Path(member.name).parts[1:]
                yield "/".join(path), archive.extractfile(member).read()
