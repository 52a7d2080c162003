"""Predictivity of made-up data in both protocols, and the null of the robust one, against peers' ridges.

    python -m benchmarks.ridge [layers timed with peers]

The workloads W2 and W3: 70 items, 10 people with 5,000 voxels each, 33 layers of 4,096 units, 5 folds, one
penalty a person and layer chosen among 20 in each fold by leave-one-out; the layer chosen inside for W3.
scikit-learn's RidgeCV and himalaya's KernelRidgeCV make the same numbers; himalaya is timed with 5 inner
folds, too, which is its way and other numbers. Peers are timed on a layer and a few people, with correlations
of all voxels at once, and scaled. Goals: 2,000 times scikit-learn, 10 times himalaya, 300 times a null of
refits; equal to 1e-10, 1e-6 and 1e-6. No metric chooses a penalty a voxel: that goal waits for one.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from benchmarks.measured import Row, gemm_limit, report, timed
from himalaya.kernel_ridge import KernelRidgeCV
from himalaya.scoring import l2_neg_loss
from numpy.typing import NDArray
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import LeaveOneOut, StratifiedKFold
from sklearn.preprocessing import StandardScaler

from brainbench.arrays import Features, Participant, Recording
from brainbench.progress import SilentReporter
from brainbench.records import Scores
from brainbench_metrics.folds import Fold
from brainbench_metrics.predictivity import Predictivity
from brainbench_metrics.predictivity_robust import RobustPredictivity
from brainbench_metrics.within_strata import repeated_folds

Array = NDArray[np.float64]
Fit = Callable[[Array, Array, Array], Array]
ITEMS, PEOPLE, VOXELS, LAYERS, WIDTH, FOLDS = 70, 10, 5000, 33, 4096, 5
ALPHAS = tuple(np.geomspace(1e-2, 1e6, 20).tolist())
SHUFFLES, LEAST, FEW_PEOPLE = 1000, 19, 2
ONE = np.zeros(ITEMS, dtype=np.intp)


def made() -> tuple[list[NDArray[np.float32]], list[Array]]:
    """Layers, and people's responses in which a little of one layer is."""
    rng = np.random.default_rng(0)
    layers = [rng.standard_normal((ITEMS, WIDTH), dtype=np.float32) for _ in range(LAYERS)]
    signal = layers[0][:, :30].astype(np.float64)
    noise = (rng.standard_normal((ITEMS, VOXELS)) for _ in range(PEOPLE))
    return layers, [0.2 * signal @ rng.standard_normal((30, VOXELS)) + 2 * one for one in noise]


def recorded(people: Sequence[Array]) -> Recording:
    """The people as a recording."""
    participants = tuple(Participant(f"p{i}", y, np.arange(ITEMS)) for i, y in enumerate(people))
    return Recording("region", tuple(f"i{i}" for i in range(ITEMS)), participants)


def split() -> list[Fold]:
    """The folds of the paper's protocol."""
    splitter = StratifiedKFold(FOLDS, shuffle=True, random_state=Predictivity().random_state)
    return [Fold(train, test) for train, test in splitter.split(np.zeros((ITEMS, 1)), ONE)]


def with_scikit_learn(x: Array, y: Array, new: Array) -> Array:
    """Predictions by RidgeCV, which leaves one out."""
    predicted: Array = RidgeCV(alphas=ALPHAS).fit(x, y).predict(new)
    return predicted


def himalaya(cv: int | None, alphas: Sequence[float], kernel: Array, y: Array) -> KernelRidgeCV:
    """One penalty for all voxels, on inner products (train x train); by leave-one-out where cv is None."""
    options = {"local_alpha": False, "score_func": l2_neg_loss}
    splits = cv or list(LeaveOneOut().split(y))
    ridge = KernelRidgeCV(alphas, kernel="precomputed", fit_intercept=True, cv=splits, solver_params=options)
    return ridge.fit(kernel, y)


def with_himalaya(cv: int | None, x: Array, y: Array, new: Array) -> Array:
    """Predictions by KernelRidgeCV."""
    predicted: Array = himalaya(cv, ALPHAS, x @ x.T, y).predict(new @ x.T)
    return predicted


def published(fit: Fit, layers: Sequence[Any], people: Sequence[Array]) -> Array:
    """The paper's score in a loop: median over voxels (layers x people)."""
    scores = np.empty((len(layers), len(people)))
    for row, features in enumerate(layers):
        x = features.astype(np.float64)
        x -= x.mean(axis=0)
        for column, y in enumerate(people):
            r = []
            for fold in split():
                predicted, measured = fit(x[fold.train], y[fold.train], x[fold.test]), y[fold.test]
                a, b = predicted - predicted.mean(axis=0), measured - measured.mean(axis=0)
                r.append((a * b).sum(axis=0) / np.sqrt((a**2).sum(axis=0) * (b**2).sum(axis=0)))
            scores[row, column] = np.median(np.mean(r, axis=0))
    return scores


def refitted(layers: Sequence[Any], people: Sequence[Array], folds: Sequence[Fold]) -> tuple[Array, Array]:
    """The robust score with himalaya: error left out and r (folds x layers x people) of each regression."""
    errors, r = np.empty((2, len(folds), len(layers), len(people)))
    for at, fold in enumerate(folds):
        for row, features in enumerate(layers):
            x = features.astype(np.float64)
            z = StandardScaler().fit(x[fold.train]).transform(x)
            inner = z @ z[fold.train].T
            scale = float((z[fold.train] ** 2).sum()) / len(fold.train)
            for column, y in enumerate(people):
                alphas = [alpha * scale for alpha in ALPHAS]
                ridge = himalaya(None, alphas, inner[fold.train], y[fold.train])
                errors[at, row, column] = -ridge.cv_scores_.mean()
                a, b = ridge.predict(inner[fold.test]), y[fold.test]
                a, b = a - a.mean(axis=0), b - b.mean(axis=0)
                r[at, row, column] = (a * b).sum() / np.sqrt((a**2).sum() * (b**2).sum())
    return errors, r


