"""What a run says while it goes on."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

from rich.console import Console

from brainbench.arrays import Recording
from brainbench.cli.log import Log
from brainbench.errors import DataError
from brainbench.nouns import ModelOptions
from brainbench.plan import Plan
from brainbench.runner import run
from brainbench_interventions.none import NoIntervention


def said(toy: dict[str, Any], dataset: Any) -> list[str]:
    """The lines of a run of two models."""
    models = [toy["model"](), replace(toy["model"](), name="others")]
    plan = Plan.product(
        models=models,
        datasets=[dataset],
        metrics=[toy["metric"]()],
        interventions=[NoIntervention()],
        options=ModelOptions(),
        ceilings=False,
    )
    out = io.StringIO()
    log = Log(Console(file=out, width=500), plan)
    for result in run(plan):
        log.add(result)
    return out.getvalue().splitlines()


def test_data_that_cannot_be_had_are_named_once_and_not_for_every_model(toy: dict[str, Any]) -> None:
    def recording(dataset: Any, region: str, reporter: Any) -> Recording:
        raise DataError("The file is gone.")

    gone = type("Gone", (toy["dataset"],), {"recording": recording})
    lines = said(toy, gone())
    assert len(lines) == 1
    assert "The file is gone." in lines[0]


def test_each_model_has_a_line_when_all_goes_well(toy: dict[str, Any]) -> None:
    assert [line.split()[:2] for line in said(toy, toy["dataset"]())] == [
        ["done", "letters"],
        ["done", "others"],
    ]


def test_a_task_has_a_line_with_its_accuracy_and_how_strongly_it_was_steered() -> None:
    from brainbench.plan import TaskCell
    from brainbench.records import Record
    from brainbench.task_scores import TaskItem, TaskScores

    item = TaskItem("a", "a", True, "True", "True", "hash")
    told: list[tuple[dict[str, Any], str]] = [
        ({}, "accuracy 1.000 (2.5 s)"),
        ({"steering": {"strength": 0.5}}, "accuracy 1.000 at strength 0.5 (2.5 s)"),
    ]
    for details, line in told:
        task: Any = type("Task", (), {"name": "sums", "version": 1})()
        model: Any = type("Model", (), {"name": "letters"})()
        cell = TaskCell(model, ModelOptions(), NoIntervention(), task)
        out = io.StringIO()
        scores = TaskScores((item,), details=details)
        Log(Console(file=out, width=500), Plan((cell,))).add(
            Record(cell, "f", {}, True, scores, {"seconds": 2.5})
        )
        assert out.getvalue().strip() == f"done    letters on sums: {line}"
