from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

from brainbench.errors import ShapeError
from brainbench.statistics import partial_correlation, pearson, spearman


@pytest.fixture
def pair() -> tuple[Any, Any]:
    """Fifteen units that go together at about r = .6."""
    rng = np.random.default_rng(3)
    x = rng.normal(size=15)
    return x, 0.7 * x + rng.normal(size=15)


def test_r_and_rho_are_scipys(pair: tuple[Any, Any]) -> None:
    x, y = pair
    assert pearson(x, y, seed=0, draws=100).r == pytest.approx(stats.pearsonr(x, y).statistic)
    tied = np.round(y)
    assert spearman(x, tied, seed=0, draws=100).r == pytest.approx(stats.spearmanr(x, tied).statistic)


def test_the_interval_is_scipys_bca_over_pairs(pair: tuple[Any, Any]) -> None:
    x, y = pair
    found = pearson(x, y, seed=1).interval
    assert found is not None
    theirs = stats.bootstrap(
        (x, y),
        lambda a, b: stats.pearsonr(a, b).statistic,
        paired=True,
        vectorized=False,
        n_resamples=3_000,
        method="BCa",
        rng=np.random.default_rng(2),
    ).confidence_interval
    assert (found.low, found.high) == pytest.approx(tuple(theirs), abs=0.03)  # two sets of draws


def test_the_p_value_is_that_of_scipys_permutation_test(pair: tuple[Any, Any]) -> None:
    x, y = pair
    method = stats.PermutationMethod(n_resamples=20_000, rng=np.random.default_rng(0))
    theirs = stats.pearsonr(x, y, method=method).pvalue
    assert pearson(x, y, seed=0).p == pytest.approx(theirs, abs=0.005)
    noise = np.random.default_rng(9).normal(size=15)
    assert spearman(x, noise, seed=0).p == pytest.approx(stats.spearmanr(x, noise).pvalue, abs=0.04)


def test_leaving_each_unit_out_finds_the_one_on_which_r_hangs() -> None:
    x, y = np.array([0.0, 1, 2, 3, 4, 20]), np.array([1.0, -1, 1, -1, 1, 20])
    found = pearson(x, y, seed=0, draws=100)
    by_hand = [stats.pearsonr(np.delete(x, at), np.delete(y, at)).statistic for at in range(6)]
    assert (found.left_out_low, found.left_out_high) == pytest.approx((min(by_hand), max(by_hand)))
    assert found.leverage == 5
    assert found.r > 0.9
    assert found.left_out_low < 0.2


def test_partial_correlation_is_that_of_residuals_and_of_the_matrix_inverse() -> None:
    rng = np.random.default_rng(5)
    z = rng.normal(size=20)
    x, y = z + rng.normal(size=20), z + rng.normal(size=20)
    found = partial_correlation(x, y, z, seed=0, draws=100)
    inverse = np.linalg.inv(np.corrcoef(np.stack([x, y, z])))
    assert found.r == pytest.approx(-inverse[0, 1] / np.sqrt(inverse[0, 0] * inverse[1, 1]))


def test_what_only_the_third_variable_brings_about_is_high_raw_and_nothing_given_it() -> None:
    rng = np.random.default_rng(0)
    depth = np.linspace(1, 2, 24)
    size, score = depth + 0.15 * rng.normal(size=24), depth + 0.15 * rng.normal(size=24)
    assert pearson(size, score, seed=0, draws=1_000).r > 0.75
    given = partial_correlation(size, score, depth, seed=0, draws=1_000)
    assert abs(given.r) < 0.3
    assert given.p > 0.1


def test_the_partial_test_keeps_its_level_where_x_and_the_third_go_together() -> None:
    rng = np.random.default_rng(1)
    p = []
    for _ in range(200):
        z = rng.normal(size=12)
        x, y = z + 0.3 * rng.normal(size=12), 3 * z + rng.normal(size=12)
        p.append(partial_correlation(x, y, z, seed=0, draws=99, level=0.5).p)
    assert 0.01 <= np.mean(np.array(p) <= 0.05) <= 0.10  # 5 % within three standard errors


def test_what_cannot_be_correlated_is_one_sentence() -> None:
    four = np.arange(4.0)
    for x, y, match in (
        (four[:3], four[:3], "at least 4"),
        (four, np.arange(5.0), "same units"),
        (four, np.ones(4), "no uncertainty"),
        (four, np.array([0, 1, np.nan, 2]), "finite"),
    ):
        with pytest.raises(ShapeError, match=match):
            pearson(x, y, seed=0)
    with pytest.raises(ShapeError, match="leaves nothing of x"):
        partial_correlation(2 * np.arange(6.0), np.arange(6.0) ** 2, np.arange(6.0), seed=0)
    with pytest.raises(ShapeError, match="at least 5"):
        partial_correlation(four, four**2, np.array([0.0, 1, 0, 1]), seed=0)


def test_a_perfect_correlation_has_no_interval_and_says_why() -> None:
    found = pearson(np.arange(6.0), 2 * np.arange(6.0), seed=0, draws=100)
    assert found.r == pytest.approx(1)
    assert found.interval is None
    assert "these 6 units have the same" in found.no_interval
