"""The terminal shows the models in the order and with the ranks of the published tables."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from brainbench.cli import main
from brainbench.nouns import ModelOptions
from brainbench.plan import Plan
from brainbench.records import Record
from brainbench.runner import run
from brainbench_interventions.none import NoIntervention
from brainbench_leaderboard.store import Leaderboard

Ranked = list[tuple[str, str]]
MODELS = ("org/a", "org/b-with-a-long-name-that-a-narrow-terminal-breaks", "org/c", "org/d")
RAISED = (0.2, 0.0, 0.4, 0.4)  # of each model's scores; the last two cannot be told apart


@pytest.fixture
def database(toy: Any, made: Callable[..., Record], answers: Any, tmp_path: Path) -> Path:
    """Scores and answers of several models, in an order that is neither that of names nor of adding."""
    path = tmp_path / "b.db"
    plan = Plan.product(
        models=[toy["model"](name=name) for name in MODELS],
        datasets=[toy["dataset"]()],
        metrics=[toy["metric"]()],
        interventions=[NoIntervention()],
        options=ModelOptions(),
    )
    with Leaderboard(path) as store:
        for record in run(plan):
            assert isinstance(record, Record)
            store.add(record)
        for model, share in zip(MODELS, (0.9, 0.2, 0.5, 0.2), strict=True):
            store.add(made("none", answers(share), model=model))
    with sqlite3.connect(path) as db:
        for raised in zip(RAISED, MODELS, strict=True):
            db.execute("UPDATE records SET score = score + ? WHERE model = ?", raised)
            db.execute(
                "UPDATE participant_scores SET score = score + ? WHERE record_id IN "
                "(SELECT id FROM records WHERE model = ?)",
                raised,
            )
    db.close()
    return path


class Rows(HTMLParser):
    """The first two cells of each row: a rank, and whose it is."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[list[str]] = []
        self._inside = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        if tag == "tr":
            self.found.append([])
        elif tag in ("td", "th"):
            self.found[-1].append("")
            self._inside = "cell"
        elif tag == "small":  # how the model was run
            self._inside = ""

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th"):
            self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.found[-1][-1] += data.strip()


def published(folder: Path) -> Ranked:
    rows = [
        cells[:2]
        for page in sorted((folder / "tables").glob("*.html"))
        for cells in Rows(page.read_text()).found
    ]
    return [(cells[0], cells[1]) for cells in rows if re.match(r"\d|-", cells[0])]


def printed(*arguments: str | Path, width: int) -> Ranked:
    done = CliRunner().invoke(main, ["board", *map(str, arguments)], env={"COLUMNS": str(width)})
    assert done.exit_code == 0, done.output
    assert all(len(line) <= width for line in done.output.splitlines())
    found: list[list[str]] = []
    for line in done.output.splitlines():
        if match := re.match(r" {0,3}(\d+|-) {1,2}(\S+)", line):
            found.append([match[1], match[2]])
        elif found and (more := re.match(r" {2,6}(\S+)", line)) and found[-1][1][-1] in "-/":
            found[-1][1] += more[1]  # the rest of a name
    return [(rank, name) for rank, name in found]


@pytest.mark.parametrize("width", [200, 60])
def test_ranks_and_order_are_those_of_the_page(database: Path, tmp_path: Path, width: int) -> None:
    done = CliRunner().invoke(main, ["board", "publish", str(tmp_path / "site"), "--db", str(database)])
    assert done.exit_code == 0, done.output
    here = printed("--dataset", "toy", "--db", database, width=width)
    here += printed("--task", "sums", "--db", database, width=width)
    there = published(tmp_path / "site")
    assert sorted(here) == sorted(there)
    sets, of_task = len(here) - len(MODELS), len(MODELS)
    assert here[sets:] in (there[:of_task], there[sets:])  # pages come by their names
    assert here[:sets] in (there[of_task:], there[:sets])
    assert [name for _, name in here[:4]] == ["org/c", "org/d", "org/a", MODELS[1]]
    assert here[0][0] == here[1][0] == "1"
    assert next(name for _, name in here[sets:]) == "org/a"
