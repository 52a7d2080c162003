"""How often `brainbench analyse` finds something where there is nothing: each analysis under its null.

    python -m benchmarks.analyses_null [repetitions, 100 by default] [folder]

Made-up people and made-up models go through the real metric (`rsa/robust`), the real database and the real
analyses; kept is the p value of each test as it is, before it is corrected, whether its interval holds zero
(over models also that for other people and items), and whether all call for something. Three worlds, in all
of which there is no difference and no trend to be found: "nothing shared", people's responses are noise and
models have nothing in common; "alike by size", they are noise, and models of one size represent objects in
one way; "shared by all", both regions, tasks, stages and ratings, and all models, hold the same, each with
noise of its own. Nothing is timed; 100 take some ten minutes of one core. In the folder, analyses_null.json
holds each repetition as soon as it is finished.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from benchmarks.repetitions import Columns, Kept, Row, mean, rate, versions
from numpy.typing import NDArray

from brainbench.arrays import Features, Participant, Recording
from brainbench.ideas import Idea, IdeaScores
from brainbench.identity import fingerprint
from brainbench.nouns import ModelOptions
from brainbench.plan import Cell, ScorerCell
from brainbench.progress import SilentReporter
from brainbench.records import Record, Scores
from brainbench.stimuli import ItemSet
from brainbench_leaderboard.analyses.catalog import NAMES, analyse
from brainbench_leaderboard.analyses.material import Asked, Material
from brainbench_leaderboard.analyses.results import Result
from brainbench_leaderboard.store import Leaderboard
from brainbench_metrics.rsa import RobustRsa

PEOPLE, OBJECTS, VOXELS, MODELS, LAYERS, WIDTH, FACTORS = 20, 23, 30, 8, 4, 24, 6
SIZES, DEPTHS = 10 ** np.linspace(8.5, 10.8, MODELS), (16, 28, 24, 32, 26, 48, 40, 80)
NOISE, OWN = 1.5, 0.5  # of a response and of a feature, where what is shared has a standard deviation of 1
LIKED = 0.55  # share of trials rated high
WORLDS = ("nothing shared", "alike by size", "shared by all")
LEVEL = 0.05
ROBUST = RobustRsa(permutations=1, bootstraps=40)  # its own p value and interval are not used here
REGIONS, SETS = ("first", "second"), (ItemSet("create"), ItemSet("object"))
SETTINGS: Row = {
    "versions": versions(ROBUST),
    "people": PEOPLE,
    "objects": OBJECTS,
    "voxels": VOXELS,
    "models": MODELS,
    "layers": LAYERS,
    "width": WIDTH,
    "noise": [NOISE, OWN],
    "liked": LIKED,
}
Array = NDArray[np.float64]
RATED = {side: {"rated": side, "cutoff": 2.0, "least": 8} for side in ("high", "low")}
PLACES: dict[str, tuple[str, str, Row]] = {  # region, item set, variant
    "prompt": ("first", "create", {}),
    "second": ("second", "create", {}),
    "response": ("first", "create", {"stage": "response"}),
    "object": ("first", "object", {}),
    "high": ("first", "create", RATED["high"]),
    "low": ("first", "create", RATED["low"]),
}
OF_ALL = ("prompt", "second", "response")  # the others are for the first model alone
TESTS: dict[str, tuple[str, Callable[[Result], bool]]] = {  # analysis, and which of its tests
    "scaling: size": (
        "scaling",
        lambda test: (test.name, test.statistic) == ("alignment and log10 of parameters", "Pearson r"),
    ),
    "scaling: size, given layers": ("scaling", lambda test: test.name.endswith("parameters, given layers")),
    "originality": ("originality", lambda test: test.statistic == "Pearson r"),
    "stage, a model": ("stage", lambda test: test.more.get("model") == "m0"),
    "stage, over models": ("stage", lambda test: test.of == "models"),
    "network, a model": ("network", lambda test: test.more.get("model") == "m0"),
    "network, over models": ("network", lambda test: test.of == "models"),
    "task-control": ("task-control", lambda test: True),
    "high-low": ("high-low", lambda test: True),
    "post-training": ("post-training", lambda test: True),
}


@dataclass(frozen=True)
class Named:
    """Stands where a cell wants a model, a dataset or a metric: analyses read names alone."""

    name: str
    version: int = 1
    protocol: str = "robust"
    simulated: bool = True
    regions: tuple[str, ...] = REGIONS
    item_sets: tuple[ItemSet, ...] = SETS
    scale: tuple[float, float] = (-10.0, 10.0)
    questions: tuple[Any, ...] = ()


@dataclass(frozen=True)
class World:
    """What people and models hold of the objects: factors (objects x FACTORS) of each task, and noise."""

    name: str
    seed: int

    def rng(self, *of: int) -> np.random.Generator:
        """A stream of its own for each part."""
        return np.random.default_rng([self.seed, WORLDS.index(self.name), *of])

    def factors(self, task: str) -> Array:
        """What is shared in a task, if anything is."""
        made: Array = self.rng(0, task == "object").standard_normal((OBJECTS, FACTORS))
        made /= FACTORS**0.5
        return made

    def recording(self, place: str) -> Recording:
        """Responses at a place; the trials of one rating are some of those of all."""
        region, task, variant = PLACES[place]
        factors, share = self.factors(task), float(self.name == "shared by all")
        liked = self.rng(2).random((PEOPLE, OBJECTS)) < LIKED
        side = {"high": liked, "low": ~liked}.get(str(variant.get("rated")), np.ones_like(liked))
        people = []
        for at, there in enumerate(map(np.flatnonzero, side)):
            rng = self.rng(1, at, REGIONS.index(region), task == "object")
            held = share * factors @ rng.standard_normal((FACTORS, VOXELS))
            whole = held + NOISE * rng.standard_normal((OBJECTS, VOXELS))
            if len(there) >= variant.get("least", 0):
                people.append(Participant(f"p{at}", whole[there], there))
        return Recording(region, tuple(f"{task}-{item}" for item in range(OBJECTS)), tuple(people))

    def features(self, model: int, place: str) -> Features:
        """What a model holds; at the response stage with noise of that stage beside it."""
        _, task, variant = PLACES[place]
        factors, response = self.factors(task), variant.get("stage") == "response"
        if self.name == "alike by size":  # from one way of representing objects to another
            share = model / (MODELS - 1)
            factors = np.sqrt(1 - share) * factors + np.sqrt(share) * self.factors_of_large(task)
        rng = self.rng(3, model, task == "object", response)
        weight = float(self.name != "nothing shared")
        layers = {}
        for layer in range(LAYERS):
            held = weight * factors @ rng.standard_normal((FACTORS, WIDTH))
            layers[f"layer.{layer}"] = held + OWN * rng.standard_normal((OBJECTS, WIDTH))
        return Features(layers)

    def factors_of_large(self, task: str) -> Array:
        """What large models hold instead."""
        made: Array = self.rng(4, task == "object").standard_normal((OBJECTS, FACTORS))
        made /= FACTORS**0.5
        return made


def scored(world: World, model: int, place: str) -> Record:
    """A score as `brainbench run` would keep it."""
    region, task, variant = PLACES[place]
    outcome = ROBUST.score(world.features(model, place), world.recording(place), SilentReporter())
    assert isinstance(outcome, Scores)
    name = "made-up" + "".join(f"@{key}={value}" for key, value in variant.items())
    full = {"stage": "prompt", "prompt": "main", "rated": None, "cutoff": None, "least": None}
    source = {"name": name, "version": 1, "variant": {"of": "made-up", **full, **variant}}
    facts = _facts(model, source, region=region, item_set=task, metric={"name": "rsa", "parameters": {}})
    anything: Any = Named
    cell = Cell(
        anything(f"m{model}"), ModelOptions(), anything(name), anything("none"), region, ItemSet(task), ROBUST
    )
    return Record(cell, fingerprint(facts), facts, True, outcome, _made(model))


def thought_up(world: World, model: int) -> Record:
    """The score of a model's ideas: by its size, where models are alike by size."""
    noise = world.rng(5, model).normal()
    score = float(model + noise if world.name == "alike by size" else noise)
    facts = _facts(model, {"name": "made-up", "version": 1}, scorer={"name": "far", "version": 1})
    anything: Any = Named
    cell = ScorerCell(
        anything(f"m{model}"),
        ModelOptions(),
        anything("none"),
        anything("far"),
        anything("none"),
        anything("made-up"),
    )
    ideas = tuple(Idea(f"o{at}", 0, 0, "an idea") for at in range(2))
    return Record(cell, fingerprint(facts), facts, True, IdeaScores(ideas, (score, score)), _made(model))


