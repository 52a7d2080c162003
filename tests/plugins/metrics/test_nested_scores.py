"""The nested ridge against scikit-learn in a plain loop, and what its scores must and must not depend on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.linear_model import Ridge, RidgeCV
from sklearn.preprocessing import StandardScaler

from brainbench.arrays import Participant
from brainbench.records import Skip
from brainbench.statistics import two_way_interval
from brainbench_metrics import nested_null, parallel
from brainbench_metrics import nested_scores as nested_scores_module
from brainbench_metrics.folds import Fold
from brainbench_metrics.nested_interval import interval_facts, item_values
from brainbench_metrics.nested_null import null_scores, shuffled_scores
from brainbench_metrics.nested_null_groups import block_scores, moves_blocks
from brainbench_metrics.nested_people import measured_people, shuffled_orders
from brainbench_metrics.nested_ridge import NestedRidge, kernel
from brainbench_metrics.nested_scores import NestedScores, Problem, nested_scores
from brainbench_metrics.within_strata import repeated_folds

Array = NDArray[np.float64]
ALPHAS = (0.1, 3.0, 100.0)
TWO = np.array([0] * 17 + [1] * 13)
ONE = np.zeros(30, dtype=np.intp)
RUNS = np.repeat(np.arange(10), 3)


def data(seed: int, n_people: int = 3, voxels: int = 7) -> tuple[list[Array], list[Array]]:
    rng = np.random.default_rng(seed)
    layers = [
        rng.normal(size=(30, 12)),
        rng.normal(size=(30, 4)) + 3 * TWO[:, None],
        rng.normal(size=(30, 50)),
    ]
    layers[0][:, 3] *= 1e4
    people = [
        layers[0][:, :3] @ rng.normal(size=(3, voxels)) + 4 * TWO[:, None] + 2 * rng.normal(size=(30, voxels))
        for _ in range(n_people)
    ]
    return layers, people


def problem(
    layers: Sequence[Array],
    people: Sequence[Array],
    strata: Any,
    groups: Any = None,
    present: Sequence[Any] = (),
    folds: Any = None,
) -> Problem:
    split = folds or repeated_folds(strata, groups, 3, 1, 7)
    assert isinstance(split, tuple)
    there = [np.asarray(rows) for rows in present] or [np.arange(len(strata))] * len(people)
    participants = [
        Participant(f"p{i}", y, rows) for i, (y, rows) in enumerate(zip(people, there, strict=True))
    ]

    def kernels(fold: Fold) -> Array:
        return np.stack([kernel(x, strata, fold.train) for x in layers])

    return Problem((kernels,), split, strata, groups, measured_people(participants, split, strata), ALPHAS)


def less_means(x: Array, strata: Any, known: Any, rows: Any) -> Array:
    """Rows of x less their stratum's mean over the known rows, one by one."""
    means = {s: x[[j for j in known if strata[j] == s]].mean(axis=0) for s in set(strata[rows].tolist())}
    return np.array([x[i] - means[strata[i]] for i in rows])


def left_out_error(x: Array, y: Array, strata: Any, groups: Any, train: Any, alpha: float) -> float:
    """Leave one item (or group) out, means of strata taken from what remains, with scikit-learn's Ridge."""
    error = 0.0
    for group in np.unique(groups[train]):
        out = [i for i in train if groups[i] == group]
        rest = [i for i in train if groups[i] != group]
        fit = Ridge(alpha=alpha, fit_intercept=False, solver="svd", tol=1e-12)
        fit.fit(less_means(x, strata, rest, rest), less_means(y, strata, rest, rest))
        predicted = fit.predict(less_means(x, strata, rest, out))
        error += float(((less_means(y, strata, rest, out) - predicted) ** 2).sum())
    return error


