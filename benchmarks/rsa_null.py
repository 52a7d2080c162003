"""What both protocols of RSA make of people who share nothing, and of datasets whose truth is known.

    python benchmarks/rsa_null.py [repetitions, 200 by default] [file.json] [file.png]

First the null of the creativity study's design: 170 people, 23 objects, 300 voxels, a tenth of the trials
missing, 32 random layers, nothing shared. The paper's ratio, clipping and best layer make a score of it; the
robust protocol is to reject it as often as its level says. Then as much with 16 to 80 layers: the score
should not grow with their number. Last the simulated datasets: what is planted is to be found, a region
without signal and the preset `null` no more often than the level, and `nuisance` is to vanish when task type
is partialled out. Intervals are exact binomial ones, or 1.96 standard errors. Nothing is timed; 200 take
some six minutes of one core.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from brainbench.arrays import Features, Participant, Recording
from brainbench.progress import SilentReporter
from brainbench.records import Scores
from brainbench_metrics.rsa import RobustRsa, Rsa
from brainbench_tasks.simulated import SimulatedCreativity, SimulatedDeduction

Array = NDArray[np.float64]
Row = dict[str, Any]
PEOPLE, OBJECTS, VOXELS, MISSING, LAYERS, WIDTH = 170, 23, 300, 0.1, 32, 64
DEPTHS = (16, 32, 48, 64, 80)
COLUMNS = ("paper", "share_kept", "share_clipped", "best_raw", "robust", "partial", "interval_holds_0")
LEVEL = 0.05
QUIET, PAPER = SilentReporter(), Rsa()
ROBUST = RobustRsa(permutations=999, bootstraps=100)


def nothing_shared(seed: int, layers: int) -> tuple[Features, Recording]:
    """Random people and a random model."""
    rng = np.random.default_rng([seed, layers])
    people = []
    for name in range(PEOPLE):
        there = np.flatnonzero(rng.random(OBJECTS) >= MISSING)
        people.append(Participant(f"p{name}", rng.standard_normal((len(there), VOXELS)), there))
    recording = Recording("nothing", tuple(f"o{i}" for i in range(OBJECTS)), tuple(people))
    return Features({f"layer.{i}": rng.standard_normal((OBJECTS, WIDTH)) for i in range(layers)}), recording


def both(features: Features, recording: Recording) -> Row:
    """What is kept of a repetition."""
    paper, robust = (metric.score(features, recording, QUIET) for metric in (PAPER, ROBUST))
    assert isinstance(robust, Scores)
    row: Row = {
        "robust": robust.headline,
        "p": robust.details["null"]["p"],
        "best_raw": float(robust.per_layer[1:].max()),
        "interval_holds_0": _holds_zero(robust.details["interval"]),
        "partial": robust.details["partial"].get("cross-validated"),
    }
    if isinstance(paper, Scores):  # nobody may be kept where people are few
        row |= {name: paper.details[name] for name in ("share_kept", "share_clipped")}
        row["paper"] = paper.headline
    return row


def _holds_zero(interval: Row) -> bool:
    return bool("none" in interval or interval["low"] <= 0 <= interval["high"])


def mean(rows: list[Row], name: str) -> tuple[float, float, float]:
    """Mean, its standard error, and standard deviation."""
    values = [row[name] for row in rows if row.get(name) is not None]
    if not values:
        return float("nan"), float("nan"), float("nan")
    spread = float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
    return float(np.mean(values)), spread / np.sqrt(len(values)), spread


def summary(name: str, rows: list[Row]) -> Row:
    """The figures of some repetitions, printed as a line."""
    rejected = sum(row["p"] <= LEVEL for row in rows)
    rate = binomtest(rejected, len(rows)).proportion_ci()
    made: Row = {"name": name, "repetitions": len(rows), "rejected": rejected / len(rows)}
    made["rejected_low"], made["rejected_high"] = float(rate.low), float(rate.high)
    for column in (
        "paper",
        "share_kept",
        "share_clipped",
        "best_raw",
        "robust",
        "partial",
        "interval_holds_0",
    ):
        value, error, spread = mean(rows, column)
        if np.isfinite(value):
            made |= {column: value, f"{column}_error": error, f"{column}_sd": spread}
    share = f"kept {made.get('share_kept', 0):.2f} clipped {made.get('share_clipped', 0):.2f}"
    partial = f", partial {made['partial']:+.3f}" if "partial" in made else ""
    print(
        f"{name:38} paper {made.get('paper', 0):+.3f} (SD {made.get('paper_sd', 0):.3f}, {share})   "
        f"best raw {made['best_raw']:+.3f}   "
        f"robust {made['robust']:+.4f} +- {1.96 * made['robust_error']:.4f}{partial}   "
        f"rejected {made['rejected']:.3f} ({rate.low:.3f} to {rate.high:.3f})   "
        f"0 in the interval {made['interval_holds_0']:.2f}",
        flush=True,
    )
    return made


def nulls(repetitions: int) -> Iterator[Row]:
    """The design of the creativity study, then other numbers of layers."""
    rows = [both(*nothing_shared(seed, LAYERS)) for seed in range(repetitions)]
    yield summary(f"nothing shared, {LAYERS} layers", rows)
    few = max(2, repetitions // 10)
    for depth in DEPTHS:
        yield summary(f"{depth} layers", [both(*nothing_shared(seed, depth)) for seed in range(few)])


def simulated(dataset: SimulatedDeduction | SimulatedCreativity, region: str, items: str, seed: int) -> Row:
    """Eight layers: six of noise, one that holds what `planted` plants, one that holds task type."""
    draw = replace(dataset, seed=seed)
    (chosen,) = (found for found in draw.item_sets if found.name == items)
    responses = draw.recording(region, QUIET).select(chosen.indices(draw.stimuli(QUIET)))
    truth = replace(draw, preset="planted").truth(region, items).values
    rng = np.random.default_rng(seed)
    layers = {f"noise.{i}": rng.standard_normal((len(truth), WIDTH)) for i in range(6)}
    mixed = truth @ rng.standard_normal((truth.shape[1], WIDTH))
    layers["planted"] = mixed + 0.5 * rng.standard_normal(mixed.shape)
    kinds = np.array([label == responses.strata[0] for label in responses.strata], dtype=float)
    layers["type"] = 2 * np.outer(kinds, rng.standard_normal(WIDTH)) + rng.standard_normal(mixed.shape)
    return both(Features(layers), responses)


def known(repetitions: int) -> Iterator[Row]:
    """Presets and regions: found as often as they should be."""
    for kind, items in ((SimulatedDeduction, "syllogism"), (SimulatedCreativity, "create")):
        first, *_, last = kind.regions
        for preset, region, of, times in (
            ("planted", first, items, repetitions // 8),
            ("planted", last, items, repetitions),
            ("null", first, items, repetitions),
            ("null", first, "all", repetitions // 2),
            ("nuisance", first, "all", repetitions // 2),
        ):
            dataset = kind(preset)
            rows = [simulated(dataset, region, of, seed) for seed in range(max(2, times))]
            yield summary(f"{dataset.name} {region} {of}", rows)


def plot(rows: list[Row], file: Path) -> None:
    """Score of noise by number of layers, both protocols; needs matplotlib."""
    from matplotlib import pyplot

    depths = [row for row in rows if row["name"].split()[0].isdigit()]
    layers = [int(row["name"].split()[0]) for row in depths]
    figure, axes = pyplot.subplots(figsize=(5, 3.2), layout="constrained")
    for name in ("paper", "robust"):
        bars = [1.96 * row[f"{name}_error"] for row in depths]
        axes.errorbar(layers, [row[name] for row in depths], yerr=bars, marker="o", label=name)
    axes.axhline(0, color="grey", linewidth=0.8)
    axes.set(xlabel="layers of a random model", ylabel="score where nothing is shared (SIMULATED)")
    axes.legend(frameon=False)
    figure.savefig(file, dpi=150)


def main(repetitions: int, files: list[Path]) -> None:
    """Print the figures, and write them as JSON and a plot where files are named."""
    print(f"SIMULATED. Level {LEVEL}, {ROBUST.permutations} permutations")
    rows = [*nulls(repetitions), *known(repetitions)]
    for file in files:
        if file.suffix == ".json":
            file.write_text(json.dumps(rows, indent=1) + "\n")
        else:
            plot(rows, file)


if __name__ == "__main__":
    numbers = [argument for argument in sys.argv[1:] if argument.isdigit()]
    main(int(numbers[0]) if numbers else 200, [Path(a) for a in sys.argv[1:] if not a.isdigit()])
