"""The details of a steered task say what the steering costs on neutral text."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from brainbench import identity
from brainbench.identity import identify
from brainbench.nouns import ModelOptions
from brainbench.perplexity import perplexity
from brainbench.plan import Plan, TaskCell
from brainbench.plugins import discover, load
from brainbench.progress import SilentReporter
from brainbench.records import Record
from brainbench.runner import run
from brainbench.steering import Addition, Steering
from brainbench.task_scores import TaskScores
from brainbench_tasks.deduction_tasks import PropositionalDeduction

EMBEDDED = load(discover()).models.get("brainbench/tiny")
HEAD = ModelOptions(device="cpu", head=True)
ROWS = np.random.default_rng(3).normal(size=(3, 128))
ONE = Steering({"attention.1": Addition(ROWS[0])}, where="prompt")


@dataclass(frozen=True)
class Given:
    """An intervention that fits the steering that it was given."""

    name: str = "given"
    version: int = 1
    strengths: tuple[float, ...] = ()
    role: Any = "control"
    needs_dataset: bool = False

    def fit(self, model: Any, dataset: Any, reporter: Any) -> Any:
        return GIVEN[0]

    @contextmanager
    def apply(self, model: Any, dataset: Any) -> Any:
        raise AssertionError("a steering is applied by the harness")
        yield


GIVEN = [ONE]


def cell() -> TaskCell:
    (found,) = Plan.product(
        models=[],
        datasets=[],
        metrics=[],
        interventions=[Given()],
        options=HEAD,
        tasks=[PropositionalDeduction(each=1)],
        solvers=[EMBEDDED],
        limit=2,
    )
    assert isinstance(found, TaskCell)
    return found


def cost_of(steering: Steering) -> Any:
    GIVEN[0] = steering
    (record,) = run(Plan((cell(),)))
    assert isinstance(record, Record)
    assert isinstance(record.outcome, TaskScores), record.outcome
    return record.outcome.details["steering"]["perplexity"]


@pytest.fixture(scope="module")
def by_hand() -> Any:
    context: Any = EMBEDDED.open(HEAD, SilentReporter())
    with context as model:

        def value(steering: Steering) -> float:
            with model.steered(steering) as steered:
                found = perplexity(steered.language_model(SilentReporter()))
            assert found is not None
            return found.value

        yield value


def test_a_steering_has_its_cost_beside_its_scores(by_hand: Any) -> None:
    found = cost_of(ONE)
    assert found["before"] == pytest.approx(by_hand(Steering({})), rel=1e-12)
    assert found["after"] == by_hand(ONE) != found["before"]
    assert found["tokens"] > 40 * 20


def test_what_changes_nothing_costs_nothing() -> None:
    found = cost_of(ONE.scaled(0.0))
    assert found["after"] == pytest.approx(found["before"], rel=1e-12)


def test_rows_for_types_cost_what_the_row_for_any_other_costs(by_hand: Any) -> None:
    change = {"attention.1": Addition(ROWS)}
    second = by_hand(replace(ONE, changes={"attention.1": Addition(ROWS[1])}))
    types = Steering(change, where="prompt", items=("propositional", "*", "c"), key="type")
    assert cost_of(types)["after"] == pytest.approx(second) != by_hand(ONE)


def test_rows_that_neutral_text_has_none_of_have_no_cost() -> None:
    first = PropositionalDeduction(each=1).documents()[0]["id"]
    change = {"attention.1": Addition(ROWS)}
    assert cost_of(Steering(change, items=(first, "b", "*"))) is None
    assert cost_of(Steering(change, items=("propositional", "b", "c"), key="type")) is None


def test_results_go_by_the_text(monkeypatch: pytest.MonkeyPatch) -> None:
    before = identify(cell()).fingerprint
    assert identify(cell()).fingerprint == before
    monkeypatch.setattr(identity, "TEXT_VERSION", "another")
    assert identify(cell()).fingerprint != before
