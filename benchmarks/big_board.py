"""A made-up leaderboard of any size, written straight into a results file: to measure pages, and for tests.

Scores are random around what larger models do better; of a few models something was skipped, failed or never
run. Two datasets, one of them simulated, five regions, two sets of items, two metrics: 40 questions.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from brainbench.identity import fingerprint
from brainbench.nouns import ModelOptions
from brainbench.plan import Cell, TaskCell
from brainbench.records import Failure, Outcome, Record, Scores, Skip
from brainbench.stimuli import ALL_ITEMS, ItemSet
from brainbench.task_scores import TaskItem, TaskScores
from brainbench_leaderboard import stored_scores, task_results
from brainbench_leaderboard.columns import cell_columns, outcome_columns
from brainbench_leaderboard.store import Leaderboard

REGIONS = ("language", "reasoning", "default", "control", "motor")
LAYERS, PEOPLE, PROBLEMS = 6, 8, 20
SIZES = (14e6, 70e6, 160e6, 410e6, 1e9, 1.4e9, 2.8e9, 6.9e9, 12e9, 70e9)
FAMILIES = ("Llama", "GPTNeoX", "Qwen2", "Gemma2", "Mistral")
DULL = ("baseline:words", "baseline:characters", "baseline:own-response-time", "baseline:noise")
CHANGES = {"nari-general": "brain", "random-direction": "control"}


@dataclass(frozen=True)
class Named:
    """Stands where a cell wants a model, dataset, metric, intervention or task: only its name is read."""

    name: str
    version: int = 1
    kind: str = "model"
    protocol: str = "robust"
    simulated: bool = False
    regions: tuple[str, ...] = REGIONS
    item_sets: tuple[ItemSet, ...] = (ALL_ITEMS, ItemSet("even", {"type": "even"}))


DATASETS: tuple[Any, ...] = (Named("reading"), Named("simulated-reading", simulated=True))
METRICS: tuple[Any, ...] = (Named("predictivity"), Named("rsa", protocol="paper"))
NONE: Any = Named("none")


def fill(
    store: Leaderboard,
    models: int = 500,
    *,
    datasets: tuple[Any, ...] = DATASETS,
    names: Sequence[str] = (),
    solvers: int | None = None,
) -> int:
    """Write results of so many models, with baselines, ceilings and a task; their number.

    names: what the first models are called; solvers: how many of them a task is asked, None for all.
    """
    rng, records = np.random.default_rng(0), 0
    with store.writing():  # one transaction for all: a record each would take minutes
        for record in _records(models, datasets, names, models if solvers is None else solvers, rng):
            records += 1
            if isinstance(record.cell, TaskCell):
                task_results.insert(store.db, record)
                continue
            row = {**cell_columns(record), **outcome_columns(record.outcome)}
            stored_scores.insert(store.db, row, record.outcome)
    return records


def _records(
    models: int, datasets: tuple[Any, ...], names: Sequence[str], solvers: int, rng: np.random.Generator
) -> Iterator[Record]:
    for name in DULL:
        yield from _scores(Named(name, kind="baseline"), datasets, 0.05, rng, {"baseline": True})
    yield from _scores(None, datasets, 0.35, rng, {})
    for i in range(models):
        size, family = SIZES[i % len(SIZES)], FAMILIES[i // len(SIZES) % len(FAMILIES)]
        ability = 0.05 + 0.02 * float(np.log10(size / 1e6)) + float(rng.normal(0, 0.02))
        made = {"parameters": int(size) + i, "architecture": f"{family}Model", "layers": LAYERS}
        usual = f"org-{i % 40}/{family.lower()}-{i:03d}-{size / 1e9:g}b"
        model = Named(names[i] if i < len(names) else usual)
        yield from _scores(model, datasets, ability, rng, made)
        if i < solvers:
            yield from _answers(model, ability, rng, made)


def _scores(
    model: Any, datasets: tuple[Any, ...], ability: float, rng: np.random.Generator, made: dict[str, Any]
) -> Iterator[Record]:
    where = (
        (dataset, metric, item_set, region)
        for dataset, metric in itertools.product(datasets, METRICS)
        for item_set, region in itertools.product(dataset.item_sets, dataset.regions)
    )
    change = NONE if model else None
    for dataset, metric, item_set, region in where:
        luck = 1.0 if model is None or made.get("baseline") else rng.random()
        if luck >= 0.02:  # else it was never run
            cell = Cell(model, ModelOptions(), dataset, change, region, item_set, metric)
            yield _record(cell, _outcome(ability, rng, luck), _facts(cell, made), made)


def _outcome(ability: float, rng: np.random.Generator, luck: float) -> Outcome:
    if luck < 0.04:
        return Failure(
            "features", "MemoryError", "The model does not fit into memory.", "Take a larger machine."
        )
    if luck < 0.06:
        return Skip("No layer's features vary between the items.")
    table = ability + rng.normal(0, 0.03, (LAYERS, PEOPLE))
    layers, names = table.mean(1), tuple(f"layer.{i}" for i in range(LAYERS))
    best, half = int(layers.argmax()), float(table.std() / PEOPLE**0.5 * 2)
    middle = float(layers[best])
    told = {"interval": {"low": middle - half, "high": middle + half}, "p": float(rng.random() ** 3)}
    people = tuple(f"p{i}" for i in range(PEOPLE))
    return Scores(names, people, table, layers, table.std(1), best, "maximum", "SD", details=told)


def _facts(cell: Cell, made: dict[str, Any]) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "dataset": {"name": cell.dataset.name, "version": 1, "simulated": cell.dataset.simulated},
        "region": cell.region,
        "item_set": {"name": cell.item_set.name},
        "metric": {"name": cell.metric.name, "protocol": cell.metric.protocol, "parameters": {"folds": 5}},
        "baseline": bool(made.get("baseline")),
    }
    return facts if cell.model is None else {**facts, "model": _model(cell.model)}


def _model(model: Any) -> dict[str, Any]:
    revision = fingerprint({"of": model.name})[:40]
    kind = "baseline" if model.kind == "baseline" else "huggingface"
    return {"name": model.name, "kind": kind, "revision": revision, "dtype": "float32", "pooling": "last"}


def _answers(model: Any, ability: float, rng: np.random.Generator, made: dict[str, Any]) -> Iterator[Record]:
    """A task, as the model is and steered."""
    right = rng.random(3 * PROBLEMS) < 0.5 + ability
    source: Any = Named("reading")
    for name in ("none", *CHANGES):
        change: Any = Named(name)
        learnt, moved = (None, right) if name == "none" else (source, right ^ (rng.random(right.size) < 0.1))
        cell = TaskCell(model, ModelOptions(), change, Named("sums"), 60, learnt)  # type: ignore[arg-type]
        facts = {"task": {"name": "sums"}, "limit": 60, "asked": {}, "model": _model(model), "change": name}
        if learnt:
            facts["learnt_from"] = {"name": learnt.name, "version": 1, "simulated": False}
        items = tuple(_item(at, bool(correct)) for at, correct in enumerate(moved))
        details = {} if name == "none" else {"steering": _steering(name, rng)}
        yield _record(cell, TaskScores(items, {}, details), facts, made)


def _item(at: int, correct: bool) -> TaskItem:
    answer, likelihoods = ("True", (-1.0, -2.0)) if correct else ("False", (-2.0, -1.0))
    told = (f"i{at}", f"p{at // 3}", correct, answer, "True", "0" * 64)
    return TaskItem(*told, ("True", "False"), likelihoods, answer)


def _steering(name: str, rng: np.random.Generator) -> dict[str, Any]:
    perplexity = {"before": 8.0, "after": 8.0 + float(rng.random()), "tokens": 500}
    told = {"role": CHANGES[name], "oracle": False, "seen": 0, "protocol": "validation", "strength": 0.5}
    return {"fingerprint": "5" * 64, **told, "steered": 3 * PROBLEMS, "perplexity": perplexity}


def _record(cell: Any, outcome: Outcome, facts: dict[str, Any], made: dict[str, Any]) -> Record:
    told = {
        "device": "cpu",
        "dtype": "float32",
        "brainbench": "0.1.0",
        "started": "2026-01-01T00:00:00+00:00",
    }
    return Record(cell, fingerprint(facts), facts, True, outcome, {**told, "seconds": 1.0, **made})
