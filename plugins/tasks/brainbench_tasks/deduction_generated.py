"""Generated deduction problems: balanced over subtypes, seeded, in many orders of their premises.

The design is that of arXiv:2606.11893 (its test sets of 3 to 6 premises and of propositional problems);
words, forms and generator are brainbench's own, and all premises are always shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import permutations
from math import factorial
from random import Random

from brainbench.problem_words import WORDS, Vocabulary
from brainbench.problems import KINDS_OF_PROBLEM, Problem, random_problem, subtype_of

GENERATOR = 1  # raised whenever the same seed would give other problems
FORMS = ("modus_ponens", "modus_tollens", "disjunction_elimination")


@dataclass(frozen=True, slots=True)
class Asked:
    """A problem in one order of its premises. `group` names the problem, `order` the premises' places."""

    group: str
    kind: str
    subtype: str
    premises: tuple[str, ...]
    conclusion: str
    follows: bool
    order: tuple[int, ...]

    @property
    def id(self) -> str:
        """The problem's name and the order, counted from 1: "transitive-3_true_affirm-07:312"."""
        return f"{self.group}:{''.join(str(place + 1) for place in self.order)}"


def subtypes_asked(premises: int) -> tuple[str, ...]:
    """Eight subtypes of problems with three premises, which need two or three of them; with more, four.

    Of more than three premises all are needed, so that none can be left unread.
    """
    needed = (2, 3) if premises == 3 else (premises,)
    return tuple(
        subtype_of(count, follows, negated)
        for count in needed
        for negated in (False, True)
        for follows in (True, False)
    )


@lru_cache(maxsize=8)
def chain_problems(  # noqa: PLR0913, PLR0917 - all that problems follow from
    premises: int,
    each: int,
    seed: int | str,
    words: Vocabulary = WORDS,
    held_out: bool | None = None,
    without: frozenset[str] = frozenset(),
) -> tuple[tuple[str, Problem], ...]:
    """`each` different problems of each kind and subtype, with names, in turn: any first part is balanced.

    `held_out` as in `random_problem`: only there it says something, where `brainbench/tiny` learnt from the
    other half. None has a chain (`Problem.chain`) that is among `without`.
    """
    lists = []
    for subtype in subtypes_asked(premises):
        for kind in KINDS_OF_PROBLEM:  # in turn, so that a few problems are of both kinds
            rng = Random(f"{GENERATOR} {seed} {kind} {premises} {subtype}")
            found: dict[tuple[str, str], Problem] = {}
            while len(found) < each:
                made = random_problem(
                    kind, rng, premises=premises, subtype=subtype, held_out=held_out, words=words
                )
                if made.chain not in without:
                    found.setdefault((made.key, made.conclusion), made)
            lists.append([(f"{kind}-{subtype}-{at:03d}", p) for at, p in enumerate(found.values(), start=1)])
    return tuple(named for turn in zip(*lists, strict=True) for named in turn)


@lru_cache(maxsize=8)
def propositional_problems(each: int, seed: int, words: Vocabulary = WORDS) -> tuple[tuple[str, Asked], ...]:
    """`each` different problems of each form and answer, with names, in turn.

    A false one asks, one time in two, for the opposite of what follows, and otherwise for what nothing says
    (from the consequent to the antecedent, say). Each statement may itself be negated, so that a "not" in
    the conclusion gives nothing away.
    """
    lists = []
    for form in FORMS:
        for truth in (True, False):
            rng = Random(f"{GENERATOR} {seed} {form} {truth}")
            found: dict[tuple[tuple[str, ...], str], Asked] = {}
            while len(found) < each:
                made = _propositional(form, truth, rng, words)
                found.setdefault((made.premises, made.conclusion), made)
            lists.append(
                [replace(a, group=f"{a.subtype}-{at:03d}") for at, a in enumerate(found.values(), 1)]
            )
    return tuple((asked.group, asked) for turn in zip(*lists, strict=True) for asked in turn)


def in_orders(named: Sequence[tuple[str, Problem]], most: int | None, seed: int) -> Iterator[Asked]:
    """Each problem in all orders of its premises or, where there are more, in `most` drawn for it."""
    for group, problem in named:
        for order in _orders(len(problem.premises), most, f"{seed} {group}"):
            turned = problem.reordered(order)
            yield Asked(
                group,
                problem.kind,
                problem.subtype,
                turned.premises,
                turned.conclusion,
                problem.follows,
                order,
            )


def both_orders(named: Sequence[tuple[str, Asked]]) -> Iterator[Asked]:
    """Each propositional problem with its two premises in both orders."""
    for _, asked in named:
        yield asked
        yield replace(asked, premises=asked.premises[::-1], order=asked.order[::-1])


def _orders(premises: int, most: int | None, key: str) -> Sequence[tuple[int, ...]]:
    places = range(premises)
    if most is None or most >= factorial(premises):
        return list(permutations(places))
    rng, drawn = Random(key), dict[tuple[int, ...], None]()
    while len(drawn) < most:
        drawn.setdefault(tuple(rng.sample(places, premises)))
    return list(drawn)


def _propositional(form: str, truth: bool, rng: Random, words: Vocabulary) -> Asked:
    people, qualities = rng.sample(words.names, 2), rng.sample(words.adjectives, 2)
    p, q = (
        (f"{name} is", quality, rng.random() < 0.5) for name, quality in zip(people, qualities, strict=True)
    )
    opposite = rng.random() < 0.5
    if form == "disjunction_elimination":
        link = f"{_say(p)} or {_say(q)}, or both"
        fact, answer = (_not(p), q) if truth or opposite else (p, q)
    else:
        link = f"If {_say(p)}, then {_say(q)}"
        forward = (p, q) if form == "modus_ponens" else (_not(q), _not(p))
        fact, answer = forward if truth or opposite else forward[::-1]
    if not truth and opposite:
        answer = _not(answer)
    subtype = f"{form}_{str(truth).lower()}"
    return Asked("", "propositional", subtype, (link, _say(fact)), _say(answer), truth, (0, 1))


_Statement = tuple[str, str, bool]


def _not(statement: _Statement) -> _Statement:
    start, quality, negated = statement
    return start, quality, not negated


def _say(statement: _Statement) -> str:
    start, quality, negated = statement
    return f"{start} {'not ' if negated else ''}{quality}"
