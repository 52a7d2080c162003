"""Steering along directions: learnt from brain responses (NARI), and the controls that it has to beat.

Xiao, Du & Lin (2026), "NARI" and its controls; shuffled-items, mean-pattern, other-person, label-probe,
language-only and everything held out are ours. All directions have the same places and the same length.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import numpy as np

from brainbench import hookimpl
from brainbench.answers import Answers
from brainbench.hookspecs import Register
from brainbench.nouns import Intervention
from brainbench.records import Skip
from brainbench.steering import Steering
from brainbench_interventions.directions import (
    Directions,
    difference_of_means,
    folds,
    label_probe,
    random_directions,
    to_spread,
)
from brainbench_interventions.fitted import Fitted
from brainbench_interventions.material import Material
from brainbench_interventions.repair import Climbing, Repair, average, repairs
from brainbench_interventions.ridge_map import Similarity
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
        )


@dataclass(frozen=True, kw_only=True)
class DirectionSteering(Climbs):
    """One direction per place, the same for every item; or held out, for each fold of items its own.

    held_out: with so many folds, each item is steered by what was fitted without it and without its scan;
    0 fits one direction on all items, meant for other problems.
    """

    held_out: int = 0

    def steer_with(self, material: Material, answers: Answers | None) -> Steering | Skip:
        """Fit once, or once for each fold."""
        labels = self.source in {"language-only", "label-probe"}
        if labels and material.labels is None:
            return Skip("The dataset's items have no right answers of True or False.")
        asked = answers is not None and self.source in BRAINS
        seen = _sights(material, self.source, labels=labels or asked)
        facts = self.facts(material, model_asked=asked)
        if not self.held_out:
            return self.steering(to_spread(self._directions(material, answers), material), seen, facts)
        fold = folds(material.types, self.held_out, self.seed)
        rows: dict[str, Any] = {site: np.zeros(states.shape) for site, states in material.states.items()}
        for number in range(self.held_out):
            rest = material.select(np.flatnonzero(fold != number))
            for site, direction in to_spread(self._directions(rest, answers), rest).items():
                rows[site][fold == number] = direction
        return self.steering(rows, seen, facts, material.items)

    def _directions(self, material: Material, answers: Answers | None) -> Directions:
        if self.source == "random-direction":
            return random_directions(material, self.seed)
        if self.source in {"language-only", "label-probe"}:
            assert material.labels is not None
            fit = difference_of_means if self.source == "language-only" else label_probe
            return fit(material, material.labels)
        return average(list(repairs(material, self.climbing(), answers)))


@dataclass(frozen=True, kw_only=True)
class OracleSteering(Climbs):
    """Each item by itself, told when it is right, with a person's scan of that very item: NARI.

    An item gets the shortest of the changes that made the model get it right, over people; items that the
    model gets right by itself, and those that nobody's responses repair, are left as they are. With
    source "language-only" an item is pushed towards its right answer by the difference of means.
    """

    def steer_with(self, material: Material, answers: Answers | None) -> Steering | Skip:
        """Repair what the model gets wrong."""
        if answers is None:
            return Skip(
                "The model cannot be asked for answers: it has no head, or the items no right answer."
            )
        if self.source in {"language-only", "label-probe"}:
            return Skip(f"There is no oracle by {self.source}.")
        found = list(repairs(material, self.climbing(), answers))
        own: tuple[str, ...] = ("own label", "labels")
        if self.source in {"own", "other-person"}:
            own = ("own response", *own)
        seen = tuple(dict.fromkeys((*_sights(material, self.source, labels=True), *own)))
        facts = self.facts(material, targeted=_count(found, right=False), repaired=_count(found, right=True))
        nearest = _nearest(found)
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


def _nearest(found: list[Repair]) -> dict[str, dict[str, Any]]:
    """Of each repaired item the shortest change, by the mean of its lengths over places."""
    nearest: dict[str, tuple[float, dict[str, Any]]] = {}
    for repair in found:
        for row in np.flatnonzero(repair.kept()):
            change = {site: rows[row] for site, rows in repair.changes.items()}
            length = float(np.mean([np.linalg.norm(vector) for vector in change.values()]))
            if length < nearest.get(repair.items[row], (np.inf,))[0]:
                nearest[repair.items[row]] = (length, change)
    return {item: change for item, (_, change) in nearest.items()}


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
    controls = [replace(general, name=source, source=source) for source in (*BRAINS[1:], *WORDLESS)]
    heldout = [replace(general, name="nari-heldout", held_out=5)]
    heldout += [replace(c, name=f"{c.name}-heldout", held_out=5) for c in controls if c.source in _FITTED]
    oracle = OracleSteering(name="nari")
    tried: tuple[Kind, ...] = (*BRAINS[1:], "random-direction")
    oracles = [oracle, *(replace(oracle, name=f"nari-{source}", source=source) for source in tried)]
    return (general, *controls, *heldout, *oracles)


_FITTED = {"language-only", "shuffled-items", "mean-pattern"}


@hookimpl
def register_interventions(register: Register[Intervention]) -> None:
    """Offer all of them."""
    for intervention in built_in():
        register(intervention)
