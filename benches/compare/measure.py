"""Times, memory, ratios, and the table of them."""

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path


def interleaved(commands, rounds, stdin=os.devnull):
    """Wall times of each command: A B C A B C …"""
    times = [[] for _ in commands]
    for _ in range(rounds):
        for command, taken in zip(commands, times):
            taken.append(usage(command, stdin)[0])
    return times


def usage(command, stdin=os.devnull):
    """Wall time in seconds and peak memory in KiB of one run."""
    arguments = [os.fspath(part) for part in command]
    quiet = [(os.POSIX_SPAWN_OPEN, 0, os.fspath(stdin), os.O_RDONLY, 0)]
    quiet += [(os.POSIX_SPAWN_OPEN, fd, os.devnull, os.O_RDWR, 0) for fd in (1, 2)]
    started = time.perf_counter()
    child = os.posix_spawnp(arguments[0], arguments, os.environ, file_actions=quiet)
    _, status, used = os.wait4(child, 0)
    took = time.perf_counter() - started
    code = os.waitstatus_to_exitcode(status)
    if code < 0 or (code == 2 and Path(arguments[0]).stem == "tokensweep"):
        sys.exit(f"{' '.join(arguments)} ended with {code}")
    return took, used.ru_maxrss


def anonymous(command):
    """Peak of the memory in KiB that is a process's own, files that it maps left out.

    The kernel keeps no such peak, so it is asked every few milliseconds.
    """
    child = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    peak = 0
    while child.poll() is None:
        lines = Path(f"/proc/{child.pid}/status").read_text().splitlines()
        own = [int(line.split()[1]) for line in lines if line.startswith("RssAnon:")]
        peak = max([peak] + own)
        time.sleep(0.003)
    return peak


def pairs(a, b):
    return median([x / y for x, y in zip(a, b)])


def median(values):
    return statistics.median(values)


def seconds(value):
    return f"{value * 1000:.1f} ms" if value < 0.1 else f"{value:.2f} s"


def megabytes(kibibytes):
    return f"{kibibytes / 1000:.0f} MB"


def verdict(reached):
    return "reached" if reached else "missed"


def show(rows):
    rows = [("what", "tokensweep", "other", "ratio", "bar", "")] + rows
    widths = [max(len(row[at]) for row in rows) for at in range(6)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())
