"""Deduction problems made to measure: linear orders and inclusions, with their answers.

The kinds of problem are those of the scanner (three premises; arXiv:2606.11893), generalised to any
number of premises; words and forms are brainbench's own. What datasets and tasks ask and what the embedded
model is trained on both come from here, from two halves that share no set of premises (`held_out`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Literal

from brainbench.errors import UsageError
from brainbench.problem_words import ADJECTIVES, KINDS, NAMES, WORDS, Vocabulary

Kind = Literal["syllogism", "transitive"]
KINDS_OF_PROBLEM: tuple[Kind, ...] = ("syllogism", "transitive")
MOST_PREMISES = min(len(NAMES) - 1, len(KINDS), len(ADJECTIVES))
EASY_FALSE = 1 / 6
HELD_OUT_SHARE = 8  # one set of premises in eight is for evaluation alone


def subtype_of(premises_needed: int, follows: bool, negated: bool) -> str:
    """A subtype's name: premises needed, whether the conclusion follows, whether it says "not"."""
    return f"{premises_needed}_{str(follows).lower()}_{'negate' if negated else 'affirm'}"


def problem_text(premises: Sequence[str], conclusion: str) -> str:
    """The form in which a problem is put to a model, in datasets, tasks and training alike."""
    numbered = "\n".join(f"{number}. {premise}." for number, premise in enumerate(premises, start=1))
    return f"Premises:\n{numbered}\nConclusion:\n{conclusion}."


@dataclass(frozen=True, slots=True)
class Problem:
    """Premises and a conclusion, without full stops.

    `follows`: every world that the premises allow grants the conclusion; `negated`: the conclusion says
    "not". `premises_needed`: how many premises lie on the way from the one to the other. `key` names the
    set of premises, whatever their order.
    """

    kind: Kind
    premises: tuple[str, ...]
    conclusion: str
    premises_needed: int
    follows: bool
    negated: bool
    key: str

    @property
    def subtype(self) -> str:
        """In the words of the scanner's dataset: "2_true_affirm", ..., "3_false_negate"."""
        return subtype_of(self.premises_needed, self.follows, self.negated)

    @property
    def held_out(self) -> bool:
        """Whether the premises belong to the half for evaluation, by a hash of their key.

        The key goes by words: a held-out linear order may be the mirror image, with the antonym, of one in
        the other half ("taller: A B C D" and "shorter: D C B A").
        """
        return hashlib.sha256(self.key.encode()).digest()[0] % HELD_OUT_SHARE == 0

    @property
    def chain(self) -> str:
        """Its terms or people in a row, whatever is said of them, the same read from either end.

        Problems without a chain in common are no other form of each other: neither the mirror image nor the
        antonym of a linear order, nor an inclusion with another name, fact or conclusion.
        """
        row = self.key.partition(": ")[2].split()
        return " ".join(min(row, row[::-1]))

    def reordered(self, order: Sequence[int]) -> Problem:
        """The same problem with its premises in this order (positions of all premises)."""
        if sorted(order) != list(range(len(self.premises))):
            raise UsageError(f"{tuple(order)} is no order of {len(self.premises)} premises.")
        return replace(self, premises=tuple(self.premises[at] for at in order))


@dataclass(frozen=True, slots=True)
class LinearOrder:
    """People in a row: names[0] is `comparative` than names[1], and so on."""

    names: tuple[str, ...]
    comparative: str

    def conclusions(self) -> tuple[Problem, ...]:
        """Every ordered pair of people, affirmed and negated."""
        places = range(len(self.names))
        return tuple(self.ask(a, b, n) for a in places for b in places if a != b for n in (False, True))

    def ask(self, subject: int, other: int, negated: bool) -> Problem:
        """Whether the person at place `subject` is [not] ...-er than the one at `other`."""
        pairs = zip(self.names, self.names[1:], strict=False)
        return Problem(
            "transitive",
            tuple(f"{one} is {self.comparative} than {two}" for one, two in pairs),
            f"{self.names[subject]} is {_not(negated)}{self.comparative} than {self.names[other]}",
            abs(subject - other),
            (subject < other) != negated,
            negated,
            f"{self.comparative}: {' '.join(self.names)}",
        )


