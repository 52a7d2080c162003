"""Work spread over the processor's cores without changing a single bit of the result."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Part = TypeVar("Part")
Result = TypeVar("Result")


def cores() -> int:
    """Number of processor cores that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # only Linux tells
        return os.cpu_count() or 1


def in_order(work: Callable[[Part], Result], parts: Sequence[Part]) -> Iterator[Result]:
    """Yield work(part) for each part, in the order of the parts.

    While it runs, BLAS is held to one thread, so that a product is summed in the same order however many
    cores there are; the parts are what is shared out. The caller makes parts whose size does not
    depend on the machine and sums the results in the order given: then every machine with the same
    libraries gives the same bits.
    """
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    with threadpool_limits(limits=1, user_api="blas"):
        pool = ThreadPoolExecutor(max(1, min(cores(), len(parts))))
        try:
            yield from pool.map(work, parts)
        finally:
            pool.shutdown(cancel_futures=True)
