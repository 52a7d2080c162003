"""From many changes, of all people and items, to few: the mean of them, or the shortest of each item.

Xiao, Du & Lin (2026), "NARI (gen.)": the mean over all successful changes; their options are the shortest
of each item only, and the mean of unit vectors.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from brainbench_interventions.directions import Directions
from brainbench_interventions.repair import Repair
from brainbench_interventions.ridge_map import Array


def average(found: Sequence[Repair], *, nearest: bool = False, unit: bool = False) -> Directions:
    """The mean over all successful changes; empty without any.

    nearest: of each item only the shortest. unit: each change has the length 1 at each place first.
    """
    changes = list(shortest(found).values()) if nearest else [change for _, change in _kept(found)]
    sums: dict[str, Array] = {}
    for change in changes:
        for site, vector in change.items():
            length = float(np.linalg.norm(vector)) if unit else 1.0
            sums[site] = sums.get(site, 0.0) + (vector / length if length else vector)
    return {site: total / len(changes) for site, total in sums.items()}


def shortest(found: Sequence[Repair]) -> dict[str, Mapping[str, Array]]:
    """Of each repaired item the shortest change, by the mean of its lengths over places."""
    nearest: dict[str, tuple[float, Mapping[str, Array]]] = {}
    for item, change in _kept(found):
        length = float(np.mean([np.linalg.norm(vector) for vector in change.values()]))
        if length < nearest.get(item, (np.inf,))[0]:
            nearest[item] = (length, change)
    return {item: change for item, (_, change) in nearest.items()}


def _kept(found: Sequence[Repair]) -> Iterator[tuple[str, Mapping[str, Array]]]:
    """Items and changes, place -> (width), to build on."""
    for repair in found:
        for row in np.flatnonzero(repair.kept()):
            yield repair.items[row], {site: rows[row] for site, rows in repair.changes.items()}
