"""Variance partitioning on held-out data: against scikit-learn, and on data whose parts are known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.linear_model import LinearRegression, RidgeCV
from sklearn.preprocessing import StandardScaler

from brainbench.arrays import Participant
from brainbench_metrics.nested_people import measured_people
from brainbench_metrics.nested_ridge import kernel
from brainbench_metrics.nested_scores import Problem
from brainbench_metrics.variance_partition import MIXES, Partition, mixed_kernels, variance_partition
from brainbench_metrics.within_strata import repeated_folds

Array = NDArray[np.float64]
ALPHAS = (0.1, 1.0, 10.0, 100.0, 1000.0)


def problem(layer: Array, nuisances: Array, people: list[Array], strata: Any = None) -> Problem:
    labels = np.zeros(len(nuisances), dtype=np.intp) if strata is None else strata
    folds = repeated_folds(labels, None, 5, 1, 3)
    assert isinstance(folds, tuple)
    participants = [Participant(f"p{i}", y, np.arange(len(y))) for i, y in enumerate(people)]
    made = measured_people(participants, folds, labels)
    own = lambda fold: kernel(layer, labels, fold.train)  # noqa: E731
    mixed = mixed_kernels(own, nuisances, labels, np.arange(len(nuisances)))
    return Problem((mixed,), folds, labels, None, made, ALPHAS)


def partition(features: Array, nuisances: Array, responses: Array, strata: Any = None) -> Partition:
    return variance_partition(problem(features, nuisances, [responses], strata))


def made(seed: int, items: int = 200) -> tuple[Array, Array, Array]:
    """Features, nuisances and responses with a share of .25 for each, and noise."""
    rng = np.random.default_rng(seed)
    x, z = rng.normal(size=(items, 3)), rng.normal(size=(items, 2))
    tuned = [columns @ unit(rng.normal(size=(columns.shape[1], 30))) for columns in (x, z)]
    y = 0.5 * tuned[0] + 0.5 * tuned[1] + np.sqrt(0.5) * rng.normal(size=(items, 30))
    return x, z, y


def unit(weights: Array) -> Array:
    lengths: Array = weights / np.linalg.norm(weights, axis=0)
    return lengths


def plain(features: Array, nuisances: Array, responses: Array, folds: Any) -> tuple[float, float]:
    """R2 of nuisances and of both with scikit-learn: residuals, stacked columns, choice among mixtures."""
    y = StandardScaler().fit_transform(responses)
    explained, total = np.zeros(2), 0.0
    for fold in folds:
        known = StandardScaler().fit(nuisances[fold.train]).transform(nuisances)
        stacks = [known / np.sqrt(known.shape[1])]
        scaler = StandardScaler().fit(features[fold.train])
        for columns in (np.eye(len(y)), scaler.transform(features)):
            own = columns - LinearRegression().fit(known[fold.train], columns[fold.train]).predict(known)
            far = np.linalg.norm(own, axis=1)  # no item is taken farther out than the farthest in training
            own *= np.minimum(1, far[fold.train].max() / far)[:, None]
            own /= np.sqrt((own[fold.train] ** 2).sum() / len(fold.train))
            stacks += [np.hstack([np.sqrt(1 - m) * stacks[0], np.sqrt(m) * own]) for m in MIXES]
        fits = [RidgeCV(alphas=ALPHAS).fit(stack[fold.train], y[fold.train]) for stack in stacks]
        best = [int(np.argmax([fit.best_score_ for fit in fits[:rows]])) for rows in (1 + len(MIXES), None)]
        measured = y[fold.test] - y[fold.test].mean(axis=0)
        total += float((measured**2).sum())
        for at, row in enumerate(best):
            predicted = fits[row].predict(stacks[row][fold.test])
            predicted -= predicted.mean(axis=0)
            explained[at] += float((measured**2).sum() - ((measured - predicted) ** 2).sum())
    return float(explained[0] / total), float(explained[1] / total)


@pytest.mark.parametrize("seed", [0, 1])
def test_parts_are_those_of_scikit_learn(seed: int) -> None:
    x, z, y = made(seed, items=40)
    found = problem(x, z, [y])
    dull, both = plain(x, z, y, found.folds)
    result = variance_partition(found)
    assert result.nuisance[0] == pytest.approx(dull, abs=1e-9)
    assert result.joint[0] == pytest.approx(both, abs=1e-9)
    assert result.unique[0] == pytest.approx(both - dull, abs=1e-9)


def test_what_is_planted_is_recovered_and_what_is_copied_is_not_unique() -> None:
    unique, copied, shared = [], [], []
    for seed in range(5):
        x, z, y = made(seed)
        unique.append(partition(x, z, y).unique[0])
        copied.append(partition(z @ np.array([[1.0, 2.0], [1.0, -1.0]]), z, y).unique[0])
        shared.append(partition(np.hstack([x, z]), z, y).unique[0])
    assert np.mean(unique) == pytest.approx(0.25, abs=0.03)
    assert np.mean(shared) == pytest.approx(0.25, abs=0.03)
    assert abs(np.mean(copied)) < 0.01


def test_noise_adds_nothing_or_a_little_less() -> None:
    rng = np.random.default_rng(0)
    found = []
    for seed in range(20):
        _, z, y = made(seed, items=60)
        found.append(partition(rng.normal(size=(60, 40)), z, y).unique[0])
    assert -0.02 < np.mean(found) < 0.002


def test_an_item_unlike_all_others_does_not_run_away_with_the_result() -> None:
    x, z, y = made(4, items=40)
    expected = partition(x, z, y).unique[0]
    x[7] += 1000  # features that no training item has, when this one is held out
    assert partition(x, z, y).unique[0] > -0.05
    assert expected > 0.1


def test_within_strata_type_explains_nothing_and_over_all_items_it_does() -> None:
    x, _, y = made(3)
    bit = np.repeat([0, 1], 100)
    typed = y + 2.0 * bit[:, None]
    dummy = bit[:, None].astype(np.float64)
    over_all = partition(x, dummy, typed)
    assert over_all.nuisance[0] > 0.3
    assert over_all.unique[0] > 0.05
    assert partition(dummy, dummy, typed).unique[0] == pytest.approx(0.0, abs=0.002)
    inside = partition(x, dummy, typed, bit.astype(np.intp))
    assert inside.nuisance[0] == 0.0
    assert inside.unique[0] == pytest.approx(partition(x, 0 * dummy, y, bit.astype(np.intp)).joint[0])


def test_mixtures_of_nuisances_add_exactly_nothing_though_they_weigh_them_better() -> None:
    rng = np.random.default_rng(6)
    _, z, y = made(6)
    many = np.hstack([z, rng.normal(size=(200, 12))])  # two that matter and twelve that do not
    better = np.hstack([z @ rng.normal(size=(2, 20)), z])
    assert partition(better, many, y).unique.tolist() == [0.0]
    assert partition(better, many[:, 2:], y).unique[0] > 0.2


def test_what_features_add_does_not_depend_on_what_they_share_with_nuisances() -> None:
    rng = np.random.default_rng(7)
    x, z, y = made(7)
    shifted = x + z @ rng.normal(size=(2, 3)) * 0.5
    deviation = (x - LinearRegression().fit(z, x).predict(z)).std(axis=0)
    assert np.ptp(deviation) > 0
    one, other = partition(x, z, y).unique[0], partition(shifted, z, y).unique[0]
    assert one == pytest.approx(other, abs=0.01)