def _facts(model: int, dataset: Row, **more: Any) -> Row:
    known = {"name": f"m{model}", "revision": "r1", "kind": "huggingface", "pooling": "last"}
    same = {"intervention": "none", "seed": 0, "baseline": False, "nuisances": 1, "ideas": {"count": 1}}
    if "scorer" not in more and dataset["variant"]["stage"] == "prompt":
        del same["ideas"]
    return {"model": known, "dataset": dataset, **same, **more}


def _made(model: int) -> Row:
    count = int(SIZES[model])
    return {
        "dtype": "float32",
        "started": "2026-01-01",
        "seconds": 1.0,
        "parameters": count,
        "parameters_with_head": count,
        "layers": int(DEPTHS[model]),
    }


def analysed(name: str, seed: int) -> Row:
    """A world through metric, database and analyses: p, held and shown of each test."""
    world = World(name, seed)
    with tempfile.TemporaryDirectory() as folder, Leaderboard(Path(folder) / "b.db") as board:
        for model in range(MODELS):
            for place in PLACES if model == 0 else OF_ALL:
                board.add(scored(world, model, place))
            board.add(thought_up(world, model))
        findings, _ = analyse(
            Material.read(board, Asked(regions=("first",))), [one for one in NAMES if one != "post-training"]
        )
        regions = Material.read(board, Asked())
        findings = [one for one in findings if one.name != "network"] + analyse(regions, ["network"])[0]
        two = Material.read(board, Asked(regions=("first",), base="m0", models=("m1",)))
        findings += analyse(two, ["post-training"])[0]
    found: Row = {}
    for label, (analysis, wanted) in TESTS.items():
        tests = [test for one in findings if one.name == analysis for test in one.tests]
        test = next((one for one in tests if wanted(one) and "prompt and response" not in one.where), None)
        p, value, span = (test.p, test.value, test.interval) if test else (None, None, None)
        holds = None if span is None else span[0] <= 0 <= span[1]
        low, high = (test.more.get(f"others_{end}") if test else None for end in ("low", "high"))
        others = None if low is None or high is None else low <= 0 <= high
        found |= {
            f"{label}/p": p,
            f"{label}/value": value,
            f"{label}/holds": holds,
            f"{label}/others": others,
        }
    return found