@dataclass(frozen=True, slots=True)
class Inclusion:
    """Nested properties and one fact: whatever is terms[0] is terms[1], and so on; name is [not] terms[fact].

    A term is an adjective or, if it is one of `kinds`, an invented kind of thing.
    """

    name: str
    terms: tuple[str, ...]
    fact: int
    fact_negated: bool
    kinds: tuple[str, ...] = KINDS

    def conclusions(self) -> tuple[Problem, ...]:
        """Every property, affirmed and negated, except the fact itself."""
        places = range(len(self.terms))
        return tuple(self.ask(at, n) for at in places if at != self.fact for n in (False, True))

    def ask(self, at: int, negated: bool) -> Problem:
        """Whether name is [not] terms[at]: an affirmed fact reaches up the chain, a negated one down."""
        reached = at <= self.fact if self.fact_negated else at >= self.fact
        rules = zip(self.terms, self.terms[1:], strict=False)
        return Problem(
            "syllogism",
            (*(self._rule(one, two) for one, two in rules), self._says(self.fact, self.fact_negated)),
            self._says(at, negated),
            abs(at - self.fact) + 1,
            reached and negated == self.fact_negated,
            negated,
            f"{self.name}: {' '.join(self.terms)}",
        )

    def _says(self, at: int, negated: bool) -> str:
        article = "a " if self.terms[at] in self.kinds else ""
        return f"{self.name} is {_not(negated)}{article}{self.terms[at]}"

    def _rule(self, one: str, two: str) -> str:
        whatever = f"All {one}s" if one in self.kinds else f"All {one} things"
        return f"{whatever} are {two}{'s' if two in self.kinds else ''}"


def _not(negated: bool) -> str:
    return "not " if negated else ""


def random_structure(
    kind: Kind, premises: int, rng: Random, words: Vocabulary = WORDS
) -> LinearOrder | Inclusion:
    """A linear order or an inclusion with so many premises, of random words.

    Raises UsageError for fewer than two premises and for more than there are words.
    """
    if not 2 <= premises <= MOST_PREMISES:
        raise UsageError(
            f"A {kind} problem of {premises} premises cannot be made: ask for 2 to {MOST_PREMISES}."
        )
    if kind == "transitive":
        return LinearOrder(tuple(rng.sample(words.names, premises + 1)), rng.choice(words.comparatives))
    kinds, adjectives = (iter(rng.sample(sort, premises)) for sort in (words.kinds, words.adjectives))
    terms = tuple(next(kinds) if rng.random() < 0.5 else next(adjectives) for _ in range(premises))
    return Inclusion(rng.choice(words.names), terms, rng.randrange(premises), rng.random() < 0.5, words.kinds)


def subtypes(premises: int) -> tuple[str, ...]:
    """All subtypes that both kinds of problem have with so many premises: "2_true_affirm", ..."""
    return tuple(
        subtype_of(needed, follows, negated)
        for needed in range(2, premises + 1)
        for follows in (True, False)
        for negated in (False, True)
    )


def random_problem(  # noqa: PLR0913 - what a problem may be asked to be
    kind: Kind,
    rng: Random,
    *,
    premises: int = 3,
    subtype: str | None = None,
    held_out: bool | None = None,
    words: Vocabulary = WORDS,
) -> Problem:
    """A problem with its premises in logical order; of one subtype and one half if these are given.

    Without a subtype all conclusions of a random structure are equally likely. A "false" syllogism runs
    against its chain three times in four (what is fast need not be a trab) and denies what follows
    otherwise, so that neither the fact's negation nor the conclusion's gives the answer away. Raises
    UsageError for a subtype that no problem of so many premises has.
    """
    if subtype is not None and subtype not in subtypes(premises):
        raise UsageError(
            f"There is no subtype {subtype!r} of problems with {premises} premises: "
            f"choose one of {', '.join(subtypes(premises))}."
        )
    while True:
        made = rng.choice(random_structure(kind, premises, rng, words).conclusions())
        fits = subtype in (None, made.subtype) and held_out in (None, made.held_out)
        if fits and (subtype is None or made.follows or _hard(made) or rng.random() < EASY_FALSE):
            return made


def _hard(problem: Problem) -> bool:
    """A false conclusion that agrees with the fact in its negation: its direction alone is wrong."""
    fact = problem.premises[-1]
    return problem.kind == "transitive" or (" not " in fact) == problem.negated
