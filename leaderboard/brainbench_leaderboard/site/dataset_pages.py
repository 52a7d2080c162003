"""Pages of datasets: what they are, what people and dull predictors reach, and who is best on them."""

from __future__ import annotations

from collections.abc import Iterator

from brainbench_leaderboard.site import places
from brainbench_leaderboard.site.board import Board
from brainbench_leaderboard.site.dataset_facts import datasets, is_address
from brainbench_leaderboard.site.output import File
from brainbench_leaderboard.site.pictures import choice
from brainbench_leaderboard.site.rendering import render


def files(board: Board) -> Iterator[File]:
    """A page for each dataset or variant of one, and the list of them."""
    found = datasets(board)
    for dataset in found:
        path, pictures = places.dataset_page(dataset.name), choice.of_dataset(board, dataset.name)
        content = {"dataset": dataset, "pictures": pictures, "is_address": is_address}
        yield path, render("dataset.html", path, board=board, **content)
    real = [dataset for dataset in found if not dataset.simulated]
    simulated = [dataset for dataset in found if dataset.simulated]
    lists = {"real": real, "simulated": simulated}
    yield places.DATASETS, render("datasets.html", places.DATASETS, board=board, **lists)
