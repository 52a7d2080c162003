"""`run --task`, `board` and `list tasks` as people type them, and the embedded model's known accuracy."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from brainbench.cli import main
from brainbench_leaderboard.store import Leaderboard

TINY = "brainbench/tiny"


def typed(*arguments: str, db: Path) -> Result:
    return CliRunner().invoke(main, [*arguments, "--db", str(db)])


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    """The embedded model on its own task, 80 problems in six orders, and on few propositional ones."""
    db = tmp_path_factory.mktemp("tasks") / "b.db"
    tasks = ("--task", "deduction_3_tiny", "--task", "deduction_propositional")
    found = typed("run", "--model", TINY, *tasks, "--limit", "80", db=db)
    assert found.exit_code == 0, found.output
    return db, found


def test_a_table_shows_the_accuracy_beside_what_needs_no_reading(done: tuple[Path, Result]) -> None:
    said = done[1].stdout
    for words in (
        "deduction_3_tiny v1, first 80 problems, 480 items",
        "always True",
        "guessing",
        "syllogism",
    ):
        assert words in said
    assert "deduction:" not in said
    assert "2 cells: 2 computed" in done[1].stderr


def test_the_embedded_model_is_as_good_as_its_card_says(done: tuple[Path, Result]) -> None:
    """Its card: .733 of syllogisms and .998 of transitive inferences, over 400 problems each."""
    with Leaderboard.reading(done[0]) as store:
        (row,) = [row for row in store.task_standings() if row["task"] == "deduction_3_tiny"]
        items = store.task_items(row["fingerprint"])
    from brainbench.task_scores import TaskScores

    of = {
        kind: TaskScores(tuple(item for item in items if item.group.startswith(kind))).interval
        for kind in ("syllogism", "transitive")
    }
    assert of["syllogism"].low <= 0.733 <= of["syllogism"].high
    assert of["transitive"].low <= 0.998 <= of["transitive"].high or of["transitive"].estimate > 0.98
    assert row["greedy_accuracy"] == pytest.approx(row["accuracy"], abs=0.02)
    assert row["low"] > row["constant_accuracy"]


def test_what_is_there_is_not_asked_again(done: tuple[Path, Result]) -> None:
    again = typed("run", "--model", TINY, "--task", "deduction_3_tiny", "--limit", "80", db=done[0])
    assert "1 cell: 0 computed, 1 were there" in again.stderr
    assert "deduction_3_tiny" in again.stdout
    assert "propositional" not in again.stdout


def test_json_is_one_list(done: tuple[Path, Result]) -> None:
    chosen = ("--model", TINY, "--task", "deduction_propositional", "--limit", "80", "--json")
    (row,) = json.loads(typed("run", *chosen, db=done[0]).stdout)
    assert (row["kind"], row["task"], row["model"], row["problems"]) == (
        "task",
        "deduction_propositional",
        TINY,
        80,
    )
    rows = json.loads(typed("board", "--json", db=done[0]).stdout)
    assert {found["task"] for found in rows} == {"deduction_3_tiny", "deduction_propositional"}


def test_the_board_shows_tasks_and_one_alone(done: tuple[Path, Result]) -> None:
    assert "deduction_3_tiny v1" in typed("board", db=done[0]).stdout
    one = typed("board", "--task", "deduction_propositional", db=done[0]).stdout
    assert "deduction_propositional v1" in one
    assert "deduction_3_tiny" not in one
    wrong = typed("board", "--task", "deduction_3_tini", db=done[0])
    assert wrong.exit_code == 2
    assert "Did you mean 'deduction_3_tiny'?" in wrong.stderr


def test_an_unknown_task_is_one_sentence_with_a_suggestion(tmp_path: Path) -> None:
    found = typed("run", "--task", "deduction_itms", db=tmp_path / "b.db")
    assert found.exit_code == 2
    assert found.stderr.strip().endswith(
        "There is no task called 'deduction_itms'. Did you mean 'deduction_items'?"
    )


def test_a_baseline_that_is_named_is_skipped_and_says_why(tmp_path: Path) -> None:
    chosen = ("--model", "baseline:type", "--task", "deduction_propositional", "--limit", "2")
    found = typed("run", *chosen, db=tmp_path / "b.db")
    assert found.exit_code == 0, found.output
    assert "skipped" in found.stdout
    assert "answers nothing" in found.stdout


def test_all_stands_for_every_task_that_is_installed() -> None:
    from brainbench.cli.planning import find_tasks
    from brainbench.plugins import discover, load

    catalog = load(discover())
    found = [task.name for task in find_tasks(catalog, ("all",))]
    apart = {name for name in catalog.tasks if getattr(catalog.tasks.get(name), "only_by_name", False)}
    assert found == [name for name in catalog.tasks if name not in apart]
    assert len(found) >= 11
    named = find_tasks(catalog, ("deduction_4", "deduction_3", "deduction_4"))
    assert [task.name for task in named] == ["deduction_4", "deduction_3"]


def test_steering_is_asked_about_without_scoring_brains(tmp_path: Path) -> None:
    change = (
        "--intervention",
        "none",
        "--intervention",
        "language-only",
        "--dataset",
        "simulated-deduction-guide",
    )
    asked = ("--task", "deduction_3_tiny", "--limit", "4", "--metric", "none", "--json")
    found = typed("run", "--model", TINY, *change, *asked, db=tmp_path / "b.db")
    assert found.exit_code == 0, found.output
    rows = json.loads(found.stdout)
    by_name = {row["intervention"]: row for row in rows}
    assert by_name.keys() == {"none", "language-only"}
    assert {row["task"] for row in rows} == {"deduction_3_tiny"}
    steering = by_name["language-only"]["details"]["steering"]
    assert steering["choice"]["task"] == "deduction_3_tiny_validation"
    assert steering["choice"]["items"] == 24
    assert steering["perplexity"]["before"] > 1
    assert (steering["strength"] == 0) == (
        steering["perplexity"]["before"] == steering["perplexity"]["after"]
    )


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (("--dataset", "simulated-deduction", "--metric", "none"), "Add a --task or a --scorer."),
        (("--task", "deduction_3_tiny", "--metric", "none", "--metric", "rsa"), "stands alone"),
    ],
)
def test_no_metric_is_for_tasks_alone(asked: tuple[str, ...], words: str, tmp_path: Path) -> None:
    found = typed("run", "--model", TINY, *asked, db=tmp_path / "b.db")
    assert found.exit_code == 2
    assert words in found.output


def test_all_interventions_are_all_that_need_not_be_named() -> None:
    from brainbench.cli.planning import find_interventions
    from brainbench.plugins import discover, load

    catalog = load(discover())
    found = find_interventions(catalog, ("nari@md", "all", "none"))
    named = [name for name in catalog.interventions if name.startswith("narf") or name == "label-only"]
    assert len(named) > 10
    others = [name for name in catalog.interventions if name not in named]
    assert [change.name for change in found] == ["nari@md", *others]


def test_tasks_are_listed_with_what_they_are(tmp_path: Path) -> None:
    rows = json.loads(CliRunner().invoke(main, ["list", "tasks", "--json"]).stdout)["tasks"]
    about = {row["name"]: row["what"] for row in rows}
    assert about["deduction_6"].startswith("v1; 80 generated problems of 6 premises in 120 orders")


@pytest.mark.real
def test_a_model_that_cannot_reason_is_at_chance(
    real_model: Path, mirror: Path, tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.setenv("BRAINBENCH_CACHE", str(tmp_path / "cache"))
    db = tmp_path / "b.db"
    chosen = ("--task", "deduction_items", "--task", "deduction_3", "--limit", "70")
    found = typed("run", "--model", str(real_model), *chosen, db=db)
    assert found.exit_code == 0, found.output
    rows = {row["task"]: row for row in json.loads(typed("board", "--json", db=db).stdout)}
    items, generated = rows["deduction_items"], rows["deduction_3"]
    assert generated["low"] <= 0.5 <= generated["high"]
    assert items["low"] <= items["constant_accuracy"] <= items["high"]
    assert (items["constant_answer"], round(items["constant_accuracy"], 3)) == ("True", 0.657)
    assert round(items["people_accuracy"], 4) == 0.8643
    assert len(items["details"]["people"]) == 10
