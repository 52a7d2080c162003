"""What a board knows of a method: its card, versions and parameters, and where it was used."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from brainbench.cards import MethodCard
from brainbench.plan import NOTHING
from brainbench.text import plain
from brainbench_leaderboard.idea_view import validity
from brainbench_leaderboard.site import table_places
from brainbench_leaderboard.site.board import Board
from brainbench_leaderboard.site.method_names import bare
from brainbench_leaderboard.values import Row

KINDS = ("metric", "intervention", "scorer", "task")
MOST = 50  # sets of parameters, and names with settings, that a page shows
_SHORT = 16  # characters of a role: a submission may say anything


@dataclass(slots=True)
class Method:
    """What its page shows; everything is a dictionary for the order of its keys.

    tables: by page, what it is called. names: with settings, where an intervention has them. parameters: as
    JSON. roles: what its rows say of themselves. validities: of a scorer with each helper, in words.
    """

    kind: str
    name: str
    card: MethodCard | None
    models: dict[str, None] = field(default_factory=dict)
    versions: dict[int, None] = field(default_factory=dict)
    names: dict[str, None] = field(default_factory=dict)
    parameters: dict[str, None] = field(default_factory=dict)
    roles: dict[str, None] = field(default_factory=dict)
    tables: dict[str, str] = field(default_factory=dict)
    validities: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def simulated(self) -> bool:
        """Whether all that it was used on is simulated."""
        return bool(self.tables) and all("SIMULATED" in title for title in self.tables.values())


def methods(board: Board) -> list[Method]:
    """All that have results or a card, by kind and name."""
    found: dict[tuple[str, str], Method] = {}
    cards = {"metric": board.cards.metrics, "intervention": board.cards.interventions}
    cards |= {"scorer": board.cards.scorers, "task": board.cards.tasks}
    installed = [(kind, name) for kind in KINDS for name in cards[kind]]
    for kind, name in (*installed, *_used(board)):
        found.setdefault((kind, name), Method(kind, name, cards[kind].get(name)))
    _of_scores(board, found)
    _of_tasks(board, found)
    _of_ideas(board, found)
    return sorted(found.values(), key=lambda method: (KINDS.index(method.kind), method.name))


def _used(board: Board) -> Iterator[tuple[str, str]]:
    for row in board.scores:
        yield "metric", _metric(row)
    for row in (*board.scores, *board.tasks, *board.ideas):
        if row["intervention"] is not None:
            yield "intervention", bare(row["intervention"])
    for row in board.tasks:
        yield "task", row["task"]
    for row in board.ideas:
        yield "scorer", row["scorer"]


def _of_scores(board: Board, found: Mapping[tuple[str, str], Method]) -> None:
    for row in board.scores:
        page = table_places.score_table(row)
        mark = "SIMULATED " if row["simulated"] else ""
        title = f"{mark}{row['dataset']} v{row['dataset_version']}, {_metric(row)}"
        metric = found["metric", _metric(row)]
        _note(metric, row, (page, title), _facts(board, row, "metric"))
        _note_change(board, found, row, (page, title))


def _of_tasks(board: Board, found: Mapping[tuple[str, str], Method]) -> None:
    for row in board.tasks:
        page, limit = table_places.task_table(row), row["problem_limit"]
        title = f"task {row['task']} v{row['task_version']}" + (f", first {limit} problems" if limit else "")
        _note(found["task", row["task"]], row, (page, title), _facts(board, row, "task"))
        _note_change(board, found, row, (page, title))


def _of_ideas(board: Board, found: Mapping[tuple[str, str], Method]) -> None:
    for row in board.ideas:
        page, where = table_places.idea_table(row), row["dataset"] or "its own questions"
        mark = "SIMULATED dataset " if row["simulated"] else ""
        title = f"ideas: {mark}{where}, {row['scorer']} with {row['helper']}"
        scorer = found["scorer", row["scorer"]]
        _note(scorer, row, (page, title), _facts(board, row, "scorer"))
        if row["outcome"] == "scores":
            scorer.validities[plain(row["helper"])] = validity(row)
        _note_change(board, found, row, (page, title))


def _note(method: Method, row: Row, where: tuple[str, str], facts: Mapping[str, Any]) -> None:
    """What one row, in a table of that page and title, tells of a method."""
    page, title = where
    method.tables[page] = plain(title)
    if not row["baseline"]:
        method.models[row["model"]] = None
    version = facts.get("version")
    if isinstance(version, int):
        method.versions[version] = None
    told = facts.get("parameters")
    if isinstance(told, dict) and len(method.parameters) < MOST:
        own = {name: value for name, value in told.items() if name not in ("name", "protocol", "version")}
        if own:
            method.parameters[plain(json.dumps(own, sort_keys=True))] = None


def _note_change(
    board: Board, found: Mapping[tuple[str, str], Method], row: Row, where: tuple[str, str]
) -> None:
    if row["intervention"] is None:
        return
    method, facts = found["intervention", bare(row["intervention"])], _facts(board, row, "intervention")
    _note(method, row, where, facts)
    if row["intervention"] != method.name and len(method.names) < MOST:
        method.names[plain(row["intervention"])] = None
    if row["intervention"] != NOTHING and isinstance(role := row.get("role"), str):
        method.roles[plain(role)[:_SHORT] + (", an oracle" if row["oracle"] else "")] = None


def _facts(board: Board, row: Row, of: str) -> Mapping[str, Any]:
    """Facts of a submission may be anything."""
    facts = board.sources.get(row["fingerprint"], {}).get("facts")
    told = facts.get(of) if isinstance(facts, dict) else None
    return told if isinstance(told, dict) else {}


def _metric(row: Row) -> str:
    return f"{row['metric']}/{row['protocol']}"


def of_kind(found: Iterable[Method], kind: str) -> list[Method]:
    """Those of a kind, those that there are results of first."""
    return sorted((one for one in found if one.kind == kind), key=lambda one: not one.tables)
