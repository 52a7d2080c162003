"""Results of a task as a run would leave them, with chosen right and wrong answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from brainbench.nouns import ModelOptions
from brainbench.plan import TaskCell
from brainbench.records import Outcome, Record
from brainbench.task_scores import TaskItem, TaskScores


@dataclass(frozen=True)
class Named:
    """Stands where a cell wants a model, an intervention, a task or a dataset: only names are read."""

    name: str
    version: int = 1
    kind: str = "model"


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
        made = scores(outcome, {"steering": told} if told else None)
    anything: Any = Named
    cell = TaskCell(anything(model), ModelOptions(seed=seed), anything(name), anything(task), limit, source)  # type: ignore[arg-type]
    key = more.pop("fingerprint", None) or repr((facts, name, told, dtype, seed, started))
    provenance = {"dtype": dtype, "started": started, "seconds": 1.0}
    return Record(cell, key, facts, more.pop("resolved", True), made, provenance)


@pytest.fixture
def made() -> Callable[..., Record]:
    """Makes a record of a task: `result`."""
    return result


@pytest.fixture
def told() -> Callable[..., dict[str, Any]]:
    """What a run says of a steering: `steering`."""
    return steering


@pytest.fixture
def answers() -> Callable[..., Any]:
    """Right and wrong answers (problems x forms), of which this share is right."""

    def answers(share: float = 0.6, problems: int = 60, forms: int = 3, seed: int = 0) -> Any:
        right = np.arange(problems * forms) < share * problems * forms
        return np.random.default_rng(seed).permutation(right).reshape(problems, forms)

    return answers
