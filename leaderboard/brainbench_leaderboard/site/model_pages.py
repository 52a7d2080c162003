"""Pages of models: everything that is known of each, its runs, and the commands that make them again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from brainbench.text import plain
from brainbench_leaderboard.site import model_data, places
from brainbench_leaderboard.site.board import Board
from brainbench_leaderboard.site.model_asks import MOST_TEXT, ideas, tasks
from brainbench_leaderboard.site.model_brain import brain
from brainbench_leaderboard.site.model_commands import commands
from brainbench_leaderboard.site.model_head import head
from brainbench_leaderboard.site.model_rows import Everyone, Own, kind_of
from brainbench_leaderboard.site.model_runs import runs
from brainbench_leaderboard.site.output import File
from brainbench_leaderboard.site.pictures import choice
from brainbench_leaderboard.site.rendering import render

LARGEST = 4_500_000  # bytes of a page
_MOST = (2_000, 500, 100, 10)  # lines of a table, fewer where a page would be too large
_OPEN = 20  # runs that are shown without a click


@dataclass(frozen=True, slots=True)
class Listed:
    """A model's line in the list of all."""

    name: str
    page: str
    kind: str
    scores: int
    tasks: int
    ideas: int
    latest: str


def files(board: Board) -> Iterator[File]:
    """A page and a data file for each model, and the list of all."""
    everyone = Everyone.of(board)
    for own in everyone.models.values():
        yield places.model_page(own.name), page(board, everyone, own)
        yield model_data.path(own.name), model_data.text(board, own)
    listed = sorted((_listed(board, own) for own in everyone.models.values()), key=_order)
    yield places.MODELS, render("models.html", places.MODELS, board=board, models=listed)


def page(board: Board, everyone: Everyone, own: Own) -> str:
    """A model's page; of what would make it too large to open, the data file has the rest."""
    fixed: dict[str, Any] = {
        "board": board,
        "own": own,
        "head": head(board, everyone, own),
        "pictures": choice.of_model(board, own.name),
        "tasks": tasks(own),
        "commands": commands(board, everyone, own),
        "data": model_data.path(own.name),
        "open_runs": _OPEN,
    }
    found = runs(own)
    where = places.model_page(own.name)
    for most in _MOST:
        parts = {
            "brain": brain(everyone, own, most),
            "ideas": ideas(board, own, MOST_TEXT * most // _MOST[0]),
            "runs": found[:most],
            "more_runs": max(len(found) - most, 0),
        }
        shown = render("model.html", where, **fixed, **parts)
        if len(shown) < LARGEST / 4 or len(shown.encode("utf-8", "replace")) <= LARGEST:
            break
    return shown


def _listed(board: Board, own: Own) -> Listed:
    days = [str(row["started"]).partition("T")[0] for _, row in own.rows if row["started"]]
    counts = len(own.scores), len(own.tasks), len(own.ideas)
    latest = plain(max(days, default=""))
    kind = kind_of(board, own).partition(":")[0]
    return Listed(plain(own.name), places.model_page(own.name), kind, *counts, latest)


def _order(listed: Listed) -> tuple[int, str]:
    """Models first, then their twins, and baselines last."""
    kinds = ("untrained twin", "baseline")
    return kinds.index(listed.kind) + 1 if listed.kind in kinds else 0, listed.name
