"""Climb Sim(W(r + D), y) by AdamW, as NARI does: every row and layer by itself, within a ball.

Xiao, Du & Lin (2026), "NARI": learning rate 0.1 mean|r|, weight decay 0.01, the loss a mean over the items
of a type; after each step |D| is cut to alpha sigma; every five steps the model is asked, and an item that
it now gets right is done. Rows are items, of one person or of many.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from brainbench_interventions.objective import Objective
from brainbench_interventions.ridge_map import Array

CHECK_EVERY = 5
_BETAS, _EPSILON, _DECAY = (0.9, 0.999), 1e-8, 0.01

# Asked with the changes so far, place -> (rows x width), and the rows that they belong to: which are right?
Check = Callable[[Mapping[str, Array], NDArray[np.intp]], NDArray[np.bool_]]


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """One layer's part: its objective, the states r (T x width) to be changed, rate and radius.

    `items` (T) is the number of items over which a row's loss is a mean: all of its person's, those that are
    not to be changed included.
    """

    objective: Objective
    states: Array
    rate: float
    radius: float
    items: NDArray[np.intp]

    def select(self, rows: NDArray[np.intp]) -> Place:
        """The same for the rows at these ascending positions."""
        return replace(
            self,
            objective=self.objective.select(rows),
            states=self.states[rows],
            items=self.items[rows],
        )


@dataclass(frozen=True, slots=True, eq=False)
class Climbed:
    """Changes D by place (T x width), the steps taken by each row (T), and which rows are right now (T)."""

    changes: Mapping[str, Array]
    steps: NDArray[np.intp]
    right: NDArray[np.bool_]


def spread(states: Array) -> float:
    """sigma: the root mean squared distance of states (items x width) from their mean."""
    return float(np.sqrt(((states - states.mean(axis=0)) ** 2).sum(axis=1).mean()))


def climb(places: Mapping[str, Place], *, steps: int, check: Check | None = None) -> Climbed:
    """Up to `steps` steps for all T rows together; without a `check` every row takes all of them."""
    count = len(next(iter(places.values())).states)
    changes = {name: np.zeros_like(place.states) for name, place in places.items()}
    taken, right = np.zeros(count, dtype=np.intp), np.zeros(count, dtype=np.bool_)
    rows = np.arange(count)  # those under way
    moving = {name: _Moving.start(place) for name, place in places.items()}
    for step in range(1, steps + 1):
        for part in moving.values():
            part.step(step)
        taken[rows] = step
        asked = check is not None and step % CHECK_EVERY == 0
        if not asked and step < steps:
            continue
        for name, part in moving.items():
            changes[name][rows] = part.change
        if check is not None:
            right[rows] = check({name: part.change for name, part in moving.items()}, rows)
            left = np.flatnonzero(~right[rows])
            if not len(left):
                break
            if len(left) < len(rows):
                rows, moving = rows[left], {name: part.select(left) for name, part in moving.items()}
    return Climbed(changes, taken, right)


@dataclass(slots=True, eq=False)
class _Moving:
    """The rows under way at one place: their changes and AdamW's two moments (rows x width)."""

    place: Place
    change: Array
    first: Array
    second: Array

    @classmethod
    def start(cls, place: Place) -> _Moving:
        return cls(place, *(np.zeros_like(place.states) for _ in range(3)))

    def select(self, rows: NDArray[np.intp]) -> _Moving:
        return _Moving(self.place.select(rows), self.change[rows], self.first[rows], self.second[rows])

    def step(self, number: int) -> None:
        """One step of AdamW (Loshchilov & Hutter 2019), then back into the ball."""
        place = self.place
        slope = place.objective.gradient(place.states + self.change)
        slope /= -place.items[:, None]
        self.first *= _BETAS[0]
        self.first += (1 - _BETAS[0]) * slope
        self.second *= _BETAS[1]
        self.second += (1 - _BETAS[1]) * slope**2
        scale = np.sqrt(self.second)
        scale /= np.sqrt(1 - _BETAS[1] ** number)
        scale += _EPSILON
        self.change *= 1 - place.rate * _DECAY
        self.change -= place.rate / (1 - _BETAS[0] ** number) * self.first / scale
        length = np.linalg.norm(self.change, axis=1, keepdims=True)
        self.change *= np.divide(place.radius, length, out=np.ones_like(length), where=length > place.radius)
