"""Sign-flip tests: exact where people are few, together where there are several tests."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from brainbench.errors import ShapeError, UsageError
from brainbench.statistics import sign_flip, sign_flip_family

SCIPY: Any = scipy.stats  # its types know fewer uses than it has
SMALL = st.integers(-4, 4).map(float)


@settings(max_examples=30)
@given(arrays(np.float64, st.integers(2, 8), elements=SMALL))
@pytest.mark.parametrize("alternative", ["greater", "less", "two-sided"])
def test_scipy_agrees_exactly(alternative: Any, values: np.ndarray) -> None:
    ours = sign_flip(values, seed=0, alternative=alternative)
    theirs = SCIPY.permutation_test(
        (values,), np.mean, permutation_type="samples", n_resamples=np.inf, alternative=alternative
    )
    assert ours.exact
    assert ours.patterns == 2 ** len(values)
    assert ours.p == pytest.approx(theirs.pvalue)


def test_random_patterns_come_near_the_exact_answer_and_count_what_was_observed() -> None:
    values = np.random.default_rng(3).normal(0.5, 1, size=12)
    exact, drawn = (sign_flip(values, seed=0, draws=draws) for draws in (4096, 4000))
    assert (exact.exact, drawn.exact) == (True, False)
    assert drawn.p == pytest.approx(exact.p, abs=4 * np.sqrt(exact.p / 4000))
    sure = sign_flip(np.arange(1.0, 41), seed=0, draws=999)
    assert sure.p == 1 / 1000


@settings(max_examples=30)
@given(arrays(np.float64, 9, elements=st.floats(-10, 10)), st.floats(0.001, 1000), st.randoms())
def test_order_and_scale_change_nothing_and_the_sign_turns_sides(
    values: np.ndarray, scale: float, random: Any
) -> None:
    shuffled = np.array(random.sample(values.tolist(), 9)) * scale
    plain, moved = (sign_flip(v, seed=0, alternative="greater").p for v in (values, shuffled))
    assert moved == pytest.approx(plain)
    assert sign_flip(-values, seed=5, alternative="less").p == pytest.approx(plain)
    assert sign_flip(-values, seed=5).p == pytest.approx(sign_flip(values, seed=1).p)


@pytest.mark.parametrize("tenths", [[-4, -8, -2, 2, 8, 4], [-2, 5, -3, -5, 6, 7, -8]])
def test_sums_that_cancel_are_tied_although_their_rounding_differs(tenths: list[int]) -> None:
    """Around zero a difference of 1e-17 is large relative to the sums, and still nothing but rounding."""
    sums = [
        sum(s * t for s, t in zip(signs, tenths, strict=True))
        for signs in product((1, -1), repeat=len(tenths))
    ]
    values = np.array(tenths) / 10
    assert sum(tenths) == 0
    expected = np.mean([found >= 0 for found in sums])
    assert sign_flip(values, seed=0, alternative="greater").p == expected
    assert sign_flip(values, seed=0, alternative="less").p == expected
    assert sign_flip(values, seed=0).p == 1.0


def test_adjusted_p_values_are_those_of_the_largest_t_by_hand() -> None:
    values = np.random.default_rng(1).normal(0.4, [1, 5, 0.1], size=(7, 3))

    def t(flipped: np.ndarray) -> np.ndarray:
        found: np.ndarray = np.abs(flipped.mean(axis=0) / scipy.stats.sem(flipped))
        return found

    null = np.array([t(values * np.array(signs)[:, None]) for signs in product((1, -1), repeat=7)])
    reached = t(values) * (1 - 1e-9)
    found = sign_flip_family(values, seed=0)
    assert found.single == pytest.approx((null >= reached).mean(axis=0))
    assert found.adjusted == pytest.approx((null.max(axis=1)[:, None] >= reached).mean(axis=0))
    assert found.means == pytest.approx(values.mean(axis=0))
    one_sided = sign_flip_family(values, seed=0, alternative="greater")
    assert one_sided.single == pytest.approx(
        [sign_flip(v, seed=0, alternative="greater").p for v in values.T]
    )


def test_a_test_in_which_nothing_differs_does_not_disturb_the_others() -> None:
    values = np.random.default_rng(1).normal(1, 1, size=(8, 2))
    alone = sign_flip_family(values, seed=0)
    beside = sign_flip_family(np.column_stack([values, np.zeros(8)]), seed=0)
    assert beside.adjusted.tolist() == [*alone.adjusted, 1.0]
    assert sign_flip(np.zeros(5), seed=0).p == 1.0


def test_the_test_keeps_its_level_with_ten_people() -> None:
    rng = np.random.default_rng(0)
    alarms = np.mean([sign_flip(rng.laplace(size=10), seed=0).p <= 0.05 for _ in range(600)])
    assert 0.02 <= alarms <= 0.08  # .0499 expected, standard error .009


def test_what_cannot_be_tested_is_refused() -> None:
    for wrong in (np.array([1.0]), np.array([]), np.array([1.0, np.nan]), np.ones((2, 2))):
        with pytest.raises(ShapeError, match="Differences of people"):
            sign_flip(wrong, seed=0)
    with pytest.raises(ShapeError, match="Differences of people"):
        sign_flip_family(np.ones((1, 4)), seed=0)
    with pytest.raises(UsageError, match="draws"):
        sign_flip(np.ones(4), seed=0, draws=0)
    with pytest.raises(UsageError, match="seed"):
        sign_flip(np.ones(4), seed=-3)
    with pytest.raises(UsageError, match="alternative"):
        sign_flip(np.ones(4), seed=0, alternative="both")  # type: ignore[arg-type]
