"""What `robust` says where nothing is there, and where something is: rates over many seeds. SIMULATED data.

Run: python benchmarks/predictivity_null.py [seeds]. Each seed is another draw of a simulated dataset: other
people, other problems, other noise. Goals: at .05 the null is rejected as often as chance allows (within the
exact binomial interval), with layers and penalties chosen inside; headlines are zero on average where nothing
is planted, also for predictors of one column. How often the 95 percent interval holds the mean over seeds is
shown: less often than it says, with few people and items.
"""

from __future__ import annotations

import sys
import time
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import KFold, cross_val_predict

from brainbench.arrays import Features, Recording
from brainbench.progress import SilentReporter
from brainbench.records import Scores
from brainbench_metrics.predictivity import Predictivity
from brainbench_metrics.predictivity_robust import RobustPredictivity
from brainbench_tasks.simulated import SimulatedCreativity, SimulatedDeduction

Array = NDArray[np.float64]
Simulated = SimulatedDeduction | SimulatedCreativity
QUIET = SilentReporter()
METRIC = RobustPredictivity(permutations=99, draws=200)
LAYERS, WIDTH, LEVEL, PEOPLE, GRID = 4, 16, 0.05, 6, (4, 3, 2)
CASES: tuple[tuple[Simulated, str, str], ...] = (
    (SimulatedDeduction("null"), "reasoning", "syllogism"),
    (SimulatedDeduction("null"), "reasoning", "all"),
    (SimulatedCreativity("null"), "default", "create"),
    (SimulatedDeduction("nuisance"), "reasoning", "all"),
    (SimulatedDeduction("planted"), "reasoning", "syllogism"),
    (SimulatedDeduction("planted"), "language", "syllogism"),
    (SimulatedDeduction("planted"), "control", "syllogism"),
    (SimulatedCreativity("planted"), "default", "create"),
)


def recording(dataset: Simulated, region: str, items: str) -> Recording:
    """A region's responses to a set of items."""
    (chosen,) = (found for found in dataset.item_sets if found.name == items)
    return dataset.recording(region, QUIET).select(chosen.indices(dataset.stimuli(QUIET)))


def model_like(dataset: Simulated, region: str, items: str) -> dict[str, Array]:
    """Layers of noise; in one of them the features planted in the `planted` preset are mixed."""
    rng = np.random.default_rng(dataset.seed)
    truth = replace(dataset, preset="planted").truth(region, items)
    layers = {f"layer.{i}": rng.normal(size=(len(truth.values), WIDTH)) for i in range(LAYERS)}
    layers["layer.1"] = 0.3 * layers["layer.1"] + truth.values @ rng.normal(
        size=(truth.values.shape[1], WIDTH)
    )
    return layers


def judged(dataset: Simulated, region: str, items: str) -> tuple[float, ...]:
    """Headline, p, both ends of the interval, how often the layer with the planted features was chosen."""
    layers, responses = model_like(dataset, region, items), recording(dataset, region, items)
    found = METRIC.score(Features(layers), responses, QUIET)
    assert isinstance(found, Scores)
    facts = found.details
    share = facts["share_of_folds_by_layer"].get("layer.1", 0.0)
    return found.headline, facts["p"], facts["interval"]["low"], facts["interval"]["high"], share


def show(case: tuple[Simulated, str, str], values: Array) -> None:
    """Print how often p is at most .05, the mean headline, and how often the interval holds that mean."""
    scores, p, low, high, share = values.T
    seeds, mean, rejected = len(scores), scores.mean(), int((p <= LEVEL).sum())
    exact = binomtest(rejected, seeds).proportion_ci()
    covered = np.mean((low <= mean) & (mean <= high))
    error = scores.std() / np.sqrt(seeds)
    print(
        f"{case[0].name:30}{case[1]:11}{case[2]:11}headline {mean:+.4f} +- {error:.4f}   "
        f"p <= {LEVEL} in {rejected / seeds:.3f} ({exact.low:.3f} to {exact.high:.3f})   "
        f"interval holds the mean in {covered:.3f}   layer.1 chosen in {share.mean():.2f}"
    )


def estimators(width: int, seeds: int) -> None:
    """Print what three estimators give for noise on noise: robust, paper, and r over all held-out items."""
    found = []
    for seed in range(seeds):
        rng = np.random.default_rng(seed)
        made = recording(SimulatedCreativity("null", seed=seed, people=2, grid=GRID), "default", "create")
        made = replace(made, strata=())
        x = rng.normal(size=(len(made.items), width))
        fast = replace(METRIC, permutations=19, draws=100)
        pair = [metric.score(Features({"x": x}), made, QUIET) for metric in (fast, Predictivity())]
        pooled = []
        for person in made.participants:
            y = person.responses
            ridge = RidgeCV(Predictivity().alphas)
            predicted = cross_val_predict(
                ridge, x[person.present], y, cv=KFold(5, shuffle=True, random_state=seed)
            )
            pooled.append(np.mean([np.corrcoef(a, b)[0, 1] for a, b in zip(predicted.T, y.T, strict=True)]))
        found.append([*(s.headline for s in pair if isinstance(s, Scores)), float(np.mean(pooled))])
    means, errors = np.mean(found, axis=0), np.std(found, axis=0) / np.sqrt(seeds)
    text = "   ".join(
        f"{name} {mean:+.4f} +- {error:.4f}"
        for name, mean, error in zip(("robust", "paper", "r over all held-out"), means, errors, strict=True)
    )
    print(f"{width:3} columns of noise   {text}", flush=True)


def main(seeds: int) -> None:
    """Print two small tables. SIMULATED data throughout."""
    start = time.perf_counter()
    print(f"SIMULATED. {seeds} seeds, {PEOPLE} people, {LAYERS} layers, 99 shuffles within type")
    found: list[list[tuple[float, ...]]] = [[] for _ in CASES]
    for seed in range(seeds):  # a seed's problems take longer to make than to score: all cases share them
        for values, (dataset, region, items) in zip(found, CASES, strict=True):
            draw = replace(dataset, seed=seed, people=PEOPLE, grid=GRID)
            values.append(judged(draw, region, items))
    for case, values in zip(CASES, found, strict=True):
        show(case, np.array(values))
    for width in (1, 3, 30):
        estimators(width, seeds)
    print(f"{time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 240)
