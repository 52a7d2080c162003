"""The human-to-human ceiling on real betas, against a plain loop with scikit-learn and scipy.

    python -m benchmarks.ceiling [groups of each size timed with scikit-learn]

Ten people's responses to 70 problems in the region of deductive reasoning, from BRAINBENCH_MIRROR or the
network. The plain loop is 5,110 fits (one for each person and group of others) x 5 folds and a curve fit for
each of 3,130 voxels; a few groups of each size and 300 curves are timed and scaled to all, with correlations
of all voxels at once, which favours the plain loop. Goal: 20 times, equal to 1e-3 in v0 (its mean over
voxels: in a few of them scipy stops short of the least squared error).
"""

from __future__ import annotations

import sys
import warnings
from functools import partial
from itertools import combinations
from math import comb

import numpy as np
from benchmarks.measured import Row, reasoning_data, report, timed
from numpy.typing import NDArray
from scipy.optimize import curve_fit
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import StratifiedKFold

from brainbench.arrays import Recording
from brainbench.progress import SilentReporter
from brainbench.records import Scores
from brainbench_metrics.predictivity import Predictivity
from brainbench_metrics.saturation import plateaus

Array = NDArray[np.float64]
CURVES = 300


def correlations(features: Array, responses: Array, strata: tuple[str, ...]) -> Array:
    """Mean over folds of Pearson's r of every voxel, one scikit-learn fit a fold."""
    of_folds = []
    for train, test in StratifiedKFold(5, shuffle=True, random_state=1).split(features, strata):
        ridge = RidgeCV(alphas=Predictivity().alphas).fit(features[train], responses[train])
        a, b = ridge.predict(features[test]), responses[test]
        a, b = a - a.mean(axis=0), b - b.mean(axis=0)
        of_folds.append((a * b).sum(axis=0) / np.sqrt((a**2).sum(axis=0) * (b**2).sum(axis=0)))
    mean: Array = np.mean(of_folds, axis=0)
    return mean


def plain_fits(people: list[Array], strata: tuple[str, ...], few: int) -> tuple[float, int, Array]:
    """Seconds of all fits, scaled by group size; how many were timed; r of person 0 from all others."""
    total, count, others = 0.0, 0, len(people) - 1
    for size in range(1, others + 1):
        groups = list(combinations(range(1, len(people)), size))
        chosen = groups[:: max(1, len(groups) // few)][:few]
        for group in chosen:
            beside = np.hstack([people[i] for i in group])
            seconds, last = timed(partial(correlations, beside, people[0], strata))
            total += seconds * len(people) * comb(others, size) / len(chosen)
        count += len(chosen)
    return total, count, last


def fit_one(values: Array) -> float:
    """The plateau by scipy, as in the paper's code."""
    counts = np.arange(2.0, len(values) + 2)

    def curve(n: Array, height: float, tau: float) -> Array:
        shape: Array = height * (1 - np.exp(-n / tau))
        return shape

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return float(curve_fit(curve, counts, values, bounds=([0, -np.inf], [1, np.inf]))[0][0])


def curves_of(recording: Recording) -> Array:
    """All measured curves (sizes x voxels of everyone): what the fits of both sides start from."""
    from brainbench_metrics.between_people import curves_between
    from brainbench_metrics.people import prepare_people

    metric = Predictivity()
    ready, _ = prepare_people(recording, metric.folds, metric.random_state)
    curves, _ = curves_between(ready, metric.alphas, lambda steps: None)
    return np.hstack([person.r for person in curves])


def main(few: int) -> None:
    """Print times, the ratio and the largest differences."""
    recording = reasoning_data()
    people = [person.responses.astype(np.float64) for person in recording.participants]
    ours, scores = timed(lambda: Predictivity().ceiling(recording, SilentReporter()))
    assert isinstance(scores, Scores)
    fits, count, last = plain_fits(people, recording.strata, few)
    curves = curves_of(recording)
    chosen = np.linspace(0, curves.shape[1] - 1, CURVES).astype(int)
    seconds, theirs = timed(lambda: np.array([fit_one(curves[:, voxel]) for voxel in chosen]))
    heights = plateaus(np.arange(2.0, len(people) + 1), curves[:, chosen])
    report(
        "ceiling",
        [
            Row(
                "human-to-human ceiling, `deduction`, one region (mean v0)",
                ours,
                "scikit-learn and scipy in a loop",
                fits + seconds * curves.shape[1] / CURVES,
                20,
                f"{count} of 5,110 fits, {CURVES} of {curves.shape[1]:,} curves",
                float(abs(heights.mean() - theirs.mean())),
                1e-3,
            )
        ],
    )
    difference = np.abs(curves[-1, : people[0].shape[1]] - last).max()
    print(f"    largest difference of r from nine people, person 0: {difference:.1e}")
    apart = np.count_nonzero(np.abs(heights - theirs) > 1e-3)
    print(f"    mean v0 of {CURVES} voxels {heights.mean():.5f}, scipy {theirs.mean():.5f}; {apart} differ")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
