"""The reasoning tasks: the scanner's own problems, generated ones in its design, and the paper's.

Each asks whether a conclusion follows: True or False. By default the likelier answer counts; a task named
"..._generated" lets the model write, as the paper did (arXiv:2606.11893), and takes the first word.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

from brainbench import hookimpl
from brainbench.arrays import Behaviour
from brainbench.hookspecs import Register
from brainbench.nouns import Identity, Reporter, Task
from brainbench.problem_words import WORDS, Vocabulary
from brainbench.progress import SilentReporter
from brainbench_tasks.deduction import Deduction
from brainbench_tasks.deduction_authors import AUTHORS_FILE, author_problems
from brainbench_tasks.deduction_files import all_events
from brainbench_tasks.deduction_files import data_hash as hash_of_files
from brainbench_tasks.deduction_generated import (
    GENERATOR,
    both_orders,
    chain_problems,
    in_orders,
    propositional_problems,
)
from brainbench_tasks.deduction_prompts import PROMPT_VERSION
from brainbench_tasks.task_documents import (
    FORMAT,
    Answering,
    Document,
    configuration,
    described,
    document,
)
from brainbench_tasks.task_words import VOCABULARIES, Split

BRAINBENCH_API = 1


@dataclass(frozen=True)
class GeneratedDeduction:
    """Syllogisms and transitive inferences, half of them true, each in many orders of its premises.

    each: problems of each kind and subtype. orders: how many orders of each problem's premises, drawn from
    all; None for all. tiny: held-out problems in the words that brainbench/tiny knows, instead of a split's.
    """

    premises: int = 3
    each: int = 100
    orders: int | None = None
    split: Split = "test"
    tiny: bool = False
    answering: Answering = "likelihood"
    seed: int = 0
    version: int = 1

    @property
    def name(self) -> str:
        """For example "deduction_3", "deduction_4_train", "deduction_3_tiny", "deduction_3_generated"."""
        split = "_tiny" if self.tiny else "" if self.split == "test" else f"_{self.split}"
        return f"deduction_{self.premises}{split}{_ending(self.answering)}"

    @property
    def about(self) -> str:
        """What `brainbench list` says."""
        orders = "all" if self.orders is None else str(self.orders)
        words = (
            "held-out problems in brainbench/tiny's words"
            if self.tiny
            else f"words of the {self.split} split"
        )
        kinds = 2 * (8 if self.premises == 3 else 4) * self.each
        return (
            f"{kinds} generated problems of {self.premises} premises in {orders} orders; {words}"
            f"{_manner(self.answering)}"
        )

    def documents(self) -> tuple[Document, ...]:
        """All items; a problem's orders stand together, and any first part of the problems is balanced."""
        return _chain_documents(self.premises, self.each, self.orders, self.split, self.tiny, self.seed)

    def identity(self) -> Identity:
        """Parameters, versions and words: what the items follow from, so that none need be made."""
        return _identity(self, _origin(self, WORDS if self.tiny else VOCABULARIES[self.split]))

    def lm_eval_config(self) -> dict[str, Any]:
        """For lm-eval."""
        by = ("type", "subtype", "order") if self.premises == 3 else ("type", "subtype")
        return configuration(self.name, self.version, by, self.answering, self.documents)


@dataclass(frozen=True)
class PropositionalDeduction:
    """Modus ponens, modus tollens and the elimination of a disjunction, half of them true, in both orders."""

    each: int = 100
    split: Split = "test"
    seed: int = 0
    version: int = 1

    @property
    def name(self) -> str:
        """With the split, unless that is the test's."""
        return "deduction_propositional" + ("" if self.split == "test" else f"_{self.split}")

    @property
    def about(self) -> str:
        """What `brainbench list` says."""
        return f"{6 * self.each} modus ponens, modus tollens, disjunctions; words of the {self.split} split"

    def documents(self) -> tuple[Document, ...]:
        """All items, the two orders of a problem together."""
        return _propositional_documents(self.each, self.split, self.seed)

    def identity(self) -> Identity:
        """Parameters, versions and words: what the items follow from, so that none need be made."""
        return _identity(self, _origin(self, VOCABULARIES[self.split]))

    def lm_eval_config(self) -> dict[str, Any]:
        """For lm-eval."""
        return configuration(self.name, self.version, ("type", "subtype"), "likelihood", self.documents)


