"""Tables with all that a reader needs to judge them, each for a page of its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from brainbench_leaderboard import captions, idea_captions, idea_view, task_captions, task_view
from brainbench_leaderboard.idea_view import IdeaTable
from brainbench_leaderboard.site import table_places
from brainbench_leaderboard.site.board import Board
from brainbench_leaderboard.task_view import TaskTables
from brainbench_leaderboard.values import Row
from brainbench_leaderboard.view import Table, tables


@dataclass(frozen=True, slots=True)
class ScorePart:
    """A dataset and metric: first is one of its rows, models the number of those that are no baselines."""

    path: str
    table: Table
    legend: tuple[str, ...]
    reasons: tuple[str, ...]
    first: Row
    models: int

    @property
    def listed(self) -> tuple[str, str, int]:
        """What the list of tables says of it: title, page, number of models."""
        return self.table.title, self.path, self.models


@dataclass(frozen=True, slots=True)
class TaskPart:
    """A task's tables."""

    path: str
    tables: TaskTables
    legend: tuple[str, ...]
    reasons: tuple[str, ...]
    models: int

    @property
    def listed(self) -> tuple[str, str, int]:
        """As of scores."""
        return f"Task {self.tables.title}", self.path, self.models


@dataclass(frozen=True, slots=True)
class IdeaPart:
    """A scorer's table of ideas; texts: by whose they are, the page of them and how many there are."""

    path: str
    table: IdeaTable
    texts: tuple[tuple[str, str, int], ...]
    legend: tuple[str, ...]
    reasons: tuple[str, ...]
    models: int

    @property
    def listed(self) -> tuple[str, str, int]:
        """As of scores."""
        mark = "SIMULATED dataset: " if self.simulated else ""
        return mark + self.table.title, self.path, self.models

    @property
    def simulated(self) -> bool:
        """Whether it goes with brains that are made up; the texts are real."""
        return bool(self.table.rows[0]["simulated"])


def score_parts(board: Board) -> Iterator[ScorePart]:
    """Of all scores, those on real data first."""
    for table in sorted(tables(board.scores), key=lambda table: table.simulated):
        rows = [row for section in table.sections for entry in section.lines for row in entry.rows]
        said = tuple(captions.legend(rows)), tuple(captions.reasons(rows))
        yield ScorePart(table_places.score_table(rows[0]), table, *said, rows[0], _models(rows))


def task_parts(board: Board) -> Iterator[TaskPart]:
    """Of all tasks."""
    for found in task_view.tasks(board.tasks):
        rows = found.rows
        said = tuple(task_captions.legend(rows)), tuple(task_captions.reasons(rows))
        yield TaskPart(table_places.task_table(rows[0]), found, *said, _models(rows))


def idea_parts(board: Board) -> Iterator[IdeaPart]:
    """Of all scorers' tables."""
    for table in idea_view.tables(board.ideas):
        rows = table.rows
        said = tuple(idea_captions.legend(rows)), tuple(idea_captions.reasons(rows))
        texts = tuple((idea_view.who(row), table_places.texts(row), row["texts"]) for row in scored(table))
        yield IdeaPart(table_places.idea_table(rows[0]), table, texts, *said, _models(rows))


def scored(table: IdeaTable) -> Iterator[Row]:
    """Its rows of which there are texts."""
    return (row for row in table.rows if row["outcome"] == "scores")


def _models(rows: tuple[Row, ...] | list[Row]) -> int:
    return len({row["model"] for row in rows if not row["baseline"]})
