"""Pages of tables, which need no script: one for each dataset and metric, each task, each scorer's ideas."""

from __future__ import annotations

from collections.abc import Iterator

from brainbench_leaderboard import idea_view
from brainbench_leaderboard.site import places, table_places
from brainbench_leaderboard.site.board import Board
from brainbench_leaderboard.site.output import File
from brainbench_leaderboard.site.rendering import render
from brainbench_leaderboard.site.table_parts import IdeaPart, idea_parts, score_parts, scored, task_parts


def files(board: Board) -> Iterator[File]:
    """A page for each table, one for each model's texts, and last the list of all tables."""
    scores, tasks, ideas = tuple(score_parts(board)), tuple(task_parts(board)), tuple(idea_parts(board))
    for score in scores:
        yield score.path, render("table_scores.html", score.path, board=board, part=score)
    for task in tasks:
        yield task.path, render("table_task.html", task.path, board=board, part=task)
    for idea in ideas:
        yield idea.path, render("table_ideas.html", idea.path, board=board, part=idea)
        yield from _texts(board, idea)
    real = [part for part in scores if not part.table.simulated]
    simulated = [part for part in scores if part.table.simulated]
    lists = {"real": real, "simulated": simulated, "tasks": tasks, "ideas": ideas}
    yield places.TABLES, render("tables.html", places.TABLES, board=board, **lists)


def _texts(board: Board, part: IdeaPart) -> Iterator[File]:
    """What each model wrote, apart from the table, which would be too long with hundreds of models."""
    for row in scored(part.table):
        path, writing = table_places.texts(row), idea_view.writing(row, board.texts)
        yield path, render("texts.html", path, board=board, part=part, writing=writing, row=row)
