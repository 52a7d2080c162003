"""One direction per place, fitted on some items and meant for others: with the brain, and without it."""

from __future__ import annotations

import zlib
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from brainbench.steering import ANY_OTHER
from brainbench_interventions.material import Material
from brainbench_interventions.ridge_map import Array, RidgeMap

Directions = Mapping[str, Array]  # place -> direction (width), of any length


def stream(seed: int, *names: str) -> np.random.Generator:
    """Random numbers of their own for each combination of names."""
    return np.random.default_rng([seed, *(zlib.crc32(name.encode()) for name in names)])


def random_directions(material: Material, seed: int) -> Directions:
    """A Gaussian direction for each place (Xiao, Du & Lin 2026, control `-random`), drawn for these types."""
    return {
        site: stream(seed, "random-direction", site, *material.kinds).normal(size=states.shape[1:])
        for site, states in material.states.items()
    }


def difference_of_means(material: Material, labels: NDArray[np.bool_]) -> Directions:
    """Mean state of items that are True minus that of those that are False, averaged over types.

    Contrastive activation addition (Rimsky et al. 2024) on right answers: language only, no brain. Types in
    which all have one label say nothing. Without any that has both, no place has a direction.
    """
    groups = [rows for rows in map(material.of_type, material.kinds) if 0 < labels[rows].sum() < len(rows)]
    if not groups:
        return {}
    return {
        site: np.mean(
            [states[g][labels[g]].mean(axis=0) - states[g][~labels[g]].mean(axis=0) for g in groups], axis=0
        )
        for site, states in material.states.items()
    }


def label_probe(material: Material, labels: NDArray[np.bool_]) -> Directions:
    """The weights of a linear probe for the right answer: ridge regression of +1 and -1 within types."""
    target = np.where(labels, 1.0, -1.0)[:, None]
    if not 0 < labels.sum() < len(labels):
        return {}
    found = {}
    for site, states in material.states.items():
        within, wanted = states.copy(), target.copy()
        for rows in map(material.of_type, material.kinds):
            within[rows] -= within[rows].mean(axis=0)
            wanted[rows] -= wanted[rows].mean(axis=0)
        ridge = RidgeMap.fit(within, wanted)
        found[site] = ridge.coefficients[:, 0] @ ridge.states
    return found


def to_spread(directions: Directions, material: Material) -> dict[str, Array]:
    """Each direction with the length of its place's spread of states; those without a length are left out.

    All directions of all kinds are as long as each other, so that none wins by its length.
    """
    found = {}
    for site, direction in directions.items():
        length, sigma = float(np.linalg.norm(direction)), material.sigma(site)
        if length > 0 and sigma > 0:
            found[site] = direction * (sigma / length)
    return found


def by_type(found: Mapping[str, Directions], material: Material) -> tuple[tuple[str, ...], dict[str, Array]]:
    """From directions by type: names of rows, and for each place the rows (types + 1 x width).

    The last row is for what is of any other type: the mean of the rows above, as long as they are. A type
    without a direction has no row, as if it were not known.
    """
    scaled = {kind: to_spread(directions, material) for kind, directions in found.items()}
    kinds = tuple(kind for kind, directions in scaled.items() if directions)
    rows = {}
    for site, states in material.states.items():
        known = {kind: scaled[kind][site] for kind in kinds if site in scaled[kind]}
        if known:
            mean = {site: np.mean(list(known.values()), axis=0)}
            other = to_spread(mean, material).get(site, np.zeros(states.shape[1]))
            rows[site] = np.stack([*(known.get(kind, other) for kind in kinds), other])
    return (*kinds, ANY_OTHER), rows


def folds(types: tuple[str, ...], count: int, seed: int) -> NDArray[np.intp]:
    """Each item's fold, 0 to count - 1: shuffled, and dealt out evenly within each type."""
    found = np.empty(len(types), dtype=np.intp)
    dealt = 0
    for kind in dict.fromkeys(types):
        rows = np.flatnonzero(np.array(types) == kind)
        order = stream(seed, "folds", kind).permutation(rows)
        found[order] = (dealt + np.arange(len(rows))) % count
        dealt += len(rows)
    return found
