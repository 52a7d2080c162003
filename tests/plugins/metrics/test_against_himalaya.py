"""Ridge regression of many voxels against himalaya: penalties, scores, and the null with refits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from himalaya.kernel_ridge import KernelRidgeCV
from himalaya.scoring import correlation_score, l2_neg_loss
from numpy.typing import NDArray
from sklearn.model_selection import LeaveOneGroupOut
from sklearn.preprocessing import StandardScaler

from brainbench.arrays import Features, Recording
from brainbench.progress import SilentReporter
from brainbench.records import Scores
from brainbench.statistics import blocks
from brainbench_metrics.folds import Fold
from brainbench_metrics.predictivity import Predictivity
from brainbench_metrics.predictivity_robust import RobustPredictivity
from brainbench_metrics.ridge import RidgeStack, gram
from brainbench_metrics.within_strata import repeated_folds

Array = NDArray[np.float64]
Make = Callable[..., Recording]
ITEMS, ONE = 30, np.zeros(30, dtype=np.intp)
EACH, RUNS = np.arange(ITEMS), np.repeat(np.arange(10), 3)
ALPHAS = (0.1, 1.0, 10.0, 100.0, 1000.0)
LIMIT = 1e-9  # of a correlation: himalaya does not centre features beforehand, which costs it digits


def himalaya(x: Array, y: Array, alphas: Sequence[float], groups: Any) -> KernelRidgeCV:
    """One penalty for all voxels, by the error of leaving out one item, or one group of items."""
    splits = list(LeaveOneGroupOut().split(x, groups=groups))
    options = {"local_alpha": False, "score_func": l2_neg_loss}
    ridge = KernelRidgeCV(alphas, fit_intercept=True, cv=splits, solver_params=options, warn=False)
    return ridge.fit(x, y)


def data(seed: int) -> tuple[list[Array], list[Array]]:
    """Three layers, wide and narrow, and three people who need other penalties."""
    rng = np.random.default_rng(seed)
    layers = [rng.normal(size=(ITEMS, width)) * 3 + 1 for width in (8, 40, 200)]
    people = [
        layers[1][:, :4] @ rng.normal(size=(4, 20)) + noise * rng.normal(size=(ITEMS, 20))
        for noise in (0.3, 5.0, 40.0)
    ]
    return layers, people


@pytest.mark.parametrize("noise", [0.1, 3.0, 30.0])
@pytest.mark.parametrize("width", [5, 29, 300])
def test_penalties_and_correlations_of_every_voxel(width: int, noise: float) -> None:
    rng = np.random.default_rng(width)
    x = rng.normal(size=(ITEMS, width)) + 4
    y = x[:, :5] @ rng.normal(size=(5, 50)) + noise * rng.normal(size=(ITEMS, 50))
    order = rng.permutation(ITEMS)
    folds = tuple(Fold(np.sort(np.setdiff1d(order, test)), np.sort(test)) for test in np.split(order, 5))
    centred = y - y.mean(axis=0)
    stack = RidgeStack.fit(gram(x)[None], (centred @ centred.T)[None], folds, ALPHAS)
    expected = []
    for at, fold in enumerate(folds):
        theirs = himalaya(x[fold.train], y[fold.train], ALPHAS, np.arange(len(fold.train)))
        chosen = ALPHAS[stack.choices[at, 0, 0]]
        np.testing.assert_allclose(theirs.best_alphas_, chosen, rtol=1e-9)  # theirs go through a logarithm
        expected.append(correlation_score(y[fold.test], theirs.predict(x[fold.test])))
    r, count = stack.correlations(0, centred, np.arange(1))
    assert (count == 5).all()
    np.testing.assert_allclose(r[0], np.mean(expected, axis=0), atol=LIMIT, rtol=0)


def test_the_published_score(make_recording: Make) -> None:
    layers, people = data(1)
    named = {f"layer.{at}": x for at, x in enumerate(layers)}
    metric = Predictivity()
    result = metric.score(Features(named), make_recording(people), SilentReporter())
    assert isinstance(result, Scores)
    folds = _folds_of(metric)
    for row, x in enumerate(layers):
        for column, y in enumerate(people):
            r = [
                correlation_score(
                    y[test],
                    himalaya(x[train], y[train], metric.alphas, np.arange(len(train))).predict(x[test]),
                )
                for train, test in folds
            ]
            expected = np.median(np.mean(r, axis=0))
            assert result.per_participant[row, column] == pytest.approx(expected, abs=LIMIT)


def _folds_of(metric: Predictivity) -> list[Any]:
    from sklearn.model_selection import StratifiedKFold

    splitter = StratifiedKFold(metric.folds, shuffle=True, random_state=metric.random_state)
    return list(splitter.split(np.zeros((ITEMS, 1)), ["one"] * ITEMS))


def plain(
    layers: list[Array], people: list[Array], folds: Sequence[Fold], groups: Any = EACH
) -> tuple[Array, list[float]]:
    """The robust score in a loop: r (chosen, then layers x people), and all penalties chosen."""
    r, chosen = np.zeros((len(folds), 1 + len(layers), len(people))), []
    for at, fold in enumerate(folds):
        errors = np.zeros(len(layers))
        for row, x in enumerate(layers):
            z = StandardScaler().fit(x[fold.train]).transform(x)
            scale = float((z[fold.train] ** 2).sum()) / len(fold.train)
            for column, y in enumerate(people):
                scaled = StandardScaler().fit_transform(y)
                alphas = [alpha * scale for alpha in ALPHAS]
                fit = himalaya(z[fold.train], scaled[fold.train], alphas, groups[fold.train])
                chosen.append(float(fit.best_alphas_[0] / scale))
                errors[row] -= fit.cv_scores_.mean()
                a, b = (v - v.mean(axis=0) for v in (fit.predict(z[fold.test]), scaled[fold.test]))
                r[at, 1 + row, column] = (a * b).sum() / np.sqrt((a**2).sum() * (b**2).sum())
        r[at, 0] = r[at, 1 + errors.argmin()]
    return r.mean(axis=0), chosen


def robust(layers: list[Array], recording: Recording) -> Scores:
    metric = RobustPredictivity(alphas=ALPHAS, folds=3, repeats=1, permutations=19, draws=100, seed=4)
    named = {f"layer.{at}": x for at, x in enumerate(layers)}
    result = metric.score(Features(named), recording, SilentReporter())
    assert isinstance(result, Scores)
    return result


def robust_folds(groups: Any) -> tuple[Fold, ...]:
    folds = repeated_folds(ONE, groups, 3, 1, 4)
    assert isinstance(folds, tuple)
    return folds


def test_the_robust_score_with_penalty_and_layer_chosen_inside(make_recording: Make) -> None:
    layers, people = data(2)
    found = robust(layers, make_recording(people))
    expected, chosen = plain(layers, people, robust_folds(None))
    np.testing.assert_allclose(found.per_participant, expected, atol=LIMIT, rtol=0)
    counts = {f"{alpha:g}": sum(abs(one / alpha - 1) < 1e-9 for one in chosen) for alpha in ALPHAS}
    assert found.details["alphas_chosen"] == counts
    assert min(counts.values()) < max(counts.values()) < len(chosen)


def test_groups_are_left_out_whole(make_recording: Make) -> None:
    layers, people = data(3)
    recording = replace(make_recording(people), groups=tuple(f"run {run}" for run in RUNS))
    found = robust(layers, recording)
    expected, _ = plain(layers, people, robust_folds(RUNS), RUNS)
    np.testing.assert_allclose(found.per_participant, expected, atol=LIMIT, rtol=0)


def test_the_null_is_a_refit_of_shuffled_responses(make_recording: Make) -> None:
    layers, people = data(5)
    layers, people = layers[:2], people[:2]
    found = robust(layers, make_recording(people)).details
    null = []
    for order in np.concatenate([block.permutations(ITEMS, ["one"] * ITEMS) for block in blocks(4, 19)]):
        null.append(plain(layers, [y[order] for y in people], robust_folds(None))[0][0].mean())
    assert found["permutations"] == 19
    assert found["null_mean"] == pytest.approx(np.mean(null), abs=LIMIT)
    assert found["null_sd"] == pytest.approx(np.std(null), abs=LIMIT)
