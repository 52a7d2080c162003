"""What both protocols of RSA make of people who share nothing, and of datasets whose truth is known.

    python -m benchmarks.rsa_null [repetitions, 200 by default] [folder]

First the null of the creativity study's design: 170 people, 23 objects, 300 voxels, a tenth of the trials
missing, 32 random layers, nothing shared. The paper's ratio, clipping and best layer make a score of it; the
robust protocol is to reject it as often as its level says. Then as much with 16 to 80 layers: the score
should not grow with their number. Last the simulated datasets: what is planted is to be found, a region
without signal, the presets `null` and `nuisance` no more often than the level; what `nuisance` gives over all
pairs of items, task type with them, stands beside that. Nothing is timed; 200 take some 11 minutes of one
core. In the folder, rsa_null.json holds each repetition as soon as it is finished, and what it holds is not
computed again; rsa_null.png and rsa_layers.png are drawn from it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from benchmarks.repetitions import (
    BLUE,
    GREY,
    ORANGE,
    Columns,
    Kept,
    Row,
    bars,
    mean,
    plot,
    rate,
    rounded,
    versions,
)
from scipy.stats import binom, linregress

from brainbench.arrays import Features, Participant, Recording
from brainbench.progress import SilentReporter
from brainbench.records import Scores
from brainbench_metrics.rsa import RobustRsa, Rsa
from brainbench_tasks.simulated import SimulatedCreativity, SimulatedDeduction

PEOPLE, OBJECTS, VOXELS, MISSING, LAYERS, WIDTH = 170, 23, 300, 0.1, 32, 64
DEPTHS = (16, 32, 48, 64, 80)
TRENDS = (("`paper`", "paper"), ("highest layer, picked afterwards", "best_raw"), ("`robust`", "robust"))
LEVEL = 0.05
QUIET, PAPER = SilentReporter(), Rsa()
ROBUST = RobustRsa(permutations=999, bootstraps=100)
KINDS = (SimulatedDeduction(), SimulatedCreativity())
SETTINGS: Row = {
    "versions": versions(PAPER, ROBUST, *KINDS),
    "nothing shared": {"people": PEOPLE, "objects": OBJECTS, "voxels": VOXELS, "missing": MISSING},
    "width": WIDTH,
    "permutations": ROBUST.permutations,
    "bootstraps": ROBUST.bootstraps,
    "simulated": {kind.name: {"people": kind.people, "grid": kind.grid} for kind in KINDS},
}


def nothing_shared(layers: int, seed: int) -> tuple[Features, Recording]:
    """Random people and a random model."""
    rng = np.random.default_rng([seed, layers])
    people = []
    for name in range(PEOPLE):
        there = np.flatnonzero(rng.random(OBJECTS) >= MISSING)
        people.append(Participant(f"p{name}", rng.standard_normal((len(there), VOXELS)), there))
    recording = Recording("nothing", tuple(f"o{i}" for i in range(OBJECTS)), tuple(people))
    return Features({f"layer.{i}": rng.standard_normal((OBJECTS, WIDTH)) for i in range(layers)}), recording


def both(features: Features, recording: Recording) -> Row:
    """What is kept of a repetition; `paper` is None where nobody has a ceiling."""
    paper, robust = (metric.score(features, recording, QUIET) for metric in (PAPER, ROBUST))
    assert isinstance(robust, Scores)
    known = paper.details if isinstance(paper, Scores) else {}
    return {
        "paper": paper.headline if isinstance(paper, Scores) else None,
        "share_kept": known.get("share_kept"),
        "share_clipped": known.get("share_clipped"),
        "robust": robust.headline,
        "best_raw": float(robust.per_layer[1:].max()),
        "p": robust.details["null"]["p"],
        "interval_holds_0": _holds_zero(robust.details["interval"]),
        "aggregate": robust.details.get("aggregate", {}).get("score"),
    }


def _holds_zero(interval: Row) -> bool:
    return bool("none" in interval or interval["low"] <= 0 <= interval["high"])


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


def draws() -> dict[str, Callable[[int], Row]]:
    """All runs, by their names."""
    made: dict[str, Callable[[int], Row]] = {
        f"{depth} layers": lambda seed, depth=depth: both(*nothing_shared(depth, seed))  # type: ignore[misc]
        for depth in DEPTHS
    }
    for kind, items in ((SimulatedDeduction, "syllogism"), (SimulatedCreativity, "create")):
        first, weak, last = kind.regions
        for preset, region, of in (
            ("planted", first, items),
            ("planted", weak, items),
            ("planted", last, items),
            ("null", first, items),
            ("null", first, "all"),
            ("nuisance", first, "all"),
        ):
            dataset = kind(preset)
            made[f"{dataset.name}, {region}, {of}"] = partial(simulated, dataset, region, of)
    return made


def summary(name: str, run: Columns) -> Row:
    """The figures of a run."""
    made: Row = {"name": name, "repetitions": len(run["p"])}
    for column in ("paper", "share_kept", "share_clipped", "best_raw", "robust", "aggregate"):
        values = [value for value in run[column] if value is not None]
        if values:
            made |= mean(column, values) | {f"{column}_lowest": min(values), f"{column}_highest": max(values)}
    made["without_paper"] = sum(value is None for value in run["paper"])
    made |= rate("rejected", [p <= LEVEL for p in run["p"]])
    return made | rate("interval_holds_0", run["interval_holds_0"])


def trend(label: str, name: str, runs: dict[str, Columns]) -> Row:
    """How a score grows with the number of layers: by 16 of them, with the 95 percent interval, and r."""
    found = [(depth, value) for depth in DEPTHS for value in runs[f"{depth} layers"][name]]
    layers, scores = zip(*[pair for pair in found if pair[1] is not None], strict=True)
    fit = linregress([float(depth) for depth in layers], [float(score) for score in scores])
    slope, half = 16 * float(fit.slope), 16 * 1.96 * float(fit.stderr)
    made = {"slope": slope, "slope_low": slope - half, "slope_high": slope + half, "r": float(fit.rvalue)}
    return {"name": label, "repetitions": len(scores), **{key: rounded(value) for key, value in made.items()}}


def summaries(runs: dict[str, Columns]) -> dict[str, list[Row]]:
    """All figures: by number of layers, how they grow with it, and where the truth is known."""
    rows = {name: summary(name, run) for name, run in runs.items()}
    layers = [rows.pop(f"{depth} layers") for depth in DEPTHS]
    robust, p = (
        [value for depth in DEPTHS for value in runs[f"{depth} layers"][of]] for of in ("robust", "p")
    )
    together: Row = {"name": "all together", "repetitions": len(p), **mean("robust", robust)}
    return {
        "null": [row for row in layers if row["name"] == f"{LAYERS} layers"],
        "layers": [*layers, together | rate("rejected", [value <= LEVEL for value in p])],
        "trend": [trend(label, name, runs) for label, name in TRENDS],
        "known": list(rows.values()),
    }


def show(row: Row) -> None:
    """Print a run's figures as a line."""
    over_all = f", type included {row['aggregate']:+.3f}" if "aggregate" in row else ""
    print(
        f"{row['name']:44} {row['repetitions']:4}   paper {row.get('paper', float('nan')):+.3f} "
        f"(SD {row.get('paper_sd', 0):.3f}, clipped {row.get('share_clipped', 0):.2f})   "
        f"best raw {row['best_raw']:+.3f}   "
        f"robust {row['robust']:+.4f} ({row['robust_low']:+.4f} to {row['robust_high']:+.4f}){over_all}   "
        f"rejected {row['rejected']:.3f} ({row['rejected_low']:.3f} to {row['rejected_high']:.3f})   "
        f"0 in the interval {row['interval_holds_0']:.3f}"
    )


