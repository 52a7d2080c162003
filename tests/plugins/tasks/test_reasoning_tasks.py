"""The registered tasks: balance, orders, words, and that what they are known by decides what they ask."""

import functools
import json
from collections import Counter
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import pytest

from brainbench import problem_words
from brainbench.identity import canonical
from brainbench.problem_words import Vocabulary
from brainbench.progress import SilentReporter
from brainbench.testing import check_task
from brainbench_tasks.deduction_tasks import (
    TASKS,
    AuthorsDeduction,
    GeneratedDeduction,
    PropositionalDeduction,
    ScannerItems,
)
from brainbench_tasks.task_documents import Document, data_hash, first_word_is_right
from brainbench_tasks.task_words import VOCABULARIES

BY_NAME = {task.name: task for task in TASKS}
# Raise a task's version (or GENERATOR, FORMAT, PROMPT_VERSION) whenever one of these has to change.
HASHES = {
    "deduction_3": "d8de605b8717f1b014c9c95d320f9907c591591c24dcc953081fbdb9a28aa415",
    "deduction_4": "d3cf869661d1e450896f888d194899f2a90a04bd56434b44a5f32dfcb73bbe8f",
    "deduction_5": "8def0442368b4551d9a2a07dad89f989317389efcb2ef7c5de0c0ee41bcc09af",
    "deduction_6": "379eef62a305602f0293456d5111f19a1a20f1111d2577e238f5a315ad4f654f",
    "deduction_propositional": "ff42bab38cf5479d7e4576d348e1ef86badaa392cebf8ea66bc33bc3edf6f702",
}


def words_of(vocabulary: Vocabulary) -> set[str]:
    sorts = (vocabulary.names, vocabulary.comparatives, vocabulary.kinds, vocabulary.adjectives)
    found = [word for sort in sorts for word in sort]
    assert len(set(found)) == len(found)
    return set(found)


@functools.cache
def documents(name: str) -> tuple[Document, ...]:
    task = BY_NAME[name]
    assert isinstance(task, GeneratedDeduction | PropositionalDeduction | ScannerItems | AuthorsDeduction)
    return task.documents()


def test_the_splits_share_no_word_with_each_other_nor_with_the_embedded_model() -> None:
    known = words_of(problem_words.WORDS)
    for one, other in combinations(VOCABULARIES.values(), 2):
        assert not words_of(one) & words_of(other)
    for vocabulary in VOCABULARIES.values():
        assert not words_of(vocabulary) & known


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_a_task_keeps_its_promises_and_is_known_by_more_than_its_name(task: object) -> None:
    check_task(task)  # type: ignore[arg-type] # what plugins register
    identity = task.identity()  # type: ignore[attr-defined] # each of ours has one
    assert identity.resolved or task.name == "folio"  # type: ignore[attr-defined] # known by its file
    assert canonical(dict(identity.facts)) == canonical(dict(task.identity().facts))  # type: ignore[attr-defined]


@pytest.mark.parametrize("first", [2, 4, 6, 12, 16, 40])
def test_any_first_part_of_the_problems_is_of_both_kinds_and_answers(first: int) -> None:
    by_group = {d["group"]: d for d in documents("deduction_3")}
    part = list(by_group.values())[:first]
    kinds = [d["type"] for d in part]
    assert kinds.count("syllogism") == kinds.count("transitive") == first // 2
    if first % 4 == 0:
        answers = [d["answer"] for d in part]
        assert answers.count("True") == answers.count("False") == first // 2


