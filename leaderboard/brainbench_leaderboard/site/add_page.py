"""How to add a model, a dataset, a method or results; why something is missing; how to cite."""

from __future__ import annotations

from collections.abc import Iterator

from brainbench_leaderboard.site import places
from brainbench_leaderboard.site.board import Board
from brainbench_leaderboard.site.output import File
from brainbench_leaderboard.site.rendering import render


def files(board: Board) -> Iterator[File]:
    """The page."""
    with_card = [name for name in board.datasets if name in board.cards.datasets]
    content = {"missing": _missing(board), "with_card": with_card}
    yield places.ADD, render("add.html", places.ADD, board=board, **content)


def _missing(board: Board) -> tuple[int, int]:
    """How many cells were skipped and how many failed."""
    outcomes = [row["outcome"] for row in (*board.scores, *board.tasks, *board.ideas)]
    return outcomes.count("skip"), outcomes.count("failure")
