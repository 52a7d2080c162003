"""Tasks of problems that brainbench makes: of three to six premises, and of propositional logic."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, replace
from typing import Any

from brainbench.nouns import Identity, MethodCard
from brainbench.problem_words import WORDS, Vocabulary
from brainbench_tasks import task_cards
from brainbench_tasks.deduction_generated import GENERATOR
from brainbench_tasks.deduction_splits import (
    TEST_TO_VALIDATION,
    chain_documents,
    kept_clear_of,
    propositional_documents,
)
from brainbench_tasks.task_documents import (
    Answering,
    Document,
    configuration,
    ending,
    identity_of,
    manner,
)
from brainbench_tasks.task_words import VOCABULARIES, Split


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
        tiny = "_tiny" if self.tiny else ""
        return f"deduction_{self.premises}{tiny}{_of_split(self.split)}{ending(self.answering)}"

    @property
    def about(self) -> str:
        """What `brainbench list` says."""
        orders = "all" if self.orders is None else str(self.orders)
        words = f"words of the {self.split} split"
        if self.tiny:
            words = "held-out problems in brainbench/tiny's words"
            words += "" if self.split == "test" else f", none of them in the test: the {self.split} split"
        kinds = 2 * (8 if self.premises == 3 else 4) * self.each
        return (
            f"{kinds} generated problems of {self.premises} premises in {orders} orders; {words}"
            f"{manner(self.answering)}"
        )

    @property
    def card(self) -> MethodCard:
        """What a reader must know of it."""
        return task_cards.generated(self.about, self.answering, tiny=self.tiny)

    @property
    def only_by_name(self) -> bool:
        """Whether it is there to choose something on, and no test."""
        return self.split != "test"

    def validation(self) -> GeneratedDeduction | None:
        """Other problems of the same kinds, answered alike; with three premises the paper's design.

        With more, fewer orders of more problems: about as many items. The words are others; in tiny's words
        no problem is another form of one of the test's, nor of those of `simulated-deduction`.
        """
        if self.split != "test":
            return None
        if self.tiny:
            return replace(self, split="validation", each=-(-self.each // TEST_TO_VALIDATION))
        each, orders = (10, self.orders) if self.premises == 3 else (5, 24)
        return replace(self, split="validation", each=each, orders=orders)

    def documents(self) -> tuple[Document, ...]:
        """All items; a problem's orders stand together, and any first part of the problems is balanced."""
        return chain_documents(self.premises, self.each, self.orders, self.split, self.tiny, self.seed)

    def identity(self) -> Identity:
        """Parameters, versions and words: what the items follow from, so that none need be made."""
        origin = _origin(self, WORDS if self.tiny else VOCABULARIES[self.split])
        if self.tiny and self.split != "test":
            origin["without"] = kept_clear_of()
        return identity_of(self, origin)

    def lm_eval_config(self) -> dict[str, Any]:
        """For lm-eval."""
        by = ("type", "subtype", "order") if self.premises == 3 else ("type", "subtype")
        return configuration(self.name, self.version, by, self.answering, self.documents)


TINY_TEST = GeneratedDeduction(each=50, tiny=True)


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
        return f"deduction_propositional{_of_split(self.split)}"

    @property
    def about(self) -> str:
        """What `brainbench list` says."""
        return f"{6 * self.each} modus ponens, modus tollens, disjunctions; words of the {self.split} split"

    @property
    def card(self) -> MethodCard:
        """What a reader must know of it."""
        return task_cards.propositional(self.about)

    @property
    def only_by_name(self) -> bool:
        """Whether it is there to choose something on, and no test."""
        return self.split != "test"

    def validation(self) -> PropositionalDeduction | None:
        """Other problems of the same forms, in other words."""
        return replace(self, split="validation", each=25) if self.split == "test" else None

    def documents(self) -> tuple[Document, ...]:
        """All items, the two orders of a problem together."""
        return propositional_documents(self.each, self.split, self.seed)

    def identity(self) -> Identity:
        """Parameters, versions and words: what the items follow from, so that none need be made."""
        return identity_of(self, _origin(self, VOCABULARIES[self.split]))

    def lm_eval_config(self) -> dict[str, Any]:
        """For lm-eval."""
        return configuration(self.name, self.version, ("type", "subtype"), "likelihood", self.documents)


def _of_split(split: Split) -> str:
    return "" if split == "test" else f"_{split}"


def _origin(task: GeneratedDeduction | PropositionalDeduction, words: Vocabulary) -> dict[str, Any]:
    """What generated items follow from; a test holds that they do."""
    vocabulary = hashlib.sha256(repr(words).encode()).hexdigest()
    return {"generator": GENERATOR, "parameters": asdict(task), "words": vocabulary}