@pytest.mark.parametrize(
    ("name", "problems", "items"),
    [
        ("deduction_3", 1600, 9600),
        ("deduction_4", 400, 9600),
        ("deduction_5", 80, 9600),
        ("deduction_6", 80, 9600),
        ("deduction_propositional", 600, 1200),
        ("deduction_3_tiny", 800, 4800),
    ],
)
def test_items_are_balanced_over_answers_and_subtypes(name: str, problems: int, items: int) -> None:
    made = documents(name)
    assert len(made) == len({found["id"] for found in made}) == items
    assert len({found["group"] for found in made}) == problems
    assert set(Counter(found["answer"] for found in made).values()) == {items // 2}
    assert len(set(Counter((found["type"], found["subtype"]) for found in made).values())) == 1
    assert all(found["choices"][found["label"]] == found["answer"] for found in made)
    first = list(dict.fromkeys(found["group"] for found in made))[:48]
    kinds = Counter(found["answer"] for found in made if found["group"] in first)
    assert kinds["True"] == kinds["False"]
    assert len({(found["text"], found["id"]) for found in made}) == items
    assert len({found["text"] for found in made}) == items


@pytest.mark.parametrize(
    ("name", "premises", "orders"),
    [("deduction_3", 3, 6), ("deduction_4", 4, 24), ("deduction_5", 5, 120), ("deduction_6", 6, 120)],
)
def test_each_problem_comes_in_its_orders_and_shows_all_premises(
    name: str, premises: int, orders: int
) -> None:
    by_group: dict[str, list[Document]] = {}
    for found in documents(name)[: orders * 16]:
        by_group.setdefault(found["group"], []).append(found)
    assert len(by_group) == 16
    for forms in by_group.values():
        blocks = [json.loads(form["messages"])[-1]["content"] for form in forms]
        lines = [block.splitlines()[1 : 1 + premises] for block in blocks]
        assert len({tuple(shown) for shown in lines}) == len({form["order"] for form in forms}) == orders
        assert len({frozenset(line.partition(". ")[2] for line in shown) for shown in lines}) == 1
        assert len({block.partition("Conclusion:")[2] for block in blocks}) == 1
        assert all(form["text"].count("\n") == premises + 5 for form in forms)
        assert ".." not in "".join(blocks)


def test_a_task_uses_the_words_of_its_split_alone() -> None:
    for split, vocabulary in VOCABULARIES.items():
        others = set().union(*(words_of(v) for s, v in VOCABULARIES.items() if s != split))
        task = GeneratedDeduction(each=10, split=split)
        assert task.name == ("deduction_3" if split == "test" else f"deduction_3_{split}")
        for found in (*task.documents(), *PropositionalDeduction(each=10, split=split).documents()):
            block = json.loads(found["messages"])[-1]["content"].replace(".", " ").replace(",", " ")
            used = set(block.split()) | {word.removesuffix("s") for word in block.split()}
            assert used & words_of(vocabulary)
            assert not used & others


def test_no_negation_gives_an_answer_away_in_propositional_problems() -> None:
    counts = Counter(
        (found["answer"], " not " in json.loads(found["messages"])[-1]["content"].splitlines()[-1])
        for found in documents("deduction_propositional")
    )
    right = max(counts["True", True], counts["False", True]) + max(
        counts["True", False], counts["False", False]
    )
    assert right / 1200 < 0.53


@pytest.mark.parametrize("name", HASHES)
def test_what_is_asked_changes_only_with_a_version(name: str) -> None:
    assert data_hash(documents(name)) == HASHES[name]


def test_another_seed_or_size_is_another_task_by_its_identity() -> None:
    task = GeneratedDeduction(each=2)
    for other in (
        replace(task, seed=1),
        replace(task, each=3),
        replace(task, orders=2),
        replace(task, tiny=True),
    ):
        assert other.identity() != task.identity()
        assert other.documents() != task.documents()
    assert replace(task, answering="generation").documents() == task.documents()
    assert replace(task, answering="generation").identity() != task.identity()


@pytest.mark.parametrize(
    ("said", "answer", "right"),
    [
        ("True", "True", True),
        (" true.", "True", True),
        ("\nFalse, for", "False", True),
        ("TRUE", "True", False),
        ("Truely", "True", False),
        ("The answer is True", "True", False),
        ("False", "True", False),
        ("", "False", False),
    ],
)
def test_the_first_word_generated_counts(said: str, answer: str, right: bool) -> None:
    assert first_word_is_right({"answer": answer}, [said]) == {"acc": float(right)}


@pytest.mark.real
def test_the_scanner_s_items_are_asked_as_features_are_read(mirror: Path) -> None:
    from brainbench_tasks.deduction import Deduction

    stimuli = Deduction().stimuli(SilentReporter())
    made = ScannerItems().documents()
    assert [found["id"] for found in made] == [stimulus.id for stimulus in stimuli]
    assert Counter(found["answer"] for found in made) == {"True": 46, "False": 24}
    for found, stimulus in zip(made, stimuli, strict=True):
        assert found["text"] == stimulus.text
        turns = [(turn["role"], turn["content"]) for turn in json.loads(found["messages"])]
        assert turns == [(turn.role, turn.content) for turn in stimulus.messages]
    people = ScannerItems().people(SilentReporter())
    assert people.items == tuple(found["id"] for found in made)


@pytest.mark.real
def test_the_authors_problems_come_in_six_orders(mirror: Path) -> None:
    made = AuthorsDeduction().documents()
    assert len(made) == 9600
    assert Counter(found["answer"] for found in made) == {"True": 4800, "False": 4800}
    assert not any(".." in found["text"] for found in made)
