"""Many means over grouped items at once: the numbers of one at a time, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from brainbench.errors import ShapeError, UsageError
from brainbench.statistics import expanded_interval, ratio_intervals


@pytest.mark.parametrize("groups", [4, 7, 300])
def test_each_interval_is_the_expanded_bootstrap_of_its_ratio(groups: int) -> None:
    rng = np.random.default_rng(3)
    sizes = rng.integers(1, 7, groups).astype(float)
    sums = rng.integers(-3, 4, (5, groups)).astype(float)
    sums[:, 0], sums[:, 1] = 1.0, -2.0
    draws = 10_000 if groups == 4 else 4_000
    found = ratio_intervals(sums, sizes, seed=9, draws=draws)
    for row, made in zip(sums, found, strict=True):

        def ratio(drawn: np.ndarray, /, *, axis: int, row: np.ndarray = row) -> np.ndarray:
            at = drawn.astype(int)
            shares: np.ndarray = row[at].sum(axis=axis) / sizes[at].sum(axis=axis)
            return shares

        alone = expanded_interval(np.arange(float(groups)), ratio, seed=9, draws=draws)
        numbers = [(x.estimate, x.low, x.high, x.standard_error) for x in (made, alone)]
        assert numbers[0] == pytest.approx(numbers[1], abs=1e-12)
        assert (made.level, made.method, made.draws) == (alone.level, alone.method, draws)


def test_a_mean_that_does_not_vary_has_no_width() -> None:
    (found,) = ratio_intervals(np.full((1, 9), 2.0), np.full(9, 4.0), seed=0)
    assert (found.low, found.estimate, found.high) == (0.5, 0.5, 0.5)


@pytest.mark.parametrize(
    ("sums", "sizes"),
    [
        (np.ones((2, 3)), np.ones(4)),
        (np.ones((2, 3)), np.array([1.0, 0.0, 1.0])),
        (np.ones((2, 1)), np.ones(1)),
        (np.full((1, 3), np.nan), np.ones(3)),
    ],
)
def test_what_has_no_ratio_is_refused(sums: np.ndarray, sizes: np.ndarray) -> None:
    with pytest.raises(ShapeError):
        ratio_intervals(sums, sizes, seed=0)


def test_too_few_draws_and_odd_seeds_are_refused() -> None:
    for wrong in ({"seed": -1}, {"seed": 0, "draws": 3}, {"seed": 0, "level": 1.5}):
        with pytest.raises(UsageError):
            ratio_intervals(np.eye(3), np.ones(3), **wrong)