def draws() -> dict[str, Callable[[int], Row]]:
    """All runs, by their names."""
    return {world: partial(analysed, world) for world in WORLDS}


def summaries(runs: dict[str, Columns]) -> dict[str, list[Row]]:
    """How often each analysis raises a false alarm in each world."""
    return {world.replace(" ", "_"): [summary(label, run) for label in TESTS] for world, run in runs.items()}


def summary(label: str, run: Columns) -> Row:
    """The figures of one test."""
    columns = (run[f"{label}/{what}"] for what in ("p", "value", "holds", "others"))
    there = [one for one in zip(*columns, strict=True) if one[0] is not None]
    rejected = [p <= LEVEL for p, *_ in there]
    made: Row = {"name": label, "repetitions": len(there), **mean("value", [one[1] for one in there])}
    made |= rate("rejected", rejected) | rate("holds", [one[2] is not False for one in there])
    known = [one[3] for one in there if one[3] is not None]
    made |= rate("others", known) if known else {}
    apart = (holds is False and others is not True for _, _, holds, others in there)
    return made | rate("shown", [a and b for a, b in zip(rejected, apart, strict=True)])


def main(repetitions: int, folder: Path | None) -> None:
    """Print the figures, and keep them where there is a folder."""
    print(f"SIMULATED. Level {LEVEL}")
    kept = Kept(SETTINGS, folder / "analyses_null.json" if folder else None)
    kept.repeat(repetitions, draws())
    kept.summary = summaries(kept.runs)
    kept.write()
    for world, rows in kept.summary.items():
        for row in rows:
            print(
                f"{world:16} {row['name']:28} {row['repetitions']:4}   mean {row['value']:+.4f}   "
                "p <= .05 {rejected:.3f} ({rejected_low:.3f} to {rejected_high:.3f})   "
                "0 in the interval {holds:.3f}   shown {shown:.3f}".format(**row)
            )


if __name__ == "__main__":
    numbers = [int(argument) for argument in sys.argv[1:] if argument.isdigit()]
    folders = [Path(argument) for argument in sys.argv[1:] if not argument.isdigit()]
    main(numbers[0] if numbers else 100, folders[0] if folders else None)
