"""RDMs, their comparison, noise ceilings and permutations, against rsatoolbox."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from rsatoolbox import inference
from rsatoolbox import rdm as toolbox
from rsatoolbox.data import Dataset

from brainbench.arrays import Features, Participant, Recording
from brainbench.progress import SilentReporter
from brainbench.records import Scores
from brainbench.statistics import blocks
from brainbench_metrics.rdm import Distance, crossnobis, mahalanobis, rdm
from brainbench_metrics.rdm_comparison import Comparator, compare
from brainbench_metrics.rdm_people import prepare_brains
from brainbench_metrics.rsa import RobustRsa
from brainbench_metrics.rsa_ceiling import nili_bounds

Array = NDArray[np.float64]
Make = Callable[..., Recording]
QUIET = SilentReporter()
LIMIT = 1e-12
# The name that rsatoolbox has for each comparator.
NAMES: dict[Comparator, str] = {
    "spearman": "spearman",
    "pearson": "corr",
    "cosine": "cosine",
    "kendall": "tau-a",
    "whitened cosine": "cosine_cov",
}


def theirs(patterns: Array, method: str = "correlation", **options: Any) -> Any:
    return toolbox.calc_rdm(Dataset(patterns.astype(np.float64)), method=method, **options)


def people(seed: int, count: int = 6, items: int = 11, shared: float = 0.7) -> list[Array]:
    """Responses in which a little is shared; two items are the same, so that distances tie."""
    rng = np.random.default_rng(seed)
    common = rng.normal(size=(items, 4))
    made = [shared * common @ rng.normal(size=(4, 40)) + rng.normal(size=(items, 40)) for _ in range(count)]
    for patterns in made:
        patterns[1] = patterns[0]
    return made


@pytest.mark.parametrize("shape", [(5, 3), (12, 40), (46, 500)])
def test_distances(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    x, residuals = rng.normal(size=shape) + 2, rng.normal(size=(2 * shape[1], shape[1]))
    units = shape[1]
    np.testing.assert_allclose(rdm(x), theirs(x).dissimilarities[0], atol=LIMIT, rtol=0)
    # theirs are squares, and divided by the number of units
    lengths = np.sqrt(units * theirs(x, "euclidean").dissimilarities[0])
    np.testing.assert_allclose(rdm(x, "euclidean"), lengths, rtol=1e-12)
    covariance = residuals.T @ residuals / len(residuals)
    found = theirs(x, "mahalanobis", noise=np.linalg.inv(covariance)).dissimilarities[0]
    np.testing.assert_allclose(mahalanobis(x, covariance), np.sqrt(units * found), rtol=1e-11)


@pytest.mark.parametrize("runs", [2, 5])
@pytest.mark.parametrize("whitened", [False, True])
def test_cross_validated_distances(runs: int, whitened: bool) -> None:
    rng = np.random.default_rng(1)
    x, residuals = rng.normal(size=(runs, 7, 20)), rng.normal(size=(60, 20))
    covariance = residuals.T @ residuals / 60
    labels = {
        "item": [f"i{i}" for _ in range(runs) for i in range(7)],
        "run": [f"r{run}" for run in range(runs) for _ in range(7)],
    }
    found = toolbox.calc_rdm(
        Dataset(x.reshape(-1, 20), obs_descriptors=labels),
        method="crossnobis",
        descriptor="item",
        cv_descriptor="run",
        noise=np.linalg.inv(covariance) if whitened else None,
    )
    ours = crossnobis(x, covariance if whitened else None)
    np.testing.assert_allclose(ours, found.dissimilarities[0], atol=LIMIT, rtol=0)


@pytest.mark.parametrize("comparator", NAMES)
def test_comparisons_ties_included(comparator: Comparator) -> None:
    brains, models = people(2), people(3, count=4)
    distance: Distance = "euclidean" if "cosine" in comparator else "correlation"
    first, second = (np.stack([rdm(x, distance) for x in side]) for side in (models, brains))
    found = toolbox.compare(toolbox.RDMs(first), toolbox.RDMs(second), NAMES[comparator])
    np.testing.assert_allclose(compare(first, second, comparator), found, atol=LIMIT, rtol=0)


@pytest.mark.parametrize("comparator", NAMES)
@pytest.mark.parametrize("shared", [0.0, 0.7])
def test_both_bounds_of_the_noise_ceiling(
    comparator: Comparator, shared: float, make_recording: Make
) -> None:
    recording = make_recording(people(4, shared=shared))
    brains, _ = prepare_brains(recording, "correlation")
    bounds, fine = nili_bounds(brains, 11, comparator)
    assert fine.all()
    vectors = toolbox.RDMs(np.stack([brain.vector for brain in brains]))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that tau's ceiling is one of averaged ranks, as ours is
        found = inference.boot_noise_ceiling(vectors, NAMES[comparator])
    np.testing.assert_allclose(bounds.mean(axis=1), found, atol=LIMIT, rtol=0)


def test_scores_of_layers_and_their_p_values() -> None:
    """The metric as it is run: each layer's correlations, and what permuting its items makes of them."""
    rng = np.random.default_rng(5)
    brains = people(6, items=12)
    layers = {"much": brains[0] + rng.normal(size=(12, 40)), "little": rng.normal(size=(12, 40))}
    layers["little"][:, :8] += brains[1][:, :8]
    layers["noise"] = rng.normal(size=(12, 9))
    participants = tuple(Participant(f"p{i}", y, np.arange(12)) for i, y in enumerate(brains))
    recording = Recording("region", tuple(f"i{i}" for i in range(12)), participants)
    metric = RobustRsa(permutations=199, bootstraps=40)
    result = metric.score(Features(layers), recording, QUIET)
    assert isinstance(result, Scores)
    measured = toolbox.concat([theirs(y) for y in brains])
    expected = toolbox.compare(toolbox.concat([theirs(x) for x in layers.values()]), measured, "spearman")
    np.testing.assert_allclose(result.per_participant[1:], expected, atol=LIMIT, rtol=0)

    null = []
    for order in np.concatenate([block.permutations(12) for block in blocks(metric.seed, 199)]):
        models = toolbox.concat([theirs(x[order]) for x in layers.values()])
        null.append(toolbox.compare(models, measured, "spearman").mean(axis=1))
    observed, shuffled = expected.mean(axis=1), np.array(null)
    of_layers = result.details["null"]["of_layers"]
    for name, value, single in zip(layers, observed, shuffled.T, strict=True):
        as_high = {"p": single, "p_adjusted_for_choice": shuffled.max(axis=1)}
        for p, values in as_high.items():
            assert of_layers[name][p] == pytest.approx((1 + np.count_nonzero(values >= value)) / 200)
    assert of_layers["much"]["p"] < 0.05 < of_layers["noise"]["p"]
