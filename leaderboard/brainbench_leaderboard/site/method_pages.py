"""Pages of methods: what each computes, whose it is, in which versions, and where it was used."""

from __future__ import annotations

from collections.abc import Iterator

from brainbench_leaderboard.site import places
from brainbench_leaderboard.site.board import Board
from brainbench_leaderboard.site.method_facts import KINDS, methods, of_kind
from brainbench_leaderboard.site.output import File
from brainbench_leaderboard.site.rendering import render

_WORDS = {
    "metric": ("Metrics", "How a model's representations are compared with people's responses."),
    "intervention": (
        "Interventions",
        "What changes a model before it is asked, and controls for that.",
    ),
    "scorer": ("Scorers", "What gives each idea that a model writes a number."),
    "task": ("Tasks", "What models are asked, and when an answer is right."),
}


def files(board: Board) -> Iterator[File]:
    """A page for each method, and the list of them by kind."""
    found = methods(board)
    for method in found:
        path = places.method_page(method.kind, method.name)
        beside = board.cards.beside.get(method.name, ()) if method.kind == "intervention" else ()
        yield path, render("method.html", path, board=board, method=method, beside=beside)
    kinds = [(*_WORDS[kind], of_kind(found, kind)) for kind in KINDS]
    content = {"kinds": [kind for kind in kinds if kind[-1]]}
    yield places.METHODS, render("methods.html", places.METHODS, board=board, **content)
