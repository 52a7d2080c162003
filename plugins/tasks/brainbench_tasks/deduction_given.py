"""Tasks of problems that others made: those of the scanner, and those of the paper's authors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from brainbench.arrays import Behaviour
from brainbench.nouns import Identity, MethodCard, Reporter
from brainbench.progress import SilentReporter
from brainbench_tasks import task_cards
from brainbench_tasks.deduction import Deduction
from brainbench_tasks.deduction_authors import AUTHORS_FILE, author_problems
from brainbench_tasks.deduction_files import all_events
from brainbench_tasks.deduction_files import data_hash as hash_of_files
from brainbench_tasks.deduction_generated import in_orders
from brainbench_tasks.deduction_made import GeneratedDeduction
from brainbench_tasks.task_documents import (
    Answering,
    Document,
    configuration,
    described,
    document,
    ending,
    identity_of,
    manner,
)


@dataclass(frozen=True)
class ScannerItems:
    """The 70 problems of the dataset `deduction`, beside what ten people answered in the scanner."""

    answering: Answering = "likelihood"
    version: int = 1

    @property
    def name(self) -> str:
        """By how it is answered."""
        return f"deduction_items{ending(self.answering)}"

    @property
    def about(self) -> str:
        """What `brainbench list` says."""
        return f"the 70 problems that people solved in the scanner{manner(self.answering)}"

    @property
    def card(self) -> MethodCard:
        """What a reader must know of it."""
        return task_cards.scanner_items(self.about, self.answering)

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
        return identity_of(self, {"data": hash_of_files(all_events())})

    def validation(self) -> GeneratedDeduction:
        """The paper's design: generated problems in other words, answered alike."""
        return GeneratedDeduction(split="validation", each=10, answering=self.answering)

    def people(self, reporter: Reporter) -> Behaviour:
        """What the ten answered: no answer counts as wrong."""
        return Deduction().behaviour(reporter)

    def lm_eval_config(self) -> dict[str, Any]:
        """For lm-eval."""
        by, own = ("type", "subtype"), Deduction().name
        return configuration(self.name, self.version, by, self.answering, self.documents, items_of=own)


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
        return f"deduction_3_authors{ending(self.answering)}"

    @property
    def about(self) -> str:
        """What `brainbench list` says."""
        return f"the paper's 1600 problems of 3 premises in all orders{manner(self.answering)}"

    @property
    def card(self) -> MethodCard:
        """What a reader must know of it."""
        return task_cards.authors(self.about, self.answering)

    def documents(self) -> tuple[Document, ...]:
        """All items; fetches the authors' file where it is missing. Raises DataError."""
        return tuple(document(asked) for asked in in_orders(author_problems(SilentReporter()), None, 0))

    def identity(self) -> Identity:
        """Versions, and the hash of the authors' file; no network."""
        return identity_of(self, {"data": hash_of_files((AUTHORS_FILE,))})

    def validation(self) -> GeneratedDeduction:
        """Generated problems in other words, answered alike."""
        return GeneratedDeduction(split="validation", each=10, answering=self.answering)

    def lm_eval_config(self) -> dict[str, Any]:
        """For lm-eval."""
        by = ("type", "subtype", "order")
        return configuration(self.name, self.version, by, self.answering, self.documents)
