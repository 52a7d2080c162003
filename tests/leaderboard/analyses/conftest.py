"""Records of scores as a run would leave them, with chosen numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from brainbench.ideas import Idea, IdeaScores
from brainbench.identity import fingerprint
from brainbench.nouns import ModelOptions
from brainbench.plan import Cell, ScorerCell
from brainbench.records import Record, Scores
from brainbench.stimuli import ItemSet
from brainbench_leaderboard.store import Leaderboard

REGIONS = ("default", "frontoparietal", "somatomotor")
SETS = tuple(ItemSet(name) for name in ("all", "create", "object"))


@dataclass(frozen=True)
class Named:
    """Stands where a cell wants a model, an intervention, a dataset or a metric: only names are read."""

    name: str
    version: int = 1
    protocol: str = "robust"
    simulated: bool = False
    regions: tuple[str, ...] = REGIONS
    item_sets: tuple[ItemSet, ...] = SETS
    scale: tuple[float, float] = (0.0, 2.0)
    questions: tuple[Any, ...] = ()


def scored(
    model: str,
    people: dict[str, float],
    *,
    region: str = "default",
    items: str = "create",
    variant: dict[str, Any] | None = None,
    table: Any = None,
    item_names: Sequence[str] = (),
    layers: dict[str, Sequence[float]] | None = None,
    score: float | None = None,
    made: dict[str, Any] | None = None,
    kind: str = "huggingface",
    pooling: str = "last",
    simulated: bool = False,
    protocol: str = "robust",
    dataset: str = "aut",
    started: str = "2026-01-01",
    content: str = "v1",
    details: dict[str, Any] | None = None,
    resolved: bool = True,
    intervention: str = "none",
) -> Record:
    """A record; people's headline scores, by item in `table`, of further `layers` one score a person."""
    full = {"of": dataset, "stage": "prompt", "prompt": "main", "rated": None, "cutoff": None, "least": None}
    places = {**full, **variant} if variant else None
    name = dataset + "".join(f"@{key}={value}" for key, value in (variant or {}).items())
    data = {"name": name, "version": 1, "data": f"{content}/{region}"}
    facts = {
        "dataset": {**data, "variant": places} if places else data,
        "region": region,
        "item_set": {"name": items, "where": {}},
        "metric": {"name": "rsa", "protocol": protocol, "parameters": {}},
        "model": {"name": model, "revision": "r1", "pooling": pooling, "kind": kind},
        "intervention": intervention,
        "seed": 0,
        "baseline": kind != "huggingface",
        "nuisances": 1,
    }
    rows = [list(people.values()), *(layers or {}).values()]
    values = np.array(rows, dtype=float)
    per_layer = values.mean(axis=1)
    per_layer[0] = per_layer[0] if score is None else score
    outcome = Scores(
        ("cross-validated", *(layers or {})),
        tuple(people),
        values,
        per_layer,
        values.std(axis=1),
        0,
        "chosen on others",
        "SD",
        details=details or {"interval": {"low": -0.1, "high": 0.4}, "null": {"p": 0.25}},
        items=tuple(item_names),
        per_item=table,
    )
    anything: Any = Named
    source = anything(name, simulated=simulated)
    cell = Cell(
        anything(model), ModelOptions(pooling=pooling), source, anything(intervention), region,  # type: ignore[arg-type]
        ItemSet(items), anything("rsa", protocol=protocol),
    )  # fmt: skip
    provenance = {"dtype": "float32", "started": started, "seconds": 1.0, **(made or {})}
    return Record(cell, fingerprint([facts, started]), facts, resolved, outcome, provenance)


@pytest.fixture
def record() -> Callable[..., Record]:
    """Makes a record: `scored`."""
    return scored


def thought_up(model: str, score: float, *, dataset: str = "aut@prompt=short", **more: Any) -> Record:
    """A record of a model's ideas with this mean score."""
    anything: Any = Named
    ideas = tuple(Idea(f"i{at}", 0, 0, "an idea") for at in range(3))
    drawn = {"count": 1, "temperature": more.pop("temperature", 0.7)}
    facts = {
        "dataset": {"name": dataset},
        "ideas": drawn,
        "scorer": {"name": "far", "version": 1, "helper": {"name": "encoder"}},
        "model": {"name": model, "revision": more.pop("revision", "r1")},
        "seed": more.pop("seed", 0),
    }
    cell = ScorerCell(
        anything(model), ModelOptions(seed=facts["seed"]), anything("none"), anything("far"),
        anything("encoder"), anything(dataset),
    )  # fmt: skip
    outcome = IdeaScores(ideas, (score - 0.1, score, score + 0.1), {}, {})
    made = {"dtype": "float32", "started": more.pop("started", "2026-01-01"), "seconds": 1.0}
    return Record(cell, fingerprint([facts, made["started"]]), facts, True, outcome, made)


@pytest.fixture
def ideas() -> Callable[..., Record]:
    """Makes a record of ideas: `thought_up`."""
    return thought_up


@pytest.fixture
def board(tmp_path: Path) -> Iterator[Leaderboard]:
    with Leaderboard(tmp_path / "b.db") as made:
        yield made


@pytest.fixture
def people() -> Callable[..., dict[str, float]]:
    """Scores by person: the values, under names p00, p01, ..."""

    def people(values: Sequence[float]) -> dict[str, float]:
        return {f"p{at:02}": float(value) for at, value in enumerate(values)}

    return people


@pytest.fixture
def models(
    record: Callable[..., Record], people: Callable[..., dict[str, float]], board: Leaderboard
) -> Callable[..., None]:
    """Puts a model for each count of parameters and of layers, and alignment, on the board."""

    def models(sizes: Any, alignment: Any, depths: Any = None, **more: Any) -> None:
        depths = np.full(len(sizes), 24) if depths is None else depths
        for at, (size, score, depth) in enumerate(zip(sizes, alignment, depths, strict=True)):
            made = {
                "parameters": int(0.8**at * size),
                "parameters_with_head": int(size),
                "layers": int(depth),
            }
            values = people([score - 0.01, score, score + 0.01, score])
            board.add(record(f"lab/model-{at}", values, made=made, score=float(score), **more))

    return models
