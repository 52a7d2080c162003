"""The people whose responses a nested ridge is judged by, and the orders into which items may be shuffled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainbench.arrays import IntArray, Participant
from brainbench.products import product
from brainbench.statistics import blocks
from brainbench_metrics.folds import Fold
from brainbench_metrics.people import varying_columns
from brainbench_metrics.within_strata import without_means

Array = NDArray[np.float64]
LEAST = 2  # differences between test items, within their strata, that a correlation needs


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """One person: outer is S = Y Y' / voxels, embedded in (all items x all items), zero where an item lacks.

    Y (the person's items x voxels that vary): each voxel less its strata's means, in units of the standard
    deviation that is left. constant: number of voxels left out. items: positions.
    """

    id: str
    items: IntArray
    outer: Array
    voxels: int
    constant: int


@dataclass(frozen=True, slots=True, eq=False)
class People:
    """Who is scored, and why others are not."""

    members: tuple[Measured, ...]
    left_out: dict[str, str] = field(default_factory=dict)

    def facts(self) -> dict[str, Any]:
        """What a reader should know of them, as plain JSON."""
        return {
            "items_per_person": {person.id: len(person.items) for person in self.members},
            "voxels_per_person": {person.id: person.voxels for person in self.members},
            "constant_voxels": sum(person.constant for person in self.members),
            "people_left_out": self.left_out,
        }


def measured_people(participants: Sequence[Participant], folds: Sequence[Fold], strata: IntArray) -> People:
    """Make responses ready; strata (items,). Who has too few items in a fold is left out, with the reason."""
    members, left_out = [], {}
    for person in participants:
        reason = _lacking(person.present, folds, strata)
        made = None if reason else _measured(person, strata)
        if made is None:
            left_out[person.id] = reason or "No voxel varies over the items within their strata."
        else:
            members.append(made)
    return People(tuple(members), left_out)


def standardised(responses: NDArray[np.floating[Any]], strata: IntArray) -> Array:
    """Voxels that vary (items x voxels), less their strata's means, of variance 1 within strata; float64."""
    # Rounding of sums is no variation: strata are looked at one by one, by the voxel's own magnitude.
    size = np.abs(responses).max(axis=0, initial=0.0)
    parts = [responses[strata == stratum] for stratum in np.unique(strata)]
    varies = np.any([varying_columns(part, floor=size) for part in parts], axis=0)
    kept = responses[:, varies].astype(np.float64)
    centred = without_means(kept, strata, np.arange(len(kept)))
    made: Array = centred / np.sqrt((centred**2).mean(axis=0))
    return made


def _measured(person: Participant, strata: IntArray) -> Measured | None:
    made = standardised(person.responses, strata[person.present])
    if not made.size:
        return None
    outer = np.zeros((len(strata), len(strata)))
    outer[np.ix_(person.present, person.present)] = product(made, made.T) / made.shape[1]
    total = person.responses.shape[1]
    return Measured(person.id, person.present, outer, made.shape[1], total - made.shape[1])


def _lacking(present: IntArray, folds: Sequence[Fold], strata: IntArray) -> str:
    for fold in folds:
        for items, what in ((fold.test, "test"), (fold.train, "training")):
            there = np.intersect1d(items, present)
            if len(there) - len(np.unique(strata[there])) < LEAST:
                return (
                    f"Has {len(there)} of the {len(items)} {what} items of a fold: "
                    "too few to differ within strata."
                )
    return ""


def shuffled_orders(
    seed: int, draws: int, strata: IntArray, groups: IntArray | None, items: Sequence[IntArray]
) -> list[IntArray] | None:
    """For each of the sets of `items`, positions (draws x all items) in orders that keep strata and groups.

    Position i gets the response of item order[i]. Without groups items are shuffled within their stratum;
    with groups whole groups change places, among those with the same sequence of strata. None where
    nothing can change places. For people who lack items the same shuffle skips what they lack, which leaves
    every order of theirs as likely as any other.
    """
    n_items = len(strata)
    units = [np.array([i]) for i in range(n_items)]
    if groups is not None:
        units = [np.flatnonzero(groups == name) for name in np.unique(groups)]
    kinds = [str(strata[unit].tolist()) for unit in units]
    if max(kinds.count(kind) for kind in set(kinds)) < 2:
        return None
    orders = np.empty((draws, n_items), dtype=np.intp)
    for block in blocks(seed, draws):
        moved = block.permutations(len(units), kinds)
        for row, order in enumerate(moved, start=block.first):
            for unit, other in zip(units, order, strict=True):
                orders[row, unit] = units[other]
    return [_skipping(orders, there) for there in items]


def _skipping(orders: IntArray, there: IntArray) -> IntArray:
    """Orders among the items `there`: what leads to another item is followed on until it comes back."""
    lacks = np.ones(orders.shape[1], dtype=np.bool_)
    lacks[there] = False
    made = orders.copy()
    made[:, lacks] = np.flatnonzero(lacks)
    rows, columns = np.nonzero(lacks[made] & ~lacks)
    while len(rows):
        made[rows, columns] = orders[rows, made[rows, columns]]
        still = lacks[made[rows, columns]]
        rows, columns = rows[still], columns[still]
    return made
