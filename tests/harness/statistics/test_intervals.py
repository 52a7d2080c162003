"""Bootstraps over one kind of unit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from brainbench.errors import ShapeError, UsageError
from brainbench.statistics import (
    Interval,
    bca_interval,
    expanded_interval,
    percentile_interval,
    student_interval,
)

SCIPY: Any = scipy.stats  # its types know fewer uses than it has
MAKERS: list[Callable[..., Interval]] = [percentile_interval, expanded_interval, bca_interval]
VALUES = np.random.default_rng(4).lognormal(size=30)


@pytest.mark.parametrize(("make", "method"), [(percentile_interval, "percentile"), (bca_interval, "BCa")])
@pytest.mark.parametrize("statistic", [np.mean, np.median])
def test_scipy_agrees(make: Callable[..., Interval], method: str, statistic: Callable[..., float]) -> None:
    ours = make(VALUES, statistic, seed=1, draws=5000, level=0.9)
    theirs = SCIPY.bootstrap(
        (VALUES,), statistic, n_resamples=5000, method=method, confidence_level=0.9, rng=99
    )
    spread = theirs.standard_error
    assert (ours.low, ours.high) == pytest.approx(tuple(theirs.confidence_interval), abs=0.1 * spread)
    assert ours.standard_error == pytest.approx(spread, rel=0.05)
    assert ours.estimate == statistic(VALUES)
    assert ours.level == 0.9


def test_the_expanded_interval_of_a_mean_is_as_wide_as_student_s() -> None:
    values = np.random.default_rng(0).normal(size=8)
    ours = expanded_interval(values, seed=0, draws=40_000)
    half = scipy.stats.t.isf(0.025, 7) * scipy.stats.sem(values)
    assert ours.high - ours.low == pytest.approx(2 * half, rel=0.07)  # percentiles alone: 25 percent less
    plain = percentile_interval(values, seed=0, draws=40_000)
    assert plain.high - plain.low < 1.7 * half
    assert ours.level == plain.level == 0.95


def test_coverage_with_ten_people_is_better_expanded() -> None:
    rng, repetitions = np.random.default_rng(8), 300
    held = {percentile_interval: 0, expanded_interval: 0}
    for i in range(repetitions):
        values = rng.normal(size=10)
        for make in held:
            interval = make(values, seed=i, draws=400)
            held[make] += interval.low <= 0 <= interval.high
    # Binomial standard errors: .013 at .95, .017 at .90.
    assert 0.92 <= held[expanded_interval] / repetitions <= 0.98
    assert 0.85 <= held[percentile_interval] / repetitions <= 0.94


@pytest.mark.parametrize("make", MAKERS)
def test_bca_and_the_others_follow_shift_and_scale(make: Callable[..., Interval]) -> None:
    plain, moved = (make(values, seed=2, draws=999) for values in (VALUES, 3 * VALUES - 5))
    assert (moved.low, moved.high) == pytest.approx((3 * plain.low - 5, 3 * plain.high - 5))
    assert moved.standard_error == pytest.approx(3 * plain.standard_error)


@pytest.mark.parametrize("make", MAKERS)
def test_the_seed_decides(make: Callable[..., Interval]) -> None:
    assert make(VALUES, seed=2, draws=400) == make(VALUES.copy(), seed=2, draws=400)
    assert make(VALUES, seed=2, draws=400) != make(VALUES, seed=3, draws=400)


def test_results_do_not_depend_on_how_much_is_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = bca_interval(VALUES, seed=2, draws=999)
    monkeypatch.setattr("brainbench.statistics.intervals._AT_ONCE", 200)
    assert bca_interval(VALUES, seed=2, draws=999) == whole


@given(arrays(np.float64, st.integers(2, 12), elements=st.floats(-1e3, 1e3)))
def test_intervals_stay_within_the_values_and_higher_levels_are_wider(values: np.ndarray) -> None:
    if np.ptp(values) == 0:
        return
    narrow, wide = (percentile_interval(values, seed=0, draws=100, level=level) for level in (0.5, 0.9))
    rounding = 1e-9 * np.abs(values).max()
    assert values.min() - rounding <= wide.low <= narrow.low
    assert narrow.high <= wide.high <= values.max() + rounding


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize(
    ("values", "words"),
    [
        (np.array([1.0]), "at least 2"),
        (np.array([]), "at least 2"),
        (np.array([1.0, np.nan, 2.0]), "1 of 3 are not"),
        (np.full(5, 0.25), "all 0.25"),
        (np.ones((3, 3)), "1 dimensions"),
        (["a", "b"], "numpy array"),
        (np.array(["a", "b"]), "real numbers"),
    ],
)
def test_values_that_have_no_interval_are_refused(
    make: Callable[..., Interval], values: np.ndarray, words: str
) -> None:
    with pytest.raises(ShapeError, match=words):
        make(values, seed=0)


@pytest.mark.parametrize(
    "options",
    [{"seed": -1}, {"seed": 1.5}, {"seed": True}, {"seed": 0, "draws": 39}, {"seed": 0, "draws": 1e4},
     {"seed": 0, "level": 1.0}, {"seed": 0, "level": 0.0}, {"seed": 0, "level": 95},
     {"seed": 0, "level": float("nan")}],
)  # fmt: skip
@pytest.mark.parametrize("make", MAKERS)
def test_options_without_sense_are_refused(make: Callable[..., Interval], options: dict[str, float]) -> None:
    with pytest.raises(UsageError):
        make(VALUES, **options)


def test_forty_draws_are_enough_for_95_percent() -> None:
    assert percentile_interval(VALUES, seed=0, draws=40).draws == 40


def test_bca_says_when_it_is_not_defined() -> None:
    def lowest(values: np.ndarray, /, *, axis: int) -> np.ndarray:
        found: np.ndarray = values.min(axis=axis)
        return found

    with pytest.raises(ShapeError, match="BCa interval is not defined") as caught:
        bca_interval(np.array([0.0, 0.0, 1.0, 1.0]), lowest, seed=0, draws=100)
    assert "percentile_interval" in caught.value.hint


def test_students_interval_is_scipys() -> None:
    values = np.random.default_rng(3).normal(2, 1, 7)
    made = student_interval(values, level=0.9)
    expected = SCIPY.ttest_1samp(values, 0).confidence_interval(0.9)
    assert (made.low, made.high) == pytest.approx((expected.low, expected.high), rel=1e-12)
    assert made.standard_error == pytest.approx(SCIPY.sem(values))
    with pytest.raises(ShapeError):
        student_interval(np.ones(5))
    with pytest.raises(ShapeError):
        student_interval(np.ones(1))
