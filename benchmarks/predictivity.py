"""The paper's predictivity on real betas, against the same with scikit-learn in a plain loop.

    python -m benchmarks.predictivity [layers timed with scikit-learn]

Ten people's responses to 70 problems in the region of deductive reasoning, from BRAINBENCH_MIRROR or the
network; features are noise in the shape of a model with 28 layers (56 of attention and residual stream, 1,536
wide, float32). scikit-learn is timed on a few layers and scaled to all, once with its correlations voxel by
voxel (scipy.stats.pearsonr) and once with its correlations of all voxels at once. Goal: 100 times, equal to
1e-8.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial

import numpy as np
from benchmarks.measured import Row, reasoning_data, report, timed
from numpy.typing import NDArray
from scipy.stats import pearsonr
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import StratifiedKFold

from brainbench.arrays import Features, Recording
from brainbench.progress import SilentReporter
from brainbench.records import Scores
from brainbench_metrics.predictivity import Predictivity

Array = NDArray[np.float64]
LAYERS, WIDTH = 56, 1536


def one_by_one(predicted: Array, measured: Array) -> Array:
    """Pearson's r of each column with scipy."""
    pairs = zip(predicted.T, measured.T, strict=True)
    return np.array([float(pearsonr(a, b).statistic) for a, b in pairs])


def at_once(predicted: Array, measured: Array) -> Array:
    """Pearson's r of each column with numpy."""
    a, b = predicted - predicted.mean(axis=0), measured - measured.mean(axis=0)
    r: Array = (a * b).sum(axis=0) / np.sqrt((a**2).sum(axis=0) * (b**2).sum(axis=0))
    return r


def plain(layers: list[Array], recording: Recording, correlate: Callable[[Array, Array], Array]) -> Array:
    """Median over voxels (layers x people) with scikit-learn, one fit a layer, person and fold."""
    scores = np.empty((len(layers), len(recording.participants)))
    for row, features in enumerate(layers):
        for column, person in enumerate(recording.participants):
            of_folds, responses = [], person.responses.astype(np.float64)
            folds = StratifiedKFold(5, shuffle=True, random_state=1).split(features, recording.strata)
            for train, test in folds:
                ridge = RidgeCV(alphas=Predictivity().alphas).fit(features[train], responses[train])
                of_folds.append(correlate(ridge.predict(features[test]), responses[test]))
            scores[row, column] = np.median(np.mean(of_folds, axis=0))
    return scores


def main(few: int) -> None:
    """Print times, ratios and the largest difference."""
    recording = reasoning_data()
    rng = np.random.default_rng(0)
    shape = (len(recording.items), WIDTH)
    layers = {f"layer.{i}": rng.standard_normal(shape, dtype=np.float32) for i in range(LAYERS)}
    arrays = [array.astype(np.float64) for array in list(layers.values())[:few]]
    metric, features = Predictivity(), Features(layers)
    metric.score(features, recording, SilentReporter())
    ours, scores = timed(lambda: metric.score(features, recording, SilentReporter()), 5)
    assert isinstance(scores, Scores)
    rows = []
    for name, correlate in (("r voxel by voxel", one_by_one), ("r of all voxels at once", at_once)):
        theirs, expected = timed(partial(plain, arrays, recording, correlate))
        rows.append(
            Row(
                "predictivity/paper, `deduction`, one region, a 28-layer model",
                ours,
                f"scikit-learn in a loop, {name}",
                theirs * LAYERS / few,
                100,
                f"{few} of {LAYERS} layers",
                float(np.abs(expected - scores.per_participant[:few]).max()),
                1e-8,
            )
        )
    report("predictivity", rows)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2)