def plain_fold(x: Array, y: Array, strata: Any, groups: Any, fold: Fold) -> tuple[float, float]:
    """One layer, person and fold with scikit-learn: least error left out, and r."""
    train, test = fold.train, fold.test
    inside, outside = less_means(x, strata, train, train), less_means(x, strata, train, test)
    scaler = StandardScaler().fit(inside)
    inside, outside = scaler.transform(inside), scaler.transform(outside)
    z = np.zeros_like(x)
    z[train], z[test] = inside, outside
    alphas = [alpha * float((inside**2).sum()) / len(train) for alpha in ALPHAS]
    errors = [left_out_error(z, y, strata, groups, train, alpha) for alpha in alphas]
    best = int(np.argmin(errors))
    if len(set(strata[train])) == 1 and len(set(groups)) == len(groups):
        cv = RidgeCV(alphas=alphas).fit(inside, y[train])  # its own leave-one-out must agree
        assert cv.alpha_ == alphas[best]
    fit = Ridge(alpha=alphas[best], fit_intercept=False, solver="svd").fit(
        inside, less_means(y, strata, train, train)
    )
    predicted = less_means(fit.predict(z), strata, test, test)
    measured = less_means(y, strata, test, test)
    return errors[best], float(
        (predicted * measured).sum() / np.sqrt((predicted**2).sum() * (measured**2).sum())
    )


def plain_scores(
    layers: Sequence[Array], people: Sequence[Array], strata: Any, groups: Any, folds: Sequence[Fold]
) -> tuple[Array, Array, list[int]]:
    """Layers (L x people), nested (people,), and the layers chosen: everything in loops."""
    units = np.arange(len(strata)) if groups is None else groups
    r = np.zeros((len(folds), len(layers), len(people)))
    errors = np.zeros_like(r)
    for column, y in enumerate(people):
        scaled = StandardScaler().fit_transform(less_means(y, strata, range(len(y)), range(len(y))))
        for row, x in enumerate(layers):
            for at, fold in enumerate(folds):
                error, r[at, row, column] = plain_fold(x, scaled, strata, units, fold)
                errors[at, row, column] = error / y.shape[1]
    chosen = errors.sum(axis=2).argmin(axis=1)
    nested = np.mean([r[at, row] for at, row in enumerate(chosen)], axis=0)
    return r.mean(axis=0), nested, chosen.tolist()


@pytest.mark.parametrize(("strata", "groups"), [(ONE, None), (TWO, None), (ONE, RUNS), (TWO, RUNS)])
def test_scores_are_those_of_a_plain_loop_with_scikit_learn(strata: Any, groups: Any) -> None:
    layers, people = data(1)
    made = problem(layers, people, strata, groups)
    found = nested_scores(made)
    expected, nested, chosen = plain_scores(layers, people, strata, groups, made.folds)
    np.testing.assert_allclose(found.layers, expected, atol=1e-10, rtol=0)
    np.testing.assert_allclose(found.nested, nested, atol=1e-10, rtol=0)
    assert found.chosen.tolist() == chosen
    assert found.alphas.sum() == len(made.folds) * 9
    assert not found.flat.any()


def test_people_may_lack_items_and_features_are_standardised_over_all_training_items() -> None:
    layers, people = data(2)
    there = [np.arange(30), np.delete(np.arange(30), [3, 20, 21]), np.arange(30)]
    held = [y[rows] for y, rows in zip(people, there, strict=True)]
    made = problem(layers, held, TWO, present=there)
    found = nested_scores(made)
    rows = there[1]
    for at in range(3):
        r = []
        for fold in made.folds:
            known = less_means(layers[at], TWO, fold.train, fold.train)
            x = (
                layers[at] - [layers[at][fold.train[TWO[fold.train] == s]].mean(axis=0) for s in TWO]
            ) / known.std(axis=0)
            own = Fold(np.flatnonzero(np.isin(rows, fold.train)), np.flatnonzero(np.isin(rows, fold.test)))
            y = StandardScaler().fit_transform(less_means(held[1], TWO[rows], range(27), range(27)))
            ridge = NestedRidge.fit(
                np.stack([x[rows] @ x[rows].T]), own.train, own.test, (TWO[rows], np.arange(27)), ALPHAS
            )
            outer = y @ y.T
            best = int(ridge.losses(outer[None])[0, 0].argmin())
            along, predicted, measured = (part.sum() for part in ridge.moments(outer, 0, best))
            r.append(along / np.sqrt(predicted * measured))
        assert found.layers[at, 1] == pytest.approx(np.mean(r), abs=1e-10)


