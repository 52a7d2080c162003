"""Robust RSA of 170 people and 33 layers against rsatoolbox, or scipy, and a numpy loop.

    python benchmarks/rsa.py [permutations, 10,000 by default]

46 items, 2,000 voxels, 33 layers of 4,096 units, correlation distances and Spearman: one network and one
window of the workload W1. rsatoolbox is not among brainbench's dependencies, since it brings 13 packages
(150 MB) that nothing else here needs: `pip install rsatoolbox` to see it timed instead of a loop with scipy.
Slow parts of the peers are timed on a few and scaled. Ours is timed twice: what a peer has as well, and all
of the metric (layer chosen on held-out people and items, the null of that, partial scores, the interval),
which none of them has. Goals: 10 times rsatoolbox without a null, 2,000 times with one, 4 times a numpy loop
on ranks; equal to 1e-12 (scores) and 1e-6 (null). Processor seconds.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import pdist
from scipy.stats import rankdata, spearmanr

from brainbench.arrays import Features, Participant, Recording
from brainbench.progress import SilentReporter
from brainbench.records import Scores
from brainbench.statistics import blocks
from brainbench_metrics.rdm_comparison import ready
from brainbench_metrics.rdm_people import prepare_brains, prepare_layers
from brainbench_metrics.rsa import RobustRsa
from brainbench_metrics.rsa_ceiling import nili_bounds
from brainbench_metrics.rsa_crossvalidation import Comparison, correlations, parts_of
from brainbench_metrics.rsa_null import Statistic, permutation_tests

Array = NDArray[np.float64]
PEOPLE, ITEMS, VOXELS, LAYERS, WIDTH = 170, 46, 2000, 33, 4096


def made() -> tuple[Features, Recording]:
    """Responses and features in which a little is shared."""
    rng = np.random.default_rng(0)
    shared = rng.standard_normal((ITEMS, 20))
    people = tuple(
        Participant(
            f"p{i}",
            (0.3 * shared @ rng.standard_normal((20, VOXELS)) + rng.standard_normal((ITEMS, VOXELS))).astype(
                np.float32
            ),
            np.arange(ITEMS),
        )
        for i in range(PEOPLE)
    )
    layers = {f"layer.{i}": rng.standard_normal((ITEMS, WIDTH), dtype=np.float32) for i in range(LAYERS)}
    layers["layer.0"][:, :20] += shared.astype(np.float32)
    return Features(layers), Recording("region", tuple(f"i{i}" for i in range(ITEMS)), people)


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Processor seconds of a call, and its result."""
    start = time.process_time()
    result = work()
    return time.process_time() - start, result


def ours(features: Features, recording: Recording) -> tuple[Array, Array]:
    """Scores (layers x people) and Nili's bounds (2 x people)."""
    layers, brains = (
        prepare_layers(features, recording, "correlation"),
        prepare_brains(recording, "correlation")[0],
    )
    whole = parts_of(np.arange(ITEMS), layers, brains, Comparison(ITEMS, "spearman"))
    return correlations(whole, len(brains)), nili_bounds(brains, ITEMS, "spearman")[0]


def with_rsatoolbox(features: Features, recording: Recording) -> tuple[float, float, Array, Array]:
    """Seconds without a null and a permutation; scores and bounds."""
    import rsatoolbox
    from rsatoolbox import inference, rdm

    def all_of_it() -> Any:
        data = [
            rsatoolbox.data.Dataset(person.responses.astype(np.float64)) for person in recording.participants
        ]
        brains = rdm.calc_rdm(data, method="correlation")
        models = rdm.calc_rdm(
            [rsatoolbox.data.Dataset(x.astype(np.float64)) for x in features.layers.values()],
            method="correlation",
        )
        return (
            brains,
            models,
            rdm.compare(models, brains, "spearman"),
            inference.boot_noise_ceiling(brains, "spearman"),
        )

    seconds, (brains, models, scores, bounds) = timed(all_of_it)
    order = np.random.default_rng(1).permutation(ITEMS)

    def permuted() -> None:
        models.reorder(order)
        rdm.compare(models, brains, "spearman")

    return seconds, timed(permuted)[0], np.asarray(scores), np.asarray(bounds)


