"""What plugins give for training is looked at: each broken promise is one sentence, from the kit too."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from brainbench.errors import PluginError
from brainbench.stimuli import Message, Stimulus
from brainbench.testing import check_dataset
from brainbench.training_data import more_problems_of, validation_of_dataset

Toy = dict[str, Any]


@dataclass(frozen=True)
class Asked:
    name: str = "asked"
    version: int = 1

    def lm_eval_config(self) -> dict[str, Any]:
        return {"task": self.name}


def problem(name: str, label: object = True, kind: str = "odd") -> Stimulus:
    conditions: Any = {"type": kind, "label": label}
    return Stimulus(name, (Message("user", f"new {name}"),), f"new {name}", f"new {name}", conditions)


def good(count: int, seed: int) -> tuple[Stimulus, ...]:
    return tuple(problem(f"extra-{seed}-{at}", at % 2 == 0) for at in range(count))


def offering(toy: Toy, more: Callable[[int, int], Any] = good, validation: object = None) -> Any:
    base: Any = toy["dataset"]

    class Offering(base):  # type: ignore[misc]
        def more_problems(self, count: int, seed: int) -> Any:
            return more(count, seed)

        def validation(self) -> object:
            return validation

    return Offering()


def test_a_dataset_need_not_offer_anything(toy: Toy) -> None:
    assert validation_of_dataset(toy["dataset"]()) is None
    assert more_problems_of(toy["dataset"](), 4, 0) is None
    assert validation_of_dataset(offering(toy)) is None


def test_what_is_offered_is_given_as_it_is(toy: Toy) -> None:
    dataset = offering(toy, validation=Asked())
    assert validation_of_dataset(dataset) == Asked()
    assert more_problems_of(dataset, 3, 7) == good(3, 7)
    check_dataset(dataset)


@pytest.mark.parametrize("validation", [Asked, "deduction_3", object()], ids=["class", "name", "object"])
def test_a_validation_that_is_no_task_is_named(toy: Toy, validation: object) -> None:
    dataset = offering(toy, validation=validation)
    with pytest.raises(PluginError, match=r"validation\(\) of dataset toy gave \w+, not a Task\.$"):
        validation_of_dataset(dataset)
    with pytest.raises(AssertionError, match="not a Task"):
        check_dataset(dataset)


def test_a_validation_task_without_a_plain_name_is_refused(toy: Toy) -> None:
    with pytest.raises(PluginError, match="no plain name"):
        validation_of_dataset(offering(toy, validation=Asked("two words")))


@pytest.mark.parametrize(
    ("spoil", "match"),
    [
        (list, r"more_problems\(5, 1\) of dataset toy gave list, not a tuple of Stimulus\.$"),
        (lambda made: (*made[:-1], made[-1].text), "not a tuple of Stimulus"),
        (lambda made: made[:-1], "gave 4 problems"),
        (lambda made: (*made[:-1], replace(made[-1], id=made[0].id)), "id 'extra-1-0' twice"),
        (lambda made: (*made[:-1], problem("i3")), "id 'i3' twice, or one that is the dataset's own"),
        (lambda made: (*made[:-1], replace(made[0], id="again")), "'again' is there twice"),
        (lambda made: (*made[:-1], problem("x", label=1)), "neither True nor False"),
        (lambda made: (*made[:-1], problem("x", kind="third")), "of no type that the dataset has"),
    ],
)
def test_problems_that_cannot_be_used_are_named(toy: Toy, spoil: Any, match: str) -> None:
    dataset = offering(toy, lambda count, seed: spoil(good(count, seed)))
    with pytest.raises(PluginError, match=match):
        more_problems_of(dataset, 5, 1)
    with pytest.raises(AssertionError, match=match):
        check_dataset(dataset)


def test_a_problem_of_the_dataset_under_another_id_is_noticed(toy: Toy) -> None:
    own = replace(toy["dataset"]().stimuli(None)[3], id="new", conditions={"type": "odd", "label": True})
    with pytest.raises(PluginError, match="one of the dataset's own"):
        more_problems_of(offering(toy, lambda count, seed: (own,)), 1, 0)


def test_the_kit_notices_problems_that_wander_or_know_no_seed(toy: Toy) -> None:
    calls: list[int] = []

    def wandering(count: int, seed: int) -> tuple[Stimulus, ...]:
        calls.append(seed)
        return good(count, len(calls))

    with pytest.raises(AssertionError, match="not repeatable"):
        check_dataset(offering(toy, wandering))
    with pytest.raises(AssertionError, match="the same for every seed"):
        check_dataset(offering(toy, lambda count, seed: good(count, 0)))