def test_what_the_items_add_has_the_score_as_its_mean() -> None:
    layers, people = data(3)
    there = [np.arange(30), np.delete(np.arange(30), [3, 20, 21]), np.arange(30)]
    held = [y[rows] for y, rows in zip(people, there, strict=True)]
    found = nested_scores(problem(layers, held, TWO, present=there))
    means = [found.table[row, rows].mean() for row, rows in enumerate(there)]
    np.testing.assert_allclose(means, found.nested, atol=1e-12)
    assert (found.table[1, [3, 20, 21]] == 0).all()


@pytest.mark.parametrize("groups", [None, RUNS])
def test_the_null_is_the_whole_estimator_on_shuffled_responses(groups: Any) -> None:
    layers, people = data(4)
    made = problem(layers, people, TWO if groups is None else ONE, groups)
    orders = shuffled_orders(5, 6, made.strata, groups, [np.arange(30)])
    assert orders is not None
    orders[0][0] = np.arange(30)
    found = shuffled_scores(made, orders)
    for row, order in enumerate(orders[0]):
        again = nested_scores(
            problem(layers, [y[order] for y in people], made.strata, groups, folds=made.folds)
        )
        np.testing.assert_allclose(found[row], again.nested, atol=1e-10)
    assert np.ptp(found[:, 0]) > 0.01


def test_people_who_lack_items_are_shuffled_among_those_that_they_have() -> None:
    layers, people = data(6)
    there = [np.arange(30), np.delete(np.arange(30), [3, 20, 21]), np.delete(np.arange(30), 3)]
    held = [y[rows] for y, rows in zip(people, there, strict=True)]
    made = problem(layers, held, TWO, present=there)
    orders = shuffled_orders(5, 5, TWO, None, there)
    assert orders is not None
    found = shuffled_scores(made, orders)
    for row in range(5):
        moved = []
        for y, rows, order in zip(held, there, orders, strict=True):
            where = np.searchsorted(rows, order[row][rows])
            assert sorted(order[row][rows]) == rows.tolist()
            moved.append(y[where])
        again = nested_scores(problem(layers, moved, TWO, present=there, folds=made.folds))
        np.testing.assert_allclose(found[row], again.nested, atol=1e-10)


def test_shuffles_keep_strata_and_move_groups_as_wholes() -> None:
    (orders,) = shuffled_orders(0, 50, TWO, None, [np.arange(30)]) or []
    assert (TWO[orders] == TWO).all()
    assert len({order.tobytes() for order in orders}) == 50
    groups = np.array([0] * 4 + [1] * 4 + [2] * 4 + [3] * 3)
    (orders,) = shuffled_orders(0, 50, np.zeros(15, dtype=np.intp), groups, [np.arange(15)]) or []
    assert len({order.tobytes() for order in orders}) == 6
    assert (orders[:, 12:] == [12, 13, 14]).all()  # no other group of its length
    assert (np.diff(orders[:, :12].reshape(50, 3, 4), axis=2) == 1).all()
    assert shuffled_orders(0, 5, np.arange(4), None, [np.arange(4)]) is None


