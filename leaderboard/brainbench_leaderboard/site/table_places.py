"""Where the table lies that a row stands in: the same address on every board, whatever else that holds."""

from __future__ import annotations

from brainbench.identity import fingerprint
from brainbench_leaderboard.site import places
from brainbench_leaderboard.values import Row
from brainbench_leaderboard.view import QUESTION

_TASK = ("task", "task_version", "problem_limit")
_IDEAS = ("dataset", "dataset_version", "scorer", "helper", "scorer_version", "sampling")
_DIGITS = 8  # of what tells questions apart whose names are the same


def score_table(row: Row) -> str:
    """The page of a row of `Leaderboard.standings()`."""
    return _page(row, QUESTION, row["dataset"], row["metric"], row["protocol"])


def task_table(row: Row) -> str:
    """The page of a row of `Leaderboard.task_standings()`."""
    return _page(row, _TASK, "task", row["task"])


def idea_table(row: Row) -> str:
    """The page of a row of `Leaderboard.idea_standings()`."""
    return _page(row, _IDEAS, "ideas", row["dataset"] or row["scorer"], row["scorer"])


def texts(row: Row) -> str:
    """The page of all texts that such a row is about."""
    return _page(row, (*_IDEAS, "fingerprint"), "texts", row["model"], row["scorer"])


def _page(row: Row, asked: tuple[str, ...], *words: str) -> str:
    return places.table_page(*map(str, words), fingerprint({name: row[name] for name in asked})[:_DIGITS])
