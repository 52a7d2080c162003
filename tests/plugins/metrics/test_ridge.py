from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from brainbench.records import Skip
from brainbench_metrics.folds import Fold, stratified_folds
from brainbench_metrics.ridge import Basis, RidgeStack, gram, stack_size

Array = NDArray[np.float64]
ALPHAS = (1e-3, 1e-2, 1e-1, 1.0, 1e1, 1e2, 1e3)
STRATA = ["a"] * 22 + ["b"] * 18


def folds_of(strata: list[str]) -> tuple[Fold, ...]:
    folds = stratified_folds(strata, 5, 1)
    assert not isinstance(folds, Skip)
    return folds


def fit(
    layers: list[Array], y: Array, strata: list[str] = STRATA
) -> tuple[Array, NDArray[np.intp], RidgeStack]:
    centred = y - y.mean(axis=0)
    grams = np.stack([gram(x) for x in layers])
    stack = RidgeStack.fit(grams, (centred @ centred.T)[None], folds_of(strata), ALPHAS)
    r, count = stack.correlations(0, centred, np.arange(len(layers)))
    return r, count, stack


def signal(rng: np.random.Generator, x: Array, noise: float, voxels: int = 30) -> Array:
    return x[:, :5] @ rng.normal(size=(5, voxels)) + noise * rng.normal(size=(len(x), voxels))


@pytest.mark.parametrize("width", [1, 5, 31, 32, 40, 300])
@pytest.mark.parametrize("noise", [0.1, 3.0, 30.0])
def test_wide_and_narrow_features_give_what_scikit_learn_gives(
    plain_ridge: Callable[..., Any], width: int, noise: float
) -> None:
    rng = np.random.default_rng(width)
    x = rng.normal(size=(40, width)) + 5.0
    y = signal(rng, x if width >= 5 else rng.normal(size=(40, 5)), noise) - 3.0
    expected, alphas = plain_ridge(x, y, STRATA)
    r, count, stack = fit([x], y)
    np.testing.assert_allclose(r[0], expected.mean(axis=0), atol=1e-8, rtol=0)
    assert (count == 5).all()
    assert [ALPHAS[choice] for choice in stack.choices[:, 0, 0]] == alphas


def test_low_rank_constant_and_huge_columns_give_what_scikit_learn_gives(
    plain_ridge: Callable[..., Any],
) -> None:
    rng = np.random.default_rng(3)
    plain = rng.normal(size=(40, 60))
    low_rank = rng.normal(size=(40, 4)) @ rng.normal(size=(4, 60))
    some_constant = plain.copy()
    some_constant[:, ::3] = 7.0
    massive = plain.copy()
    massive[:, 11] = 3e4  # a large offset that no item changes
    massive[:, 12] = 300 * massive[:, 12] + 3e3
    layers = [plain, low_rank, some_constant, massive]
    y = signal(rng, plain, 2.0)
    r, _, _ = fit(layers, y)
    for row, x in enumerate(layers):
        np.testing.assert_allclose(r[row], plain_ridge(x, y, STRATA)[0].mean(axis=0), atol=1e-8, rtol=0)


def test_float32_features_are_not_multiplied_in_float32(plain_ridge: Callable[..., Any]) -> None:
    rng = np.random.default_rng(4)
    x = (rng.normal(size=(40, 200)) + 1000).astype(np.float32)
    y = signal(rng, x.astype(np.float64), 5.0)
    r, _, _ = fit([x], y)  # type: ignore[list-item]
    np.testing.assert_allclose(r[0], plain_ridge(x, y, STRATA)[0].mean(axis=0), atol=1e-8, rtol=0)


def test_leave_one_out_error_is_that_of_leaving_one_out() -> None:
    from sklearn.linear_model import Ridge

    rng = np.random.default_rng(5)
    x, y = rng.normal(size=(13, 6)), rng.normal(size=(13, 2))
    fold = Fold(np.arange(10), np.arange(10, 13))
    matrices = Basis.of(gram(x)[None], fold).criteria(np.array([0.5, 20.0]))
    for place, alpha in enumerate((0.5, 20.0)):
        error = np.zeros(2)
        for i in range(10):
            rest = np.setdiff1d(np.arange(10), [i])
            error += (Ridge(alpha).fit(x[rest], y[rest]).predict(x[[i]])[0] - y[i]) ** 2
        centred = y[:10] - y[:10].mean(axis=0)
        np.testing.assert_allclose(np.einsum("iv,ij,jv->v", centred, matrices[0, place], centred), error)


