"""A small results file with every kind of picture in it: chosen numbers, one hostile name, gaps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from brainbench.cards import RegionPlace
from brainbench.identity import fingerprint
from brainbench.nouns import ModelOptions
from brainbench.plan import Cell
from brainbench.records import Record, Scores, Skip
from brainbench.stimuli import ItemSet
from brainbench_leaderboard.site import output, publish
from brainbench_leaderboard.site.board import Board, Cards
from brainbench_leaderboard.site.pictures import choice
from brainbench_leaderboard.site.rendering import render
from brainbench_leaderboard.store import Leaderboard

HOSTILE = "\uff1devil/<script>alert(1)</script>"  # a formula to a spreadsheet, too
REGIONS = ("default", "motor")
SIZES = {
    "untrained:org/small": 1_000_000,
    "org/small": 1_000_000,
    "org/middle": 30_000_000,
    "org/large": 900_000_000,
    HOSTILE: 7_000_000,
}
SCORES = {"org/small": 0.05, "org/middle": 0.1, "org/large": 0.15, HOSTILE: 0.08}
PEOPLE = ("p1", "p2", "p3")


@dataclass(frozen=True)
class Named:
    """Stands where a cell wants a model, an intervention, a dataset or a metric: only names are read."""

    name: str
    version: int = 1
    protocol: str = "robust"
    simulated: bool = False
    regions: tuple[str, ...] = REGIONS
    item_sets: tuple[ItemSet, ...] = (ItemSet("all"),)


def scored(
    model: str | None,
    score: float | None,
    *,
    region: str = "default",
    dataset: str = "aut",
    simulated: bool = False,
    kind: str = "huggingface",
    layers: dict[str, float] | None = None,
) -> Record:
    """A record of a model, or of the ceiling; without a score it was skipped."""
    facts: dict[str, Any] = {
        "dataset": {"name": dataset, "version": 1, "simulated": simulated},
        "region": region,
        "item_set": {"name": "all", "where": {}},
        "metric": {"name": "rsa", "protocol": "robust", "parameters": {}},
    }
    if model is not None:
        facts["model"] = {"name": model, "revision": "r1", "pooling": "last", "kind": kind}
        facts |= {"intervention": "none", "seed": 0, "baseline": kind == "baseline", "nuisances": 1}
    anything: Any = Named
    cell = Cell(
        anything(model) if model else None,
        ModelOptions(),
        anything(dataset, simulated=simulated),
        anything("none") if model else None,
        region,
        ItemSet("all"),
        anything("rsa"),
    )
    outcome: Any = Skip("no such tokens")
    if score is not None:
        names = ("cross-validated", *(layers or {}))
        means = np.array([score, *(layers or {}).values()])
        table = means[:, None] + np.array([-0.02, 0.0, 0.02])
        told = {"interval": {"low": score - 0.03, "high": score + 0.03}} if kind == "huggingface" else {}
        outcome = Scores(
            names, PEOPLE, table, means, table.std(axis=1), 0, "chosen on others", "SD", details=told
        )
    made = {"dtype": "float32", "started": "2026-01-01", "seconds": 1.0}
    made |= {"parameters_with_head": SIZES[model], "parameters": SIZES[model]} if model in SIZES else {}
    return Record(cell, fingerprint(facts), facts, True, outcome, made)


def records(made: Any, told: Any) -> Iterator[Record]:
    """Two regions, two kinds of data, four models, and what steering did to three of them."""
    for data in ({}, {"dataset": "made-up", "simulated": True}):
        for at, region in enumerate(REGIONS):
            here: dict[str, Any] = {"region": region, **data}
            for model, score in SCORES.items():
                missing = (model, region) == (HOSTILE, "motor")
                layers = {"layer.0": score / 2, "layer.1": score, "layer.2": score / 4, "embedding": 0.0}
                yield scored(model, None if missing else score - 0.04 * at, layers=layers, **here)
            yield scored("untrained:org/small", 0.01, kind="untrained", **here)
            yield scored("baseline:words", 0.03, kind="baseline", **here)
            yield scored(None, 0.2 + 0.1 * at, **here)
    rng = np.random.default_rng(0)
    for at, model in enumerate(("org/small", "org/middle", HOSTILE)):
        answers = rng.random((30, 2)) < 0.5
        yield made("none", answers.tolist(), model=model, learnt_from=None)
        for name, role, turned in (
            ("nari", "brain", 6 - at),
            ("random", "control", 3),
            ("shuffled", "control", 8),
        ):
            changed = answers.copy()
            changed[:turned] = True
            changed[-2:] = False  # harm, too: a gain that is no difference
            yield made(name, changed.tolist(), told(role=role), model=model, learnt_from="aut")


CARDS = Cards(
    places={
        "aut": {
            "default": RegionPlace(
                "default nodes after X; not the voxels that were scored", networks=("default",)
            ),
            "motor": RegionPlace("one point of our own", coordinates=((-40.0, -20.0, 55.0),)),
        }
    }
)


@pytest.fixture(scope="session")
def board(tmp_path_factory: pytest.TempPathFactory, made: Any, told: Any) -> Iterator[Board]:
    """Of such a results file."""
    with Leaderboard(tmp_path_factory.mktemp("pictures") / "b.db") as store:
        for record in records(made, told):
            store.add(record)
        yield Board.of(store, CARDS)


@pytest.fixture(scope="session")
def site(board: Board, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of pictures, and as model.html the pictures of one model."""
    folder = tmp_path_factory.mktemp("site")
    output.write(
        folder, [*publish.assets(), *choice.files(board), ("models/m.html", page(board, "org/small"))]
    )
    return folder


def page(board: Board, model: str) -> str:
    """A page one folder down with a model's pictures."""
    sections = [(model, False, "datasets/aut.html", choice.of_model(board, model))]
    return render("pictures.html", "models/m.html", board=board, sections=sections)
