"""Steering along directions: learnt from brain responses (NARI), and the controls that it has to beat.

Xiao, Du & Lin (2026), "NARI" and its controls; shuffled-items, mean-pattern, other-person, label-probe,
language-only and everything held out are ours. All directions have the same places and the same length.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np

from brainbench import hookimpl
from brainbench.answers import Answers
from brainbench.hookspecs import Register
from brainbench.nouns import Intervention, MethodCard
from brainbench.records import Skip
from brainbench.steering import ANY_OTHER, Steering
from brainbench_interventions import cards, words
from brainbench_interventions.averages import average, shortest
from brainbench_interventions.directions import (
    Directions,
    by_type,
    difference_of_means,
    folds,
    label_probe,
    random_directions,
)
from brainbench_interventions.fitted import BOTH_WAYS, Fitted
from brainbench_interventions.material import Material
from brainbench_interventions.objective import Similarity
from brainbench_interventions.repair import Climbing, Repair, repairs
from brainbench_interventions.ridge_map import Array
from brainbench_interventions.targets import Source

Kind = Source | Literal["random-direction", "language-only", "label-probe"]
WORDLESS: tuple[Kind, ...] = ("random-direction", "language-only", "label-probe")
BRAINS: tuple[Kind, ...] = get_args(Source)


@dataclass(frozen=True, kw_only=True)
class Climbs(Fitted):
    """What is common to all that climbs towards patterns; see repair.Climbing for the parameters."""

    source: Kind = "own"
    similarity: Similarity = "cosine"
    intercept: bool = False
    radius: float = 10.0
    steps: int = 200
    blind_steps: int = 20
    consistent_only: bool = False

    @property
    def guided(self) -> bool:
        """Whether it is the method itself."""
        return self.source == "own"

    def cannot(self, material: Material, answers: Answers | None) -> str:
        """Why there is nothing to be fitted only where answers agree; empty where there is."""
        known = all(person.right is not None for person in material.people)
        if self.consistent_only and not (known and answers is not None):
            return "Whether the model and people agree on an item is not known."
        return ""

    def climbing(self) -> Climbing:
        """The parameters of the climb."""
        return Climbing(
            self.source,
            self.similarity,
            self.intercept,
            self.radius,
            self.steps,
            self.blind_steps,
            self.where,
            self.seed,
            self.consistent_only,
        )


@dataclass(frozen=True, kw_only=True)
class DirectionSteering(Climbs):
    """One direction per place and type of problem, or only per place; or, held out, such for each fold.

    per_type: each type of problem has its own, all others the mean of these. held_out: with so many folds,
    each item is steered by what was fitted without it and without its scan, as long as the spread: there is
    no strength to choose, because no other problem is steered; 0 fits on all items, for other problems.
    nearest, unit: how changes are averaged, see averages.
    """

    per_type: bool = True
    held_out: int = 0
    nearest: bool = False
    unit: bool = False

    @property
    def what(self) -> str:
        """What is done, and what that controls for."""
        return words.direction(self.source, self._form)

    @property
    def _form(self) -> str:
        return "held-out" if self.held_out else "type" if self.per_type else "joint"

    @property
    def card(self) -> MethodCard:
        """What a reader must know of it."""
        return cards.direction(self.source, self._form, self.about)

    def steer_with(self, material: Material, answers: Answers | None) -> Steering | Skip:
        """Fit once, or once for each fold."""
        labels = self.source in {"language-only", "label-probe"}
        if labels and material.labels is None:
            return Skip("The dataset's items have no right answers of True or False.")
        if reason := self.cannot(material, answers):
            return Skip(reason)
        asked = answers is not None and self.source in BRAINS
        seen = _sights(material, self.source, labels=labels or asked)
        facts = self.facts(material, model_asked=asked, held_out=bool(self.held_out))
        if self.held_out:
            return self.steering(self._held_out(material, answers), seen, facts, material.items)
        names, rows = self._rows(material, answers)
        if asked and not rows:
            return Skip("Nothing that the model gets wrong and people got right was repaired.")
        if self.per_type and material.key and len(material.kinds) > 1:
            return self.steering(rows, seen, facts, names, material.key)
        return self.steering({site: found[-1] for site, found in rows.items()}, seen, facts)

    def _held_out(self, material: Material, answers: Answers | None) -> dict[str, Array]:
        """Rows for all items, each from a fit on the other folds."""
        fold = folds(material.types, self.held_out, self.seed)
        rows = {site: np.zeros(states.shape) for site, states in material.states.items()}
        for number in range(self.held_out):
            names, found = self._rows(material.select(np.flatnonzero(fold != number)), answers)
            for item in np.flatnonzero(fold == number):
                kind = material.types[item]
                row = names.index(kind) if kind in names else -1
                for site, directions in found.items():
                    rows[site][item] = directions[row]
        return rows

    def _rows(self, material: Material, answers: Answers | None) -> tuple[tuple[str, ...], dict[str, Array]]:
        """Names of rows and the rows: one per type, and the last for all others; see by_type."""
        if not self.per_type or not material.key:
            names, rows = by_type({ANY_OTHER: self._directions(material, answers)}, material)
            return names[-1:], {site: found[-1:] for site, found in rows.items()}
        parts = {kind: material.select(material.of_type(kind)) for kind in material.kinds}
        return by_type({kind: self._directions(part, answers) for kind, part in parts.items()}, material)

    def _directions(self, material: Material, answers: Answers | None) -> Directions:
        if self.source == "random-direction":
            return random_directions(material, self.seed)
        if self.source in {"language-only", "label-probe"}:
            assert material.labels is not None
            fit = difference_of_means if self.source == "language-only" else label_probe
            return fit(material, material.labels)
        found = list(repairs(material, self.climbing(), answers))
        return average(found, nearest=self.nearest, unit=self.unit)


@dataclass(frozen=True, kw_only=True)
class OracleSteering(Climbs):
    """Each item by itself, told when it is right, with a person's scan of that very item: NARI.

    An item gets the shortest of the changes that made the model get it right, over people; items that the
    model gets right by itself, and those that nobody's responses repair, are left as they are. It stops at
    success: no strength is left to choose.
    """

    strengths: tuple[float, ...] = ()

    @property
    def what(self) -> str:
        """What is done, and what that controls for."""
        return words.direction(self.source, "oracle")

    @property
    def card(self) -> MethodCard:
        """What a reader must know of it."""
        return cards.direction(self.source, "oracle", self.about)

    def steer_with(self, material: Material, answers: Answers | None) -> Steering | Skip:
        """Repair what the model gets wrong."""
        if answers is None:
            return Skip(
                "The model cannot be asked for answers: it has no head, or the items no right answer."
            )
        if self.source in {"language-only", "label-probe"}:
            return Skip(f"There is no oracle by {self.source}.")
        if reason := self.cannot(material, answers):
            return Skip(reason)
        found = list(repairs(material, self.climbing(), answers))
        own: tuple[str, ...] = ("own label", "labels")
        if self.source in {"own", "other-person"}:
            own = ("own response", *own)
        seen = tuple(dict.fromkeys((*_sights(material, self.source, labels=True), *own)))
        facts = self.facts(material, targeted=_count(found, right=False), repaired=_count(found, right=True))
        nearest = shortest(found)
        if not nearest:
            return Skip("No item was repaired.")
        items = tuple(item for item in material.items if item in nearest)
        rows = {site: np.stack([nearest[item][site] for item in items]) for site in material.states}
        return self.steering(rows, seen, facts, items)


def _sights(material: Material, source: Kind, *, labels: bool) -> tuple[str, ...]:
    brain = source in BRAINS and source != "random-fmri"  # whose mean is real, has seen that mean
    behaviour = source not in {"language-only", "label-probe"} and any(
        person.right is not None for person in material.people
    )
    told = (("responses", brain), ("behaviour", behaviour and source in BRAINS), ("labels", labels))
    return tuple(sight for sight, seen in told if seen)


def _count(found: list[Repair], *, right: bool) -> dict[str, int]:
    """By person: how many items were to be repaired, or were."""
    counts: dict[str, int] = {}
    for repair in found:
        number = int(repair.kept().sum()) if right else len(repair.items)
        counts[repair.person] = counts.get(repair.person, 0) + number
    return counts


def built_in() -> tuple[Climbs, ...]:
    """Every one, by name: general, held out, and oracles (named nari) with as many tries each."""
    general = DirectionSteering(name="nari-general")
    controls = [replace(general, name=source, source=source) for source in BRAINS[1:]]
    either_way = replace(general, strengths=BOTH_WAYS)
    controls += [replace(either_way, name=source, source=source) for source in WORDLESS]
    joint = replace(general, name="nari-general-joint", per_type=False)
    without = replace(general, name="nari-heldout", held_out=5, strengths=())
    heldout = [replace(without, name=f"{name}-heldout", source=name) for name in _FITTED]
    oracle = OracleSteering(name="nari")
    tried: tuple[Kind, ...] = (*BRAINS[1:], "random-direction")
    oracles = [oracle, *(replace(oracle, name=f"nari-{source}", source=source) for source in tried)]
    return (general, joint, *controls, without, *heldout, *oracles)


_FITTED: tuple[Kind, ...] = ("mean-pattern", "shuffled-items", *WORDLESS)


@hookimpl
def register_interventions(register: Register[Intervention]) -> None:
    """Offer all of them."""
    for intervention in built_in():
        register(intervention)
