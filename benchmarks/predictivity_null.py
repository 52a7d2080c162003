"""What `predictivity/robust` says where nothing is there, and where something is. SIMULATED data.

    python -m benchmarks.predictivity_null [repetitions, 200 by default] [folder]

Each repetition is another draw of a simulated dataset: other people, other problems, other noise. Goals: at
.05 the null is rejected as often as chance allows (within the exact binomial interval), with layers and
penalties chosen inside; headlines are zero on average where nothing is planted, also for predictors of one
column. How often the 95 percent interval holds the mean over repetitions is shown: less often than it says,
with few people and items. Power is how often something planted is found, by its share of a voxel's variance.
Nothing is timed; 200 take some 10 minutes of one core. In the folder, predictivity_null.json holds each
repetition as soon as it is finished, and what it holds is not computed again; predictivity_null.png is
drawn from it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import ClassVar

import numpy as np
from benchmarks.repetitions import BLUE, ORANGE, Columns, Kept, Row, bars, mean, plot, rate, versions
from numpy.typing import NDArray
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import KFold, cross_val_predict

from brainbench.arrays import Features, Recording
from brainbench.progress import SilentReporter
from brainbench.records import Scores
from brainbench_metrics.predictivity import Predictivity
from brainbench_metrics.predictivity_robust import RobustPredictivity
from brainbench_tasks.simulated import SimulatedCreativity, SimulatedDeduction
from brainbench_tasks.simulated_brain import Shares

Array = NDArray[np.float64]
Simulated = SimulatedDeduction | SimulatedCreativity
QUIET, PAPER = SilentReporter(), Predictivity()
METRIC = RobustPredictivity(permutations=99, draws=200)
LAYERS, WIDTH, LEVEL, PEOPLE, FEW, GRID = 4, 16, 0.05, 10, 4, (4, 3, 2)
DEDUCTION, CREATIVITY = (kind(people=PEOPLE, grid=GRID) for kind in (SimulatedDeduction, SimulatedCreativity))
CASES: tuple[tuple[Simulated, str, str], ...] = (
    (replace(DEDUCTION, preset="null"), "reasoning", "syllogism"),
    (replace(DEDUCTION, preset="null", people=FEW), "reasoning", "syllogism"),
    (replace(DEDUCTION, preset="null"), "reasoning", "all"),
    (replace(CREATIVITY, preset="null"), "default", "create"),
    (DEDUCTION, "control", "syllogism"),
    (replace(DEDUCTION, preset="nuisance"), "reasoning", "all"),
    (DEDUCTION, "language", "syllogism"),
    (DEDUCTION, "reasoning", "syllogism"),
    (replace(DEDUCTION, people=FEW), "reasoning", "syllogism"),
    (CREATIVITY, "default", "create"),
)
LACK: tuple[tuple[Simulated, str, str], ...] = (  # people share what is planted, and no layer has it
    (DEDUCTION, "reasoning", "syllogism"),
    (replace(DEDUCTION, people=FEW), "reasoning", "syllogism"),
)
SHARES = (0.0, 0.01, 0.02, 0.03, 0.04, 0.06, 0.08)
WIDTHS = (1, 3, 30)
SETTINGS: Row = {
    "versions": versions(PAPER, METRIC, DEDUCTION, CREATIVITY),
    "layers": LAYERS,
    "width": WIDTH,
    "permutations": METRIC.permutations,
    "draws": METRIC.draws,
    "grid": GRID,
}


def recording(dataset: Simulated, region: str, items: str) -> Recording:
    """A region's responses to a set of items."""
    (chosen,) = (found for found in dataset.item_sets if found.name == items)
    return dataset.recording(region, QUIET).select(chosen.indices(dataset.stimuli(QUIET)))


def model_like(dataset: Simulated, region: str, items: str, knows: bool) -> dict[str, Array]:
    """Layers of noise; if it `knows`, one mixes what `planted` plants; one also holds the task type."""
    rng = np.random.default_rng(dataset.seed)
    truth = replace(dataset, preset="planted").truth(region, items)
    layers = {f"layer.{i}": rng.normal(size=(len(truth.values), WIDTH)) for i in range(LAYERS)}
    mixed = truth.values @ rng.normal(size=(truth.values.shape[1], WIDTH))
    if knows:
        layers["layer.1"] = 0.3 * layers["layer.1"] + mixed
    strata = recording(dataset, region, items).strata
    kinds = np.array([label == strata[0] for label in strata], dtype=float)
    layers["layer.2"] += 2 * np.outer(kinds, rng.normal(size=WIDTH))
    return layers


def judged(dataset: Simulated, region: str, items: str, knows: bool, seed: int) -> Row:
    """Headline, p, both ends of the interval, how often the layer with the planted features was chosen."""
    drawn = replace(dataset, seed=seed)
    layers, responses = Features(model_like(drawn, region, items, knows)), recording(drawn, region, items)
    found, paper = (metric.score(layers, responses, QUIET) for metric in (METRIC, PAPER))
    assert isinstance(found, Scores)
    assert isinstance(paper, Scores)
    facts = found.details
    return {
        "robust": found.headline,
        "p": facts["p"],
        "low": facts["interval"]["low"],
        "high": facts["interval"]["high"],
        "planted_layer": facts["share_of_folds_by_layer"].get("layer.1", 0.0),
        "paper": paper.headline,
    }


def with_share(share: float) -> SimulatedDeduction:
    """The dataset with another share of a voxel's variance planted in its first region."""

    class Planted(SimulatedDeduction):
        shares: ClassVar = {"planted": (Shares(signal=share), Shares(), Shares())}

    return Planted(people=PEOPLE, grid=GRID)