def draw_null(run: Columns, file: Path) -> None:
    """Histograms of both scores and of the p values where nothing is shared."""
    times = len(run["p"])
    title = f"{PEOPLE} people who share nothing, a random model of {LAYERS} layers; {times} repetitions"
    with plot(file, title, [1, 1, 1]) as (paper, robust, p):
        paper.hist(run["paper"], bins=20, color=ORANGE)
        robust.hist(run["robust"], bins=20, color=BLUE)
        p.hist(run["p"], bins=np.linspace(0, 1, 21).tolist(), color=BLUE)
        low, high = binom.interval(0.95, times, 0.05)  # of a bar, were p values uniform
        p.axhline(low, color="black", linewidth=0.8, linestyle=":")
        p.axhline(high, color="black", linewidth=0.8, linestyle=":", label="95 % range if uniform")
        p.legend(loc="upper right")
        for axes in (paper, robust):
            axes.axvline(0, color="black", linewidth=1, linestyle="--")
        paper.set(xlabel="score of rsa/paper (ratio to ceiling)", ylabel="repetitions", xlim=(-0.05, 1))
        robust.set(xlabel="score of rsa/robust (correlation)")
        p.set(xlabel="p value of rsa/robust", xlim=(0, 1), ylim=(0, 1.3 * p.get_ylim()[1]))


def draw_layers(rows: list[Row], file: Path) -> None:
    """Score where nothing is shared by number of layers."""
    layers = [int(row["name"].split()[0]) for row in rows]
    title = f"people who share nothing, random models; mean and 95 % interval, {rows[0]['repetitions']} each"
    with plot(file, title, [1, 1]) as (ratio, raw):
        for axes, name, label, colour, marker in (
            (ratio, "paper", "rsa/paper (ratio to ceiling)", ORANGE, "s"),
            (ratio, "robust", "rsa/robust (correlation)", BLUE, "o"),
            (raw, "best_raw", "highest layer, picked afterwards", GREY, "^"),
            (raw, "robust", "rsa/robust, enlarged", BLUE, "o"),
        ):
            values, errors = [row[name] for row in rows], bars(rows, name)
            axes.errorbar(layers, values, errors, color=colour, marker=marker, label=label)
        for axes in (ratio, raw):
            axes.axhline(0, color="black", linewidth=0.8, linestyle="--", zorder=0)
            axes.set(xlabel="layers of the model", xticks=layers)
            axes.set_ylim(top=1.35 * axes.get_ylim()[1])
            axes.legend(loc="upper left")
        ratio.set(ylabel="score")
        raw.set(ylabel="mean correlation of RDMs")


def main(repetitions: int, folder: Path | None) -> None:
    """Print the figures; keep them, and draw, where there is a folder."""
    print(f"SIMULATED. Level {LEVEL}, {ROBUST.permutations} permutations")
    kept = Kept(SETTINGS, folder / "rsa_null.json" if folder else None)
    kept.repeat(repetitions, draws())
    kept.summary = summaries(kept.runs)
    kept.write()
    layers = kept.summary["layers"][: len(DEPTHS)]
    for row in (*layers, *kept.summary["known"]):
        show(row)
    for row in kept.summary["trend"]:
        print("16 layers more: {name} {slope:+.4f} ({slope_low:+.4f} to {slope_high:+.4f})".format(**row))
    if folder:
        draw_null(kept.runs[f"{LAYERS} layers"], folder / "rsa_null.png")
        draw_layers(layers, folder / "rsa_layers.png")


if __name__ == "__main__":
    numbers = [int(argument) for argument in sys.argv[1:] if argument.isdigit()]
    folders = [Path(argument) for argument in sys.argv[1:] if not argument.isdigit()]
    main(numbers[0] if numbers else 200, folders[0] if folders else None)
