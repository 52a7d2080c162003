"""How well each person's voxels are predicted from every group of other people."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from brainbench_metrics.parallel import in_order
from brainbench_metrics.people import Person
from brainbench_metrics.ridge import RidgeStack, stack_size

Array = NDArray[np.float64]
Group = tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Curves:
    """Mean r of one person's voxels for each number of other people: r (sizes x voxels).

    fits (sizes x voxels): from how many groups of that size a correlation was had; r is 0 where from none.
    """

    r: Array
    fits: NDArray[np.intp]


def number_of_groups(n_people: int) -> int:
    """How many groups leave at least one person outside."""
    return (1 << n_people) - 2


def curves_between(
    people: Sequence[Person], alphas: Sequence[float], advance: Callable[[int], None]
) -> tuple[list[Curves], float]:
    """Predict each person from every group of the others; also the share of folds without correlation.

    All people must have the same items. Each value is the mean over folds and then over the groups of a
    size. The voxels of a group side by side have the sum of its members' Gram matrices, and what is
    computed from it serves all people outside the group. `advance` counts groups.
    """
    outers = np.stack([person.outer for person in people])
    shapes = [(len(people) - 1, person.responses.shape[1]) for person in people]
    curves = [Curves(np.zeros(shape), np.zeros(shape, dtype=np.intp)) for shape in shapes]
    parts = list(_parts(len(people), stack_size(len(people[0].items), len(alphas))))
    undefined = folds = 0
    results = in_order(lambda part: _predict(part, people, outers, alphas), parts)
    for part, sums in zip(parts, results, strict=True):
        for target, (r, fits, missing, tried) in sums.items():
            size = len(part[0]) - 1
            curves[target].r[size] += r
            curves[target].fits[size] += fits
            undefined += missing
            folds += tried
        advance(len(part))
    for curve in curves:
        np.divide(curve.r, np.maximum(curve.fits, 1), out=curve.r)
    return curves, undefined / folds


def _parts(n_people: int, height: int) -> Iterator[list[Group]]:
    """The groups in lists of at most `height`, each of one size."""
    for size in range(1, n_people):
        groups = list(combinations(range(n_people), size))
        for start in range(0, len(groups), height):
            yield groups[start : start + height]


def _predict(
    part: list[Group], people: Sequence[Person], outers: Array, alphas: Sequence[float]
) -> dict[int, tuple[Array, NDArray[np.intp], int, int]]:
    """For each person outside some of the groups: sum of r and number of groups with an r, by voxel.

    Then the numbers of folds without a correlation and of folds tried.
    """
    member = np.zeros((len(part), len(people)))
    for row, group in enumerate(part):
        member[row, list(group)] = 1
    grams = np.tensordot(member, outers, axes=1)
    ridge = RidgeStack.fit(grams, outers, people[0].folds, alphas)
    sums = {}
    for target, person in enumerate(people):
        rows = np.flatnonzero(member[:, target] == 0)
        if len(rows):
            r, count = ridge.correlations(target, person.responses, rows)
            tried = count.size * len(person.folds)
            sums[target] = r.sum(axis=0), np.count_nonzero(count, axis=0), tried - int(count.sum()), tried
    return sums
