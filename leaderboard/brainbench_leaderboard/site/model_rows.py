"""What is known of each model, gathered once for all pages: its rows, and what it is compared with."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from brainbench_leaderboard.site.board import Board
from brainbench_leaderboard.values import Row

UNTRAINED, BASELINE = "untrained:", "baseline:"
_KINDS = {
    "huggingface": "language model",
    "endpoint": "language model behind an endpoint",
    "untrained": "untrained twin: the same architecture with random weights",
    "baseline": "baseline: no language model, but what can be had without one",
    "people": "baseline: what another person's brain says",
    "noise": "baseline: noise",
}


@dataclass(slots=True)
class Own:
    """All rows of one model, of whatever revision and way of running it, in the order of the board."""

    name: str
    scores: list[Row] = field(default_factory=list)
    tasks: list[Row] = field(default_factory=list)
    ideas: list[Row] = field(default_factory=list)

    @property
    def rows(self) -> Iterator[tuple[str, Row]]:
        """Every row, with its kind: "score", "task" or "ideas"."""
        for kind, rows in (("score", self.scores), ("task", self.tasks), ("ideas", self.ideas)):
            for row in rows:
                yield kind, row


@dataclass(frozen=True, slots=True)
class Everyone:
    """What a model's page says of the others.

    ranked: how many have a rank, by question; shared: how many have this one. dull: scored baselines, by
    question and name. regions, items: all that the board knows of a dataset, by name.
    """

    models: Mapping[str, Own]
    ranked: Mapping[str, int]
    shared: Mapping[tuple[str, Any], int]
    dull: Mapping[tuple[str, str], tuple[Row, ...]]
    regions: Mapping[str, frozenset[str]]
    items: Mapping[str, frozenset[str]]

    @classmethod
    def of(cls, board: Board) -> Everyone:
        """In one pass over the board, however many models it has."""
        models = {name: Own(name) for name in board.models}
        ranked: Counter[str] = Counter()
        shared: Counter[tuple[str, Any]] = Counter()
        dull: dict[tuple[str, str], tuple[Row, ...]] = {}
        regions: dict[str, set[str]] = {}
        items: dict[str, set[str]] = {}
        for row in board.scores:
            models[str(row["model"])].scores.append(row)
            regions.setdefault(str(row["dataset"]), set()).add(str(row["region"]))
            items.setdefault(str(row["dataset"]), set()).add(str(row["item_set"]))
            if row["baseline"] and row["outcome"] == "scores":
                key = row["question"], str(row["model"])
                dull[key] = (*dull.get(key, ()), row)
        for row in board.tasks:
            models[str(row["model"])].tasks.append(row)
        for row in board.ideas:
            models[str(row["model"])].ideas.append(row)
        for row in (*board.scores, *board.tasks, *board.ideas):
            if row["rank"] is not None:
                ranked[row["question"]] += 1
                shared[row["question"], row["rank"]] += 1
        known = ({name: frozenset(values) for name, values in found.items()} for found in (regions, items))
        return cls(models, ranked, shared, dull, *known)

    def rank(self, row: Row) -> tuple[str, ...]:
        """A row's rank, of how many, and by how many it is shared; an empty text where it has none."""
        if row["rank"] is None:
            return ("",)
        words = f"{row['rank']} of {self.ranked[row['question']]}"
        by = self.shared[row["question"], row["rank"]]
        return (words, f"shared by {by}") if by > 1 else (words,)

    def best_dull(self, row: Row) -> Row | None:
        """The row of the dull predictor that a score is held to; None where there is none."""
        found = self.dull.get((row["question"], str(row["above"])), ())
        alike = [one for one in found if one["seed"] == row["seed"]]
        return max(alike or found, key=lambda one: float(one["score"]), default=None)


def facts_of(board: Board, row: Row) -> Mapping[str, Any]:
    """What decided a row's numbers; empty where that is not known."""
    return _mapping(board.sources.get(row["fingerprint"], {}).get("facts"))


def made_of(board: Board, row: Row) -> Mapping[str, Any]:
    """What a row was made with; empty where that is not known."""
    return _mapping(board.sources.get(row["fingerprint"], {}).get("provenance"))


def within(told: Any, *path: str) -> Any:
    """What stands there in facts that may be anything; None where nothing does."""
    for step in path:
        told = _mapping(told).get(step)
    return told


def kind_of(board: Board, own: Own) -> str:
    """What a model is, in words."""
    for _, row in own.rows:
        kind = within(facts_of(board, row), "model", "kind")
        if isinstance(kind, str) and kind in _KINDS:
            return _KINDS[kind]
    if own.name.startswith(UNTRAINED):
        return _KINDS["untrained"]
    dull = own.name.startswith(BASELINE) or any(row["baseline"] for _, row in own.rows)
    return _KINDS["baseline"] if dull else "model"


def sampling_of(row: Row) -> Mapping[str, Any]:
    """How texts were drawn for a row; empty where none were."""
    told = row.get("sampling")
    return _mapping(json.loads(told) if isinstance(told, str) else told)


def _mapping(told: Any) -> Mapping[str, Any]:
    return told if isinstance(told, Mapping) else {}
