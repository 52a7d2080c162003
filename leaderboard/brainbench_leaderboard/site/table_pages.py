"""Pages of tables, which need no script."""

from __future__ import annotations

from collections.abc import Iterator

from brainbench_leaderboard.site.board import Board
from brainbench_leaderboard.site.output import File


def files(board: Board) -> Iterator[File]:
    """The pages."""
    yield from ()
