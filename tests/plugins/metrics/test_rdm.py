"""RDMs and their comparison, against scipy and definitions written out, and under changes of the input."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.spatial.distance import pdist, squareform
from scipy.stats import kendalltau, rankdata, spearmanr

from brainbench.errors import ShapeError, UsageError
from brainbench_metrics.rdm import Distance, crossnobis, mahalanobis, rdm, square, varies, without_distance
from brainbench_metrics.rdm_comparison import Comparator, compare, kendall_tau_a, ranks, ready, whiten

Array = NDArray[np.float64]
SEEDS = st.integers(0, 10_000)
DISTANCES: tuple[Distance, ...] = ("correlation", "euclidean", "cosine")
COMPARATORS: tuple[Comparator, ...] = ("spearman", "pearson", "kendall", "cosine", "whitened cosine")


def patterns(seed: int, items: int = 9, units: int = 6) -> Array:
    return np.random.default_rng(seed).normal(size=(items, units))


def tied(seed: int, count: int, pairs: int) -> Array:
    return np.random.default_rng(seed).integers(0, 4, (count, pairs)).astype(float)


@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("shape", [(2, 3), (9, 6), (23, 300), (5, 2)])
def test_distances_are_scipys(distance: Distance, shape: tuple[int, int]) -> None:
    x = patterns(0, *shape) + 3
    np.testing.assert_allclose(rdm(x, distance), pdist(x, distance), atol=1e-13, rtol=0)


def test_patterns_in_other_number_formats_are_taken_to_float64() -> None:
    x = patterns(1).astype(np.float32)
    np.testing.assert_allclose(rdm(x), pdist(x.astype(np.float64), "correlation"), atol=1e-13)
    np.testing.assert_allclose(
        rdm((10 * x).astype(np.int64)), pdist((10 * x).astype(np.int64), "correlation")
    )


def test_mahalanobis_distances_are_scipys() -> None:
    x, noise = patterns(2), patterns(3, 50)
    covariance = noise.T @ noise / 50
    expected = pdist(x, "mahalanobis", VI=np.linalg.inv(covariance))
    np.testing.assert_allclose(mahalanobis(x, covariance), expected, rtol=1e-10)
    with pytest.raises(ShapeError, match="not positive definite"):
        mahalanobis(x, np.zeros((6, 6)))
    with pytest.raises(ShapeError, match="do not fit"):
        mahalanobis(x, np.eye(5))


def test_crossnobis_is_the_mean_over_pairs_of_runs_and_unbiased() -> None:
    rng = np.random.default_rng(4)
    runs = rng.normal(size=(3, 5, 7))
    covariance = np.diag(rng.uniform(1, 2, 7))
    expected = []
    for i in range(5):
        for j in range(i + 1, 5):
            over = [
                (runs[a, i] - runs[a, j]) @ np.linalg.inv(covariance) @ (runs[b, i] - runs[b, j])
                for a in range(3)
                for b in range(3)
                if a != b
            ]
            expected.append(np.mean(over) / 7)
    np.testing.assert_allclose(crossnobis(runs, covariance), expected, atol=1e-12)
    noise = [crossnobis(rng.normal(size=(2, 6, 10))).mean() for _ in range(400)]
    assert abs(np.mean(noise)) < 4 * np.std(noise) / 20
    with pytest.raises(ShapeError, match="two runs or more"):
        crossnobis(runs[:1])


def test_a_pattern_without_distance_is_refused_in_a_sentence() -> None:
    x = patterns(5)
    x[3] = 2.5
    assert without_distance(x, "correlation").tolist() == [i == 3 for i in range(9)]
    with pytest.raises(ShapeError, match="1 of 9 patterns have no correlation distance"):
        rdm(x)
    x[3] = 0
    with pytest.raises(ShapeError, match="no cosine distance"):
        rdm(x, "cosine")
    assert np.isfinite(rdm(x, "euclidean")).all()
    with pytest.raises(UsageError, match="no distance 'manhattan'"):
        rdm(x, "manhattan")  # type: ignore[arg-type]


@pytest.mark.parametrize("distance", DISTANCES)
def test_items_that_differ_by_rounding_only_have_an_rdm_that_does_not_vary(distance: Distance) -> None:
    one = patterns(6, 1, 500) + 5
    same = np.repeat(one, 12, axis=0)
    assert not varies(rdm(same, distance), distance)
    noisy = same * (1 + 1e-16 * np.random.default_rng(7).normal(size=same.shape))
    assert not varies(rdm(noisy, distance), distance)
    assert varies(rdm(same + 0.01 * patterns(8, 12, 500), distance), distance)


@given(SEEDS, st.sampled_from(DISTANCES))
@settings(max_examples=40, deadline=None)
def test_distances_keep_under_what_does_not_matter_to_them(seed: int, distance: Distance) -> None:
    rng = np.random.default_rng(seed)
    x = patterns(seed)
    expected = rdm(x, distance)
    order, units = rng.permutation(9), rng.permutation(6)
    turn = np.linalg.qr(rng.normal(size=(6, 6)))[0]
    moved = square(expected, 9)[np.ix_(order, order)][np.triu_indices(9, 1)]
    np.testing.assert_allclose(rdm(x[order], distance), moved, atol=1e-12)
    np.testing.assert_allclose(rdm(x[:, units], distance), expected, atol=1e-12)
    if distance == "correlation":
        shifted = rng.uniform(0.5, 2, (9, 1)) * x + rng.normal(size=(9, 1))
        np.testing.assert_allclose(rdm(shifted), expected, atol=1e-11)
    else:
        np.testing.assert_allclose(rdm(x @ turn, distance), expected, atol=1e-12)
    if distance == "cosine":
        np.testing.assert_allclose(rdm(rng.uniform(0.5, 2, (9, 1)) * x, "cosine"), expected, atol=1e-12)
    if distance == "euclidean":
        np.testing.assert_allclose(rdm(x + rng.normal(size=6), "euclidean"), expected, atol=1e-12)
        np.testing.assert_allclose(rdm(3 * x, "euclidean"), 3 * expected, atol=1e-11)


def test_square_is_scipys_and_checks_the_number_of_pairs() -> None:
    x = rdm(patterns(9))
    np.testing.assert_array_equal(square(x, 9), squareform(x))
    with pytest.raises(ShapeError, match="8 items have 28 pairs"):
        square(x, 8)


@given(SEEDS)
@settings(max_examples=30, deadline=None)
def test_ranks_are_scipys_ties_included(seed: int) -> None:
    values = np.vstack(
        [tied(seed, 4, 21), np.random.default_rng(seed).normal(size=(2, 21)), np.ones((1, 21))]
    )
    np.testing.assert_array_equal(ranks(values), rankdata(values, axis=1))


def test_distances_equal_but_for_rounding_are_ties() -> None:
    exact = np.array([[0.0, 0.0, 0.0, 1.0, 1.0, 1.5]])
    rounded = exact + np.array([1e-16, 3e-16, 2e-16, 4e-16, 0, 0])
    np.testing.assert_array_equal(ranks(rounded), ranks(exact))


@given(SEEDS, st.booleans())
@settings(max_examples=30, deadline=None)
def test_comparisons_are_scipys_and_numpys(seed: int, with_ties: bool) -> None:
    rng = np.random.default_rng(seed)
    a, b = (
        (tied(seed, 3, 36), tied(seed + 1, 2, 36))
        if with_ties
        else (rng.normal(size=(3, 36)), rng.normal(size=(2, 36)))
    )
    spearman = [[spearmanr(x, y).statistic for y in b] for x in a]
    np.testing.assert_allclose(compare(a, b), spearman, atol=1e-13)
    np.testing.assert_allclose(compare(a, b, "pearson"), np.corrcoef(a, b)[:3, 3:], atol=1e-13)
    cosine = (a @ b.T) / np.linalg.norm(a, axis=1)[:, None] / np.linalg.norm(b, axis=1)
    np.testing.assert_allclose(compare(a, b, "cosine"), cosine, atol=1e-13)
    plain = [
        [np.sign(np.subtract.outer(x, x) * np.subtract.outer(y, y)).sum() / (36 * 35) for y in b] for x in a
    ]
    np.testing.assert_allclose(compare(a, b, "kendall"), plain, atol=1e-13)
    if not with_ties:  # where nothing ties tau-a is tau-b
        tau = [[kendalltau(x, y).statistic for y in b] for x in a]
        np.testing.assert_allclose(kendall_tau_a(a, b), tau, atol=1e-13)


@pytest.mark.parametrize("items", [3, 4, 7, 20])
def test_whitening_takes_the_covariance_of_distances_away(items: int) -> None:
    contrasts = np.array(
        [np.eye(items)[i] - np.eye(items)[j] for i in range(items) for j in range(i + 1, items)]
    )
    covariance = (contrasts @ contrasts.T) ** 2
    a = np.random.default_rng(items).normal(size=(3, len(covariance)))
    made = whiten(a)
    np.testing.assert_allclose(made @ made.T, a @ np.linalg.inv(covariance) @ a.T, atol=1e-12)


@given(SEEDS)
@settings(max_examples=20, deadline=None)
def test_rank_comparisons_do_not_see_monotone_transforms(seed: int) -> None:
    a, b = np.random.default_rng(seed).normal(size=(2, 3, 28))
    for comparator in ("spearman", "kendall"):
        np.testing.assert_allclose(
            compare(np.exp(a), 3 * b**3 + 1, comparator), compare(a, b, comparator), atol=1e-12
        )
    np.testing.assert_allclose(compare(2 * a + 1, b, "pearson"), compare(a, b, "pearson"), atol=1e-12)


def test_partial_correlations_are_those_of_residuals() -> None:
    rng = np.random.default_rng(10)
    a, b, c = rng.normal(size=(2, 45)), rng.normal(size=(2, 45)), tied(11, 2, 45)
    design = np.vstack([np.ones(45), rankdata(c, axis=1)]).T

    def rest(x: Array) -> Array:
        ranked = rankdata(x, axis=1).T
        return np.asarray((ranked - design @ np.linalg.lstsq(design, ranked, rcond=None)[0]).T)

    expected = np.corrcoef(rest(a), rest(b))[:2, 2:]
    made = ready(a, "spearman", c)[0] @ ready(b, "spearman", c)[0].T
    np.testing.assert_allclose(made, expected, atol=1e-12)
    nothing, defined = ready(c, "spearman", c)
    assert not defined.any()
    assert not nothing.any()


@pytest.mark.parametrize("comparator", COMPARATORS)
def test_comparisons_lie_between_minus_one_and_one_and_a_flat_rdm_has_none(comparator: Comparator) -> None:
    a = np.abs(np.random.default_rng(12).normal(size=(4, 28)))
    assert np.abs(compare(a, a, comparator)).max() <= 1
    np.testing.assert_allclose(np.diagonal(compare(a, a, comparator)), 1, atol=1e-12)
    if comparator in ("spearman", "pearson"):
        with pytest.raises(ShapeError, match="does not vary"):
            compare(a, np.ones((1, 28)), comparator)
    with pytest.raises(ShapeError, match="cannot be compared"):
        compare(a, a[:, :10], comparator)


def test_an_unknown_comparator_is_named() -> None:
    unknown: Any = "dcor"
    with pytest.raises(UsageError, match="no comparator 'dcor'"):
        compare(np.ones((1, 3)), np.ones((1, 3)), unknown)