def test_the_first_of_penalties_that_tie_exactly_wins() -> None:
    rng = np.random.default_rng(6)
    basis = Basis.of(gram(rng.normal(size=(20, 4)))[None], Fold(np.arange(15), np.arange(15, 20)))
    nothing = np.zeros((1, 15, 15))  # voxels without variance in training: every penalty errs by exactly 0
    assert basis.choose(np.array([10.0, 1.0, 100.0]), nothing).tolist() == [[0]]


def test_one_persons_choice_does_not_depend_on_the_others() -> None:
    rng = np.random.default_rng(7)
    x = rng.normal(size=(40, 80))
    people = [signal(rng, x, noise) for noise in (0.01, 1.0, 100.0)]
    people = [y - y.mean(axis=0) for y in people]
    outers = np.stack([y @ y.T for y in people])
    together = RidgeStack.fit(gram(x)[None], outers, folds_of(STRATA), ALPHAS)
    assert len(np.unique(together.choices)) > 1
    for place, y in enumerate(people):
        alone = fit([x], y)[2]
        assert (together.choices[:, 0, place] == alone.choices[:, 0, 0]).all()


def test_folds_in_which_nothing_varies_are_left_out(plain_ridge: Callable[..., Any]) -> None:
    rng = np.random.default_rng(8)
    rare = np.zeros((40, 2))
    rare[[3, 5], 0] = 1.0  # varies over few items: most folds have none of them
    rare[30, 1] = 1.0
    y = rng.normal(size=(40, 6))
    folds = folds_of(STRATA)
    y[folds[2].test, 4] = 1.25
    y[:, 5] = 0.0
    y[folds[1].test, 5] = rng.normal(size=len(folds[1].test))  # constant in every other fold's test items
    y[folds[1].test[0], 5] = 1.0
    expected = plain_ridge(rare, y, STRATA)[0]
    r, count, _ = fit([rare], y)
    usable = np.isfinite(expected)
    usable[1, 5] = False  # constant in training: the plain loop only sees what rounding left
    assert 0 < usable.sum() < usable.size
    np.testing.assert_array_equal(count[0], usable.sum(axis=0))
    for voxel in range(6):
        values = expected[usable[:, voxel], voxel]
        np.testing.assert_allclose(r[0, voxel], values.mean() if len(values) else 0.0, atol=1e-8)


def test_features_of_train_and_test_that_have_nothing_in_common_predict_nothing() -> None:
    rng = np.random.default_rng(9)
    folds = folds_of(STRATA)
    x = np.zeros((40, 20))
    x[folds[0].train, :10] = rng.normal(size=(32, 10))
    x[folds[0].test, 10:] = rng.normal(size=(8, 10))
    assert Basis.of(gram(x)[None], folds[0]).flat.tolist() == [True]
    assert Basis.of(gram(rng.normal(size=(40, 20)))[None], folds[0]).flat.tolist() == [False]


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), width=st.integers(2, 60), offset=st.floats(-100, 100))
def test_rotating_and_shifting_features_or_shifting_voxels_changes_nothing(
    seed: int, width: int, offset: float
) -> None:
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(40, width)), rng.normal(size=(40, 7))
    turn = np.linalg.qr(rng.normal(size=(width, width)))[0]
    r, _, _ = fit([x, x @ turn, x + offset], y)
    moved, _, _ = fit([x], y + offset)
    np.testing.assert_allclose(r, np.tile(r[0], (3, 1)), atol=1e-8)
    np.testing.assert_allclose(moved[0], r[0], atol=1e-8)


def test_stacks_get_smaller_as_items_grow_so_that_memory_does_not() -> None:
    assert stack_size(70, 7) == 16
    assert stack_size(5000, 7) == 1
    assert stack_size(300, 7) * 7 * 300**2 * 8 < 2**24


def test_folds_are_those_of_scikit_learn_also_with_a_single_stratum() -> None:
    from sklearn.model_selection import StratifiedKFold

    for strata in (STRATA, ["only"] * 36, [""] * 34):
        expected = StratifiedKFold(5, shuffle=True, random_state=1).split(np.zeros(len(strata)), strata)
        for fold, (train, test) in zip(folds_of(strata), expected, strict=True):
            np.testing.assert_array_equal(fold.train, train)
            np.testing.assert_array_equal(fold.test, test)


def test_a_stratum_smaller_than_the_folds_is_no_reason_to_warn_but_too_few_items_are_refused() -> None:
    assert len(folds_of(["a"] * 20 + ["b"] * 2)) == 5
    few = stratified_folds(["a"] * 14, 5, 1)
    assert isinstance(few, Skip)
    assert "14 items are too few for 5 folds" in few.reason
    scattered = stratified_folds([str(i) for i in range(30)], 5, 1)
    assert isinstance(scattered, Skip)
    assert "No stratum" in scattered.reason
