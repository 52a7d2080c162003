"""Scores of ideas as tables for the terminal: one for each dataset and scorer, models down."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Group
from rich.text import Text

from brainbench_leaderboard import idea_captions, idea_view
from brainbench_leaderboard.task_tables import Fitted
from brainbench_leaderboard.values import Row


def tables(rows: Iterable[Row]) -> list[Group]:
    """The tables; rows come sorted by dataset and scorer."""
    return [Group(Text(table.title, style="bold"), Fitted(table.sheet)) for table in idea_view.tables(rows)]


def legend(rows: Iterable[Row]) -> list[Text]:
    """What the numbers are."""
    return [Text(line, style="dim") for line in idea_captions.legend(list(rows))]


def reasons(rows: Iterable[Row]) -> list[Text]:
    """What was skipped or failed, and why."""
    return [Text(line) for line in idea_captions.reasons(rows)]
