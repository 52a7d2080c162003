"""What the metric finds in made-up brains: nothing in noise, what is planted, and the trap.

Run: python benchmarks/planted.py [repetitions]. Each repetition is another seed of the simulated datasets,
with few people and voxels so that hundreds fit into minutes. Goals: at the level .05 the null is rejected
as often as chance allows (in the exact binomial interval), with the layer chosen on the same data and the
permutations going through that choice; planted scores are on average within 0.035 of the expected ones; the
nuisance preset's scores are reached by one bit, a length and a time.
"""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from brainbench.arrays import Features, Recording
from brainbench.progress import SilentReporter
from brainbench.records import Scores
from brainbench_metrics.predictivity import Predictivity
from brainbench_tasks.simulated import SimulatedCreativity, SimulatedDeduction

Array = NDArray[np.floating[Any]]
Simulated = SimulatedDeduction | SimulatedCreativity
QUIET, METRIC = SilentReporter(), Predictivity()
PERMUTATIONS, LAYERS, WIDTH, LEVEL = 19, 3, 16, 0.05
PEOPLE, GRID = 4, (4, 3, 2)


def recording(dataset: Simulated, region: str, items: str) -> Recording:
    """A region's responses to a set of items."""
    (chosen,) = (found for found in dataset.item_sets if found.name == items)
    return dataset.recording(region, QUIET).select(chosen.indices(dataset.stimuli(QUIET)))


def best(layers: list[Array], responses: Recording) -> float:
    """The score as published: the highest of the layers."""
    scores = METRIC.score(Features({str(at): x for at, x in enumerate(layers)}), responses, QUIET)
    assert isinstance(scores, Scores)
    return float(scores.per_layer.max())


def p_value(layers: list[Array], responses: Recording, rng: np.random.Generator) -> float:
    """Share of permutations of the items within their type, the real order among them, that score as high."""
    strata = np.array(responses.strata)
    real = best(layers, responses)
    as_high = 1
    for _ in range(PERMUTATIONS):
        order = np.arange(len(strata))
        for stratum in set(responses.strata):
            places = np.flatnonzero(strata == stratum)
            order[places] = rng.permutation(places)
        as_high += best([x[order] for x in layers], responses) >= real
    return as_high / (PERMUTATIONS + 1)


def model_like(dataset: Simulated, region: str, items: str, rng: np.random.Generator) -> list[Array]:
    """Layers of noise, in one of which the features planted in the `planted` preset are mixed."""
    truth = replace(dataset, preset="planted").truth(region, items)
    layers: list[Array] = [rng.normal(size=(len(truth.values), WIDTH)) for _ in range(LAYERS)]
    layers[1] = 0.3 * layers[1] + truth.values @ rng.normal(size=(truth.values.shape[1], WIDTH))
    return layers


def rejections(dataset: Simulated, items: str, repetitions: int) -> None:
    """Print how often a preset's main region is found, and its mean score."""
    rejected, scores, region = 0, [], dataset.regions[0]
    for seed in range(repetitions):
        draw, rng = replace(dataset, seed=seed, people=PEOPLE, grid=GRID), np.random.default_rng(seed)
        responses = recording(draw, region, items)
        layers = model_like(draw, region, items, rng)
        scores.append(best(layers, responses))
        rejected += p_value(layers, responses, rng) <= LEVEL
    interval = binomtest(rejected, repetitions).proportion_ci()
    print(
        f"{dataset.name:30}{items:12}best layer {np.mean(scores):6.3f}   found {rejected / repetitions:.3f} "
        f"({interval.low:.3f} to {interval.high:.3f}) of {repetitions} at {LEVEL}"
    )


def recovery(dataset: Simulated, region: str, items: str, repetitions: int) -> None:
    """Print scores of the planted features beside the expected ones, and how often their interval holds it.

    The interval is one over people: mean of their scores +- 2.36 standard errors (t, 8 people).
    """
    found, expected, covered = [], [], 0
    for seed in range(repetitions):
        draw = replace(dataset, seed=seed)
        truth = draw.truth(region, items)
        scores = METRIC.score(Features({"x": truth.values}), recording(draw, region, items), QUIET)
        assert isinstance(scores, Scores)
        people = scores.per_participant[0]
        half = 2.365 * people.std(ddof=1) / np.sqrt(len(people))
        found.append(float(scores.per_layer[0]))
        expected.append(truth.expected_score)
        covered += abs(people.mean() - truth.expected_score) <= half
    bias = np.mean(found) - np.mean(expected)
    print(
        f"{dataset.name:30}{items:12}{region:16}expected {np.mean(expected):.3f}   "
        f"found {np.mean(found):.3f} +- {np.std(found):.3f}   bias {bias:+.3f}   "
        f"in the people's interval {covered / repetitions:.2f}"
    )


def nuisances(dataset: Simulated, items: str, repetitions: int) -> None:
    """Print what dull predictors reach in a preset, each person's own, alone and with planted features."""
    reached: dict[str, list[float]] = {}
    for seed in range(repetitions):
        draw = replace(dataset, seed=seed, people=PEOPLE, grid=GRID)
        region = draw.regions[0]
        responses, truth = recording(draw, region, items), draw.truth(region, items)
        features = replace(draw, preset="planted").truth(region, items).values
        for name, columns in {"type": [0], "length": [1], "time": [2], "all three": [0, 1, 2]}.items():
            if np.ptp(truth.nuisances[0][:, columns]) > 0 and (items == "all" or name != "type"):
                own = [x[:, columns] for x in truth.nuisances]
                reached.setdefault(name, []).append(own_scores(own, responses))
        both = [np.hstack([x, features]) for x in truth.nuisances]
        reached.setdefault("all three and features", []).append(own_scores(both, responses))
        reached.setdefault("features", []).append(best([features], responses))
    line = "   ".join(f"{name} {np.mean(values):.3f}" for name, values in reached.items())
    print(f"{dataset.name:30}{items:12}{line}")


def own_scores(features: list[Array], responses: Recording) -> float:
    """The median over people of the score of features of their own."""
    people = responses.participants
    alone = [replace(responses, participants=(person,)) for person in people]
    return float(np.median([best([x], one) for x, one in zip(features, alone, strict=True)]))


def main(repetitions: int) -> None:
    """Print three small tables. SIMULATED data throughout."""
    start = time.perf_counter()
    print(f"SIMULATED. Permuted within type ({PERMUTATIONS} permutations, best of {LAYERS} layers)")
    for kind, items in ((SimulatedDeduction, "syllogism"), (SimulatedCreativity, "create")):
        rejections(kind("null"), items, repetitions)
        rejections(kind("planted"), items, repetitions // 8)
    print("Planted features themselves")
    for kind, preset, sets in (
        (SimulatedDeduction, "planted", ("all", "syllogism")),
        (SimulatedDeduction, "guide", ("syllogism",)),
        (SimulatedCreativity, "planted", ("create",)),
        (SimulatedCreativity, "guide", ("create",)),
    ):
        for items in sets:
            for region in kind.regions:
                recovery(kind(preset), region, items, repetitions // 8)
    print("Dull predictors")
    for preset in ("nuisance", "planted", "null"):
        for items in ("all", "transitive"):
            nuisances(SimulatedDeduction(preset), items, repetitions // 8)
        nuisances(SimulatedCreativity(preset), "all", repetitions // 8)
    print(f"{time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
