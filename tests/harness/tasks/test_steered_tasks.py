"""Tasks asked of a steered model: the strength is chosen elsewhere, and what was done is said."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from brainbench.identity import identify
from brainbench.lm_eval_adapter import ask
from brainbench.nouns import Identity, ModelOptions
from brainbench.plan import Plan, TaskCell
from brainbench.plugins import discover, load
from brainbench.progress import SilentReporter
from brainbench.records import Record, Skip
from brainbench.runner import run
from brainbench.steered_tasks import Choice
from brainbench.steering import Addition, Fits, Steering
from brainbench.task_pairs import compare
from brainbench.task_scores import TaskItem, TaskScores
from brainbench_interventions.none import NoIntervention
from brainbench_leaderboard.store import Leaderboard
from brainbench_tasks.deduction_tasks import GeneratedDeduction

EMBEDDED = load(discover()).models.get("brainbench/tiny")
HEAD = ModelOptions(device="cpu", head=True)
LIMIT = 16
WIDTH = 128
VECTOR = np.random.default_rng(3).normal(size=WIDTH)


@dataclass(frozen=True)
class Given:
    """An intervention that fits what it was given."""

    steering: str
    name: str = "given"
    version: int = 1
    strengths: tuple[float, ...] = ()
    role: Any = "control"

    def fit(self, model: Any, dataset: Any, reporter: Any) -> Any:
        return GIVEN[self.steering]

    @contextmanager
    def apply(self, model: Any, dataset: Any) -> Any:
        raise AssertionError("a steering is applied by the harness")
        yield


GIVEN: dict[str, Any] = {}


def given(steering: Any, **more: Any) -> Given:
    key = steering.fingerprint if isinstance(steering, Steering) else repr(steering)
    GIVEN[key] = steering
    return Given(key, **more)


@dataclass(frozen=True)
class Tiny(GeneratedDeduction):
    premises: int = 3
    each: int = 1
    tiny: bool = True

    def validation(self) -> Any:
        return None if self.seed else replace(self, seed=1)

    @property
    def name(self) -> str:
        return f"tiny_{self.seed}"


class ChosenElsewhere(Tiny):
    def validation(self) -> Any:
        return Tiny(seed=2)


def told(change: Any, toy: Any, task: Any = None, *, others: Any = (), **more: Any) -> list[Record]:
    plan = Plan.product(
        models=[],
        datasets=[toy["dataset"]()],
        metrics=[],
        interventions=[NoIntervention(), change, *others],
        options=HEAD,
        tasks=[task or Tiny()],
        solvers=[EMBEDDED],
        limit=LIMIT,
        **more,
    )
    made = list(run(plan))
    assert all(isinstance(one, Record) for one in made)
    return made  # type: ignore[return-value]


def scores(record: Record) -> TaskScores:
    assert isinstance(record.outcome, TaskScores), record.outcome
    return record.outcome


def by_hand(steering: Steering, task: Any) -> TaskScores:
    opened: Any = EMBEDDED.open(HEAD, SilentReporter())
    with opened as model, model.steered(steering) as steered:
        return ask(task, steered.language_model(SilentReporter()), limit=LIMIT)


FACTS = {"dataset": "toy", "fitted_on": ["x", "y"]}


@pytest.fixture
def answered() -> Any:
    """Scores of one item that is right, or is not."""

    def scores(right: bool) -> TaskScores:
        return TaskScores((TaskItem("a", "a", right, "True", "True" if right else "False", "hash"),))

    return scores


STEERING = Steering({"attention.1": Addition(VECTOR * 0.6)}, looks_at=("responses",), facts=FACTS)
STRENGTHS = (2.0, -1.0, 0.5, 0.0)


def test_the_strength_is_chosen_on_the_validation_set(toy: Any) -> None:
    change = given(STEERING, strengths=STRENGTHS, role="brain")
    assert isinstance(change, Fits)
    base, steered = told(change, toy)
    found = scores(steered).details["steering"]
    tried = {s: by_hand(STEERING.scaled(s), Tiny(seed=1)).accuracy for s in STRENGTHS}
    assert len(set(tried.values())) > 1
    assert found["choice"] == {
        "task": "tiny_1",
        "items": LIMIT * 6,
        "accuracies": [[strength, accuracy] for strength, accuracy in tried.items()],
    }
    best = max(tried.values())
    assert found["strength"] == min((s for s in STRENGTHS if tried[s] == best), key=abs)
    assert scores(steered).items == by_hand(STEERING.scaled(found["strength"]), Tiny()).items
    assert (found["role"], found["protocol"], found["oracle"]) == ("brain", "validation", False)
    assert (found["steered"], found["seen"], found["where"]) == (LIMIT * 6, 0, "last")
    assert found["fingerprint"] == STEERING.scaled(found["strength"]).fingerprint
    assert found["fitted"] == {"dataset": "toy", "items": 2, "simulated": True}
    assert steered.provenance["steerings"] == [found["fingerprint"]]
    assert "steering" not in scores(base).details


def test_of_equal_strengths_the_one_that_changes_less_is_taken(answered: Any) -> None:
    right, wrong = answered(True), answered(False)
    tried = [(2.0, right), (-0.5, right), (1.0, right), (0.0, wrong)]
    assert Choice.of("other", tried).strength == -0.5
    assert Choice.of("other", [(0.0, right), *tried]).strength == 0
    assert Choice.of("other", [(1.0, wrong), (4.0, right)]).strength == 4


def test_the_papers_protocol_chooses_on_the_task_itself(toy: Any) -> None:
    change = given(STEERING, strengths=STRENGTHS)
    _, steered = told(change, toy, protocol="paper")
    found = scores(steered).details["steering"]
    tried = {s: by_hand(STEERING.scaled(s), Tiny()).accuracy for s in STRENGTHS}
    assert (found["protocol"], found["choice"]["task"]) == ("paper", "tiny_0")
    assert scores(steered).accuracy == max(tried.values())
    assert steered.facts["strength"]["protocol"] == "paper"


def test_no_steering_is_asked_once_for_all_but_each_result_names_its_own(toy: Any) -> None:
    turned = given(Steering({"attention.1": Addition(-VECTOR)}), name="turned", strengths=(0.0,))
    for protocol in ("paper", "validation"):
        found = told(given(STEERING, strengths=(0.0,)), toy, others=[turned], protocol=protocol)
        prints = [scores(one).details["steering"]["fingerprint"] for one in found[1:]]
        assert prints == [
            GIVEN[key].scaled(0.0).fingerprint for key in (STEERING.fingerprint, turned.steering)
        ]


def test_without_a_choice_it_is_applied_as_fitted(toy: Any) -> None:
    for change, task in ((given(STEERING), Tiny()), (given(STEERING, strengths=STRENGTHS), Tiny(seed=1))):
        _, steered = told(change, toy, task)
        found = scores(steered).details["steering"]
        assert (found["strength"], found["protocol"], found["choice"]) == (1.0, "fixed", None)
        assert scores(steered).items == by_hand(STEERING, task).items


def test_no_strength_is_no_steering_to_the_last_bit(toy: Any) -> None:
    base, steered = told(given(STEERING, strengths=(0.0,)), toy)
    assert scores(base).items == scores(steered).items


def test_only_the_items_of_a_steering_are_changed_and_those_it_knew_are_counted(toy: Any) -> None:
    base = scores(told(given(STEERING), toy)[0])
    ids = [item.id for item in base.items]
    rows = Addition(np.stack([VECTOR * 3, -VECTOR * 3]))
    facts = {"fitted_on": [ids[3], ids[8], ids[9], "other"]}
    items = (ids[3], ids[8])
    single = Steering({"attention.1": rows}, items=items, looks_at=("own label",), facts=facts)
    _, steered = told(given(single, strengths=STRENGTHS), toy)
    found = scores(steered).details["steering"]
    assert (found["steered"], found["seen"], found["oracle"]) == (2, 3, True)
    assert (found["protocol"], found["strength"]) == ("fixed", 1.0)
    differ = [a.id for a, b in zip(base.items, scores(steered).items, strict=True) if a != b]
    assert differ == list(items)
    left_out = replace(single, facts={**facts, "held_out": True})
    assert scores(told(given(left_out), toy)[1]).details["steering"]["seen"] == 0
    strangers = replace(single, items=("a", "b"))
    (_, skipped) = told(given(strangers), toy)
    assert isinstance(skipped.outcome, Skip)
    assert "none of them" in skipped.outcome.reason


def test_types_of_problems_have_rows_of_their_own(toy: Any) -> None:
    rows = Addition(np.stack([VECTOR * 3, -VECTOR * 3]))
    types = Steering({"attention.1": rows}, items=("syllogism", "transitive"), key="type")
    _, steered = told(given(types), toy)
    for row, kind in enumerate(types.items):
        alone = by_hand(Steering({"attention.1": Addition(rows.vector[row])}), Tiny())
        pairs = list(zip(alone.items, scores(steered).items, strict=True))
        own = [(a, b) for a, b in pairs if a.id.startswith(kind)]
        assert own
        for one, two in own:
            assert np.allclose(one.log_likelihoods, two.log_likelihoods, atol=1e-5)
        assert any(a.log_likelihoods != b.log_likelihoods for a, b in pairs)


def test_the_strength_of_rows_for_types_is_chosen_as_any_other(toy: Any) -> None:
    rows = Addition(np.stack([VECTOR, -VECTOR]))
    types = Steering({"attention.1": rows}, items=("syllogism", "*"), key="type")
    found = scores(told(given(types, strengths=(0.5,)), toy)[1]).details["steering"]
    assert (found["strength"], found["protocol"], found["choice"]["task"]) == (0.5, "validation", "tiny_1")


def test_what_cannot_be_fitted_says_why_and_needs_data(toy: Any) -> None:
    (_, skipped) = told(given(Skip("there is nothing.")), toy)
    assert isinstance(skipped.outcome, Skip)
    assert skipped.outcome.reason == "The intervention given cannot be fitted: there is nothing."
    wide = Steering({"attention.1": Addition(np.ones(7))})
    base, failed = told(given(wide), toy)
    assert "7 wide" in failed.outcome.message  # type: ignore[union-attr]
    assert scores(told(given(STEERING), toy)[0]).items == scores(base).items


def test_how_the_strength_is_chosen_is_part_of_what_a_result_is(toy: Any) -> None:
    def of(change: Any, protocol: Any = "validation", task: Any = None) -> str:
        plan = Plan.product(
            models=[],
            datasets=[toy["dataset"]()],
            metrics=[],
            interventions=[change],
            options=HEAD,
            tasks=[task or Tiny()],
            solvers=[EMBEDDED],
            protocol=protocol,
        )
        return identify(plan.cells[0]).fingerprint

    choosing, fixed = given(None, strengths=(1.0, 2.0)), given(None)
    assert of(choosing) != of(choosing, "paper")
    assert of(choosing) != of(replace(choosing, strengths=(1.0, 3.0)))
    assert of(fixed) == of(fixed, "paper") != of(choosing)
    assert of(choosing) != of(choosing, task=ChosenElsewhere())
    assert of(fixed) == of(fixed, task=ChosenElsewhere())
    assert of(NoIntervention()) == of(NoIntervention(), "paper")


@dataclass(frozen=True)
class GivenPlace(Given):
    """An intervention that says from which region it learns."""

    region: str = ""


def test_a_result_is_known_by_the_data_of_the_region_that_was_learnt_from(toy: Any) -> None:
    class Known(toy["dataset"]):  # type: ignore[misc]
        def identity(self, region: str) -> Identity:
            return Identity({"files of": region})

    dataset = Known()
    first, second = dataset.regions[:2]
    for asked, region in (("", first), (second, second), ("nowhere", first)):
        cell = TaskCell(EMBEDDED, HEAD, GivenPlace("none", region=asked), Tiny(), dataset=dataset)
        assert identify(cell).facts["learnt_from"]["files of"] == region


@pytest.mark.parametrize("thing", [None, 3, "steering"])
def test_a_fit_that_gives_no_steering_fails_its_cell_alone(toy: Any, thing: Any) -> None:
    base, failed = told(given(thing), toy)
    scores(base)
    assert "not a Steering" in failed.outcome.message  # type: ignore[union-attr]


def test_the_board_holds_a_run_against_the_model_as_it_is_and_against_its_control(
    toy: Any, tmp_path: Path
) -> None:
    turned = Steering({"attention.1": Addition(-2 * VECTOR)})
    brain, control = given(STEERING, role="brain"), given(turned, name="turned")
    base, steered = told(brain, toy)
    _, held_to = told(control, toy)
    with Leaderboard(tmp_path / "b.db") as store:
        for record in (base, steered, held_to):
            store.add(record)
        rows = {row["fingerprint"]: row for row in store.task_standings()}
    row = rows[steered.fingerprint]
    for key, other in (("against_base", base), ("against_control", held_to)):
        paired, found = compare(scores(other), scores(steered)), row[key]
        assert found["fingerprint"] == other.fingerprint
        assert found["difference"] == paired.difference
        assert (found["gain"], found["harm"]) == (paired.gain, paired.harm)
        assert (found["low"], found["mcnemar_p"]) == pytest.approx((paired.interval.low, paired.items.p))
    assert (row["against_control"]["control"], row["against_control"]["controls"]) == ("turned", 1)
    assert (row["role"], row["oracle"], row["seen"], row["unranked"]) == ("brain", 0, 0, [])
    assert row["rank"] is not None