def estimators(width: int, seed: int) -> Row:
    """What three estimators give for noise on noise: robust, paper, and r over all held-out items."""
    rng = np.random.default_rng(seed)
    made = recording(SimulatedCreativity("null", seed=seed, people=2, grid=GRID), "default", "create")
    made = replace(made, strata=())
    x = rng.normal(size=(len(made.items), width))
    fast = replace(METRIC, permutations=19, draws=100)
    robust, paper = (metric.score(Features({"x": x}), made, QUIET) for metric in (fast, PAPER))
    assert isinstance(robust, Scores)
    assert isinstance(paper, Scores)
    pooled = []
    for person in made.participants:
        ridge, splits = RidgeCV(PAPER.alphas), KFold(5, shuffle=True, random_state=seed)
        predicted = cross_val_predict(ridge, x[person.present], person.responses, cv=splits)
        pairs = zip(predicted.T, person.responses.T, strict=True)
        pooled.append(np.mean([np.corrcoef(a, b)[0, 1] for a, b in pairs]))
    return {"robust": robust.headline, "paper": paper.headline, "pooled": float(np.mean(pooled))}


def draws() -> dict[str, Callable[[int], Row]]:
    """All runs, by their names. A seed's problems take long to make: its cases follow on each other."""
    made: dict[str, Callable[[int], Row]] = {}
    for cases, ending in ((CASES, ""), (LACK, ", layers lack it")):
        for dataset, region, items in cases:
            name = f"{dataset.name}, {region}, {items}, {dataset.people} people{ending}"
            made[name] = partial(judged, dataset, region, items, not ending)
    for share in SHARES:
        made[f"share {share}"] = partial(judged, with_share(share), "reasoning", "syllogism", True)
    return made | {f"columns {width}": partial(estimators, width) for width in WIDTHS}


def summary(name: str, run: Columns) -> Row:
    """The figures of a run."""
    made: Row = {"name": name, "repetitions": len(run["robust"])}
    for column in ("robust", "paper", "pooled", "planted_layer"):
        if column in run:
            made |= mean(column, run[column])
    if "p" in run:
        ends = zip(run["low"], run["high"], strict=True)
        made |= rate("rejected", [p <= LEVEL for p in run["p"]])
        made |= rate("covered", [low <= made["robust"] <= high for low, high in ends])
    return made


def summaries(runs: dict[str, Columns]) -> dict[str, list[Row]]:
    """All figures: of the datasets, by planted share, and of noise of few columns."""
    rows = {name: summary(name, run) for name, run in runs.items()}
    power = [rows.pop(f"share {share}") for share in SHARES]
    columns = [rows.pop(f"columns {width}") for width in WIDTHS]
    for row, width in zip(columns, WIDTHS, strict=True):
        row["name"] = f"{width} of noise"
    for row in power:
        row["percent"] = 100 * float(row["name"].split()[1])
    return {"cases": list(rows.values()), "power": power, "columns": columns}


def show(row: Row) -> None:
    """Print a run's figures as a line."""
    texts = [f"{row['name']:60} {row['repetitions']:4}"]
    texts += [f"{name} {row[name]:+.4f}" for name in ("robust", "paper", "pooled") if name in row]
    if "rejected" in row:
        texts.append(f"p <= {LEVEL} in {row['rejected']:.3f}")
        texts.append(f"({row['rejected_low']:.3f} to {row['rejected_high']:.3f})")
        texts.append(f"interval holds the mean in {row['covered']:.3f}")
    print("   ".join(texts))


def draw(power: list[Row], cases: list[Row], file: Path) -> None:
    """How often planted shares are found, and how often intervals hold the mean over repetitions."""
    shares = [row["percent"] for row in power]
    title = f"predictivity/robust, {power[0]['repetitions']} repetitions each; exact 95 % intervals of rates"
    with plot(file, title, [1, 0.9], height=3) as (found, held):
        rates = [row["rejected"] for row in power]
        found.errorbar(shares, rates, bars(power, "rejected"), color=BLUE, marker="o")
        found.axhline(LEVEL, color="black", linewidth=0.8, linestyle="--", label=f"level {LEVEL}")
        found.set(xlabel="planted share of a voxel's variance (%)", ylabel="rate of p ≤ .05", ylim=(0, 1.03))
        found.legend(loc="center right")
        names = [row["name"].removeprefix("simulated-") for row in cases]
        places = list(range(len(cases)))[::-1]
        sides = [row["covered"] for row in cases]
        held.errorbar(sides, places, xerr=bars(cases, "covered"), color=ORANGE, marker="s", linestyle="")
        held.axvline(0.95, color="black", linewidth=0.8, linestyle="--")
        held.set(xlabel="intervals that hold the mean", yticks=places, yticklabels=names)
        held.tick_params(axis="y", labelsize=7.5, length=0)


def main(repetitions: int, folder: Path | None) -> None:
    """Print the figures; keep them, and draw, where there is a folder."""
    print(f"SIMULATED. {LAYERS} layers, {METRIC.permutations} shuffles within type")
    kept = Kept(SETTINGS, folder / "predictivity_null.json" if folder else None)
    kept.repeat(repetitions, draws())
    kept.summary = summaries(kept.runs)
    kept.write()
    for row in (*kept.summary["cases"], *kept.summary["power"], *kept.summary["columns"]):
        show(row)
    if folder:
        draw(kept.summary["power"], kept.summary["cases"], folder / "predictivity_null.png")


if __name__ == "__main__":
    numbers = [int(argument) for argument in sys.argv[1:] if argument.isdigit()]
    folders = [Path(argument) for argument in sys.argv[1:] if not argument.isdigit()]
    main(numbers[0] if numbers else 200, folders[0] if folders else None)
