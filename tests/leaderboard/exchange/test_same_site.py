"""Two machines' results merged in either order: one site, byte by byte."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from brainbench.catalog import Catalog
from brainbench.identity import fingerprint
from brainbench_leaderboard.exchange.known import Known
from brainbench_leaderboard.exchange.merge import merge
from brainbench_leaderboard.site.board import Board, Cards
from brainbench_leaderboard.site.publish import files
from brainbench_leaderboard.store import Leaderboard

RESULTS = Path(__file__).parents[3] / "results"
WANTED = ("simulated-deduction/rsa", "simulated-creativity/rsa", "deduction_items/v1")
HERE, THERE = "2026-11-21T12:00:00+00:00", "2026-03-02T12:00:00+00:00"


@pytest.fixture(scope="module")
def machines(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two submissions that share most records, each with some that the other lacks.

    All of a machine say that they started at the very same time. On simulated-creativity both have the same
    model with the same score, opened in another way: neither time, name nor score puts these in order.
    """
    folder = tmp_path_factory.mktemp("machines")
    lacks = {"here": "baseline-words", "there": "baseline-noise"}
    for name, missing in lacks.items():
        for path in sorted(RESULTS.rglob("*.json")):
            place = path.relative_to(RESULTS)
            if missing not in place.parts and any(words in place.as_posix() for words in WANTED):
                copied = folder / name / place
                copied.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, copied)
                _made_at(copied, name)
    return folder / "here", folder / "there"


def _made_at(path: Path, name: str) -> None:
    held = json.loads(path.read_text())
    for record in held["records"]:
        alike = record.get("dataset") == "simulated-creativity" and record.get("model") == "brainbench/tiny"
        record["provenance"]["started"] = HERE if name == "here" or alike else THERE
        if name == "there":
            record["provenance"] |= {"device": "cuda:0", "git_commit": None, "platform": "Other-1.0"}
            if alike:
                record["facts"]["model"]["opened"] = "otherwise"
                record["fingerprint"] = fingerprint(record["facts"])
            elif record["kind"] == "score" and record["outcome"]["type"] == "scores":
                _shift(record["outcome"], 1e-7)  # as other hardware does
    path.write_text(json.dumps(held))


def _shift(outcome: dict[str, Any], by: float) -> None:
    outcome["score"] += by
    for layer in outcome["layers"]:
        layer["score"] += by
        layer["people"] = [score + by for score in layer["people"]]
    outcome["per_item"] = None


def shown(database: Path, cards: Cards) -> tuple[dict[str, bytes], str]:
    """Every file of the site, and all that it is made of in its order."""
    with Leaderboard.reading(database) as store:
        board = replace(Board.of(store, cards), made=HERE)
        rows = repr((board.scores, board.tasks, board.ideas, board.sources))
        return {
            path: content.encode() if isinstance(content, str) else content for path, content in files(board)
        }, rows


def test_the_order_of_merging_changes_no_byte_of_the_site(
    machines: tuple[Path, Path], catalog: Catalog, known: Known, tmp_path: Path
) -> None:
    found = []
    for order in (machines, machines[::-1]):
        database = tmp_path / f"{order[0].name}.db"
        for source in order:
            assert not merge([source], database, known).refused
        found.append(shown(database, Cards.of(catalog)))
    (one, rows), (two, same_rows) = found
    assert list(one) == list(two)
    assert [path for path in one if one[path] != two[path]] == []
    assert rows == same_rows
    with Leaderboard.reading(database) as store:
        models = [row["model"] for row in store.standings()]
        told = {source["provenance"].get("device") for source in store.sources().values()}
    assert {"baseline:words", "baseline:noise"} <= set(models)
    assert models.count("brainbench/tiny") == 3 + 2 * 3
    assert told >= {"cpu", "cuda:0"}  # the older of what both have, and what each has alone
