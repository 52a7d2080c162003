"""Results of tasks and of metrics as a run would leave them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from brainbench.nouns import ModelOptions
from brainbench.plan import Plan, TaskCell
from brainbench.records import Outcome, Record
from brainbench.runner import run
from brainbench.task_scores import TaskItem, TaskScores
from brainbench_interventions.none import NoIntervention


@dataclass(frozen=True)
class Named:
    """Stands where a cell wants a model, an intervention, a task or a dataset: only names are read."""

    name: str
    version: int = 1
    kind: str = "model"


@dataclass(frozen=True)
class Trains(Named):
    """An intervention that trains a model, known as such also where nothing came of it."""

    role: str = "brain"
    seed: int = 0

    def tune(self, *_: object) -> None:
        """Never called: what comes of it is given."""


def scores(table: Any, details: Any = None) -> TaskScores:
    """Right or wrong (problems x forms; None where one has no such form) as answers True or False."""
    items = []
    for problem, forms in enumerate(table):
        for form, right in enumerate(forms):
            if right is not None:
                answer, likelihoods = ("True", (-1.0, -2.0)) if right else ("False", (-2.0, -1.0))
                item = (f"p{problem}.{form}", f"p{problem}", bool(right), answer, "True", "0" * 64)
                items.append(TaskItem(*item, ("True", "False"), likelihoods, answer))
    return TaskScores(tuple(items), {"type": {"one": 0.5, "two": 0.25}}, details or {})


def steering(**more: Any) -> dict[str, Any]:
    """What a run says of a steering, with the usual for what is not given."""
    return {
        "fingerprint": "5" * 64,
        "role": "brain",
        "looks_at": ["responses"],
        "oracle": False,
        "where": "last",
        "strength": 0.5,
        "protocol": "validation",
        "choice": {"task": "deduction_3", "items": 10, "accuracies": [[0.5, 0.6]]},
        "seen": 0,
        "steered": 10_000,
        "perplexity": {"before": 8.0, "after": 10.0, "tokens": 500},
        **more,
    }


def result(  # the axes of a result
    name: str,
    outcome: Any,
    told: dict[str, Any] | None = None,
    *,
    model: str = "m",
    revision: str | None = "r1",
    dtype: str = "float32",
    seed: int = 0,
    task: str = "sums",
    limit: int | None = None,
    learnt_from: str | None = "brains",
    version: int = 1,
    region: str = "control",
    started: str = "2026-01-01",
    change: str = "steering",
    trains: int | None = None,
    **more: Any,
) -> Record:
    """A record; `outcome` is an outcome or a table for `scores`."""
    source = None if name == "none" or learnt_from is None else Named(learnt_from)
    facts: dict[str, Any] = {
        "task": {"name": task, "version": 1},
        "limit": limit,
        "asked": {"adapter": 1},
        "model": {"name": model, "revision": revision},
    }
    if source is not None:
        facts["learnt_from"] = {"name": learnt_from, "version": version, "data": region}
    if isinstance(outcome, Outcome):
        made: Outcome = outcome
    else:
        made = scores(outcome, {change: told} if told else None)
    anything: Any = Named
    changed: Any = Named(name) if trains is None else Trains(name, seed=trains)
    cell = TaskCell(anything(model), ModelOptions(seed=seed), changed, anything(task), limit, source)  # type: ignore[arg-type]
    key = more.pop("fingerprint", None) or repr((facts, name, told, trains, dtype, seed, started))
    provenance = {"dtype": dtype, "started": started, "seconds": 1.0}
    return Record(cell, key, facts, more.pop("resolved", True), made, provenance)


@pytest.fixture(scope="session")
def made() -> Callable[..., Record]:
    """Makes a record of a task: `result`."""
    return result


@pytest.fixture(scope="session")
def told() -> Callable[..., dict[str, Any]]:
    """What a run says of a steering: `steering`."""
    return steering


def tuning(**more: Any) -> dict[str, Any]:
    """What a run says of a fine-tuning, with the usual for what is not given."""
    return {
        "fingerprint": "a" * 64,
        "kind": "lora",
        "role": "brain",
        "looks_at": ["responses", "labels"],
        "oracle": False,
        "seen": 0,
        "protocol": "validation",
        "seed": 0,
        "settings": {"epochs": 100, "rate": 1e-4, "items": "all"},
        "fitted": {"dataset": "brains", "region": "reasoning", "simulated": False, "items": 70, "people": 10},
        "training": {"epochs": 12, "best_epoch": 7, "seconds": 75.0, "trained": 9, "loss": [1.0, 0.5]},
        "brain": {"cosine": [0.1, 0.3], "cosine_heldout": [0.1, 0.125]},
        "perplexity": {"before": 8.0, "after": 10.0, "tokens": 500, "unit": "token"},
        **more,
    }


@pytest.fixture
def trained() -> Callable[..., Record]:
    """Makes a record of a fine-tuned model: name, answers or outcome, seed of training, what it says."""

    def trained(name: str, outcome: Any, seed: int = 0, told: Any = None, **where: Any) -> Record:
        said = None if isinstance(outcome, Outcome) else tuning(**{"seed": seed, **(told or {})})
        return result(name, outcome, said, change="tuning", trains=seed, **where)

    return trained


@pytest.fixture
def answers() -> Callable[..., Any]:
    """Right and wrong answers (problems x forms), of which this share is right."""

    def answers(share: float = 0.6, problems: int = 60, forms: int = 3, seed: int = 0) -> Any:
        right = np.arange(problems * forms) < share * problems * forms
        return np.random.default_rng(seed).permutation(right).reshape(problems, forms)

    return answers


@pytest.fixture
def records(toy: Any) -> Callable[..., list[Record]]:
    """Scores of these models (or the toy one) on a dataset (or the toy one), as a run leaves them."""

    def records(*models: Any, dataset: Any = None) -> list[Record]:
        plan = Plan.product(
            models=models or [toy["model"]()],
            datasets=[dataset or toy["dataset"]()],
            metrics=[toy["metric"]()],
            interventions=[NoIntervention()],
            options=ModelOptions(),
        )
        return [result for result in run(plan) if isinstance(result, Record)]

    return records