@dataclass(frozen=True)
class ScannerItems:
    """The 70 problems of the dataset `deduction`, beside what ten people answered in the scanner."""

    answering: Answering = "likelihood"
    version: int = 1

    @property
    def name(self) -> str:
        """By how it is answered."""
        return f"deduction_items{_ending(self.answering)}"

    @property
    def about(self) -> str:
        """What `brainbench list` says."""
        return f"the 70 problems that people solved in the scanner{_manner(self.answering)}"

    def documents(self) -> tuple[Document, ...]:
        """The items in the order of the recordings; fetches what is missing. Raises DataError."""
        return tuple(
            described(
                item.id,
                item.id,
                item.messages,
                item.text,
                bool(item.conditions["label"]),
                {"type": str(item.conditions["type"]), "subtype": str(item.conditions["subtype"])},
            )
            for item in Deduction().stimuli(SilentReporter())
        )

    def identity(self) -> Identity:
        """Versions, and the hash of the events; no network."""
        return _identity(self, {"data": hash_of_files(all_events())})

    def people(self, reporter: Reporter) -> Behaviour:
        """What the ten answered: no answer counts as wrong."""
        return Deduction().behaviour(reporter)

    def lm_eval_config(self) -> dict[str, Any]:
        """For lm-eval."""
        return configuration(self.name, self.version, ("type", "subtype"), self.answering, self.documents)


@dataclass(frozen=True)
class AuthorsDeduction:
    """The paper's own 1,600 generated problems of three premises, in all six orders, in our prompts.

    Their sentences end in a full stop, to which their prompts add another; here each has one.
    """

    answering: Answering = "likelihood"
    version: int = 1

    @property
    def name(self) -> str:
        """By how it is answered."""
        return f"deduction_3_authors{_ending(self.answering)}"

    @property
    def about(self) -> str:
        """What `brainbench list` says."""
        return f"the paper's 1600 problems of 3 premises in all orders{_manner(self.answering)}"

    def documents(self) -> tuple[Document, ...]:
        """All items; fetches the authors' file where it is missing. Raises DataError."""
        return tuple(document(asked) for asked in in_orders(author_problems(SilentReporter()), None, 0))

    def identity(self) -> Identity:
        """Versions, and the hash of the authors' file; no network."""
        return _identity(self, {"data": hash_of_files((AUTHORS_FILE,))})

    def lm_eval_config(self) -> dict[str, Any]:
        """For lm-eval."""
        by = ("type", "subtype", "order")
        return configuration(self.name, self.version, by, self.answering, self.documents)


TASKS: tuple[Task, ...] = (
    ScannerItems(),
    ScannerItems("generation"),
    GeneratedDeduction(),
    GeneratedDeduction(answering="generation"),
    GeneratedDeduction(premises=4, each=50),
    GeneratedDeduction(premises=5, each=10),
    GeneratedDeduction(premises=6, each=10, orders=120),
    PropositionalDeduction(),
    GeneratedDeduction(each=50, tiny=True),
    AuthorsDeduction(),
    AuthorsDeduction("generation"),
)


@hookimpl
def register_tasks(register: Register[Task]) -> None:
    """Offer the tasks."""
    for task in TASKS:
        register(task)


def _ending(answering: Answering) -> str:
    return "_generated" if answering == "generation" else ""


def _manner(answering: Answering) -> str:
    return "; the first word generated" if answering == "generation" else ""


def _identity(task: Any, data: Mapping[str, Any]) -> Identity:
    facts = {"name": task.name, "version": task.version, "format": FORMAT, "prompt_version": PROMPT_VERSION}
    answering: Answering = getattr(task, "answering", "likelihood")
    return Identity({**facts, "answering": answering, **data})


def _origin(task: GeneratedDeduction | PropositionalDeduction, words: Vocabulary) -> dict[str, Any]:
    """What generated items follow from; a test holds that they do."""
    vocabulary = hashlib.sha256(repr(words).encode()).hexdigest()
    return {"generator": GENERATOR, "parameters": asdict(task), "words": vocabulary}


@lru_cache(maxsize=2)
def _chain_documents(  # noqa: PLR0913, PLR0917 - the fields of GeneratedDeduction
    premises: int, each: int, orders: int | None, split: Split, tiny: bool, seed: int
) -> tuple[Document, ...]:
    words, held_out = (WORDS, True) if tiny else (VOCABULARIES[split], None)
    problems = chain_problems(premises, each, seed, words, held_out)
    return tuple(document(asked) for asked in in_orders(problems, orders, seed))


@lru_cache(maxsize=2)
def _propositional_documents(each: int, split: Split, seed: int) -> tuple[Document, ...]:
    problems: Iterable[Any] = propositional_problems(each, seed, VOCABULARIES[split])
    return tuple(document(asked) for asked in both_orders(tuple(problems)))
