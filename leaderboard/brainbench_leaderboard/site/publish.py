"""The whole site of a leaderboard: who makes which pages, and in which order they are written."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import resources
from pathlib import Path

from brainbench.errors import StoreError
from brainbench_leaderboard.site import (
    add_page,
    dataset_pages,
    front,
    method_pages,
    model_pages,
    output,
    places,
    table_pages,
)
from brainbench_leaderboard.site.board import Board, Cards
from brainbench_leaderboard.site.output import File
from brainbench_leaderboard.site.pictures import choice
from brainbench_leaderboard.store import Leaderboard

_PARTS = (  # each makes files of the site; the front page, which links to all, comes last
    choice.files,
    table_pages.files,
    method_pages.files,
    dataset_pages.files,
    model_pages.files,
    add_page.files,
    front.files,
)


def publish(store: Leaderboard, folder: Path, cards: Cards | None = None) -> Path:
    """Write the site of a leaderboard into a folder; the path of its first page.

    Without cards, what datasets and methods say of themselves is left out. Raises StoreError when it cannot
    be written, and for a results file that something else than brainbench has changed beyond what can be
    shown.
    """
    try:
        output.write(folder, files(Board.of(store, cards)))
    except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
        raise StoreError(
            f"No page can be made of {store.path}: it seems to hold what no run writes"
            f" ({type(error).__name__}: {error}).",
            hint="`brainbench board merge` of it into another file names what is wrong.",
        ) from error
    return folder / places.INDEX


def files(board: Board) -> Iterator[File]:
    """Every file of the site, assets first, the front page last."""
    yield from assets()
    for part in _PARTS:
        yield from part(board)


def assets() -> Iterator[File]:
    """What comes with the package: styles, scripts, and their licences."""
    for item in sorted(resources.files("brainbench_leaderboard").joinpath("assets").iterdir(), key=str):
        yield f"assets/{item.name}", item.read_bytes()
