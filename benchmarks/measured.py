"""What the speed benchmarks share: seconds, the GEMM limit, peak memory, and the rows of docs/speed.md.

A row is printed, and kept where the environment variable SPEED names a JSON file; tests/docs/speed.py makes
the table of docs/speed.md from docs/speed.json. Seconds are processor seconds of all threads together, with
BLAS held to one thread on both sides; only ratios mean anything, and only within a run.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from brainbench.arrays import Recording
from brainbench.errors import DataError, words_of
from brainbench.progress import SilentReporter

GEMM_SIZE = 1024
MOST_MEMORY, LEAST_SHARE = 4.0, 1 / 3  # GiB; of the GEMM limit


@dataclass(frozen=True, slots=True)
class Row:
    """One workload: ours and a peer's, in processor seconds.

    goal: how many times the peer's speed at least, 0 for none. timed: what of the peer was timed, where it is
    scaled. difference: the largest of numbers, allowed: its limit; None where the peer does not make the same
    numbers. gemm: the seconds that the workload's multiply-adds take at the speed of a matrix product, over
    ours. peak: GiB of memory. threads: processor seconds of ours in a second. why: of a goal that is missed.
    """

    name: str
    ours: float
    peer: str
    theirs: float
    goal: float
    timed: str = "all of it"
    difference: float | None = None
    allowed: float | None = None
    gemm: float | None = None
    peak: float | None = None
    threads: float | None = None
    why: str = ""

    @property
    def met(self) -> bool:
        """Whether the goals of speed, memory and arithmetic are reached, with numbers that agree."""
        same = self.difference is None or self.allowed is None or self.difference <= self.allowed
        frugal = (self.peak or 0.0) <= MOST_MEMORY and (self.gemm is None or self.gemm >= LEAST_SHARE)
        return same and frugal and self.theirs / self.ours >= self.goal


def report(command: str, rows: list[Row]) -> None:
    """Print rows, and put them under their command in the file that SPEED names."""
    for row in rows:
        print(f"{row.name}")
        print(f"    ours {row.ours:.4g} s, {row.peer} {row.theirs:.4g} s (timed: {row.timed})")
        verdict = "met" if row.met else f"NOT met; {row.why}"
        wanted = f"goal {row.goal:g}: {verdict}" if row.goal or row.peak else "no goal"
        print(f"    ratio {row.theirs / row.ours:.4g}, {wanted}")
        if row.difference is not None:
            limit = "" if row.allowed is None else f" (limit {row.allowed:g})"
            print(f"    largest difference {row.difference:.1e}{limit}")
        if row.gemm is not None:
            print(f"    share of the GEMM limit {row.gemm:.0%} (goal 33%)")
        if row.peak is not None:
            print(f"    peak memory {row.peak:.2f} GiB (goal {MOST_MEMORY:g})")
        if row.threads is not None:
            print(f"    {row.threads:.2f} threads at work")
    sys.stdout.flush()
    if file := os.environ.get("SPEED"):
        path = Path(file)
        held: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
        held[command] = [_short(row) for row in rows]
        path.write_text(json.dumps(dict(sorted(held.items())), indent=1) + "\n")


def _short(row: Row) -> dict[str, Any]:
    kept = {key: value for key, value in (asdict(row) | {"met": row.met}).items() if value is not None}
    return {key: float(f"{v:.3g}") if isinstance(v, float) else v for key, v in kept.items()}


def timed(work: Callable[[], Any], times: int = 1) -> tuple[float, Any]:
    """Processor seconds of a call (the median of several), BLAS on one thread; and its last result."""
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    found = []
    with threadpool_limits(limits=1, user_api="blas"):
        for _ in range(times):
            start = time.process_time()
            result = work()
            found.append(time.process_time() - start)
    return float(np.median(found)), result


@cache
def _seconds_of_a_multiply_add(dtype: str) -> float:
    rng = np.random.default_rng(0)
    a, b = (rng.standard_normal((GEMM_SIZE, GEMM_SIZE)).astype(dtype) for _ in range(2))
    return timed(lambda: a @ b, 7)[0] / GEMM_SIZE**3


def gemm_limit(double: float = 0.0, single: float = 0.0) -> float:
    """Seconds that so many multiply-adds in float64 and in float32 take as a large matrix product."""
    limit = double * _seconds_of_a_multiply_add("float64") if double else 0.0
    return limit + (single * _seconds_of_a_multiply_add("float32") if single else 0.0)


def peak_memory() -> float:
    """The most memory that this process ever held, in GiB."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**30


def reasoning_data() -> Recording:
    """Ten people's responses to 70 problems (the dataset `deduction`); ends in a sentence if out of reach."""
    from brainbench_tasks.deduction import Deduction

    try:
        return Deduction().recording("deductive_reasoning", SilentReporter())
    except DataError as error:
        print(f"Skipped: {words_of(error)}")
        raise SystemExit(0) from error
