"""The paper's predictivity on real betas, against the same with scikit-learn in a plain loop.

    BRAINBENCH_MIRROR=folder python benchmarks/predictivity.py [layers timed with scikit-learn]

Ten people's responses to 70 problems in the region of deductive reasoning; features are noise in the shape of
a model with 28 layers (56 of attention and residual stream, 1,536 wide, float32). scikit-learn is timed on a
few layers and scaled to all, once with its correlations voxel by voxel (scipy.stats.pearsonr) and once with
its correlations of all voxels at once. Goal: 100 times, equal to 1e-8.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.io import loadmat
from scipy.stats import pearsonr
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import StratifiedKFold

from brainbench.arrays import Features, Participant, Recording
from brainbench.progress import SilentReporter
from brainbench.records import Scores
from brainbench_metrics.predictivity import Predictivity

Array = NDArray[np.float64]
BETAS = (
    "pkuxmq/Brain-guided_LLM/f4c6f6b1b737a3885e198185456c7f1241fd2149/fmri_data/"
    "preprocessed_data_glmsinglesep_newdrroi_topksep/top-10%/all_extracted_beta_deductive_reasoning"
)
STRATA = ("syllogism",) * 36 + ("transitive",) * 34
LAYERS, WIDTH = 56, 1536


def betas() -> list[Array]:
    """Each person's responses (70 items x voxels)."""
    files = sorted((Path(os.environ["BRAINBENCH_MIRROR"]) / BETAS).glob("*/*.mat"))
    return [np.delete(loadmat(file)["all_voxels"], (43, 49), axis=0).astype(np.float64) for file in files]


def one_by_one(predicted: Array, measured: Array) -> Array:
    """Pearson's r of each column with scipy."""
    pairs = zip(predicted.T, measured.T, strict=True)
    return np.array([float(pearsonr(a, b).statistic) for a, b in pairs])


def at_once(predicted: Array, measured: Array) -> Array:
    """Pearson's r of each column with numpy."""
    a, b = predicted - predicted.mean(axis=0), measured - measured.mean(axis=0)
    r: Array = (a * b).sum(axis=0) / np.sqrt((a**2).sum(axis=0) * (b**2).sum(axis=0))
    return r


def plain(layers: list[Any], people: list[Array], correlate: Callable[[Array, Array], Array]) -> Array:
    """Median over voxels (layers x people) with scikit-learn, one fit a layer, person and fold."""
    scores = np.empty((len(layers), len(people)))
    for row, features in enumerate(layers):
        for column, responses in enumerate(people):
            of_folds = []
            folds = StratifiedKFold(5, shuffle=True, random_state=1).split(features, STRATA)
            for train, test in folds:
                ridge = RidgeCV(alphas=Predictivity().alphas).fit(features[train], responses[train])
                of_folds.append(correlate(ridge.predict(features[test]), responses[test]))
            scores[row, column] = np.median(np.mean(of_folds, axis=0))
    return scores


def seconds(work: Callable[[], Any]) -> tuple[float, float, Any]:
    """Wall and processor seconds of a call, and its result."""
    wall, cpu = time.perf_counter(), time.process_time()
    result = work()
    return time.perf_counter() - wall, time.process_time() - cpu, result


def main(timed: int) -> None:
    """Print times, ratios and the largest difference."""
    people = betas()
    rng = np.random.default_rng(0)
    layers = {
        f"layer.{i}": rng.standard_normal((len(STRATA), WIDTH), dtype=np.float32) for i in range(LAYERS)
    }
    arrays = [array.astype(np.float64) for array in list(layers.values())[:timed]]
    participants = tuple(Participant(f"p{i}", y, np.arange(len(y))) for i, y in enumerate(people))
    items = tuple(f"i{i}" for i in range(len(STRATA)))
    recording = Recording("deductive_reasoning", items, participants, STRATA)
    metric, features = Predictivity(), Features(layers)
    ours = [seconds(lambda: metric.score(features, recording, SilentReporter())) for _ in range(6)][1:]
    scores = ours[0][2]
    assert isinstance(scores, Scores)
    wall, cpu = (float(np.median([run[i] for run in ours])) for i in (0, 1))
    print(f"brainbench: {LAYERS} layers x {len(people)} people in {wall:.3f} s ({cpu:.3f} s of processor)")
    for name, correlate in (("scipy.stats.pearsonr", one_by_one), ("vectorised correlations", at_once)):
        their_wall, their_cpu, expected = seconds(partial(plain, arrays, people, correlate))
        scale = LAYERS / timed
        difference = np.abs(expected - scores.per_participant[:timed]).max()
        print(
            f"scikit-learn with {name}: {their_wall * scale:.1f} s ({their_cpu * scale:.1f} s of processor), "
            f"scaled from {timed} layers; ratio {their_wall * scale / wall:.0f} "
            f"({their_cpu * scale / cpu:.0f} in processor time); largest difference {difference:.1e}"
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2)
