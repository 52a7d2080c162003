"""What is chosen on one set of problems and tested on another: the two have nothing in common."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from brainbench.cli.planning import find_tasks
from brainbench.errors import PluginError, UsageError
from brainbench.plugins import discover, load
from brainbench.problem_words import WORDS
from brainbench.problems import LinearOrder
from brainbench.testing import check_task
from brainbench_tasks.deduction_generated import chain_problems
from brainbench_tasks.deduction_splits import simulated_chains, taken
from brainbench_tasks.deduction_tasks import (
    TASKS,
    VALIDATION_TASKS,
    AuthorsDeduction,
    GeneratedDeduction,
    PropositionalDeduction,
    ScannerItems,
)
from brainbench_tasks.simulated import SimulatedDeduction
from brainbench_tasks.simulated_checks import PRESETS
from brainbench_tasks.task_documents import data_hash
from brainbench_tasks.task_words import VOCABULARIES

TINY = GeneratedDeduction(each=50, tiny=True)
# Raise a task's version (or GENERATOR, FORMAT, PROMPT_VERSION) whenever one of these has to change.
HASHES = {
    "deduction_3_validation": "727ac4a040b85e3cbf662b205a8f8feed26716a7e7d1bc839ae652a770646bdf",
    "deduction_6_validation": "a99b4866093415e0e795ce48201e625834a37ef2268e90ec7691e35f8970d8d5",
    "deduction_propositional_validation": "11ed54cbaca6b381a19f623e3c251c46ae766c2a553c87f1a7e16e72201c7083",
    "deduction_3_tiny_validation": "beebe4f465fc8a1f1e51f0e666e8d934077dbdbd6c7e8bb9253f4dc43b8ddfb0",
}


def block_of(document: dict[str, Any]) -> str:
    return str(json.loads(document["messages"])[-1]["content"])


def words_in(documents: Any) -> set[str]:
    text = " ".join(block_of(found) for found in documents)
    words = set(text.replace(".", " ").replace(",", " ").split())
    return words | {word.removesuffix("s") for word in words}


def chains_in(documents: Any) -> set[str]:
    """Read from the sentences alone: what a premise says first and last, strung together."""
    found = set()
    for document in documents:
        premises = [line.partition(". ")[2].rstrip(".") for line in block_of(document).splitlines()[1:4]]
        if document["type"] == "transitive":
            links = [(p.split()[0], p.split()[-1]) for p in premises]
        else:
            rules = [p.split() for p in premises if p.startswith("All ")]
            links = [(bare(one[1]), bare(one[-1])) for one in rules]
        start = next(one for one, _ in links if one not in {two for _, two in links})
        row = [start]
        while row[-1] in dict(links):
            row.append(dict(links)[row[-1]])
        found.add(" ".join(min(row, row[::-1])))
    return found


def bare(word: str) -> str:
    return word.removesuffix("s") if word.removesuffix("s") in WORDS.kinds else word


@pytest.mark.parametrize("task", VALIDATION_TASKS, ids=lambda task: task.name)
def test_each_is_a_task_of_its_own_balanced_and_known_by_what_it_follows_from(task: Any) -> None:
    check_task(task)
    assert task.identity().resolved
    assert task.validation() is None
    documents = task.documents()
    assert set(Counter(found["answer"] for found in documents).values()) == {len(documents) // 2}
    assert len(set(Counter((found["type"], found["subtype"]) for found in documents).values())) == 1
    assert len({found["text"] for found in documents}) == len(documents)


def test_the_names_say_what_they_are_for_and_the_sizes_are_the_paper_s() -> None:
    sizes = {task.name: len(task.documents()) for task in VALIDATION_TASKS}  # type: ignore[attr-defined]
    assert sizes == {
        "deduction_3_validation": 960,
        "deduction_3_validation_generated": 960,
        "deduction_4_validation": 960,
        "deduction_5_validation": 960,
        "deduction_6_validation": 960,
        "deduction_propositional_validation": 300,
        "deduction_3_tiny_validation": 960,
    }


@pytest.mark.parametrize(
    "test", [task for task in TASKS if not getattr(task, "tiny", False)], ids=lambda task: task.name
)
def test_what_is_chosen_is_chosen_in_the_words_of_validation_alone(test: Any) -> None:
    chosen_on = test.validation()
    assert chosen_on.identity() != test.identity()
    assert getattr(chosen_on, "answering", "likelihood") == getattr(test, "answering", "likelihood")
    used = words_in(chosen_on.documents())
    own = VOCABULARIES["validation"]
    for sort in ("names", "comparatives", "kinds", "adjectives"):
        assert not used & set(getattr(VOCABULARIES["test"], sort))
        assert not used & set(getattr(WORDS, sort))
    assert used & set(own.names)


@pytest.mark.real
def test_no_problem_of_the_scanner_or_of_the_authors_test_is_among_them(mirror: Path) -> None:
    for test in (ScannerItems(), AuthorsDeduction()):
        assert not {block_of(d) for d in test.documents()} & {
            block_of(d) for d in test.validation().documents()
        }


def test_in_tiny_s_words_no_problem_is_another_form_of_the_test_s_or_of_a_simulated_experiment_s() -> None:
    chosen_on = TINY.validation()
    assert chosen_on is not None
    validation, test = chains_in(chosen_on.documents()), chains_in(TINY.documents())
    assert len(validation) > 150
    assert len(test) > 780
    assert not validation & test
    assert not validation & simulated_chains()
    assert taken(3, chosen_on.each, 0) == test | simulated_chains()
    assert not test & simulated_chains()
    problems = chain_problems(3, 50, 0, WORDS, True)
    assert test == {problem.chain for _, problem in problems}


def test_a_problem_that_the_draw_would_give_is_left_out_when_it_is_taken() -> None:
    drawn = chain_problems(3, 2, "s", WORDS, True)
    without = frozenset({drawn[0][1].chain, drawn[5][1].chain})
    again = chain_problems(3, 2, "s", WORDS, True, without)
    assert not {problem.chain for _, problem in again} & without
    kept = {problem for _, problem in drawn if problem.chain not in without}
    assert kept <= {problem for _, problem in again}


def test_a_smaller_and_a_larger_test_have_validation_sets_apart_from_them_too() -> None:
    for test in (replace(TINY, each=3, seed=4), replace(TINY, each=11, seed=5)):
        chosen_on = test.validation()
        assert chosen_on is not None
        assert not chains_in(chosen_on.documents()) & chains_in(test.documents())


def test_a_mirror_image_and_an_antonym_have_the_same_chain() -> None:
    people = ("Ada", "Ben", "Cal", "Dan")
    order, mirror = LinearOrder(people, "taller"), LinearOrder(people[::-1], "shorter")
    assert order.ask(0, 3, False).chain == mirror.ask(3, 0, True).chain
    assert order.ask(0, 3, False).key != mirror.ask(3, 0, True).key
    other = LinearOrder(("Ada", "Cal", "Ben", "Dan"), "taller")
    assert other.ask(0, 3, False).chain != order.ask(0, 3, False).chain


def test_the_chains_kept_clear_of_are_those_that_the_simulated_people_were_shown() -> None:
    from brainbench.progress import SilentReporter

    for preset in PRESETS:
        stimuli = SimulatedDeduction(preset=preset).stimuli(SilentReporter())
        shown = [
            {"type": s.conditions["type"], "messages": json.dumps([{"content": s.content}])} for s in stimuli
        ]
        assert chains_in(shown) == simulated_chains()


@pytest.mark.parametrize("name", HASHES)
def test_what_is_asked_changes_only_with_a_version(name: str) -> None:
    (task,) = (task for task in VALIDATION_TASKS if task.name == name)
    assert data_hash(task.documents()) == HASHES[name]  # type: ignore[attr-defined]


def test_all_means_tests_and_a_validation_set_is_asked_by_name() -> None:
    catalog = load(discover())
    every = [task.name for task in find_tasks(catalog, ("all",))]
    assert set(every) >= {task.name for task in TASKS} - {"folio"}
    assert "folio" not in every  # it needs an account
    assert not [name for name in every if "validation" in name]
    named = [task.name for task in find_tasks(catalog, ("deduction_3_tiny_validation", "all"))]
    assert set(named) == {*every, "deduction_3_tiny_validation"}
    with pytest.raises(UsageError, match="no task"):
        find_tasks(catalog, ("deduction_7_validation",))


def test_a_task_that_is_its_own_validation_set_breaks_a_promise() -> None:
    class Own(GeneratedDeduction):
        def validation(self) -> GeneratedDeduction:
            return self

    with pytest.raises(PluginError, match="the task itself"):
        check_task(Own())
    assert PropositionalDeduction(split="validation").validation() is None
