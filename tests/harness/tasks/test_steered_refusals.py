"""Steerings, interventions and validation sets that are not what they should be: one cell fails, in words."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import InitVar, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from brainbench.nouns import ModelOptions
from brainbench.plan import Plan
from brainbench.plugins import discover, load
from brainbench.records import Failure, Record, Skip
from brainbench.runner import run
from brainbench.steering import Addition, Steering
from brainbench.task_scores import TaskScores
from brainbench_interventions.none import NoIntervention
from brainbench_tasks.deduction_given import ScannerItems
from brainbench_tasks.deduction_tasks import GeneratedDeduction

EMBEDDED = load(discover()).models.get("brainbench/tiny")
HEAD = ModelOptions(device="cpu", head=True)
ROW = np.random.default_rng(3).normal(size=128)
ONE = Steering({"attention.1": Addition(ROW)})
TWO = {"attention.1": Addition(np.stack([ROW * 3, ROW * 2]))}
TYPES = Steering(TWO, items=("syllogism", "*"), key="type")


@dataclass(frozen=True)
class Given:
    """Fits one direction."""

    name: str = "given"
    version: int = 1
    strengths: Any = ()
    role: Any = "control"

    def fit(self, model: Any, dataset: Any, reporter: Any) -> Any:
        return ONE

    @contextmanager
    def apply(self, model: Any, dataset: Any) -> Any:
        raise AssertionError("a steering is applied by the harness")
        yield


@dataclass(frozen=True, eq=False)
class Fitting:
    """Fits one steering, known by its fingerprint."""

    steering: InitVar[Steering]
    name: str = "fitting"
    version: int = 1
    fingerprint: str = field(init=False)
    strengths: tuple[float, ...] = ()
    role: str = "brain"

    def __post_init__(self, steering: Steering) -> None:
        object.__setattr__(self, "found", steering)
        object.__setattr__(self, "fingerprint", steering.fingerprint)

    def fit(self, model: Any, dataset: Any, reporter: Any) -> Any:
        return self.__dict__["found"]

    @contextmanager
    def apply(self, model: Any, dataset: Any) -> Any:
        raise AssertionError("a steering is applied by the harness")
        yield


@dataclass(frozen=True)
class Tiny(GeneratedDeduction):
    each: int = 1
    tiny: bool = True
    name = "tiny_test"

    def validation(self) -> Any:
        return None


VALIDATIONS: dict[str, Callable[[], Any]] = {
    "itself": lambda: Choosing(by="itself"),
    "its items by another name": Tiny,
    "garbage": lambda: 5,
}


@dataclass(frozen=True)
class Choosing(Tiny):
    by: str = ""
    name = "tiny_choosing"

    def validation(self) -> Any:
        return VALIDATIONS[self.by]()


def asked(change: Any, toy: Any, task: Any) -> Record:
    """What becomes of the steered cell; the unsteered one after it is computed in any case."""
    plan = Plan.product(
        models=[],
        datasets=[toy["dataset"]()],
        metrics=[],
        interventions=[change, NoIntervention()],
        options=HEAD,
        tasks=[task],
        solvers=[EMBEDDED],
        limit=1,
    )
    found, after = run(plan)
    assert isinstance(found, Record)
    assert isinstance(after, Record)
    assert isinstance(after.outcome, TaskScores)
    return found


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"strengths": (1.0, float("nan"))}, "not JSON compliant"),
        ({"strengths": "ab"}, "no tuple of finite numbers"),
        ({"strengths": [1.0]}, "no tuple of finite numbers"),
        ({"role": "king"}, "'king', neither brain nor control"),
    ],
)
def test_a_nonsensical_intervention_fails_its_cell_alone(toy: Any, more: Any, words: str) -> None:
    outcome = asked(Given(**more), toy, Tiny()).outcome
    assert isinstance(outcome, Failure)
    assert words in outcome.message


@pytest.mark.parametrize(
    ("by", "words"),
    [
        ("itself", "gave the task itself"),
        ("its items by another name", "The validation set tiny_test has 6 of the items"),
        ("garbage", "gave int, not a Task"),
    ],
)
def test_nothing_is_chosen_on_the_test_by_another_name(toy: Any, by: str, words: str) -> None:
    outcome = asked(Given(strengths=(0.0, 1.0)), toy, Choosing(by=by)).outcome
    assert isinstance(outcome, Failure)
    assert words in outcome.message


def test_a_task_without_the_column_is_of_any_other_type(toy: Any, sums: Any) -> None:
    other, one = (
        asked(Fitting(found), toy, sums()).outcome
        for found in (TYPES, replace(ONE, changes={"attention.1": Addition(ROW * 2)}))
    )
    assert isinstance(other, TaskScores)
    assert isinstance(one, TaskScores)
    assert other.details["steering"]["steered"] == 2
    for a, b in zip(other.items, one.items, strict=True):
        assert a.log_likelihoods == pytest.approx(b.log_likelihoods, abs=1e-5)
    no_row = asked(Fitting(replace(TYPES, items=("syllogism", "x"))), toy, sums()).outcome
    assert isinstance(no_row, Skip)


@pytest.mark.parametrize(
    ("more", "seen"),
    [
        ({}, 0),
        ({"looks_at": ("responses",)}, None),
        ({"facts": {"imported": "control vector"}}, None),
        ({"looks_at": ("responses",), "facts": {"fitted_on": ["elsewhere"]}}, 0),
        ({"looks_at": ("responses",), "facts": {"fitted_on": ["p0.1", "elsewhere"]}}, 1),
    ],
)
def test_who_does_not_say_what_it_has_seen_has_not_seen_nothing(
    toy: Any, sums: Any, more: Any, seen: int | None
) -> None:
    outcome = asked(Fitting(replace(ONE, **more)), toy, sums()).outcome
    assert isinstance(outcome, TaskScores)
    assert outcome.details["steering"]["seen"] == seen


@pytest.mark.real
def test_items_of_another_dataset_are_not_taken_for_those_of_the_same_ids(
    toy: Any, mirror: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BRAINBENCH_MIRROR", str(mirror))
    monkeypatch.setenv("BRAINBENCH_CACHE", str(tmp_path))
    task = ScannerItems()
    ids = tuple(row["id"] for row in task.documents()[:2])
    for dataset, steered in (("simulated-deduction", False), ("deduction", True)):
        found = Steering(TWO, items=ids, facts={"dataset": dataset, "fitted_on": list(ids)})
        outcome = asked(Fitting(found), toy, task).outcome
        assert isinstance(outcome, TaskScores if steered else Skip)
        if isinstance(outcome, Skip):
            assert "single items of simulated-deduction; this task has deduction's" in outcome.reason
