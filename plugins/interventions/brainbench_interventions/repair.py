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
from brainbench_interventions.objective import Objective, Similarity
from brainbench_interventions.ridge_map import Array, RidgeMap
from brainbench_interventions.targets import MAKE, Source

FEWEST = 3  # items of a type that a ridge regression is fitted on
ROW = "row"  # what a steering calls its rows where the same item stands in many


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


class _Job(NamedTuple):
    """Of a person's items: positions of those to be changed, and whether W is fitted on each."""

    person: Person
    chosen: NDArray[np.intp]
    fitted: NDArray[np.bool_]

    @property
    def items(self) -> NDArray[np.intp]:
        """The items to be changed, by their positions among all of the type."""
        return self.person.present[self.chosen]


def repairs(material: Material, how: Climbing, answers: Answers | None = None) -> Iterator[Repair]:
    """One for each type and person with something to change; all people of a type climb together."""
    wrong = np.ones(len(material.items), dtype=np.bool_)
    if answers is not None:
        wrong = ~answers(Steering({}), material.items)
    for kind in material.kinds:
        rows = material.of_type(kind)
        part = material.select(rows)
        yield from _repaired(part, list(_jobs(part, wrong[rows], how)), how, answers)


def _jobs(part: Material, wrong: NDArray[np.bool_], how: Climbing) -> Iterator[_Job]:
    """What there is to do for each person, of a type's items of which the model gets `wrong` ones wrong."""
    for person in part.people:
        right = np.ones(len(wrong), dtype=np.bool_) if person.right is None else person.right
        chosen = np.flatnonzero((wrong & right)[person.present])  # among the person's items
        fitted = np.ones(len(person.present), dtype=np.bool_)
        if how.consistent_only:
            fitted = (wrong != right)[person.present]
        if len(chosen) and fitted.sum() >= FEWEST:
            yield _Job(person, chosen, fitted)


def _repaired(part: Material, jobs: list[_Job], how: Climbing, answers: Answers | None) -> Iterator[Repair]:
    """The repairs of one type: the rows of all people stand one below the other."""
    places: dict[str, Place] = {}
    if how.source != "random-direction":
        jobs, places = _places(part, jobs, how)
    if not jobs:
        return
    items = tuple(part.items[row] for job in jobs for row in job.items)
    check = None if answers is None else _check(answers, items, how.where)
    if how.source == "random-direction":
        climbed = _wander(part, jobs, how, check)
    else:
        climbed = climb(places, steps=how.blind_steps if check is None else how.steps, check=check)
    for job, rows in zip(jobs, _slices(jobs), strict=True):
        changes = {site: change[rows] for site, change in climbed.changes.items()}
        right = None if answers is None else climbed.right[rows]
        yield Repair(job.person.id, part.types[0], items[rows], changes, right)


def _slices(jobs: list[_Job]) -> Iterator[slice]:
    """Which of all rows are each job's."""
    ends = np.cumsum([len(job.chosen) for job in jobs])
    return (slice(int(end) - len(job.chosen), int(end)) for job, end in zip(jobs, ends, strict=True))


def _places(part: Material, jobs: list[_Job], how: Climbing) -> tuple[list[_Job], dict[str, Place]]:
    """Each place's objective, with one W for each person; and the jobs whose patterns could be made."""
    centred = {site: states - states.mean(axis=0) for site, states in part.states.items()}
    objectives: dict[str, list[Objective]] = {site: [] for site in centred}
    done: list[_Job] = []
    for job in jobs:
        rng = stream(how.seed, how.source, job.person.id, part.types[0])
        made = MAKE[how.source](part, job.person, rng)  # type: ignore[index]
        if made is None:
            continue
        done.append(job)
        responses, targets = made
        known = job.person.present[job.fitted]
        for site, states in part.states.items():
            ridge = RidgeMap.fit(states[known], responses[job.fitted]).within(centred[site], known)
            found = Objective.of(ridge, targets[job.chosen], how.similarity, intercept=how.intercept)
            objectives[site].append(found)
    if not done:
        return done, {}
    rows = np.concatenate([job.items for job in done])
    items = np.repeat([len(job.person.present) for job in done], [len(job.chosen) for job in done])
    places = {
        site: Place(
            Objective.joined(objectives[site]),
            states[rows],
            rate=0.1 * float(np.abs(states).mean()),
            radius=how.radius * spread(states),
            items=items,
        )
        for site, states in part.states.items()
    }
    return done, places


def _wander(part: Material, jobs: list[_Job], how: Climbing, check: Check | None) -> Climbed:
    """Random directions, drawn anew for every try, the last as long as the radius.

    As many tries as a climb is checked; the paper's control has a quarter of them. Each person has random
    numbers of its own, whoever else there is.
    """
    own = list(_slices(jobs))
    streams = [stream(how.seed, "random-direction", job.person.id, part.types[0]) for job in jobs]
    count, tries = own[-1].stop, -(-how.steps // CHECK_EVERY) if check is not None else 1
    changes = {site: np.zeros((count, states.shape[1])) for site, states in part.states.items()}
    taken, right = np.zeros(count, dtype=np.intp), np.zeros(count, dtype=np.bool_)
    for attempt in range(1, tries + 1):
        rows = np.flatnonzero(~right)
        if not len(rows):
            break
        for site, change in changes.items():
            shapes = [change[slots].shape for slots in own]
            drawn = np.vstack([rng.normal(size=s) for rng, s in zip(streams, shapes, strict=True)])[rows]
            length = how.radius * spread(part.states[site]) * attempt / tries
            change[rows] = drawn * (length / np.linalg.norm(drawn, axis=1, keepdims=True))
        taken[rows] = attempt * CHECK_EVERY
        if check is not None:
            right[rows] = check({site: change[rows] for site, change in changes.items()}, rows)
    return Climbed(changes, taken, right)


def _check(answers: Answers, items: tuple[str, ...], where: Where) -> Check:
    """Asks each row's item, steered by that row alone: one item may stand in many rows."""

    def right(changes: Mapping[str, Array], rows: NDArray[np.intp]) -> NDArray[np.bool_]:
        names = tuple(str(row) for row in rows)
        additions = {site: Addition(change) for site, change in changes.items()}
        steering = Steering(additions, where, names, key=ROW)
        return answers(steering, [items[row] for row in rows], names)

    return right