def test_a_shuffle_that_skips_missing_items_leaves_every_order_as_likely() -> None:
    there = np.array([0, 2, 3])
    (orders,) = shuffled_orders(1, 6000, np.zeros(5, dtype=np.intp), None, [there]) or []
    counts = np.unique(orders[:, there], axis=0, return_counts=True)[1]
    assert len(counts) == 6
    assert np.abs(counts - 1000).max() < 5 * np.sqrt(1000 * 5 / 6)
    assert (orders[:, [1, 4]] == [1, 4]).all()


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_scores_do_not_depend_on_what_they_should_not(seed: int) -> None:
    layers, people = data(seed)
    rng = np.random.default_rng(seed)
    made = problem(layers, people, TWO)
    found = nested_scores(made)
    order = rng.permutation(30)
    place = np.argsort(order)
    folds = tuple(Fold(np.sort(place[fold.train]), np.sort(place[fold.test])) for fold in made.folds)
    turned = problem([x[order] for x in layers], [y[order] for y in people], TWO[order], folds=folds)
    same(found, nested_scores(turned))  # the order of items, in the same folds
    units = [rng.permutation(x.shape[1]) for x in layers]
    affine = [
        (x[:, at] * rng.uniform(0.1, 10, x.shape[1]) + rng.normal(size=x.shape[1])).astype(np.float64)
        for x, at in zip(layers, units, strict=True)
    ]
    same(found, nested_scores(problem(affine, people, TWO)))  # order, scale and offset of units
    offset = [x + 5 * TWO[:, None] * rng.normal(size=x.shape[1]) for x in layers]
    same(found, nested_scores(problem(offset, people, TWO)))  # what differs between strata only
    voxels = [
        y * rng.uniform(0.1, 10, y.shape[1]) + rng.normal(size=y.shape[1]) * (1 + TWO[:, None])
        for y in people
    ]
    same(found, nested_scores(problem(layers, voxels, TWO)))  # scale and offset of voxels, in each stratum
    duplicated = [np.hstack([y, y[:, ::-1]]) for y in people]
    same(found, nested_scores(problem(layers, duplicated, TWO)))


def same(one: NestedScores, other: NestedScores) -> None:
    np.testing.assert_allclose(one.layers, other.layers, atol=1e-9)
    np.testing.assert_allclose(one.nested, other.nested, atol=1e-9)


def test_a_rotation_of_features_counts_unless_they_are_white() -> None:
    """Standardising picks out the axes: rotated features are others, as they are not for a plain ridge."""
    layers, people = data(8)
    rotation = np.linalg.qr(np.random.default_rng(8).normal(size=(12, 12)))[0]
    found = nested_scores(problem(layers[:1], people, ONE)).layers
    rotated = nested_scores(problem([layers[0] @ rotation], people, ONE)).layers
    assert np.abs(found - rotated).max() > 0.01
    fold = Fold(np.arange(24), np.arange(24, 30))
    white = layers[0] - layers[0][:24].mean(axis=0)
    white = white @ np.linalg.inv(np.linalg.cholesky(white[:24].T @ white[:24] / 24)).T
    np.testing.assert_allclose(
        kernel(white, ONE, fold.train), kernel(white @ rotation, ONE, fold.train), atol=1e-9
    )


