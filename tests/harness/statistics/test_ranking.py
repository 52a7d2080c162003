"""Ranks that tied models share."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brainbench.errors import ShapeError, UsageError
from brainbench.statistics import rank_models, sign_flip


def scores(means: list[float], spread: float = 0.1, people: int = 10, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.array(means)[:, None] + rng.normal(size=people) + rng.normal(size=(len(means), people)) * spread


def test_models_far_apart_have_ranks_of_their_own_and_others_share() -> None:
    table = scores([0, 3, 0, -3])
    table[2] = table[0] + np.tile([0.1, -0.09], 5)
    found = rank_models(["a", "b", "c", "d"], table, seed=0)
    assert (found.models[0], found.models[-1]) == ("b", "d")
    assert found.ranks == (1, 2, 2, 4)
    assert {frozenset(pair) for pair in found.tied} == {frozenset("ac")}


def test_two_models_are_compared_as_by_the_sign_flip_test() -> None:
    table = scores([0, 0.05])
    pair = rank_models("ab", table, seed=0).pairs[0]
    assert pair.p == sign_flip(table[0] - table[1], seed=0).p
    assert type(pair.significant) is bool
    assert (pair.better, pair.worse) == ("b", "a")
    assert pair.difference == pytest.approx(table[1].mean() - table[0].mean())


def test_ten_people_can_rank_twenty_models() -> None:
    """With Bonferroni 190 pairs would need p below .0003, and ten people's smallest is .002."""
    found = rank_models([f"m{i:02}" for i in range(20)], scores([3.0 * i for i in range(20)]), seed=0)
    assert found.ranks == tuple(range(1, 21))
    assert found.smallest_p == 2 / 1024


def test_ties_are_not_transitive() -> None:
    table = np.array([[2.0] * 6, [1, 3, 1, 3, 1, 2.5], [1.85] * 6])
    found = rank_models("abc", table, seed=0)
    assert set(found.tied) == {("a", "b"), ("b", "c")}
    assert dict(zip(found.models, found.ranks, strict=True)) == {"a": 1, "b": 1, "c": 2}


@settings(max_examples=25)
@given(st.permutations(range(5)), st.integers(0, 100), st.floats(-5, 5))
def test_order_of_models_and_people_and_a_shift_change_nothing(
    order: list[int], seed: int, shift: float
) -> None:
    table = scores([0, 0.05, 0.1, 0.3, 1], people=7, seed=seed)
    names = list("abcde")
    plain = rank_models(names, table, seed=0)
    people = np.random.default_rng(seed).permutation(7)
    moved = rank_models([names[i] for i in order], table[order][:, people] + shift, seed=0)
    assert (moved.models, moved.ranks) == (plain.models, plain.ranks)
    assert [pair.p for pair in moved.pairs] == pytest.approx([pair.p for pair in plain.pairs])


@settings(max_examples=25)
@given(st.integers(0, 1000))
def test_a_rank_counts_the_models_that_are_better(seed: int) -> None:
    found = rank_models("abcd", scores([0, 0.1, 0.2, 0.3], seed=seed), seed=0)
    for model, rank in zip(found.models, found.ranks, strict=True):
        assert rank == 1 + sum(pair.significant and pair.worse == model for pair in found.pairs)
    assert found.ranks[0] == 1
    assert list(found.means) == sorted(found.means, reverse=True)
    assert all(pair.difference >= 0 for pair in found.pairs)


def test_equal_models_tie_by_name_and_few_people_tell_nothing_apart() -> None:
    one = scores([0])[0]
    found = rank_models(["z", "y"], np.stack([one, one]), seed=0)
    assert (found.models, found.ranks, found.pairs[0].p) == (("y", "z"), (1, 1), 1.0)
    few = rank_models("ab", scores([0, 9], people=4), seed=0)
    assert few.ranks == (1, 1)
    assert few.smallest_p == 2 / 16 > 0.05


def test_equal_models_are_rarely_told_apart() -> None:
    """Any false alarm among 10 pairs of 5 models: 5 in 100, where single tests would give some 25."""
    rng = np.random.default_rng(0)
    alarms = [max(rank_models("abcde", rng.normal(size=(5, 8)), seed=0).ranks) > 1 for _ in range(200)]
    assert np.mean(alarms) <= 0.1  # standard error .015


def test_what_cannot_be_ranked_is_refused() -> None:
    table = scores([0, 1])
    for names in (["a"], ["a", "a"], ["a", "b", "c"]):
        with pytest.raises(UsageError, match="each name once"):
            rank_models(names, table, seed=0)
    with pytest.raises(UsageError, match="alpha"):
        rank_models("ab", table, seed=0, alpha=5)
    with pytest.raises(ShapeError, match="people"):
        rank_models("ab", table[:, :1], seed=0)
    with pytest.raises(ShapeError, match="finite"):
        rank_models("ab", np.where(table > 1, np.nan, table), seed=0)
