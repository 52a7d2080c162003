"""Cells of tasks: planned, run once, kept whole, told apart, and never repeated."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from brainbench.identity import identify
from brainbench.nouns import ModelOptions
from brainbench.plan import Plan, TaskCell
from brainbench.records import Failure, Record, Reused, Skip
from brainbench.runner import run
from brainbench.task_scores import TaskScores
from brainbench_interventions.none import NoIntervention
from brainbench_leaderboard.store import Leaderboard

HEAD = ModelOptions(head=True)


def planned(solvers: Any, tasks: Any, **more: Any) -> Plan:
    chosen = {"interventions": [NoIntervention()], "options": HEAD, **more}
    empty: dict[str, Any] = {"models": [], "datasets": [], "metrics": []}
    return Plan.product(**{**empty, **chosen}, tasks=tasks, solvers=solvers)


def records(plan: Plan, **more: Any) -> list[Record]:
    made = list(run(plan, **more))
    assert all(isinstance(one, Record) for one in made)
    return [one for one in made if isinstance(one, Record)]


def test_each_model_is_opened_once_for_all_tasks_and_all_datasets(
    sums: Any, rule_model: Any, toy: Any
) -> None:
    one, two = rule_model("one"), rule_model("two")
    plan = planned([one, two], [sums(), sums("more")])
    assert [str(cell) for cell in plan] == ["one on sums", "one on more", "two on sums", "two on more"]
    assert all(isinstance(record.outcome, TaskScores) for record in records(plan))
    assert one.opened == ["open one, head True"]
    mixed = planned(
        [one], [sums()], models=[one], datasets=[toy["dataset"]()], metrics=[toy["metric"]()], ceilings=False
    )
    assert [cell.kind for cell in mixed] == ["score"] * 4 + ["task"]


def test_a_second_run_computes_nothing_and_an_interrupted_one_goes_on(
    sums: Any, rule_model: Any, tmp_path: Path
) -> None:
    model, tasks = rule_model(), [sums(), sums("more"), sums("most")]
    with Leaderboard(tmp_path / "b.db") as store:
        for at, made in enumerate(run(planned([model], tasks), is_done=store.has)):
            assert isinstance(made, Record)
            store.add(made)
            if at == 1:
                break  # what a kill leaves: two records, whole
        again = list(run(planned([model], tasks), is_done=store.has))
        assert [type(made) for made in again] == [Reused, Reused, Record]
        rows = store.task_standings()
        assert [row["task"] for row in rows] == ["more", "sums"]
        assert {row["accuracy"] for row in rows} == {6 / 9}
        model.opened.clear()
        assert isinstance(again[2], Record)
        store.add(again[2])
        assert {type(made) for made in run(planned([model], tasks), is_done=store.has)} == {Reused}
        assert model.opened == []


def test_every_item_is_kept_as_it_was_answered(sums: Any, rule_model: Any, tmp_path: Path) -> None:
    (made,) = records(planned([rule_model()], [sums()]))
    with Leaderboard(tmp_path / "b.db") as store:
        store.add(made)
        store.add(made)
        assert isinstance(made.outcome, TaskScores)
        assert store.task_items(made.fingerprint) == made.outcome.items
        assert store.task_items("no such") == ()
        (row,) = store.task_standings()
    assert (row["items"], row["problems"], row["chance"]) == (18, 9, 0.5)
    assert (row["constant_answer"], row["constant_accuracy"], row["rank"]) == ("Yes", 6 / 9, 1)
    assert row["low"] == made.outcome.interval.low < 6 / 9 < row["high"]
    assert row["by_condition"] == {"kind": {"even": 0.6, "odd": 0.75}}


def test_a_failure_replaces_no_scores_and_is_replaced_by_them(
    sums: Any, rule_model: Any, tmp_path: Path
) -> None:
    def breaks(**_: Any) -> Any:
        raise OSError("disk")

    good = planned([rule_model()], [sums()])
    bad = planned([rule_model()], [sums(more={"custom_dataset": breaks})])
    (failed,), (scored,) = records(bad), records(good)
    assert isinstance(failed.outcome, Failure)
    assert (failed.outcome.phase, failed.outcome.exception) == ("task", "PluginError")
    assert failed.fingerprint == scored.fingerprint
    with Leaderboard(tmp_path / "b.db") as store:
        for record, outcome in ((failed, "failure"), (scored, "scores"), (failed, "scores")):
            store.add(record)
            assert [row["outcome"] for row in store.task_standings()] == [outcome]
        assert store.has(scored.fingerprint)


def test_who_answers_nothing_is_skipped_with_a_reason(sums: Any, rule_model: Any, tmp_path: Path) -> None:
    from brainbench.plugins import discover, load

    baseline = load(discover()).models.get("baseline:type")
    made = records(planned([rule_model("mute", answers=False), baseline], [sums()]))
    with Leaderboard(tmp_path / "b.db") as store:
        for record in made:
            assert isinstance(record.outcome, Skip)
            assert "no language model" in record.outcome.reason
            store.add(record)
            assert store.has(record.fingerprint)


def test_an_intervention_needs_data_to_be_learnt_from(sums: Any, rule_model: Any, toy: Any) -> None:
    from contextlib import contextmanager
    from dataclasses import dataclass

    @dataclass(frozen=True)
    class Louder:
        name: str = "louder"
        version: int = 1

        @contextmanager
        def apply(self, model: Any, dataset: Any) -> Any:
            before = model.rule
            model.rule = lambda context, answer: (
                before(context, answer) * (-1 if dataset.simulated else 1) - 9
            )
            try:
                yield model
            finally:
                model.rule = before

    changes = [NoIntervention(), Louder()]
    (_, alone) = records(planned([rule_model()], [sums()], interventions=changes))
    assert isinstance(alone.outcome, Skip)
    assert "name a dataset" in alone.outcome.reason
    plan = planned([rule_model()], [sums()], interventions=changes, datasets=[toy["dataset"]()])
    assert [str(cell) for cell in plan] == ["rule on sums", "rule + louder on sums"]
    base, steered = records(plan)
    assert isinstance(base.outcome, TaskScores)
    assert isinstance(steered.outcome, TaskScores)
    assert base.outcome.accuracy == 6 / 9
    assert steered.outcome.accuracy == 3 / 9
    assert base.fingerprint != steered.fingerprint
    assert steered.facts["learnt_from"]["name"] == "toy"


def test_whatever_decides_an_answer_is_in_the_fingerprint(sums: Any, rule_model: Any) -> None:
    def fingerprint(model: Any, task: Any, options: ModelOptions = HEAD, limit: int | None = None) -> str:
        return identify(TaskCell(model, options, NoIntervention(), task, limit)).fingerprint

    base = fingerprint(rule_model(), sums())
    assert base == fingerprint(rule_model(), sums())
    others = [
        fingerprint(rule_model("other"), sums()),
        fingerprint(rule_model(), sums(version=2)),
        fingerprint(rule_model(), sums(problems=8)),
        fingerprint(rule_model(), sums(), limit=3),
        fingerprint(rule_model(), sums(), ModelOptions(head=True, seed=1)),
    ]
    assert len({base, *others}) == 6
    facts = identify(TaskCell(rule_model(), HEAD, NoIntervention(), sums())).facts
    assert facts["asked"]["lm_eval"].startswith("0.4.")


def test_a_task_without_an_identity_is_never_taken_for_another_run(rule_model: Any, sums: Any) -> None:
    class Nameless:
        name, version = "nameless", 1

        def lm_eval_config(self) -> Any:
            return sums("nameless").lm_eval_config()

    first, second = (records(planned([rule_model()], [Nameless()]))[0] for _ in range(2))
    assert not first.resolved
    assert first.fingerprint != second.fingerprint
    assert isinstance(first.outcome, TaskScores)


@pytest.mark.parametrize("script", ["m001.sql"])
def test_an_older_file_gets_its_tables(tmp_path: Path, script: str, sums: Any, rule_model: Any) -> None:
    import sqlite3

    path = tmp_path / "b.db"
    old = sqlite3.connect(path)
    old.executescript((Path(__file__).parents[2] / "leaderboard" / script).read_text())
    old.close()
    (made,) = records(planned([rule_model()], [sums()]))
    with Leaderboard(path) as store:
        assert store.task_standings() == []
        store.add(made)
        assert len(store.standings()) == 1
        assert len(store.task_standings()) == 1
