"""How long `brainbench --help` takes beside a Python that does nothing.

    python -m benchmarks.startup

Processor seconds of the whole process, the median of several. Goal: at most 0.12 s more. The ratio is
Python's time over ours, so it is below 1.
"""

from __future__ import annotations

import resource
import subprocess
import sys

import numpy as np
from benchmarks.measured import Row, report

TIMES, MOST = 15, 0.12


def seconds(*arguments: str) -> float:
    """Processor seconds of a Python with these arguments."""
    found = []
    for _ in range(TIMES):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, *arguments], stdout=subprocess.DEVNULL, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        found.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return float(np.median(found))


def main() -> None:
    """Print both and what is between them."""
    plain, ours = seconds("-c", "pass"), seconds("-m", "brainbench", "--help")
    name = f"`brainbench --help`: {ours - plain:.2f} s more than `python -c pass` (goal: at most {MOST})"
    report(
        "startup", [Row(name, ours, "python -c pass", plain, plain / (plain + MOST), why="see the imports")]
    )


if __name__ == "__main__":
    main()
