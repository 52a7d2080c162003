"""The front page: one table of all models, to sort, search and filter, and its data."""

from __future__ import annotations

from collections.abc import Iterator

from brainbench_leaderboard.site import places
from brainbench_leaderboard.site.board import Board
from brainbench_leaderboard.site.output import File
from brainbench_leaderboard.site.rendering import render


def files(board: Board) -> Iterator[File]:
    """The front page."""
    yield places.INDEX, render("front.html", places.INDEX, board=board)
