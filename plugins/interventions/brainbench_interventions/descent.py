"""Climb Sim(W(r + D), y) by AdamW, as NARI does: every item and layer by itself, within a ball.

Xiao, Du & Lin (2026), "NARI": learning rate 0.1 mean|r|, weight decay 0.01, the loss a mean over the items
of a type; after each step |D| is cut to alpha sigma; every five steps the model is asked, and an item that
it now gets right is done.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brainbench_interventions.ridge_map import Array, Objective

CHECK_EVERY = 5
_BETAS, _EPSILON, _DECAY = (0.9, 0.999), 1e-8, 0.01

# Asked with the changes so far, place -> (rows x width), and the rows that they belong to: which are right?
Check = Callable[[Mapping[str, Array], NDArray[np.intp]], NDArray[np.bool_]]


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """One layer's part: its objective, the states r (T x width) to be changed, rate and radius.

    `items` is the number of items over which the loss is a mean, those that are not to be changed included.
    """

    objective: Objective
    states: Array
    rate: float
    radius: float
    items: int


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
    moments = {name: (np.zeros_like(c), np.zeros_like(c)) for name, c in changes.items()}
    taken, right = np.zeros(count, dtype=np.intp), np.zeros(count, dtype=np.bool_)
    for step in range(1, steps + 1):
        rows = np.flatnonzero(~right)
        if not len(rows):
            break
        for name, place in places.items():
            changes[name][rows] = _step(place, changes[name], moments[name], rows, step)
        taken[rows] = step
        if check is not None and (step % CHECK_EVERY == 0 or step == steps):
            right[rows] = check({name: change[rows] for name, change in changes.items()}, rows)
    return Climbed(changes, taken, right)


def _step(
    place: Place, change: Array, moments: tuple[Array, Array], rows: NDArray[np.intp], step: int
) -> Array:
    """One step of AdamW on the rows (Loshchilov & Hutter 2019), then back into the ball."""
    now = change[rows]
    slope = -place.objective.select(rows).gradient(place.states[rows] + now) / place.items
    first, second = moments
    first[rows] = _BETAS[0] * first[rows] + (1 - _BETAS[0]) * slope
    second[rows] = _BETAS[1] * second[rows] + (1 - _BETAS[1]) * slope**2
    mean, variance = first[rows] / (1 - _BETAS[0] ** step), second[rows] / (1 - _BETAS[1] ** step)
    moved = now * (1 - place.rate * _DECAY) - place.rate * mean / (np.sqrt(variance) + _EPSILON)
    length = np.linalg.norm(moved, axis=1, keepdims=True)
    cut = np.divide(place.radius, length, out=np.ones_like(length), where=length > place.radius)
    kept: Array = moved * cut
    return kept
