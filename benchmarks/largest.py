"""Predictivity of 1,000 items, 40,000 voxels and 13 layers: time against scikit-learn, and peak memory.

    python -m benchmarks.largest [shuffles of the robust protocol, 1,000 by default]

8 people with 5,000 voxels each (float32), layers of 768 units. scikit-learn is timed on one layer, person and
fold and scaled. Goal: at most 4 GiB of memory, two threads at work. Each protocol has a process of its own;
what is printed is the most that it held before the peer ran. For the robust protocol the items are in 20
runs, which change places whole: it refuses to shuffle so many items one by one.
"""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import replace
from functools import partial

import numpy as np
from benchmarks.measured import Row, gemm_limit, peak_memory, report, timed
from sklearn.linear_model import RidgeCV

from brainbench.arrays import Features, Participant, Recording
from brainbench.progress import SilentReporter
from brainbench.records import Scores
from brainbench_metrics.predictivity import Predictivity
from brainbench_metrics.predictivity_robust import RobustPredictivity

ITEMS, PEOPLE, VOXELS, LAYERS, WIDTH, FOLDS, RUNS = 1000, 8, 5000, 13, 768, 5, 20


def made() -> tuple[Features, Recording]:
    """Responses in which a little of a layer is."""
    rng = np.random.default_rng(0)
    layers = {f"layer.{i}": rng.standard_normal((ITEMS, WIDTH), dtype=np.float32) for i in range(LAYERS)}
    people = []
    for i in range(PEOPLE):
        signal = 0.1 * layers["layer.3"][:, :50] @ rng.standard_normal((50, VOXELS), dtype=np.float32)
        responses = signal + rng.standard_normal((ITEMS, VOXELS), dtype=np.float32)
        people.append(Participant(f"p{i}", responses, np.arange(ITEMS)))
    return Features(layers), Recording("region", tuple(f"i{i}" for i in range(ITEMS)), tuple(people))


def peer(features: Features, recording: Recording) -> float:
    """Seconds of scikit-learn, one fit of one layer, person and fold, scaled to all."""
    train, test = np.arange(ITEMS // FOLDS, ITEMS), np.arange(ITEMS // FOLDS)
    x = features.layers["layer.3"].astype(np.float64)
    y = recording.participants[0].responses.astype(np.float64)

    def fit() -> None:
        RidgeCV(alphas=Predictivity().alphas).fit(x[train], y[train]).predict(x[test])

    return timed(fit)[0] * LAYERS * PEOPLE * FOLDS


def multiply_adds() -> float:
    """What the paper's protocol needs: symmetric products count half."""
    train, test = ITEMS * (1 - 1 / FOLDS), ITEMS / FOLDS
    grams = (LAYERS * WIDTH + PEOPLE * VOXELS) * ITEMS**2 / 2
    criteria = LAYERS * FOLDS * len(Predictivity().alphas) * train**3
    return grams + criteria + LAYERS * FOLDS * test * train * PEOPLE * VOXELS


def paper() -> None:
    """The published protocol."""
    features, recording = made()
    start = time.perf_counter()
    ours, scores = timed(partial(Predictivity().score, features, recording, SilentReporter()))
    threads = ours / (time.perf_counter() - start)
    assert isinstance(scores, Scores)
    peak, theirs = peak_memory(), peer(features, recording)
    name = "predictivity/paper, 1,000 items, 40,000 voxels, 13 layers"
    part = f"1 of {LAYERS * PEOPLE * FOLDS} fits, without correlations"
    limit = gemm_limit(multiply_adds()) / ours
    row = Row(name, ours, "scikit-learn RidgeCV", theirs, 0, part, gemm=limit, peak=peak, threads=threads)
    report("largest", [row])


def robust(permutations: int) -> None:
    """The robust protocol, its null included."""
    features, single = made()
    recording = replace(single, groups=tuple(f"run {i * RUNS // ITEMS}" for i in range(ITEMS)))
    metric = RobustPredictivity(permutations=permutations, repeats=1)
    start = time.perf_counter()
    ours, scores = timed(partial(metric.score, features, recording, SilentReporter()))
    threads = ours / (time.perf_counter() - start)
    assert isinstance(scores, Scores)
    peak, theirs = peak_memory(), peer(features, recording)
    done = scores.details.get("permutations", 0)
    name = f"predictivity/robust with {done:,} shuffles, 1,000 items in {RUNS} runs, 40,000 voxels, 13 layers"
    part = f"1 of {LAYERS * PEOPLE * FOLDS} fits, scaled to all of the null"
    total = theirs * (done + 1)
    row = Row(name, ours, "scikit-learn RidgeCV", total, 0, part, peak=peak, threads=threads)
    report("largest robust", [row])


def main(arguments: list[str]) -> None:
    """Both protocols, each in a process whose memory is its own."""
    if arguments[:1] == ["paper"]:
        paper()
    elif arguments[:1] == ["robust"]:
        robust(int(arguments[1]))
    else:
        for more in (["paper"], ["robust", *(arguments or ["1000"])]):
            subprocess.run([sys.executable, "-m", "benchmarks.largest", *more], check=True)


if __name__ == "__main__":
    main(sys.argv[1:])
