"""Which pictures stand on which page."""

from __future__ import annotations

from collections.abc import Iterator

from brainbench_leaderboard.site.board import Board
from brainbench_leaderboard.site.output import File
from brainbench_leaderboard.site.pictures.picture import Picture


def of_model(board: Board, model: str) -> tuple[Picture, ...]:
    """Pictures of a model's own page."""
    return ()


def of_dataset(board: Board, dataset: str) -> tuple[Picture, ...]:
    """Pictures of a dataset's page, over all models."""
    return ()


def files(board: Board) -> Iterator[File]:
    """The page of pictures, image files and what draws charts."""
    yield from ()
