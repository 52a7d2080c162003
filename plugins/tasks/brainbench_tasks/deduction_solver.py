"""Proves whether a conclusion follows, by going through every world that the premises allow.

It reads the sentences themselves and knows nothing of how a problem was made, so that a label and its proof
are independent. Worlds are made of the problem's own terms: for people compared, each order of them in a
row; for inclusions, each set of properties that the one person may have; for propositions, each assignment
of true and false. (Ties need no worlds of their own: "not taller" follows just where "shorter" does.)
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import permutations, product

from brainbench.errors import UsageError

World = Mapping[str, int]
Claim = Callable[[World], bool]

_COMPARED = re.compile(r"(\w+) is (not )?(\w+) than (\w+)")
_RULE = re.compile(r"All (?:(\w+) things|(\w+)s) are (\w+)")
_CONDITIONAL = re.compile(r"If (.+), then (.+)")
_DISJUNCTION = re.compile(r"(.+?) or (.+?)(?:, or both)?")
_FACT = re.compile(r"(\w+) is (not )?(?:a )?(\w+)")


def follows(premises: Sequence[str], conclusion: str) -> bool:
    """Whether every world that the premises allow grants the conclusion (sentences without full stops).

    Raises UsageError for a sentence of no known form, and where no world is left: from premises that
    contradict each other anything follows, and a label would mean nothing.
    """
    claims, worlds = _read((*premises, conclusion))
    allowed = [world for world in worlds if all(claim(world) for claim in claims[:-1])]
    if not allowed:
        raise UsageError(f"The premises contradict each other: {'; '.join(premises)}.")
    return all(claims[-1](world) for world in allowed)


def _read(sentences: Sequence[str]) -> tuple[list[Claim], Iterator[World]]:
    """Each sentence as a test of a world, and all worlds."""
    if all(_COMPARED.fullmatch(sentence) for sentence in sentences):
        return _orders(sentences)
    if any(_CONDITIONAL.fullmatch(text) or " or " in text for text in sentences):
        return _assignments(sentences)
    return _inclusions(sentences)


def _orders(sentences: Sequence[str]) -> tuple[list[Claim], Iterator[World]]:
    found = [_COMPARED.findall(sentence)[0] for sentence in sentences]
    people = sorted({person for one, _, _, other in found for person in (one, other)})
    if len({comparative for _, _, comparative, _ in found}) != 1:
        raise UsageError(f"More than one comparative in: {'; '.join(sentences)}.")

    def claim(one: str, denied: str, other: str) -> Claim:
        return lambda place: (place[one] < place[other]) != bool(denied)

    worlds = ({person: at for at, person in enumerate(order)} for order in permutations(people))
    return [claim(one, denied, other) for one, denied, _, other in found], worlds


def _inclusions(sentences: Sequence[str]) -> tuple[list[Claim], Iterator[World]]:
    kinds = {kind for text in sentences if (rule := _RULE.fullmatch(text)) and (kind := rule[2])}
    kinds |= {word for text in sentences for word in re.findall(r" is (?:not )?a (\w+)$", text)}
    person: set[str] = set()
    properties: set[str] = set()

    def named(word: str) -> str:
        """A kind is the same one in the plural."""
        name = word[:-1] if word.endswith("s") and word[:-1] in kinds else word
        properties.add(name)
        return name

    def rule_of(one: str, two: str) -> Claim:
        return lambda has: not has[one] or bool(has[two])

    def fact_of(name: str, denied: str) -> Claim:
        return lambda has: bool(has[name]) != bool(denied)

    claims: list[Claim] = []
    for text in sentences:
        if rule := _RULE.fullmatch(text):
            claims.append(rule_of(named(rule[1] or rule[2]), named(rule[3])))
        elif fact := _FACT.fullmatch(text):
            person.add(fact[1])
            claims.append(fact_of(named(fact[3]), fact[2]))
        else:
            raise UsageError(f"No known form of sentence: {text!r}.")
    if len(person) != 1:
        raise UsageError(f"Not about one person: {'; '.join(sentences)}.")
    return claims, _truths(properties)


def _assignments(sentences: Sequence[str]) -> tuple[list[Claim], Iterator[World]]:
    atoms: set[str] = set()

    def literal(text: str) -> Claim:
        fact = _FACT.fullmatch(text)
        if fact is None:
            raise UsageError(f"No known form of sentence: {text!r}.")
        atom, denied = f"{fact[1]} {fact[3]}", bool(fact[2])
        atoms.add(atom)
        return lambda world: bool(world[atom]) != denied

    def implied(one: Claim, two: Claim) -> Claim:
        return lambda world: not one(world) or two(world)

    def either(one: Claim, two: Claim) -> Claim:
        return lambda world: one(world) or two(world)

    claims: list[Claim] = []
    for text in sentences:
        if pair := _CONDITIONAL.fullmatch(text):
            claims.append(implied(literal(pair[1]), literal(pair[2])))
        elif pair := _DISJUNCTION.fullmatch(text):
            claims.append(either(literal(pair[1]), literal(pair[2])))
        else:
            claims.append(literal(text))
    return claims, _truths(atoms)


def _truths(atoms: set[str]) -> Iterator[World]:
    names = sorted(atoms)
    return (dict(zip(names, values, strict=True)) for values in product((0, 1), repeat=len(names)))
