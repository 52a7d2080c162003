"""Ranks that models share which cannot be told apart: of scores, tasks and ideas."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from brainbench.cli import main
from brainbench.ideas import Idea, IdeaScores
from brainbench.identity import fingerprint
from brainbench.nouns import ModelOptions
from brainbench.plan import Plan, ScorerCell
from brainbench.records import Record, Scores
from brainbench.runner import run
from brainbench_interventions.none import NoIntervention
from brainbench_leaderboard.store import Leaderboard
from brainbench_leaderboard.ties import as_they_are, with_ties

PEOPLE = tuple(f"p{at}" for at in range(10))
Ranks = dict[str, tuple[int | None, int | None]]


def rows_of(shown: dict[str, float]) -> list[dict[str, Any]]:
    ranked = sorted(shown, key=lambda name: -shown[name])
    return [
        {"fingerprint": name, "question": "q", "rank": at + 1, "score": shown[name]}
        for at, name in enumerate(ranked)
    ]


def ranked(units: dict[str, dict[str, float]], shown: dict[str, float] | None = None) -> Ranks:
    means = {name: float(np.mean(list(one.values()))) for name, one in units.items()}
    rows = with_ties(rows_of(shown or means), lambda asked: units, score="score", units="people")
    return {row["fingerprint"]: (row["rank"], row["tied"]) for row in rows}


def scored(mean: float, seed: int, people: tuple[str, ...] = PEOPLE) -> dict[str, float]:
    """Scores of people, who differ from one another in the same way for all models."""
    noise = np.random.default_rng(seed).normal(size=len(people)) * 0.01
    return {name: mean + int(name[1:]) / 20 + float(e) for name, e in zip(people, noise, strict=True)}


def test_equal_models_share_the_first_rank_and_a_planted_one_stands_above() -> None:
    equal = {f"m{seed}": scored(0.1, seed) for seed in range(5)}
    assert ranked(equal) == dict.fromkeys(equal, (1, 5))
    found = ranked({**equal, "best": scored(0.3, 9), "worst": scored(0.0, 8)})
    assert found.pop("best") == (1, 1)
    assert found.pop("worst") == (7, 1)
    assert set(found.values()) == {(2, 5)}


@pytest.mark.parametrize("size", [1e200, 1e307, float("inf")])
def test_a_board_is_made_whatever_numbers_somebody_wrote(size: float) -> None:
    units = {f"m{seed}": scored(seed / 10, seed) for seed in range(4)}
    usual = ranked(units)
    found = ranked({**units, "huge": dict.fromkeys(PEOPLE, size)})
    assert found.pop("huge") == (1, 1)
    assert found == {name: (rank and rank + 1, tied) for name, (rank, tied) in usual.items()}


def test_a_model_that_lacks_many_people_has_no_rank_and_says_why() -> None:
    units = {"a": scored(0.1, 0), "b": scored(0.3, 1, PEOPLE[:8]), "c": scored(0.9, 2, PEOPLE[:7])}
    units["d"] = scored(0.1, 3)
    shown = {"a": 0.101, "b": 0.3, "c": 0.9, "d": 0.1}
    told = with_ties(rows_of(shown), lambda asked: units, score="score", units="people")
    assert [row["fingerprint"] for row in told] == ["c", "b", "a", "d"]
    rows = {row["fingerprint"]: row for row in told}
    assert [rows[name]["rank"] for name in "abcd"] == [2, 1, None, 2]
    assert {row["rank_units"] for row in told} == {10}
    assert rows["c"]["rank_note"].startswith("no rank: on too few of the people")
    assert rows["a"]["rank_note"] == ""
    others = {f"{name}{at}": scored(at, at, (name + "1", name + "2")) for at, name in enumerate("xyz")}
    assert set(ranked(others).values()) == {(None, None)}, "nobody shares people"


def test_people_are_matched_by_name_and_not_by_place() -> None:
    units = {"a": scored(0.1, 0), "b": scored(0.2, 1)}
    units["b"] = dict(reversed(units["b"].items()))
    assert ranked(units) == {"b": (1, 1), "a": (2, 1)}


def test_what_changed_a_model_moves_no_rank_of_models_as_they_are() -> None:
    units = {"a": scored(0.1, 0), "b": scored(0.3, 1), "b+": scored(0.9, 2), "a+": scored(0.2, 3)}
    rows = [{**row, "intervention": "nari" if row["fingerprint"].endswith("+") else "none"}
            for row in rows_of({"a": 0.1, "b": 0.3, "b+": 0.9, "a+": 0.2})]  # fmt: skip

    def told(rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
        found = with_ties(rows, lambda asked: units, score="score", units="people")
        return {row["fingerprint"]: row for row in found}

    assert {name: row["rank"] for name, row in told(rows).items()} == {"b+": 1, "b": 1, "a+": 3, "a": 2}
    never = told(as_they_are(rows))
    assert {name: row["rank"] for name, row in never.items()} == {"b+": None, "b": 1, "a+": None, "a": 2}
    assert "learnt from these very people" in never["b+"]["rank_note"]
    assert never["b"]["rank_note"] == ""


def test_where_the_board_shows_another_figure_than_the_mean_both_must_agree() -> None:
    units = {"a": scored(0.1, 0), "b": scored(0.3, 1)}
    assert ranked(units, {"a": 0.2, "b": 0.1}) == {"a": (1, 2), "b": (1, 2)}


def test_differences_that_only_machines_make_are_none() -> None:
    units = {"a": scored(0.1, 0)}
    units["b"] = {name: score + 1e-8 for name, score in units["a"].items()}
    assert ranked(units) == ranked(units, {"a": 0.1, "b": 0.2}) == {"a": (1, 2), "b": (1, 2)}


@pytest.fixture
def one(toy: Any) -> Record:
    """A score that the toy metric gave."""
    parts: Any = {"models": [toy["model"]()], "datasets": [toy["dataset"]()], "metrics": [toy["metric"]()]}
    plan = Plan.product(**parts, interventions=[NoIntervention()], options=ModelOptions())
    return next(result for result in run(plan) if isinstance(result, Record))


@pytest.fixture
def board(toy: Any, one: Record) -> list[Record]:
    """Three models of ten people: two alike, one better; and one of other people."""
    made: list[Record] = []
    for name, mean, people in (
        ("low", 0.1, PEOPLE),
        ("alike", 0.101, PEOPLE),
        ("high", 0.4, PEOPLE),
        ("elsewhere", 0.9, tuple(f"q{at}" for at in range(10))),
    ):
        assert isinstance(one.outcome, Scores)
        each = np.array(list(scored(mean, len(made), people if name != "elsewhere" else PEOPLE).values()))
        outcome = replace(
            one.outcome,
            participants=people,
            per_participant=np.tile(each, (len(one.outcome.layers), 1)),
            per_layer=np.full(len(one.outcome.layers), each.mean()),
        )
        cell = replace(one.cell, model=toy["model"](name))
        made.append(replace(one, cell=cell, fingerprint=name, outcome=outcome))
    return made


def test_the_board_shows_shared_ranks_in_the_order_of_scores_however_it_was_filled(
    board: list[Record], tmp_path: Path
) -> None:
    told = []
    for at, records in enumerate((board, board[::-1])):
        with Leaderboard(tmp_path / f"{at}.db") as store:
            for record in records:
                store.add(record)
            told.append({row["fingerprint"]: (row["rank"], row["tied"]) for row in store.standings()})
    assert told[0] == told[1]
    assert told[0] == {"elsewhere": (None, None), "high": (1, 1), "alike": (2, 2), "low": (2, 2)}
    typed = ["board", "--db", str(tmp_path / "0.db")]
    text = CliRunner().invoke(main, typed, env={"COLUMNS": "140"}).stdout
    shown = re.findall(r"^ *(\d+|-) +(high|alike|low|elsewhere)", text, re.MULTILINE)
    assert shown == [("1", "high"), ("2", "alike"), ("2", "low"), ("-", "elsewhere")]
    words = " ".join(text.split())
    assert "shared by those that cannot be told apart: 1 + how many are known to be better" in words
    assert "#: no rank: on too few of the people that other models are scored on" in words
    assert "no two models can be told apart" not in words


def test_scores_of_a_changed_model_are_never_ranked(board: list[Record], tmp_path: Path) -> None:
    low, _, high, _ = board
    changed = replace(high, cell=replace(high.cell, intervention=NoIntervention("steered")))
    with Leaderboard(tmp_path / "b.db") as store:
        for record in (low, changed):
            store.add(record)
        rows = {row["fingerprint"]: row for row in store.standings()}
    assert (rows["low"]["rank"], rows["high"]["rank"]) == (1, None)
    assert "learnt from these very people" in rows["high"]["rank_note"]


def test_tasks_are_compared_over_problems_and_ideas_over_objects(
    made: Any, answers: Any, tmp_path: Path
) -> None:
    right = answers(0.5)
    same_items = np.ones((2, 60), dtype=bool)  # 60 forms of two problems: two things to flip, not 120
    same_items[1, :40] = False
    tasks = [
        made("none", right, model="a"),
        made("none", np.roll(right, 1, axis=0), model="b"),
        made("none", answers(0.95), model="c"),
        made("none", same_items, model="few", task="other"),
        made("none", ~same_items, model="fewer", task="other"),
    ]
    with Leaderboard(tmp_path / "b.db") as store:
        for record in (*tasks, *(ideas(name, first) for name, first in (("x", 0.1), ("y", 0.1), ("z", 0.4)))):
            store.add(record)
        found = {row["model"]: (row["rank"], row["tied"]) for row in store.task_standings()}
        assert found == {"c": (1, 1), "a": (2, 2), "b": (2, 2), "few": (1, 2), "fewer": (1, 2)}
        some = {row["model"]: row["rank"] for row in store.task_standings(only=[tasks[0].fingerprint])}
        assert some == {"a": 2}
        found = {row["model"]: (row["rank"], row["tied"]) for row in store.idea_standings()}
        assert found == {"z": (1, 1), "x": (2, 2), "y": (2, 2)}


def ideas(model: str, first: float) -> Record:
    """Twenty texts about each of eight objects, which differ among themselves more than models do."""
    drawn = np.random.default_rng(ord(model)).normal(size=(8, 20)) * 0.05
    scores = first + np.arange(8)[:, None] / 4 + drawn
    texts = tuple(Idea(f"i{at}", draw, 0, "a use") for at in range(8) for draw in range(20))
    facts = {
        "dataset": {"name": "uses"},
        "ideas": {"count": 20, "temperature": 1.0, "top_p": 1.0, "tokens": 8, "seed": 0},
        "scorer": {"name": "far", "version": 1},
        "model": {"name": model, "revision": "r"},
    }
    named: Any = Named
    things = (named(model), ModelOptions(), named("none"), named("far"), named("encoder"), named("uses"))
    made = {"dtype": "float32", "started": "2026-01-01", "seconds": 1.0}
    outcome = IdeaScores(texts, tuple(scores.ravel().tolist()), details={"scale": [0.0, 3.0]})
    return Record(ScorerCell(*things), fingerprint(facts), facts, True, outcome, made)


class Named:
    """Stands where a cell wants a thing of which only names are read."""

    version, simulated, scale, questions = 1, False, (0.0, 3.0), ()

    def __init__(self, name: str) -> None:
        self.name = name
