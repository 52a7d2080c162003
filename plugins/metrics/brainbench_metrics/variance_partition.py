"""Variance that features explain beyond nuisance predictors, in responses that were held out.

Two models are fitted to the same training items: one from the nuisances alone (type of task, number of
characters, a person's response times), one from both, with a penalty for each. Then

    unique = R2(both) - R2(nuisances),    R2 = 1 - sum (y - s)^2 / sum y^2

over all test items and voxels, both less their mean in the fold (and stratum). Penalties for both come from
mixtures of the two kernels, m K_features + (1 - m) K_nuisances, each of the same mean squared length over the
training items (banded ridge: Nunez-Elizalde, Huth and Gallant 2019, NeuroImage 197:482). m and the penalty
have the least leave-one-out error in training; m = 0 is among them, so that useless features need not harm.
Held-out R2 is not forced above zero: on noise it is slightly below, and so is the unique part.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brainbench.arrays import IntArray
from brainbench_metrics.folds import Fold
from brainbench_metrics.nested_ridge import NestedRidge, kernel
from brainbench_metrics.nested_scores import Problem, choose
from brainbench_metrics.parallel import in_order

Array = NDArray[np.float64]
MIXES = (0.1, 0.5, 0.9, 1.0)


@dataclass(frozen=True, slots=True, eq=False)
class Partition:
    """Held-out R2 of each person (people,): of the nuisances, and of both together."""

    nuisance: Array
    joint: Array

    @property
    def unique(self) -> Array:
        """What the features add (people,)."""
        return self.joint - self.nuisance


def mixed_kernels(
    layers: Sequence[Array], nuisances: Array, strata: IntArray, mixes: Sequence[float] = MIXES
) -> Callable[[Fold], Array]:
    """Kernels of a fold for `variance_partition`: of the nuisances, then each layer at each mixture.

    layers: arrays (items x width); with several, the layer is chosen like the mixture. nuisances (items x
    k). Both are standardised over training items within strata.
    """

    def kernels(fold: Fold) -> Array:
        dull = _of_length_one(kernel(nuisances, strata, fold.train), fold.train)
        made = [dull]
        for layer in layers:
            own = _of_length_one(kernel(layer, strata, fold.train), fold.train)
            made += [mix * own + (1 - mix) * dull for mix in mixes]
        return np.stack(made)

    return kernels


def variance_partition(problem: Problem) -> Partition:
    """Partition the variance of each person's responses.

    The problem's kernels are those of `mixed_kernels`; where nuisances are a person's own, make a problem
    for each person. The mixture and the layer are chosen for all people of a problem, penalties for each.
    """
    total = np.zeros((3, len(problem.people.members)))
    for sums in in_order(lambda fold: _fold_sums(problem, fold), problem.folds):
        total += sums
    dull, both, all_of_it = total
    return Partition(dull / all_of_it, both / all_of_it)


def _fold_sums(problem: Problem, fold: Fold) -> Array:
    """Sums of squares (3 x people): explained by the nuisances, by both, and those that there are."""
    people = problem.people.members
    ridges = problem.ridges(fold)
    outers = [np.stack([people[member].outer for member in members]) for members, _ in ridges]
    losses = [ridge.losses(outer) for outer, (_, ridge) in zip(outers, ridges, strict=True)]
    chosen, penalties = choose(losses)
    sums = np.zeros((3, len(people)))
    for (members, ridge), outer, best in zip(ridges, outers, penalties, strict=True):
        for place, member in enumerate(members):
            for at, row in enumerate((0, int(chosen))):
                sums[at, member], sums[2, member] = _explained(
                    ridge, outer[place], row, int(best[place, row])
                )
    return sums


def _explained(ridge: NestedRidge, outer: Array, row: int, alpha: int) -> tuple[float, float]:
    """Sum y^2 - sum (y - s)^2, and sum y^2."""
    along, predicted, measured = (float(part.sum()) for part in ridge.moments(outer, row, alpha))
    return 2 * along - predicted, measured


def _of_length_one(inner: Array, train: IntArray) -> Array:
    """The kernel scaled to a mean of 1 on the training items' diagonal; zeros stay."""
    mean = float(np.diagonal(inner)[train].mean())
    return inner / mean if mean > 0 else inner
