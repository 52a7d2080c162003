"""Two models on the same people and items, and right answers before and after."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import binomtest

from brainbench.errors import ShapeError, UsageError
from brainbench.statistics import compare_models, mcnemar, sign_flip, two_way_interval

SCIPY: Any = scipy.stats  # its types know fewer uses than it has


def pair(seed: int = 0, shape: tuple[int, int] = (6, 8)) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.normal(0.5, 1, size=shape), rng.normal(size=shape)


def test_a_comparison_is_of_the_differences() -> None:
    a, b = pair()
    found = compare_models(a, b, seed=0, level=0.9)
    assert found.difference == pytest.approx(a.mean() - b.mean())
    assert found.interval == two_way_interval(a - b, level=0.9)
    assert found.over_people == sign_flip((a - b).mean(axis=1), seed=0)
    assert found.over_items.p == SCIPY.permutation_test(
        ((a - b).mean(axis=0),), np.mean, permutation_type="samples", n_resamples=np.inf
    ).pvalue  # fmt: skip


@settings(max_examples=25)
@given(st.integers(0, 10_000))
def test_what_both_share_cancels_and_order_does_not_matter(seed: int) -> None:
    a, b = pair(seed)
    rng = np.random.default_rng(seed + 1)
    people, items = rng.permutation(6), rng.permutation(8)
    shared = rng.normal(size=(6, 8)) * 10
    plain = compare_models(a, b, seed=0)
    moved = compare_models((a + shared)[people][:, items], (b + shared)[people][:, items], seed=0)
    assert (moved.interval.low, moved.interval.high) == pytest.approx(
        (plain.interval.low, plain.interval.high)
    )
    assert (moved.over_people.p, moved.over_items.p) == pytest.approx(
        (plain.over_people.p, plain.over_items.p)
    )
    turned = compare_models(b, a, seed=0)
    assert turned.difference == pytest.approx(-plain.difference)
    assert (turned.interval.low, turned.interval.high) == pytest.approx(
        (-plain.interval.high, -plain.interval.low)
    )
    assert turned.over_people.p == pytest.approx(plain.over_people.p)


def test_an_effect_of_a_few_items_is_not_one_of_all_items() -> None:
    """Every person shows it, so the test over people is sure; the items that carry it are two of twenty."""
    rng = np.random.default_rng(0)
    b = rng.normal(size=(10, 20)) * 0.1
    a = b + rng.normal(size=(10, 20)) * 0.1
    a[:, :2] += 3
    found = compare_models(a, b, seed=0)
    assert found.over_people.p < 0.005
    assert found.interval.low < 0 < found.interval.high


def test_tables_of_right_and_wrong_are_welcome() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.random((2, 6, 9)) < 0.6
    assert compare_models(a, b, seed=0).difference == pytest.approx(a.mean() - b.mean())


def test_models_that_cannot_be_compared_are_refused() -> None:
    a, b = pair()
    with pytest.raises(ShapeError, match="differ in shape") as caught:
        compare_models(a, b[:, :5], seed=0)
    assert "both models" in caught.value.hint
    with pytest.raises(ShapeError, match="all 0") as caught:
        compare_models(a, a.copy(), seed=0)
    assert "two names" in caught.value.hint
    with pytest.raises(ShapeError, match="second model's table"):
        compare_models(a, np.where(b > 1, np.nan, b), seed=0)
    with pytest.raises(ShapeError, match="first model's table"):
        compare_models(a[:1], b[:1], seed=0)
    with pytest.raises(UsageError, match="level"):
        compare_models(a, b, seed=0, level=95)


@given(st.integers(1, 40).flatmap(lambda n: st.tuples(arrays(np.bool_, n), arrays(np.bool_, n))))
def test_mcnemar_counts_every_item_once(answers: tuple[np.ndarray, np.ndarray]) -> None:
    before, after = answers
    found = mcnemar(before, after)
    assert found.gained + found.harmed + found.both_right + found.both_wrong == len(before)
    assert found.gained + found.both_right == after.sum()
    assert found.harmed + found.both_right == before.sum()
    assert found.difference == pytest.approx(after.mean() - before.mean())
    turned = mcnemar(after, before)
    assert (turned.p, turned.gained, turned.harmed) == (found.p, found.harmed, found.gained)
    if changed := found.gained + found.harmed:
        assert found.p == pytest.approx(binomtest(found.gained, changed).pvalue, rel=1e-9)


def test_mcnemar_by_hand() -> None:
    before = np.array([False] * 9 + [True] * 11)
    after = np.array([True] * 7 + [False] * 2 + [False] * 1 + [True] * 10)
    found = mcnemar(before, after)
    assert (found.gained, found.harmed, found.both_right, found.both_wrong) == (7, 1, 10, 2)
    assert found.p == pytest.approx(2 * (1 + 8) / 256)  # two tails of a binomial of 8
    assert mcnemar(before, before).p == 1.0


def test_answers_that_do_not_match_are_refused() -> None:
    right = np.array([True, False])
    with pytest.raises(ShapeError, match="same items"):
        mcnemar(right, right[:1])
    with pytest.raises(ShapeError, match="same items"):
        mcnemar(right[:0], right[:0])
    with pytest.raises(ShapeError, match="before must be True or False"):
        mcnemar(np.array([1.0, 0.0]), right)