def paper_rows(layers: list[NDArray[np.float32]], people: list[Array], few: int) -> list[Row]:
    """The paper's protocol against scikit-learn and himalaya."""
    recording = recorded(people)
    metric = Predictivity(alphas=ALPHAS)
    features = Features({f"layer.{i}": x for i, x in enumerate(layers)})
    ours, scores = timed(lambda: metric.score(features, recording, SilentReporter()), 3)
    assert isinstance(scores, Scores)
    needed = gemm_limit(multiply_adds())
    rows = []
    for peer, fit, goal, allowed in (
        ("scikit-learn RidgeCV", with_scikit_learn, 2000, 1e-10),
        ("himalaya KernelRidgeCV, leave-one-out", partial(with_himalaya, None), 10, 1e-6),
        ("himalaya KernelRidgeCV, 5 inner folds", partial(with_himalaya, 5), 10, None),
    ):
        theirs, expected = timed(partial(published, fit, layers[:few], people[:FEW_PEOPLE]))
        difference = float(np.abs(expected - scores.per_participant[:few, :FEW_PEOPLE]).max())
        rows.append(
            Row(
                "predictivity/paper, one penalty a person, all layers (W2)",
                ours,
                peer,
                theirs * LAYERS / few * PEOPLE / FEW_PEOPLE,
                goal,
                f"{few} of {LAYERS} layers, {FEW_PEOPLE} of {PEOPLE} people",
                difference if allowed else None,
                allowed,
                needed / ours,
                why="eigenvalues and the correlations of every voxel and fold are no products",
            )
        )
    return rows


def multiply_adds() -> float:
    """What the paper's protocol needs: both products of a symmetric matrix count half."""
    train, test = ITEMS * (1 - 1 / FOLDS), ITEMS / FOLDS
    grams = LAYERS * ITEMS**2 / 2 * WIDTH + PEOPLE * ITEMS**2 / 2 * VOXELS
    criteria = LAYERS * FOLDS * len(ALPHAS) * 2 * train**3 / 2
    choice = LAYERS * FOLDS * len(ALPHAS) * PEOPLE * train**2 / 2
    return grams + criteria + choice + LAYERS * FOLDS * PEOPLE * test * train * VOXELS


def robust_rows(layers: list[NDArray[np.float32]], people: list[Array], few: int) -> list[Row]:
    """The robust protocol and its null against himalaya."""
    metric = RobustPredictivity(alphas=ALPHAS, folds=FOLDS, repeats=1, permutations=LEAST, draws=100)
    folds = repeated_folds(ONE, None, FOLDS, 1, metric.seed)
    assert isinstance(folds, tuple)
    responses, known = recorded(people), [StandardScaler().fit_transform(y) for y in people[:FEW_PEOPLE]]
    features = Features({f"layer.{i}": x for i, x in enumerate(layers)})

    def score(permutations: int, x: Features = features, y: Recording = responses) -> Any:
        return replace(metric, permutations=permutations).score(x, y, SilentReporter())

    ours, found = timed(lambda: score(LEAST), 3)
    all_of_it, _ = timed(lambda: score(SHUFFLES))
    null = (all_of_it - ours) * SHUFFLES / (SHUFFLES - LEAST)
    theirs, (_, r) = timed(lambda: refitted(layers[:few], known, folds))
    order = np.random.default_rng(1).permutation(ITEMS)
    two = Features({name: features.layers[name] for name in ("layer.0", "layer.1")})
    shuffled = score(LEAST, two, recorded([y[order] for y in people[:FEW_PEOPLE]]))
    one, (errors, again) = timed(lambda: refitted(layers[:2], [y[order] for y in known], folds))
    expected = again[np.arange(FOLDS), errors.sum(axis=2).argmin(axis=1)].mean(axis=0)
    scale, part = PEOPLE / FEW_PEOPLE, f"{FEW_PEOPLE} of {PEOPLE} people"
    return [
        Row(
            "predictivity/robust, layer and penalty chosen inside, with 19 shuffles and an interval (W2)",
            ours,
            "himalaya KernelRidgeCV, leave-one-out, without null and interval",
            theirs * LAYERS / few * scale,
            10,
            f"{few} of {LAYERS} layers, {part}",
            float(np.abs(found.per_participant[1 : 1 + few, :FEW_PEOPLE] - r.mean(axis=0)).max()),
            1e-6,
        ),
        Row(
            f"null of predictivity/robust, {SHUFFLES:,} shuffles, penalty and layer chosen anew (W3)",
            null,
            "himalaya KernelRidgeCV refitted",
            one * LAYERS / 2 * scale * SHUFFLES,
            300,
            f"1 of {SHUFFLES:,} shuffles, 2 of {LAYERS} layers, {part}",
            float(np.abs(expected - shuffled.per_participant[0]).max()),
            1e-6,
            gemm_limit(null_multiply_adds()) / null,
            why="shuffled products of items are gathered one by one",
        ),
    ]


def null_multiply_adds() -> float:
    """Products of shuffled, symmetric S with the errors of all layers and penalties, in every fold."""
    train = ITEMS * (1 - 1 / FOLDS)
    return FOLDS * SHUFFLES * PEOPLE * LAYERS * len(ALPHAS) * train * (train + 1) / 2


def main(few: int) -> None:
    """Print times, ratios, differences and shares of the GEMM limit."""
    layers, people = made()
    report("ridge", [*paper_rows(layers, people, few), *robust_rows(layers, people, few)])


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1)
