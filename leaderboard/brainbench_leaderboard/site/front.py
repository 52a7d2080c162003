"""The front page: one table of all models, to sort, search and filter, and its data."""

from __future__ import annotations

import json
from collections.abc import Iterator

from brainbench_leaderboard.site import data_files, places
from brainbench_leaderboard.site.board import Board
from brainbench_leaderboard.site.front_data import data
from brainbench_leaderboard.site.output import File
from brainbench_leaderboard.site.rendering import render

NAME = "board"
SCRIPT, JSON = f"data/{NAME}.js", f"data/{NAME}.json"


def files(board: Board) -> Iterator[File]:
    """The front page's data, once to be loaded by it from a disk and once for programs; then the page."""
    told = data(board)
    yield SCRIPT, data_files.script(NAME, told)
    yield JSON, json.dumps(told, allow_nan=False, separators=(",", ":"))
    simulated = sorted({view["dataset"] for view in told["views"] if view["simulated"]})
    yield places.INDEX, render("front.html", places.INDEX, board=board, simulated=simulated)
