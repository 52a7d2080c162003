"""The documents of generated deduction tasks by split, and what a validation set has to stay clear of."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from brainbench.problem_words import WORDS
from brainbench.problems import Problem
from brainbench_tasks.deduction_generated import (
    both_orders,
    chain_problems,
    in_orders,
    propositional_problems,
)
from brainbench_tasks.simulated import SimulatedDeduction
from brainbench_tasks.task_documents import Document, document
from brainbench_tasks.task_words import VOCABULARIES, Split

# In tiny's words there is one vocabulary for all: a validation set is made without the problems of a test
# that has so many times its problems.
TEST_TO_VALIDATION = 5


@lru_cache(maxsize=4)
def chain_documents(  # noqa: PLR0913, PLR0917 - the fields of GeneratedDeduction
    premises: int, each: int, orders: int | None, split: Split, tiny: bool, seed: int
) -> tuple[Document, ...]:
    """The items of a `GeneratedDeduction`, a problem's orders together."""
    if tiny:
        problems = tiny_problems(premises, each, split, seed)
    else:
        problems = chain_problems(premises, each, seed, VOCABULARIES[split])
    return tuple(document(asked) for asked in in_orders(problems, orders, seed))


def tiny_problems(premises: int, each: int, split: Split, seed: int) -> tuple[tuple[str, Problem], ...]:
    """Problems in tiny's words, with their names; only the test's may have a chain that is `taken`."""
    if split == "test":
        return chain_problems(premises, each, seed, WORDS, True)
    without = taken(premises, each, seed)
    return chain_problems(premises, each, f"{seed} {split}", WORDS, True, without)


@lru_cache(maxsize=4)
def taken(premises: int, each: int, seed: int) -> frozenset[str]:
    """Chains that are in the test beside a validation set of this size, or in a simulated experiment."""
    asked = chain_problems(premises, TEST_TO_VALIDATION * each, seed, WORDS, True)
    return frozenset(problem.chain for _, problem in asked) | simulated_chains()


def kept_clear_of() -> dict[str, Any]:
    """What `taken` follows from, beside generator and words, as plain JSON."""
    dataset = SimulatedDeduction()
    return {"test": TEST_TO_VALIDATION, "simulated": [dataset.version, dataset.seed]}


def simulated_chains() -> frozenset[str]:
    """Chains of what the made-up people of `simulated-deduction` and its presets were shown."""
    return SimulatedDeduction().chains  # all presets of a seed have the same stimuli


@lru_cache(maxsize=4)
def propositional_documents(each: int, split: Split, seed: int) -> tuple[Document, ...]:
    """The items of a `PropositionalDeduction`, the two orders of a problem together."""
    problems: Iterable[Any] = propositional_problems(each, seed, VOCABULARIES[split])
    return tuple(document(asked) for asked in both_orders(tuple(problems)))
