"""Robust RSA of 170 people and 33 layers against rsatoolbox and a numpy loop.

    python -m benchmarks.rsa [permutations, 10,000 by default]

46 items, 2,000 voxels, 33 layers of 4,096 units, correlation distances and Spearman: one network and one
window of the workload W1. Slow parts of the peers are timed on a few and scaled. Ours is timed twice: what a
peer has as well, and all of the metric (layer chosen on held-out people and items, the null of that, partial
scores, the interval), which no peer has. Goals: 10 times rsatoolbox without a null, 2,000 times with one, 4
times a numpy loop on ranks, 300 times a bootstrap over items; equal to 1e-12 (scores) and 1e-6 (null).
"""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Any

import numpy as np
import rsatoolbox
from benchmarks.measured import Row, gemm_limit, report, timed
from numpy.typing import NDArray
from rsatoolbox import inference, rdm

from brainbench.arrays import Features, Participant, Recording
from brainbench.progress import SilentReporter
from brainbench.records import Scores
from brainbench.statistics import blocks, corrected_two_factor_interval, mean_of_pairs
from brainbench_metrics.rdm_comparison import compare, ready
from brainbench_metrics.rdm_people import prepare_brains, prepare_layers
from brainbench_metrics.rsa import RobustRsa
from brainbench_metrics.rsa_ceiling import nili_bounds
from brainbench_metrics.rsa_null import Statistic, permutation_tests

Array = NDArray[np.float64]
PEOPLE, ITEMS, VOXELS, LAYERS, WIDTH = 170, 46, 2000, 33, 4096
PAIRS = ITEMS * (ITEMS - 1) // 2
RESAMPLES, TIMED_RESAMPLES = 1000, 5
WHY = "products of 46 items are too small for full speed, and ranking is sorting and no product"


def made() -> tuple[Features, Recording]:
    """Responses and features in which a little is shared."""
    rng = np.random.default_rng(0)
    shared = rng.standard_normal((ITEMS, 20))
    people = []
    for i in range(PEOPLE):
        signal = 0.3 * shared @ rng.standard_normal((20, VOXELS))
        responses = (signal + rng.standard_normal((ITEMS, VOXELS))).astype(np.float32)
        people.append(Participant(f"p{i}", responses, np.arange(ITEMS)))
    layers = {f"layer.{i}": rng.standard_normal((ITEMS, WIDTH), dtype=np.float32) for i in range(LAYERS)}
    layers["layer.0"][:, :20] += shared.astype(np.float32)
    return Features(layers), Recording("region", tuple(f"i{i}" for i in range(ITEMS)), tuple(people))


def ours(features: Features, recording: Recording) -> tuple[Array, Array, Array, Array]:
    """Scores (layers x people), Nili's bounds (2 x people), and the RDMs of layers and people."""
    layers = prepare_layers(features, recording, "correlation")
    brains = prepare_brains(recording, "correlation")[0]
    measured = np.stack([brain.vector for brain in brains])
    scores = compare(layers.vectors, measured, "spearman")
    return scores, nili_bounds(brains, ITEMS, "spearman")[0], layers.vectors, measured


def theirs(features: Features, recording: Recording) -> tuple[Any, Any, Array, Array]:
    """The same with rsatoolbox: RDMs of people and layers, scores, mean bounds."""
    data = [rsatoolbox.data.Dataset(person.responses.astype(np.float64)) for person in recording.participants]
    brains = rdm.calc_rdm(data, method="correlation")
    layers = [rsatoolbox.data.Dataset(x.astype(np.float64)) for x in features.layers.values()]
    models = rdm.calc_rdm(layers, method="correlation")
    scores = np.asarray(rdm.compare(models, brains, "spearman"))
    return brains, models, scores, np.asarray(inference.boot_noise_ceiling(brains, "spearman"))


def numpy_loop(models: Array, brains: Array, orders: NDArray[np.intp]) -> Array:
    """Mean over people of Spearman (draws x layers) from vectors that are ranked, centred and of length 1."""
    first, second = np.triu_indices(ITEMS, k=1)
    place = np.zeros((ITEMS, ITEMS), dtype=np.intp)
    place[first, second] = place[second, first] = np.arange(len(first))
    return np.array([(models[:, place[o[first], o[second]]] @ brains.T).mean(axis=1) for o in orders])


