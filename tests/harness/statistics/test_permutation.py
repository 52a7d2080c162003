"""P values from draws of the null, and the maximum over layers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from brainbench.errors import ShapeError, UsageError
from brainbench.statistics import MaxStatistic, blocks, max_statistic, permutation_p

SCIPY: Any = scipy.stats  # its types know fewer uses than it has
SMALL = st.integers(-3, 3).map(float)  # ties are the rule


@given(SMALL, arrays(np.float64, st.integers(1, 30), elements=SMALL))
@pytest.mark.parametrize("alternative", ["greater", "less", "two-sided"])
def test_scipy_agrees(alternative: Any, observed: float, null: np.ndarray) -> None:
    theirs = SCIPY.monte_carlo_test(
        [observed],
        lambda *, size: null.reshape(size),
        lambda sample, axis: sample[..., 0],
        vectorized=True,
        n_resamples=len(null),
        alternative=alternative,
    )
    assert permutation_p(observed, null, alternative=alternative) == pytest.approx(theirs.pvalue)


def test_p_is_never_zero_and_rounding_is_a_tie() -> None:
    assert permutation_p(9.0, np.zeros(99)) == 0.01
    assert permutation_p(0.1 + 0.2, np.full(9, 0.3)) == 1.0  # 0.30000000000000004
    assert permutation_p(0.3, np.full(9, 0.1 + 0.2), alternative="less") == 1.0


@given(
    arrays(np.float64, 4, elements=SMALL),
    arrays(np.float64, st.tuples(st.integers(1, 20), st.just(4)), elements=SMALL),
    st.booleans(),
)
def test_layers_are_counted_as_by_hand(observed: np.ndarray, null: np.ndarray, two_sided: bool) -> None:
    found = max_statistic(observed, null, two_sided=two_sided)
    seen, drawn = (np.abs(observed), np.abs(null)) if two_sided else (observed, null)
    for layer in range(4):
        single = sum(draw[layer] >= seen[layer] for draw in drawn)
        family = sum(max(draw) >= seen[layer] for draw in drawn)
        assert found.single[layer] == (single + 1) / (len(null) + 1)
        assert found.adjusted[layer] == (family + 1) / (len(null) + 1)
    assert found.best == seen.argmax()
    assert found.p == found.adjusted.min()
    assert found.draws == len(null)


@given(st.integers(1, 59), st.randoms(use_true_random=False))
def test_streaming_gives_the_same_in_any_cut_and_order(cut: int, random: Any) -> None:
    rng = np.random.default_rng(random.randrange(1000))
    observed, null = rng.normal(size=3), rng.normal(size=(60, 3))
    whole = max_statistic(observed, null)
    counter = MaxStatistic(observed)
    counter.update(null[cut:])
    counter.update(null[:cut])
    found = counter.result()
    assert (found.single == whole.single).all()
    assert (found.adjusted == whole.adjusted).all()
    assert (found.maxima == whole.maxima).all()


@pytest.mark.parametrize("alpha", [0.01, 0.05, 0.2, 0.5])
@pytest.mark.parametrize("draws", [19, 99, 250])
def test_the_critical_score_is_where_p_passes_alpha(alpha: float, draws: int) -> None:
    null = np.random.default_rng(draws).normal(size=(draws, 5))
    bar = max_statistic(np.zeros(5), null).critical(alpha)
    if np.isinf(bar):
        assert 1 / (draws + 1) > alpha
        return
    above, at = (max_statistic(np.array([x, 0, 0, 0, 0]), null).adjusted[0] for x in (bar + 1e-6, bar))
    assert above <= alpha < at


def test_the_best_of_many_layers_raises_no_more_alarms_than_it_may() -> None:
    alarms = {"max": 0, "single": 0}
    repetitions = 200
    for seed in range(repetitions):
        rng = np.random.default_rng(seed)
        x, y = rng.normal(size=(12, 25)), rng.normal(size=25)
        null = np.concatenate([y[block.permutations(25)] @ x.T for block in blocks(seed, 99)])
        found = max_statistic(x @ y, null)
        alarms["max"] += found.p <= 0.05
        alarms["single"] += found.single.min() <= 0.05
    assert alarms["max"] <= 20  # 10 expected, standard deviation 3
    assert alarms["single"] >= 60  # what happens without: 1 - .95 ** 12 is 46 percent


def test_rounding_of_alpha_does_not_cost_a_draw() -> None:
    """0.29 of 100 is 28.999999999999996 in floating point: 29 draws, of which one is the observed."""
    null = np.arange(1.0, 100.0)[:, None]
    bar = max_statistic(np.zeros(1), null).critical(0.29)
    assert bar == 71.0
    assert max_statistic(np.array([71.5]), null).p == 0.29


def test_what_has_no_p_value_is_refused() -> None:
    wrong: list[Any] = ["0.1", None, True, [1.0]]
    for observed in wrong:
        with pytest.raises(ShapeError, match="no p value"):
            permutation_p(observed, np.zeros(3))
    with pytest.raises(ShapeError, match="no p value"):
        permutation_p(float("nan"), np.zeros(3))
    with pytest.raises(ShapeError, match="Draws of the null"):
        permutation_p(1.0, np.zeros(0))
    with pytest.raises(UsageError, match="alternative 'bigger'"):
        permutation_p(1.0, np.zeros(3), alternative="bigger")  # type: ignore[arg-type]
    with pytest.raises(ShapeError, match="Observed scores"):
        max_statistic(np.array([1.0, np.nan]), np.zeros((3, 2)))
    with pytest.raises(ShapeError, match="1 of 6 are not"):
        max_statistic(np.zeros(2), np.array([[0, 0], [0, np.nan], [0, 0]]))
    with pytest.raises(ShapeError, match="3 layers, and 2 were observed"):
        max_statistic(np.zeros(2), np.zeros((4, 3)))
    with pytest.raises(UsageError, match="No draw"):
        MaxStatistic(np.zeros(2)).result()
    with pytest.raises(UsageError, match="alpha"):
        max_statistic(np.zeros(2), np.zeros((4, 2))).critical(5)
