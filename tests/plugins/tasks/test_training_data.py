"""What training needs from the deduction datasets: where it stops early, and more labelled problems."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import pytest

from brainbench.errors import UsageError
from brainbench.problem_words import WORDS
from brainbench.progress import SilentReporter
from brainbench.stimuli import Stimulus
from brainbench.training_data import more_problems_of, validation_of_dataset
from brainbench_tasks.deduction import Deduction
from brainbench_tasks.deduction_extra import (
    MOST,
    TURN,
    chains_elsewhere,
    extra_tiny_problems,
    tiny_validation,
)
from brainbench_tasks.deduction_generated import chain_problems
from brainbench_tasks.deduction_solver import follows
from brainbench_tasks.deduction_splits import tiny_problems
from brainbench_tasks.deduction_tasks import TASKS, VALIDATION_TASKS
from brainbench_tasks.simulated import SimulatedCreativity, SimulatedDeduction
from brainbench_tasks.simulated_checks import PRESETS
from brainbench_tasks.task_words import VOCABULARIES

QUIET = SilentReporter()
REGISTERED = {task.name: task for task in (*TASKS, *VALIDATION_TASKS)}
SIMULATED = SimulatedDeduction("guide")
DATASETS = (Deduction(), SIMULATED)


def sentences(content: str) -> tuple[list[str], str]:
    """Premises and conclusion as a reader finds them."""
    lines = content.splitlines()
    assert (lines[0], lines[-2]) == ("Premises:", "Conclusion:")
    return [re.sub(r"^\d\. |\.$", "", line) for line in lines[1:-2]], lines[-1].removesuffix(".")


def chain(content: str) -> str:
    """The people or properties that the premises string together, read from either end."""
    links: dict[str, str] = {}
    for premise in sentences(content)[0]:
        words = premise.split()
        if " than " in premise:
            links[words[0]] = words[-1]
        elif words[0] == "All":
            links[bare(words[1])] = bare(words[-1])
    (start,) = links.keys() - set(links.values())
    row = [start]
    while row[-1] in links:
        row.append(links[row[-1]])
    return " ".join(min(row, row[::-1]))


def bare(word: str) -> str:
    return word.removesuffix("s") if word.removesuffix("s") in WORDS.kinds else word


def contents(task: Any) -> list[str]:
    return [found["text"].partition("\n\n")[2].removesuffix("\nAnswer:") for found in task.documents()]


@pytest.mark.parametrize(
    ("dataset", "name"),
    [
        (Deduction(), "deduction_3_validation"),
        *((SimulatedDeduction(preset), "deduction_3_tiny_validation") for preset in PRESETS),
    ],
    ids=lambda found: getattr(found, "name", found),
)
def test_training_stops_early_on_the_paper_s_validation_set_in_all_six_orders(
    dataset: Any, name: str
) -> None:
    found = validation_of_dataset(dataset)
    assert found == REGISTERED[name]
    documents = found.documents()  # type: ignore[attr-defined]
    assert (len(documents), len({item["group"] for item in documents})) == (960, 160)
    assert set(Counter((item["type"], item["subtype"]) for item in documents).values()) == {10 * 6}


def test_no_simulated_problem_is_a_form_of_one_that_training_stops_by_or_is_tested_on() -> None:
    own = {chain(item.content) for item in SIMULATED.stimuli(QUIET)}
    assert len(own) > 60
    for name in ("deduction_3_tiny", "deduction_3_tiny_validation"):
        asked = {chain(content) for content in contents(REGISTERED[name])}
        assert len(asked) > 150
        assert not own & asked


def test_a_draw_that_shares_a_problem_with_the_validation_set_has_none() -> None:
    _, problem = tiny_problems(3, 10, "validation", 0)[5]
    assert tiny_validation(frozenset({problem.chain, "of its own"})) is None
    assert tiny_validation(frozenset({"of its own"})) == tiny_validation(SIMULATED.chains)
    assert SimulatedDeduction(seed=7).validation() is not None


def test_creativity_has_neither() -> None:
    assert validation_of_dataset(SimulatedCreativity()) is None
    assert more_problems_of(SimulatedCreativity(), 4, 0) is None


@pytest.mark.parametrize("dataset", DATASETS, ids=lambda dataset: dataset.name)
def test_every_label_of_more_problems_is_proved_and_they_are_asked_like_the_dataset_s_own(
    dataset: Any,
) -> None:
    made = dataset.more_problems(192, 1)
    assert len({item.id for item in made}) == len({item.content for item in made}) == 192
    own = SIMULATED.stimuli(QUIET)[0]
    orders = set()
    for item in made:
        premises, conclusion = sentences(item.content)
        assert follows(premises, conclusion) is item.conditions["label"], item.id
        assert item.conditions.keys() == own.conditions.keys()
        assert item.conditions["negated"] is (" not " in conclusion)
        assert [turn.role for turn in item.messages] == [turn.role for turn in own.messages]
        assert item.messages[-1].content == item.content
        orders.add(place_of_the_fact(premises))
    assert orders == {None, 0, 1, 2}  # premises come in many orders


def place_of_the_fact(premises: list[str]) -> int | None:
    """Of a syllogism: where the premise about the person stands."""
    places = [at for at, premise in enumerate(premises) if not premise.startswith("All ")]
    return places[0] if len(places) == 1 else None


@pytest.mark.parametrize("dataset", DATASETS, ids=lambda dataset: dataset.name)
def test_any_count_is_as_balanced_as_it_can_be_and_begins_a_larger_one(dataset: Any) -> None:
    whole = dataset.more_problems(48, 3)
    for count in range(49):
        made = dataset.more_problems(count, 3)
        assert made == whole[:count]
        for conditions, kinds in (
            (("type",), 2),
            (("label",), 2),
            (("subtype",), 8),
            (("type", "subtype"), 16),
        ):
            counts = Counter(tuple(item.conditions[name] for name in conditions) for item in made)
            assert len(counts) == min(count, kinds)
            assert max(counts.values(), default=0) - -(-count // kinds) == 0
    assert whole != dataset.more_problems(48, 4)
    assert not {item.id for item in whole} & {item.id for item in dataset.more_problems(48, 4)}


def test_for_real_people_they_are_in_the_words_of_training_alone() -> None:
    used = words_of(Deduction().more_problems(192, 0))
    own = VOCABULARIES["train"]
    for sort in ("names", "comparatives", "kinds", "adjectives"):
        for other in (VOCABULARIES["test"], VOCABULARIES["validation"], WORDS):
            assert not used & set(getattr(other, sort))
        assert len(used & set(getattr(own, sort))) > 10


def words_of(made: tuple[Stimulus, ...]) -> set[str]:
    words = set(" ".join(item.content for item in made).replace(".", " ").split())
    return words | {word.removesuffix("s") for word in words}


@pytest.mark.parametrize("seed", [0, 7])
def test_in_tiny_s_words_none_is_a_form_of_a_problem_met_elsewhere(seed: int) -> None:
    dataset = SimulatedDeduction(seed=seed)
    made = {chain(item.content) for item in dataset.more_problems(192, 0)}
    assert set(" ".join(made).split()) <= {*WORDS.names, *WORDS.kinds, *WORDS.adjectives}
    others = {chain(item.content) for item in SIMULATED.stimuli(QUIET)}
    for name in ("deduction_3_tiny", "deduction_3_tiny_validation"):
        others |= {chain(content) for content in contents(REGISTERED[name])}
    assert chains_elsewhere() == others
    assert not made & (others | {chain(item.content) for item in dataset.stimuli(QUIET)})


def test_what_the_draw_would_give_is_left_out_when_the_dataset_or_a_task_has_it() -> None:
    drawn = chain_problems(3, 1, "0 extra", WORDS, True)[1][1]
    assert drawn.chain in {chain(item.content) for item in SIMULATED.more_problems(16, 0)}
    without = extra_tiny_problems(16, 0, frozenset({drawn.chain}))
    assert drawn.chain not in {chain(item.content) for item in without}


@pytest.mark.parametrize("dataset", DATASETS, ids=lambda dataset: dataset.name)
@pytest.mark.parametrize("count", [-1, MOST + 1, 1.0, True, "4"])
def test_what_cannot_be_made_is_refused_with_what_can(dataset: Any, count: Any) -> None:
    with pytest.raises(UsageError) as caught:
        dataset.more_problems(count, 0)
    said = f"{caught.value.message} {caught.value.hint}"
    assert "whole number" in said if not isinstance(count, int) or count is True else f"to {MOST}" in said


def test_a_turn_has_every_kind_and_subtype_once() -> None:
    assert len(set(TURN)) == len(TURN) == 16


@pytest.mark.real
def test_none_is_a_problem_of_the_scanner(mirror: Any) -> None:
    own = {item.content for item in Deduction().stimuli(QUIET)}
    task = validation_of_dataset(Deduction())
    assert len(own) == 70
    assert not own & set(contents(task))
    made = more_problems_of(Deduction(), 192, 0)
    assert made is not None
    assert not words_of(made) & set(VOCABULARIES["test"].names)
