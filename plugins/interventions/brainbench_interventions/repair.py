"""Changes that draw a model's states towards people's responses, item by item and person by person.

Xiao, Du & Lin (2026), "NARI". For each type of problem and each person W is fitted on the type's items;
then every item that the model gets wrong and the person got right is changed until the model gets it right.
Without answers of the model, what the person got right is changed for a fixed number of steps.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from brainbench.answers import Answers
from brainbench.steering import Addition, Steering, Where
from brainbench_interventions.descent import CHECK_EVERY, Check, Climbed, Place, climb, spread
from brainbench_interventions.directions import stream
from brainbench_interventions.material import Material, Person
from brainbench_interventions.ridge_map import Array, Objective, RidgeMap, Similarity
from brainbench_interventions.targets import MAKE, Source

FEWEST = 3  # items of a type that a ridge regression is fitted on


@dataclass(frozen=True)
class Climbing:
    """How states are changed; the defaults are the paper's.

    radius: in spreads of states. steps: at most, while the model is asked; blind_steps: always, where not.
    source: whose patterns (see targets), or "random-direction", tried as often as the others are checked.
    consistent_only: W is fitted only on items that the model and the person both get right, or both wrong;
    the model has to be asked then.
    """

    source: Source | str = "own"
    similarity: Similarity = "cosine"
    intercept: bool = False
    radius: float = 10.0
    steps: int = 200
    blind_steps: int = 20
    where: Where = "last"
    seed: int = 0
    consistent_only: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Repair:
    """What one person's responses did to items of one type: changes (rows x width) of `items`.

    right: which the model then gets right; None where it was not asked.
    """

    person: str
    kind: str
    items: tuple[str, ...]
    changes: Mapping[str, Array]
    right: NDArray[np.bool_] | None

    def kept(self) -> NDArray[np.bool_]:
        """The rows to build on: successful ones, or all."""
        return np.ones(len(self.items), dtype=np.bool_) if self.right is None else self.right


class _Rows(NamedTuple):
    """Of a person's items: positions of those to be changed, and whether W is fitted on each."""

    chosen: NDArray[np.intp]
    fitted: NDArray[np.bool_]


def repairs(material: Material, how: Climbing, answers: Answers | None = None) -> Iterator[Repair]:
    """One for each type and person with something to change."""
    wrong = np.ones(len(material.items), dtype=np.bool_)
    if answers is not None:
        wrong = ~answers(Steering({}), material.items)
    for kind in material.kinds:
        rows = material.of_type(kind)
        part = material.select(rows)
        for person in part.people:
            right = np.ones(len(rows), dtype=np.bool_) if person.right is None else person.right
            chosen = np.flatnonzero((wrong[rows] & right)[person.present])  # among the person's items
            fitted = np.ones(len(person.present), dtype=np.bool_)
            if how.consistent_only:
                fitted = (wrong[rows] != right)[person.present]
            if len(chosen) and fitted.sum() >= FEWEST:
                repair = _repair(part, person, _Rows(chosen, fitted), how, answers)
                if repair is not None:
                    yield repair


def _repair(
    part: Material, person: Person, rows: _Rows, how: Climbing, answers: Answers | None
) -> Repair | None:
    chosen = rows.chosen
    items = tuple(part.items[row] for row in person.present[chosen])
    check = None if answers is None else _check(answers, items, how.where)
    if how.source == "random-direction":
        climbed = _wander(part, person, len(chosen), how, check)
    else:
        places = _places(part, person, rows, how)
        if places is None:
            return None
        climbed = climb(places, steps=how.blind_steps if check is None else how.steps, check=check)
    right = None if answers is None else climbed.right
    return Repair(person.id, part.types[0], items, climbed.changes, right)


def _places(part: Material, person: Person, rows: _Rows, how: Climbing) -> dict[str, Place] | None:
    """Each place's objective, with W of this person, this type and this place."""
    made = MAKE[how.source](part, person, stream(how.seed, how.source, person.id, part.types[0]))  # type: ignore[index]
    if made is None:
        return None
    responses, targets = made
    places = {}
    for site, all_states in part.states.items():
        states = all_states[person.present]
        ridge = RidgeMap.fit(states[rows.fitted], responses[rows.fitted])
        places[site] = Place(
            Objective.of(ridge, targets[rows.chosen], how.similarity, intercept=how.intercept),
            states[rows.chosen],
            rate=0.1 * float(np.abs(all_states).mean()),
            radius=how.radius * spread(all_states),
            items=len(states),
        )
    return places


def _wander(part: Material, person: Person, count: int, how: Climbing, check: Check | None) -> Climbed:
    """Random directions, drawn anew for every try, the last as long as the radius.

    As many tries as a climb is checked; the paper's control has a quarter of them.
    """
    rng = stream(how.seed, "random-direction", person.id, part.types[0])
    tries = -(-how.steps // CHECK_EVERY) if check is not None else 1
    changes = {site: np.zeros((count, states.shape[1])) for site, states in part.states.items()}
    taken, right = np.zeros(count, dtype=np.intp), np.zeros(count, dtype=np.bool_)
    for attempt in range(1, tries + 1):
        rows = np.flatnonzero(~right)
        if not len(rows):
            break
        for site, change in changes.items():
            drawn = rng.normal(size=change.shape)[rows]
            length = how.radius * spread(part.states[site]) * attempt / tries
            change[rows] = drawn * (length / np.linalg.norm(drawn, axis=1, keepdims=True))
        taken[rows] = attempt * CHECK_EVERY
        if check is not None:
            right[rows] = check({site: change[rows] for site, change in changes.items()}, rows)
    return Climbed(changes, taken, right)


def _check(answers: Answers, items: tuple[str, ...], where: Where) -> Check:
    def right(changes: Mapping[str, Array], rows: NDArray[np.intp]) -> NDArray[np.bool_]:
        asked = tuple(items[row] for row in rows)
        steering = Steering({site: Addition(change) for site, change in changes.items()}, where, asked)
        return answers(steering, asked)

    return right
