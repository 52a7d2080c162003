"""The front page's data hold every result of the store, and nothing that the store does not say."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from benchmarks.big_board import Named, fill

from brainbench.records import Failure, Record, Skip
from brainbench.stimuli import ALL_ITEMS
from brainbench_leaderboard.site import front
from brainbench_leaderboard.site.board import Board
from brainbench_leaderboard.site.front_data import data
from brainbench_leaderboard.store import Leaderboard

Told = dict[str, Any]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Leaderboard]:
    """A few models with all that a board may have; read only."""
    with Leaderboard(tmp_path_factory.mktemp("front") / "few.db") as opened:
        fill(opened, 12)
        yield opened


@pytest.fixture(scope="module")
def board(store: Leaderboard) -> Board:
    return Board.of(store)


@pytest.fixture(scope="module")
def told(board: Board) -> Told:
    return json.loads(json.dumps(data(board), allow_nan=False))  # type: ignore[no-any-return]


def cells(told: Told, column: Told) -> dict[str, Told]:
    """By model, what a packed column says, without what it leaves open."""
    lists = {name: values for name, values in column.items() if isinstance(values, list) and name != "at"}
    name = told["fields"].index("model")
    return {
        told["models"][line][name]: {key: values[i] for key, values in lists.items() if values[i] is not None}
        for i, line in enumerate(column["at"])
    }


def view_of(told: Told, row: Any) -> Callable[[Told], bool]:
    def fits(column: Told) -> bool:
        if column["kind"] != "score" or column["region"] != row["region"]:
            return False
        view = told["views"][column["view"]]
        asked = view["asked"]
        same = all(asked[name] == row[name] for name in ("dataset", "metric", "protocol", "metric_version"))
        return same and view["items"] == row["item_set"] and view["simulated"] == bool(row["simulated"])

    return fits


def test_every_score_and_every_gap_is_told_with_its_reason(board: Board, told: Told) -> None:
    outcomes = set()
    for row in board.scores:
        (column,) = filter(view_of(told, row), told["columns"])
        cell = cells(told, column)[row["model"]]
        outcomes.add(row["outcome"])
        if row["outcome"] == "scores":
            for ours, its in {
                "value": "score",
                "low": "low",
                "high": "high",
                "p": "p",
                "rank": "rank",
            }.items():
                assert cell.get(ours) == (None if row[its] is None else pytest.approx(row[its], rel=1e-5))
        else:
            assert told["reasons"][cell["why"]] == [
                row["outcome"],
                row["phase"] or "",
                row["reason"],
                row["hint"] or "",
            ]
            assert "value" not in cell
    assert outcomes == {"scores", "skip", "failure"}
    held = sum(len(column["at"]) for column in told["columns"] if column["kind"] == "score")
    assert held == len(board.scores)  # what was never run is nowhere: it has no cell


def test_a_column_has_the_ceiling_and_the_best_dull_predictor_of_its_question(
    board: Board, told: Told
) -> None:
    for row in board.scores[::50]:
        (column,) = filter(view_of(told, row), told["columns"])
        dull = [one for one in board.scores if one["question"] == row["question"] and one["baseline"]]
        best = max(dull, key=lambda one: float(one["score"]))
        assert column["ceiling"] == pytest.approx(row["ceiling"], rel=1e-5)
        assert (column["dull"], column["dull_name"]) == (
            pytest.approx(best["score"], rel=1e-5),
            best["model"].removeprefix("baseline:"),
        )


def test_a_steered_twin_is_no_dull_predictor(board: Board) -> None:
    row = next(row for row in board.scores if row["model"] == "baseline:words" and row["outcome"] == "scores")
    twin = {**row, "model": "untrained:a", "model_kind": "untrained", "fingerprint": "twin", "score": 5.0}
    for change, name in (("none", "untrained:a"), ("nari", None)):
        found = data(replace(board, scores=(*board.scores, {**twin, "intervention": change})))
        (column,) = filter(view_of(found, row), found["columns"])
        assert (column["dull_name"] == name) == (column["dull"] == 5.0) == (name is not None)


def test_real_and_simulated_never_share_a_view_and_real_comes_first(told: Told) -> None:
    assert {view["simulated"] for view in told["views"]} == {True, False}
    start = told["views"][told["start"]]
    assert (start["simulated"], start["asked"]["protocol"], start["items"]) == (False, "robust", "all")
    for column in told["columns"]:
        if column["kind"] == "score":
            view = told["views"][column["view"]]
            assert (view["asked"]["dataset"] == "simulated-reading") == view["simulated"]


def test_lines_say_what_is_known_of_a_model(told: Told) -> None:
    lines = [dict(zip(told["fields"], line, strict=True)) for line in told["models"]]
    model = next(line for line in lines if line["model"] == "org-0/llama-000-0.014b")
    assert model["page"] == "models/org-0__llama-000-0.014b.html"
    assert (model["family"], model["parameters"], model["layers"]) == ("Llama", 14_000_000, 6)
    assert (model["dtype"], model["pooling"], model["date"]) == ("float32", "last", "2026-01-01")
    dull = next(line for line in lines if line["baseline"])
    assert (dull["family"], dull["parameters"]) == ("baseline", None)


def test_a_change_has_one_column_for_all_models_and_the_usual_is_guided_by_brains(
    board: Board, told: Told
) -> None:
    changes = {c["change"]: c for c in told["columns"] if c["kind"] == "change"}
    assert {name: c.get("usual") for name, c in changes.items()} == {
        "nari-general": True,
        "random-direction": None,
    }
    for row in board.tasks:
        if row["intervention"] == "none":
            continue
        cell, base = cells(told, changes[row["intervention"]])[row["model"]], row["against_base"]
        assert {name: cell[name] for name in ("value", "low", "high", "harm")} == pytest.approx(
            {"value": base["difference"], **{name: base[name] for name in ("low", "high", "harm")}}, rel=1e-5
        )
        assert cell["perplexity"] == pytest.approx(
            row["perplexity_after"] / row["perplexity_before"], rel=1e-5
        )


def test_what_failed_before_its_revision_was_known_joins_the_models_line(
    tmp_path: Path, made: Callable[..., Record], told: Told
) -> None:
    failed = Failure("steering", "OSError", "no brains", "Fetch them.")
    answers = [[True, False]] * 4
    with Leaderboard(tmp_path / "b.db") as store:
        for record in (
            made("none", answers),
            made("nari", failed, revision=None, resolved=False, dtype=None),
            made("none", answers, model="other", seed=1),
            made("none", Skip("no task for it"), model="third"),
        ):
            store.add(record)
        found = data(Board.of(store))
    lines = [dict(zip(found["fields"], line, strict=True)) for line in found["models"]]
    assert sorted((line["model"], line["revision"], line["seed"]) for line in lines) == [
        ("m", "r1", 0),
        ("other", "r1", 1),
        ("third", "r1", 0),
    ]
    change = next(c for c in found["columns"] if c["kind"] == "change")
    why = cells(found, change)["m"]["why"]
    assert found["reasons"][why] == ("failure", "steering", "no brains", "Fetch them.")
    accuracy = next(c for c in found["columns"] if c["kind"] == "accuracy")
    assert found["reasons"][cells(found, accuracy)["third"]["why"]][2] == "no task for it"


def test_what_has_no_rank_never_stands_beside_the_scores_by_itself(
    made: Callable[..., Record], tmp_path: Path
) -> None:
    def told(**more: Any) -> Told:
        fitted = {"dataset": "brains", "simulated": False, "items": 70, "people": 10}
        known = {"role": "brain", "oracle": False, "protocol": "validation", "seen": 0, "strength": 0.5}
        return {"fingerprint": "5" * 64, "fitted": fitted, **known, **more}

    answers = [[True, False]] * 4
    unfair = (("nari", {"oracle": True}), ("nari-general", {"seen": 4}), ("chosen", {"protocol": "paper"}))
    with Leaderboard(tmp_path / "b.db") as store:
        for model in ("m", "other"):
            for record in (
                made("none", answers, model=model),
                *(made(name, answers, told(**says), model=model) for name, says in unfair),
            ):
                store.add(record)
        before = data(Board.of(store))
        store.add(made("heldout", answers, told()))
        after = data(Board.of(store))
    assert not [c for c in before["columns"] if c.get("usual")]
    assert [c["change"] for c in after["columns"] if c.get("usual")] == ["heldout"]


def test_other_data_under_one_name_are_another_view(tmp_path: Path) -> None:
    dataset = Named("reading", regions=("language",), item_sets=(ALL_ITEMS,))
    with Leaderboard(tmp_path / "b.db") as again:
        fill(again, 3, datasets=(dataset,))
        again.db.execute(
            "UPDATE records SET question = 'other' || question WHERE model LIKE 'org-2/%' AND metric = 'rsa'"
        )
        again.db.conn.commit()
        rows = Board.of(again)
    found = data(rows)
    views = [view["variant"] for view in found["views"] if view["asked"]["metric"] == "rsa"]
    assert sorted(views) == ["", "other data or prompts of the same name, 2"]
    assert sum(len(c["at"]) for c in found["columns"] if c["kind"] == "score") == len(rows.scores)


def test_the_same_run_twice_is_two_lines(board: Board) -> None:
    first = next(row for row in board.scores if row["outcome"] == "scores" and not row["baseline"])
    found = data(replace(board, scores=(*board.scores, {**first, "fingerprint": "again", "score": 0.5})))
    column = next(filter(view_of(found, first), found["columns"]))
    name = found["fields"].index("model")
    lines = [found["models"][at][name] for at in column["at"]]
    assert lines.count(first["model"]) == 2
    assert 0.5 in column["value"]


def test_scripts_of_others_are_the_ones_that_are_named_with_their_licences() -> None:
    assets = Path(front.__file__).parents[1] / "assets"
    named = re.findall(
        r"^\| (\S+\.js) .*: (\S+) \| .* \| ([0-9a-f]{64}) \|$", (assets / "LICENCES.md").read_text(), re.M
    )
    assert ("table-core.js", "table-core.LICENSE.txt") in [row[:2] for row in named]
    for name, licence, digest in named:
        assert hashlib.sha256((assets / name).read_bytes()).hexdigest() == digest
        assert "Copyright" in (assets / licence).read_text()


def test_the_data_grow_with_what_is_scored_and_stay_small(board: Board) -> None:
    files = dict(front.files(board))
    records = len(board.scores) + len(board.tasks)
    assert len(files[front.SCRIPT]) < 120 * records  # 20,000 records stay below 2.5 MB
    assert json.loads(files[front.JSON]) == json.loads(json.dumps(data(board)))
