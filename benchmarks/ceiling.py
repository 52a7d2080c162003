"""The human-to-human ceiling on real betas, against a plain loop with scikit-learn and scipy.

    BRAINBENCH_MIRROR=folder python benchmarks/ceiling.py [groups of each size timed with scikit-learn]

Ten people's responses to 70 problems in the region of deductive reasoning. The plain loop is 5,110 fits (one
for each person and group of others) x 5 folds and a curve fit for each of 3,130 voxels; a few groups of each
size and 300 curves are timed and scaled to all, with correlations of all voxels at once, which favours the
plain loop. Goal: 20 times, equal to 1e-3 in v0 (its mean over voxels: in a few of them scipy stops short of
the least squared error).
"""

from __future__ import annotations

import os
import sys
import time
import warnings
from itertools import combinations
from math import comb
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.io import loadmat
from scipy.optimize import curve_fit
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import StratifiedKFold

from brainbench.arrays import Participant, Recording
from brainbench.progress import SilentReporter
from brainbench.records import Scores
from brainbench_metrics.predictivity import Predictivity
from brainbench_metrics.saturation import plateaus

Array = NDArray[np.float64]
BETAS = (
    "pkuxmq/Brain-guided_LLM/f4c6f6b1b737a3885e198185456c7f1241fd2149/fmri_data/"
    "preprocessed_data_glmsinglesep_newdrroi_topksep/top-10%/all_extracted_beta_deductive_reasoning"
)
STRATA = ("syllogism",) * 36 + ("transitive",) * 34
CURVES = 300


def betas() -> list[Array]:
    """Each person's responses (70 items x voxels)."""
    files = sorted((Path(os.environ["BRAINBENCH_MIRROR"]) / BETAS).glob("*/*.mat"))
    return [np.delete(loadmat(file)["all_voxels"], (43, 49), axis=0).astype(np.float64) for file in files]


def correlations(features: Array, responses: Array) -> Array:
    """Mean over folds of Pearson's r of every voxel, one scikit-learn fit a fold."""
    of_folds = []
    for train, test in StratifiedKFold(5, shuffle=True, random_state=1).split(features, STRATA):
        ridge = RidgeCV(alphas=Predictivity().alphas).fit(features[train], responses[train])
        a, b = ridge.predict(features[test]), responses[test]
        a, b = a - a.mean(axis=0), b - b.mean(axis=0)
        of_folds.append((a * b).sum(axis=0) / np.sqrt((a**2).sum(axis=0) * (b**2).sum(axis=0)))
    mean: Array = np.mean(of_folds, axis=0)
    return mean


def plain_fits(people: list[Array], timed: int) -> tuple[float, float, float, Array]:
    """Wall and processor seconds of all fits, scaled by group size; r of person 0 from all others.

    The fourth is that r; the third is how many fits were timed.
    """
    wall = cpu = count = 0.0
    others = len(people) - 1
    for size in range(1, others + 1):
        groups = list(combinations(range(1, len(people)), size))
        chosen = groups[:: max(1, len(groups) // timed)][:timed]
        start, used = time.perf_counter(), time.process_time()
        for group in chosen:
            last = correlations(np.hstack([people[i] for i in group]), people[0])
        scale = len(people) * comb(others, size) / len(chosen)
        wall += (time.perf_counter() - start) * scale
        cpu += (time.process_time() - used) * scale
        count += len(chosen)
    return wall, cpu, count, last


def fit_one(values: Array) -> float:
    """The plateau by scipy, as in the paper's code."""
    counts = np.arange(2.0, len(values) + 2)

    def curve(n: Array, height: float, tau: float) -> Array:
        shape: Array = height * (1 - np.exp(-n / tau))
        return shape

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return float(curve_fit(curve, counts, values, bounds=([0, -np.inf], [1, np.inf]))[0][0])


def curves_of(people: list[Array]) -> Array:
    """All measured curves (sizes x voxels of everyone): what the fits of both sides start from."""
    from brainbench_metrics.between_people import curves_between
    from brainbench_metrics.people import prepare_people

    metric = Predictivity()
    ready, _ = prepare_people(record(people), metric.folds, metric.random_state)
    curves, _ = curves_between(ready, metric.alphas, lambda steps: None)
    return np.hstack([person.r for person in curves])


def record(people: list[Array]) -> Recording:
    """The people as a recording."""
    participants = tuple(Participant(f"p{i}", y, np.arange(len(y))) for i, y in enumerate(people))
    items = tuple(f"i{i}" for i in range(len(STRATA)))
    return Recording("deductive_reasoning", items, participants, STRATA)


def main(timed: int) -> None:
    """Print times, the ratio and the largest differences."""
    people = betas()
    start, used = time.perf_counter(), time.process_time()
    scores = Predictivity().ceiling(record(people), SilentReporter())
    wall, cpu = time.perf_counter() - start, time.process_time() - used
    assert isinstance(scores, Scores)
    print(f"brainbench: {wall:.1f} s ({cpu:.1f} s of processor), mean v0 {scores.headline:.4f}")

    fits_wall, fits_cpu, count, last = plain_fits(people, timed)
    curves = curves_of(people)
    chosen = np.linspace(0, curves.shape[1] - 1, CURVES).astype(int)
    start, used = time.perf_counter(), time.process_time()
    theirs = np.array([fit_one(curves[:, voxel]) for voxel in chosen])
    scale = curves.shape[1] / CURVES
    fits_wall += (time.perf_counter() - start) * scale
    fits_cpu += (time.process_time() - used) * scale
    ours = plateaus(np.arange(2.0, len(people) + 1), curves[:, chosen])
    difference = np.abs(curves[-1, : people[0].shape[1]] - last).max()
    print(
        f"scikit-learn and scipy: {fits_wall:.0f} s ({fits_cpu:.0f} s of processor), scaled from {count:.0f} "
        f"of 5,110 fits and {CURVES} of {curves.shape[1]:,} curves; "
        f"ratio {fits_wall / wall:.0f} ({fits_cpu / cpu:.0f} in processor time)"
    )
    print(f"largest difference of r from nine people, person 0: {difference:.1e}")
    print(
        f"v0 of {CURVES} voxels: mean {ours.mean():.5f}, scipy {theirs.mean():.5f}; "
        f"{np.count_nonzero(np.abs(ours - theirs) > 1e-3)} differ by more than 1e-3"
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
