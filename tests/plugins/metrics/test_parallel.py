from __future__ import annotations

import time

import numpy as np
import pytest
from threadpoolctl import threadpool_info  # type: ignore[import-untyped]

from brainbench_metrics import parallel
from brainbench_metrics.parallel import cores, in_order


def blas_threads(_: int = 0) -> set[int]:
    return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}


def test_results_come_in_the_order_of_the_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "cores", lambda: 4)

    def slow_first(part: int) -> int:
        time.sleep(0.02 * (4 - part))
        return part

    assert list(in_order(slow_first, range(5))) == [0, 1, 2, 3, 4]
    assert list(in_order(slow_first, [])) == []


def test_blas_has_one_thread_inside_and_its_own_number_again_afterwards() -> None:
    np.ones((2, 2)) @ np.ones((2, 2))
    before = blas_threads()
    assert list(in_order(blas_threads, range(3))) == [{1}, {1}, {1}]
    assert blas_threads() == before
    results = in_order(lambda part: 1 // part, range(2))
    with pytest.raises(ZeroDivisionError):
        list(results)
    assert blas_threads() == before


def test_there_is_at_least_one_core() -> None:
    assert cores() >= 1
