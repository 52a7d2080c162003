"""Ranks that tied models share, of many models."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brainbench.errors import ShapeError, UsageError
from brainbench.statistics import rank_models, sign_flip, smallest_p, tie_ranks


def scores(models: int, units: int, spread: float = 0.2, seed: int = 0) -> np.ndarray:
    """Models of rising means, who differ in noise, and people who differ."""
    rng = np.random.default_rng(seed)
    noise = rng.normal(size=(models, units)) * spread * np.linspace(0.5, 2, models)[:, None]
    made: np.ndarray = np.linspace(0, 1, models)[:, None] + rng.normal(size=units) + noise
    return made


def by_hand(table: np.ndarray, alpha: float = 0.05) -> np.ndarray:
    """Who is better than whom: every pair under every pattern of signs, then through others."""
    pairs = []
    for one, other in combinations(range(len(table)), 2):
        both = np.isfinite(table[one]) & np.isfinite(table[other])
        pairs.append((one, other, np.where(both, table[one] - table[other], 0.0), both.sum()))

    squares = [(d**2).sum() / n for *_, d, n in pairs]
    usual = (1 - 2 / len(table)) ** 2 * np.quantile(squares, 0.1)

    def size(difference: np.ndarray, count: int) -> float:
        mean, square = difference.sum() / count, (difference**2).sum() / count
        return float(abs(mean) / np.sqrt(square + usual))

    patterns = [np.array(signs) for signs in product((1.0, -1.0), repeat=table.shape[1])]
    largest = np.array([max(size(signs * d, n) for _, _, d, n in pairs) for signs in patterns])
    better = np.zeros((len(table), len(table)), dtype=bool)
    for one, other, d, n in pairs:
        if np.mean(largest >= size(d, n) - 1e-9) <= alpha:
            better[(one, other) if d.sum() > 0 else (other, one)] = True
    for through in range(len(table)):
        better |= better[:, [through]] & better[[through]]
    return better


@pytest.mark.parametrize("missing", [0, 4])
@pytest.mark.parametrize("seed", range(3))
def test_who_is_better_is_what_all_pairs_and_patterns_say(seed: int, missing: int) -> None:
    table = scores(5, 8, seed=seed)
    rng = np.random.default_rng(seed)
    table[rng.permutation(5)[:missing], rng.permutation(8)[:missing]] = np.nan
    found = tie_ranks(table, seed=0)
    expected = by_hand(table)
    np.testing.assert_array_equal(found.better, expected)
    np.testing.assert_array_equal(found.ranks, 1 + expected.sum(axis=0))
    assert 1 < found.ranks.max() < 5


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000), st.sampled_from([6, 9, 16]))
def test_two_models_are_compared_as_by_the_sign_flip_test(seed: int, units: int) -> None:
    """With all patterns, and with the same random ones."""
    table = scores(2, units, spread=0.8, seed=seed)
    p = sign_flip(table[0] - table[1], seed=3, draws=600).p
    found = tie_ranks(table, seed=3, draws=600)
    assert (found.ranks.max() == 2) == (p <= 0.05)
    assert found.smallest_p == rank_models("ab", table, seed=3, draws=600).smallest_p
    assert found.smallest_p == smallest_p(units, 600)


def test_many_models_are_told_apart_and_one_far_from_all_hides_nothing() -> None:
    table = scores(300, 10, spread=0.1)
    plain = tie_ranks(table[:-1], seed=0)
    table[-1] = 1000 + np.arange(10)
    found = tie_ranks(table, seed=0)
    assert plain.ranks.max() > 100
    assert found.ranks[-1] == 1
    assert found.ranks[:-1].max() > 100


@pytest.mark.parametrize("size", [1e14, 1e60])
def test_absurd_scores_of_one_model_change_nothing_between_others(size: float) -> None:
    table = scores(12, 10)
    usual, found = tie_ranks(table, seed=0), tie_ranks(np.vstack((table, np.full(10, size))), seed=0)
    assert usual.ranks.max() > 4
    assert found.ranks[-1] == 1
    np.testing.assert_array_equal(found.better[:-1, :-1], usual.better)


def test_equal_models_are_rarely_told_apart_however_noisy_each_is() -> None:
    rng = np.random.default_rng(0)
    spread = np.array([[1.0], [1], [2], [4], [0.2], [1]])
    tables = [rng.normal(size=(6, 8)) * spread for _ in range(200)]
    assert np.mean([tie_ranks(table, seed=0).ranks.max() > 1 for table in tables]) <= 0.1


def test_models_of_one_rank_were_not_told_apart_and_tied_counts_them() -> None:
    for seed in range(20):
        found = tie_ranks(scores(12, 9, spread=0.5, seed=seed), seed=0)
        alike = found.ranks[:, None] == found.ranks
        assert not (alike & found.better).any()
        np.testing.assert_array_equal(found.tied, alike.sum(axis=1))


def test_who_is_better_than_a_better_one_is_better() -> None:
    """The outer two are alike on the units that both have; from the middle one they differ elsewhere."""
    nothing, gone, one = np.zeros(8), np.full(8, np.nan), np.ones(8)
    table = np.stack([np.r_[one, nothing, gone], np.zeros(24), np.r_[gone, nothing, -one]])
    assert tie_ranks(table, seed=0).ranks.tolist() == [1, 2, 3]
    assert tie_ranks(table[[0, 2]], seed=0).ranks.tolist() == [1, 1]


def test_order_of_models_and_of_units_changes_nothing() -> None:
    table = scores(8, 9, spread=0.5)
    table[2, 3] = np.nan
    rng = np.random.default_rng(0)
    models, units = rng.permutation(8), rng.permutation(9)
    moved = tie_ranks(table[models][:, units] + 5, seed=1)
    np.testing.assert_array_equal(moved.ranks, tie_ranks(table, seed=0).ranks[models])


def test_a_model_is_better_only_if_it_is_the_higher_by_what_is_shown_too() -> None:
    table = np.stack([np.zeros(8), np.ones(8)]) + scores(2, 8)
    assert tie_ranks(table, seed=0).ranks.tolist() == [2, 1]
    assert tie_ranks(table, np.array([0.3, 0.2]), seed=0).ranks.tolist() == [1, 1]
    assert tie_ranks(table, np.array([0.3, 0.4]), seed=0).ranks.tolist() == [2, 1]


def test_few_units_one_model_and_differences_of_rounding_tell_nothing_apart() -> None:
    for units in range(1, 6):
        assert tie_ranks(np.array([[0.0] * units, [9.0] * units]), seed=0).ranks.tolist() == [1, 1]
        assert smallest_p(units) > 0.05
    assert tie_ranks(scores(1, 10), seed=0).ranks.tolist() == [1]
    table = np.tile(scores(1, 10), (2, 1))
    table[1] += 1e-15
    assert tie_ranks(table, seed=0).ranks.tolist() == [1, 1]
    disjoint = np.full((2, 20), np.nan)
    disjoint[0, :10], disjoint[1, 10:] = 0.0, 1.0
    assert tie_ranks(disjoint, seed=0).ranks.tolist() == [1, 1]


def test_what_cannot_be_ranked_is_refused() -> None:
    for table in (np.zeros(3), np.zeros((0, 3)), np.full((2, 3), np.nan), np.array([[np.inf, 0], [0, 1]])):
        with pytest.raises(ShapeError, match="models x units"):
            tie_ranks(table, seed=0)
    with pytest.raises(ShapeError, match="shown"):
        tie_ranks(np.zeros((2, 3)), np.zeros(3), seed=0)
    with pytest.raises(UsageError, match="alpha"):
        tie_ranks(np.zeros((2, 3)), seed=0, alpha=2.0)