@pytest.mark.parametrize("cores", [1, 2, 5])
def test_neither_cores_nor_parts_change_a_bit_of_the_result(
    cores: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    layers, people = data(9)
    made = problem(layers, people, TWO)
    scores, null = nested_scores(made), null_scores(made, 130, 3)
    assert isinstance(null, np.ndarray)
    monkeypatch.setattr(parallel, "cores", lambda: cores)
    np.testing.assert_array_equal(nested_scores(made).table, scores.table)
    np.testing.assert_array_equal(as_array(null_scores(made, 130, 3)), null)
    longer = as_array(null_scores(made, 230, 3))
    np.testing.assert_allclose(longer[:130], null, atol=1e-12)
    monkeypatch.setattr(nested_null, "_NUMBERS", 3 * 30 * 31 // 2 * 17)
    monkeypatch.setattr(nested_null, "_BLOCK", 5)
    monkeypatch.setattr(nested_scores_module, "_FORM_NUMBERS", 3 * 30 * 30)
    steps: list[int] = []
    parts = as_array(null_scores(made, 130, 3, steps.append))
    np.testing.assert_allclose(parts, null, atol=1e-12)
    np.testing.assert_allclose(nested_scores(made).table, scores.table, atol=1e-12)
    assert sum(steps) == 130
    assert len(steps) > 3


def as_array(null: Array | Skip) -> Array:
    assert not isinstance(null, Skip)
    return null


@pytest.mark.parametrize("layout", ["runs", "lengths", "types"])
def test_groups_that_change_places_give_the_null_of_items_in_that_order(layout: str) -> None:
    layers, people = data(16)
    groups, strata = RUNS, ONE
    if layout == "lengths":
        groups = np.repeat(np.arange(9), [3, 3, 3, 5, 5, 5, 2, 2, 2])
    if layout == "types":
        strata = np.tile([0, 1, 1, 0, 1, 0], 5)
        groups = np.repeat(np.arange(10), 3)[np.random.default_rng(0).permutation(30)]
        strata = np.array(
            [strata[np.flatnonzero(groups == g).tolist().index(i)] for i, g in enumerate(groups)]
        )
    folds = repeated_folds(strata, groups, 3, 2, 1)
    assert isinstance(folds, tuple)
    made = problem(layers, people, strata, groups, folds=folds)
    made = replace(made, kernels=made.kernels * 2, sources=np.array([0, 1, 0]))  # two sets of people
    orders = shuffled_orders(5, 100, strata, groups, [np.arange(30)] * 2)
    assert orders is not None
    steps: list[int] = []
    found = block_scores(made, orders[0], steps.append)
    np.testing.assert_allclose(found, shuffled_scores(made, orders), atol=1e-10)
    assert np.ptp(found[:, 0]) > 0.01
    assert sum(steps) == 100
    assert moves_blocks(made, 100)
    np.testing.assert_array_equal(as_array(null_scores(made, 100, 5)), found.mean(axis=1))
    assert not moves_blocks(made, 80) or layout == "lengths"


def test_where_blocks_are_no_way_items_are_moved_one_by_one() -> None:
    layers, people = data(17)
    assert not moves_blocks(problem(layers, people, ONE), 1000)
    there = [np.arange(30), np.delete(np.arange(30), [3, 20, 21]), np.arange(30)]
    held = [y[rows] for y, rows in zip(people, there, strict=True)]
    made = problem(layers, held, ONE, RUNS, present=there)
    assert not moves_blocks(made, 1000)
    assert as_array(null_scores(made, 100, 0)).shape == (100,)


def test_a_null_that_would_not_fit_is_not_made_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    layers, people = data(18)
    monkeypatch.setattr(nested_null, "_MOST_NUMBERS", 1000)
    null = null_scores(problem(layers, people, ONE), 100, 0)
    assert isinstance(null, Skip)
    assert "30 items" in null.reason
    assert as_array(null_scores(problem(layers, people, ONE, RUNS), 100, 0)).shape == (100,)


def test_a_layer_that_differs_only_between_strata_predicts_nothing() -> None:
    layers, people = data(10)
    flat = np.tile(TWO[:, None].astype(np.float64), (1, 3))
    found = nested_scores(problem([layers[0], flat], people, TWO))
    assert found.flat.tolist() == [False, True]
    assert (found.layers[1] == 0).all()


def test_noise_scores_zero_on_average_whatever_the_width_and_the_choice() -> None:
    rng = np.random.default_rng(11)
    found = []
    for _ in range(120):
        layers = [rng.normal(size=(30, width)) for width in (1, 3, 40)]
        people = [rng.normal(size=(30, 20)) for _ in range(2)]
        scores = nested_scores(problem(layers, people, TWO))
        found.append([*scores.layers.mean(axis=1), scores.nested.mean()])
    values = np.array(found)
    errors = values.std(axis=0, ddof=1) / np.sqrt(len(values))
    assert errors.max() < 0.006
    assert (np.abs(values.mean(axis=0)) < 3.5 * errors).all()


def test_a_group_that_is_all_of_its_stratum_is_judged_by_differences_within_it() -> None:
    """Runs of one type each, two of a type: leaving one out of training may leave nothing of its type."""
    layers, people = data(12)
    groups = np.repeat(np.arange(4), [9, 8, 7, 6])
    folds = repeated_folds(TWO, groups, 4, 1, 0)
    assert isinstance(folds, tuple)
    found = nested_scores(problem(layers, people, TWO, groups, folds=folds))
    assert np.isfinite(found.layers).all()
    assert (np.abs(found.layers) <= 1).all()
    for fold in folds:
        assert len(set(groups[fold.test])) == 1


def test_the_interval_is_the_two_way_one_of_items_or_groups_widened_for_the_training_items() -> None:
    rng = np.random.default_rng(13)
    layers = data(13)[0]
    tuned = layers[0][:, :3] @ rng.normal(size=(3, 40))
    people = [tuned + rng.normal(size=(30, 40)) for _ in range(3)]  # alike, so that items decide
    for strata, groups in ((TWO, None), (ONE, RUNS)):
        made = problem(layers, people, strata, groups)
        found = nested_scores(made)
        table = found.table if groups is None else found.table.reshape(3, 10, 3).mean(axis=2)
        training = np.mean([len(fold.train) for fold in made.folds])
        means = table.mean(axis=1, keepdims=True)
        wide = two_way_interval(means + np.sqrt(1 + 30 / training) * (table - means))
        facts = interval_facts(found, made, 4000, 0)["interval"]
        assert facts["standard_error"] == pytest.approx(wide.standard_error, rel=0.06)
        assert facts["standard_error"] > 1.3 * two_way_interval(table).standard_error
        assert (facts["low"] + facts["high"]) / 2 == pytest.approx(found.nested.mean(), abs=1e-12)


@pytest.mark.parametrize("sizes", [None, [3] * 10, [2, 4] * 5, [1, 2, 3, 4, 5, 1, 2, 3, 4, 5]])
def test_values_of_items_have_the_scores_as_means_and_the_interval_as_their_two_way_one(sizes: Any) -> None:
    rng = np.random.default_rng(14)
    groups = None if sizes is None else np.repeat(np.arange(10), sizes)
    ratios = []
    for seed in range(6):
        layers = data(seed)[0]
        tuned = layers[0][:, :3] @ rng.normal(size=(3, 40))
        made = problem(layers, [tuned + rng.normal(size=(30, 40)) for _ in range(4)], ONE, groups)
        found = nested_scores(made)
        values = item_values(found, made)
        np.testing.assert_allclose(values.mean(axis=1), found.nested, atol=1e-12)
        whole = two_way_interval(values)
        facts = interval_facts(found, made, 1000, 0)["interval"]
        ratios.append(whole.standard_error / facts["standard_error"])
        if groups is None:
            assert whole.low == pytest.approx(facts["low"], abs=0.15 * facts["standard_error"])
            assert whole.high == pytest.approx(facts["high"], abs=0.15 * facts["standard_error"])
        else:
            assert all(len(np.unique(values[0, groups == name])) == 1 for name in range(10))
    assert np.mean(ratios) == pytest.approx(1.0, abs=0.05 if sizes is None or len(set(sizes)) < 3 else 0.15)


def test_values_of_items_that_a_person_lacks_are_not_there() -> None:
    layers, people = data(3)
    there = [np.arange(30), np.delete(np.arange(30), [3, 20, 21]), np.arange(30)]
    held = [y[rows] for y, rows in zip(people, there, strict=True)]
    for groups in (None, RUNS):
        made = problem(layers, held, ONE, groups, present=there)
        found = nested_scores(made)
        values = item_values(found, made)
        assert np.flatnonzero(np.isnan(values[1])).tolist() == [3, 20, 21]
        assert not np.isnan(values[[0, 2]]).any()
        np.testing.assert_allclose(np.nanmean(values, axis=1), found.nested, atol=1e-12)


def test_the_difference_of_two_tables_says_how_sure_a_difference_of_layers_is() -> None:
    """Over many draws of people and items the paired interval is about as wide as differences vary."""
    rng = np.random.default_rng(15)
    differences, errors = [], []
    for _ in range(60):
        signal = rng.normal(size=(30, 3))
        one, two = (signal + noise * rng.normal(size=(30, 3)) for noise in (0.5, 0.8))
        people = [signal @ rng.normal(size=(3, 30)) + 3 * rng.normal(size=(30, 30)) for _ in range(4)]
        made = [problem([x], people, ONE) for x in (one, two)]
        tables = [item_values(nested_scores(each), each) for each in made]
        paired = two_way_interval(tables[0] - tables[1])
        differences.append(paired.estimate)
        errors.append(paired.standard_error)
    assert np.mean(differences) > 0
    assert 0.7 < np.mean(errors) / np.std(differences) < 1.6
