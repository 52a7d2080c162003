"""What the front page's table is made of, small enough for five hundred models in one file."""

from __future__ import annotations

from typing import Any

from brainbench_leaderboard.site.board import Board
from brainbench_leaderboard.site.front_lines import FIELDS, Lines, Reasons
from brainbench_leaderboard.site.front_scores import scores
from brainbench_leaderboard.site.front_tasks import ideas, tasks

VERSION = 1


def data(board: Board) -> dict[str, Any]:
    """Lines, views and columns as plain values; models that something changed stand in columns alone.

    models: a list for each line, in the order of `fields`. views: what may stand side by side; start: which
    is shown first. columns: see `Column.packed`. reasons: see `Reasons`. Numbers have six digits.
    """
    lines, reasons = Lines(), Reasons()
    views, columns, start = scores(board.scores, lines, reasons)
    columns += tasks(board.tasks, lines, reasons, board.sources)
    columns += ideas(board.ideas, lines, reasons)
    return {
        "version": VERSION,
        "made": board.made,
        "brainbench": board.brainbench,
        "fields": list(FIELDS),
        "models": [line.told(board.sources) for line in lines.all],
        "views": views,
        "start": start,
        "columns": [column.packed() for column in columns],
        "reasons": reasons.all,
    }
