"""The tools that are compared, and the cache of what they search."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tokensweep-compare"


def made(name, make):
    """The file or folder of this name in the cache, made if it is not there."""
    path = CACHE / name
    if not path.exists():
        print(f"making {path} …", file=sys.stderr)
        CACHE.mkdir(parents=True, exist_ok=True)
        try:
            make(path)
        except BaseException:
            shutil.rmtree(path, ignore_errors=True)
            path.unlink(missing_ok=True)
            raise
    return path


def git(*words, cwd=None, **more):
    return subprocess.run(["git", *words], cwd=cwd, check=True, env=plain(), **more)


def plain():
    """An environment in which git has no settings of this user's or machine's."""
    return os.environ | {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}


def build():
    command = ["cargo", "build", "--release", "--locked", "--message-format=json"]
    lines = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    made = [json.loads(line).get("executable") for line in lines.splitlines()]
    return next(path for path in made if path and Path(path).stem == "tokensweep")


def find_rg():
    return shutil.which("rg") or sys.exit("ripgrep is wanted: apt-get install ripgrep")


def find_kingfisher():
    found = shutil.which("kingfisher")
    if found:
        return found
    venv = made("kingfisher", make_venv)
    return os.fspath(venv / "bin" / "kingfisher")


def make_venv(path):
    subprocess.run([sys.executable, "-m", "venv", path], check=True)
    subprocess.run([path / "bin" / "pip", "install", "-q", "kingfisher-bin"], check=True)