def resampled(model: Any, brains: Any) -> None:
    """Draws of items with repeats, and what rsatoolbox makes of each: one layer, as ours."""
    for _ in range(TIMED_RESAMPLES):
        drawn, chosen = inference.bootstrap_sample_pattern(brains)
        rdm.compare(model.subsample_pattern("index", chosen), drawn, "spearman")


def bootstrap_seconds(models: Array, brains: Array) -> float:
    """The interval of a layer over people and items, from the influence of each pair on each correlation."""
    x, y = ready(models, "spearman")[0][0], ready(brains, "spearman")[0]
    r = (x * y).sum(axis=1, keepdims=True)
    table = r + PAIRS * (x * y - r * (x**2 + y**2) / 2)
    draws = {"seed": 0, "draws": RESAMPLES}
    return timed(
        lambda: corrected_two_factor_interval(mean_of_pairs(table, ITEMS), (PEOPLE, ITEMS), **draws)
    )[0]


def plain_limit() -> float:
    """Seconds that RDMs, comparison and ceilings need: symmetric products count half."""
    products = ITEMS**2 / 2 * (PEOPLE * VOXELS + LAYERS * WIDTH)
    return gemm_limit(products + (LAYERS + 2) * PEOPLE * PAIRS)


def main(permutations: int) -> None:
    """Print seconds, ratios and differences."""
    features, recording = made()
    ours(features, recording)
    seconds, (scores, bounds, layers, brains) = timed(lambda: ours(features, recording), 3)
    models, ranked = (ready(vectors, "spearman")[0] for vectors in (layers, brains))
    simple = Statistic(models, ranked.mean(axis=0, keepdims=True), (0, 1))  # no halves: all pairs only
    null, _ = timed(lambda: permutation_tests(simple, ITEMS, (), seed=0, draws=permutations), 3)
    metric = replace(RobustRsa(), permutations=permutations)
    whole, found = timed(lambda: metric.score(features, recording, SilentReporter()))
    assert isinstance(found, Scores)

    peer, (their_brains, their_models, expected, limits) = timed(lambda: theirs(features, recording))
    resamples, _ = timed(lambda: resampled(their_models[0], their_brains))
    order = np.random.default_rng(1).permutation(ITEMS)

    def permuted() -> None:
        their_models.reorder(order)
        rdm.compare(their_models, their_brains, "spearman")

    one, _ = timed(permuted, 3)
    differences = np.abs(scores - expected).max(), np.abs(bounds.mean(axis=1) - limits).max()

    orders = np.concatenate([block.permutations(ITEMS) for block in blocks(0, 50)])
    # The side with fewer vectors is permuted, the brains' here: the models' permutation is the inverse.
    loop, draws = timed(lambda: numpy_loop(models, ranked, np.argsort(orders, axis=1)))
    again = permutation_tests(simple, ITEMS, (), seed=0, draws=50)[2]
    same = float(np.abs(np.sort(draws.max(axis=1)) - again.maxima).max())

    needed, many = plain_limit(), f"null of {permutations:,} permutations"
    with_null = needed + gemm_limit(single=permutations * LAYERS * PAIRS)
    total, scaled = peer + one * permutations, f"1 of {permutations:,} permutations"
    exact = float(max(differences))
    report(
        "rsa",
        [
            Row(
                "RSA with ceilings, no null (W1)",
                seconds,
                "rsatoolbox",
                peer,
                10,
                "all of it",
                exact,
                1e-12,
                needed / seconds,
                why=WHY,
            ),
            Row(
                f"RSA with ceilings and a {many} (W1)",
                seconds + null,
                "rsatoolbox",
                total,
                2000,
                scaled,
                exact,
                1e-12,
                with_null / (seconds + null),
                why=WHY,
            ),
            Row(
                f"{many} alone (W1)",
                null,
                "numpy loop on ranks",
                loop * permutations / 50,
                4,
                f"50 of {permutations:,} permutations",
                same,
                1e-6,
            ),
            Row(
                "all of rsa/robust: layer chosen on others, the null of that, partial scores, interval",
                whole,
                "rsatoolbox, no choice, no interval",
                total,
                0,
                scaled,
            ),
            Row(
                f"interval of one layer over items and people, {RESAMPLES:,} draws",
                bootstrap_seconds(layers, brains),
                "rsatoolbox, bootstrap over items, RDMs compared anew; ours resamples what each pair adds",
                resamples * RESAMPLES / TIMED_RESAMPLES,
                300,
                f"{TIMED_RESAMPLES} of {RESAMPLES:,} draws",
                why="ours takes 3,000 draws, people among them",
            ),
        ],
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
