"""Variance that features explain beyond nuisance predictors, in responses that were held out.

Two models are fitted to the same training items: one from the nuisances alone (type of task, number of
characters, a person's response times), one from both, with a penalty for each. Then

    unique = R2(both) - R2(nuisances),    R2 = 1 - sum (y - s)^2 / sum y^2

over all test items and voxels, both less their mean in the fold (and stratum). The features come without
what the nuisances predict of them, by least squares over the training items: the model of both can express
the same, and features that are mixtures of nuisances add exactly nothing, where they would otherwise give
more weight to those nuisances that matter. Penalties for both come from mixtures of the two kernels,
m K_features + (1 - m) K_nuisances, each of the same mean squared length over the training items (banded
ridge: Nunez-Elizalde, Huth and Gallant 2019, NeuroImage 197:482). m and the penalty have the least
leave-one-out error in training.

Noise beside the nuisances shrinks what is predicted from them, for all people alike, which alone may help:
so the model of nuisances may choose mixtures as well, with features that say of each item only that it is
itself. The model of both has these choices, too, so that useless features need not harm. Held-out R2 is not
forced above zero: on noise it is slightly below, and so is the unique part.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brainbench.arrays import IntArray
from brainbench_metrics.folds import Fold
from brainbench_metrics.nested_ridge import NestedRidge, scaled
from brainbench_metrics.nested_scores import Kernels, Problem, choose
from brainbench_metrics.parallel import in_order
from brainbench_metrics.within_strata import without_means

Array = NDArray[np.float64]
MIXES = (0.1, 0.5, 0.9)
_ALIKE = 1e-8  # nuisances that differ by less, relative to their size, count as one
_ROUNDING = 1e-10  # share of a variance below which what is left is rounding


@dataclass(frozen=True, slots=True, eq=False)
class Partition:
    """Held-out R2 of each person (people,): of the nuisances, and of both together."""

    nuisance: Array
    joint: Array

    @property
    def unique(self) -> Array:
        """What the features add (people,); 0 where it is but rounding."""
        added = self.joint - self.nuisance
        made: Array = np.where(np.abs(added) > _ROUNDING, added, 0.0)
        return made


def mixed_kernels(
    layer: Kernels, nuisances: Array, strata: IntArray, there: IntArray, mixes: Sequence[float] = MIXES
) -> Kernels:
    """Kernels of a fold for `variance_partition`.

    The nuisances', these with what each item has alone at each mixture, and these with the layer. layer:
    gives a fold's inner products (items x items) of the layer. nuisances (items x k) are standardised within
    strata over those training items that are `there`: positions of items.
    """

    def kernels(fold: Fold) -> Array:
        train = np.intersect1d(fold.train, there)
        columns = scaled(nuisances, strata, train)
        dull = _of_length_one(columns @ columns.T, train)
        items = without_means(np.eye(len(strata)), strata, train)
        made = [dull]
        for inner in (items @ items.T, layer(fold)):
            own = _of_length_one(_without(inner, columns, train), train)
            made += [mix * own + (1 - mix) * dull for mix in mixes]
        return np.stack(made)

    return kernels


def _without(inner: Array, columns: Array, train: IntArray) -> Array:
    """Inner products (items x items) of features less what columns (items x k) predict of them.

    Least squares over the training items. Zeros where only rounding would be left. An item that was held out
    is taken no farther out than the farthest training item: one with features that no training item has
    would otherwise be predicted without bound, and R2 has no lower limit.
    """
    predicted = columns @ np.linalg.pinv(columns[train], rcond=_ALIKE)
    half = inner - predicted @ inner[train]
    left = half - half[:, train] @ predicted.T
    before, after = (float(np.diagonal(found)[train].sum()) for found in (inner, left))
    if after <= _ROUNDING * before:
        return np.zeros_like(inner)
    size = np.sqrt(np.maximum(np.diagonal(left), 0.0))
    shrink = np.minimum(1.0, float(size[train].max()) / np.where(size > 0, size, 1.0))
    made: Array = left * shrink[:, None] * shrink
    return made


def variance_partition(problem: Problem) -> Partition:
    """Partition the variance of each person's responses.

    The problem's kernels are those of `mixed_kernels`. Mixtures are chosen for all people together, penalties
    for each.
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
    alone = losses[0].shape[1] // 2 + 1  # kernels without the layer come first, and are one more
    dull, _ = choose([loss[:, :alone] for loss in losses])
    both, penalties = choose(losses)
    sums = np.zeros((3, len(people)))
    for (members, ridge), outer, best in zip(ridges, outers, penalties, strict=True):
        for place, member in enumerate(members):
            for at, row in enumerate((int(dull), int(both))):
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