def with_scipy(features: Features, recording: Recording) -> tuple[float, float, Array, Array]:
    """The same in a plain loop, comparisons timed on every tenth person and scaled."""
    few = recording.participants[::10]
    scale = len(recording.participants) / len(few)
    rdm_seconds, vectors = timed(lambda: [pdist(p.responses, "correlation") for p in recording.participants])
    models = [pdist(x, "correlation") for x in features.layers.values()]

    def compared() -> Array:
        return np.array([[spearmanr(x, y).statistic for y in vectors[::10]] for x in models])

    seconds, scores = timed(compared)
    ranked = rankdata(vectors, axis=1)

    def ceilings() -> Array:
        lower = [
            spearmanr(ranked[i], np.delete(ranked, i, axis=0).mean(axis=0)).statistic for i in range(PEOPLE)
        ]
        upper = [spearmanr(row, ranked.mean(axis=0)).statistic for row in ranked]
        return np.array([np.mean(lower), np.mean(upper)])

    ceiling_seconds, bounds = timed(ceilings)
    return rdm_seconds + seconds * scale + ceiling_seconds, seconds * scale, scores, bounds


def numpy_loop(models: Array, brains: Array, orders: NDArray[np.intp]) -> Array:
    """Mean over people of Spearman (draws x layers) from vectors that are ranked, centred and of length 1."""
    first, second = np.triu_indices(ITEMS, k=1)
    place = np.zeros((ITEMS, ITEMS), dtype=np.intp)
    place[first, second] = place[second, first] = np.arange(len(first))
    return np.array([(models[:, place[o[first], o[second]]] @ brains.T).mean(axis=1) for o in orders])


def main(permutations: int) -> None:
    """Print seconds, ratios and differences."""
    features, recording = made()
    ours(features, recording)
    runs = [timed(lambda: ours(features, recording)) for _ in range(3)]
    seconds, (scores, bounds) = sorted(runs, key=lambda run: run[0])[1]

    layers, brains = (
        prepare_layers(features, recording, "correlation"),
        prepare_brains(recording, "correlation")[0],
    )
    whole = parts_of(np.arange(ITEMS), layers, brains, Comparison(ITEMS, "spearman"))
    models = ready(layers.vectors, "spearman")[0]
    ranked = np.concatenate([part.brain for part in whole])
    simple = Statistic(models, ranked.mean(axis=0, keepdims=True), (0, 1))  # no halves: all pairs only

    def null() -> Any:
        return permutation_tests(simple, ITEMS, (), seed=0, draws=permutations)[2]

    null_seconds, tests = sorted((timed(null) for _ in range(3)), key=lambda run: run[0])[1]
    metric = replace(RobustRsa(), permutations=permutations)
    metric_seconds, found = timed(lambda: metric.score(features, recording, SilentReporter()))
    assert isinstance(found, Scores)
    print(f"ours: scores and ceilings {seconds:.3f} s, null of the best layer {null_seconds:.3f} s")
    print(f"ours: all of the metric, layer chosen on held-out people and items {metric_seconds:.3f} s")

    try:
        name, (peer, one, theirs, limits) = "rsatoolbox", with_rsatoolbox(features, recording)
    except ImportError:
        name, (peer, one, theirs, limits) = "scipy in a loop", with_scipy(features, recording)
    step = PEOPLE // theirs.shape[1]
    total = peer + one * permutations
    print(f"{name}: without a null {peer:.2f} s: ratio {peer / seconds:.0f}")
    ratio = total / (seconds + null_seconds)
    print(f"{name}: with {permutations:,} permutations {total:.0f} s (scaled): ratio {ratio:.0f}")
    ratio = total / metric_seconds
    print(f"    over all of the metric, of which it has no choice and no interval: {ratio:.0f}")
    print(f"    largest difference of scores {np.abs(scores[:, ::step] - theirs).max():.1e}")
    print(f"    largest difference of mean bounds {np.abs(bounds.mean(axis=1) - limits.ravel()).max():.1e}")

    orders = np.concatenate([block.permutations(ITEMS) for block in blocks(0, 50)])
    # The side with fewer vectors is permuted, the brains' here: the models' permutation is the inverse.
    loop, draws = timed(lambda: numpy_loop(models, ranked, np.argsort(orders, axis=1)))
    again = permutation_tests(simple, ITEMS, (), seed=0, draws=50)[2]
    difference = np.abs(np.sort(draws.max(axis=1)) - again.maxima).max()
    loop *= permutations / 50
    print(f"numpy loop on ranks: null {loop:.1f} s (scaled): ratio {loop / null_seconds:.0f}")
    print(f"    largest difference of the null's maxima {difference:.1e}; p of the best layer {tests.p:.4f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
