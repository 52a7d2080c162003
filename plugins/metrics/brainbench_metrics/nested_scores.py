"""Scores of layers, and of a layer chosen inside each fold, with what each item adds to them.

In a fold let s be predicted and y measured, each voxel in units of its own spread, both less their stratum's
mean over the fold's test items. The score is the one correlation over all test items and voxels,

    r = sum(s y) / sqrt(sum(s s) sum(y y)),

and the mean over folds. Given the training items its numerator is a sum of products with what is centred,
so that under any shuffle of test items within strata its mean is exactly zero, whatever was chosen in
training. (A median over voxels of r, and r over the items of all folds, are not centred.) A prediction that
does not vary explains nothing: r is 0 there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brainbench.arrays import IntArray
from brainbench_metrics.folds import Fold
from brainbench_metrics.nested_people import People
from brainbench_metrics.nested_ridge import NestedRidge
from brainbench_metrics.parallel import in_order

Array = NDArray[np.float64]
Kernels = Callable[[Fold], Array]
Moments = tuple[Array, Array, Array]
_FORM_NUMBERS = 1 << 22  # numbers in the forms of some layers at a time: 32 MiB
NONE = 1e-20  # share of the variance below which predicted variance is rounding


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """What is to be predicted from what.

    kernels: for each set of features that differ, a function that gives a fold's inner products of its layers
    (L x items x items); sources (people,): which of them is each person's, None where there is one. strata,
    groups (items,): numbers, groups None where items are independent.
    """

    kernels: tuple[Kernels, ...]
    folds: tuple[Fold, ...]
    strata: IntArray
    groups: IntArray | None
    people: People
    alphas: tuple[float, ...]
    sources: IntArray | None = None

    @property
    def sets(self) -> list[tuple[IntArray, int]]:
        """Positions of the people who have the same items and the same features, and which these are."""
        people = self.people.members
        sources = [0] * len(people) if self.sources is None else self.sources.tolist()
        found: dict[tuple[int, bytes], list[int]] = {}
        for position, (person, source) in enumerate(zip(people, sources, strict=True)):
            found.setdefault((source, person.items.tobytes()), []).append(position)
        return [(np.array(places), source) for (source, _), places in found.items()]

    def ridges(self, fold: Fold) -> list[tuple[IntArray, NestedRidge]]:
        """For each of the sets of people, their positions and the fold's regressions."""
        return self._fitted(fold, {source: self.kernels[source](fold) for _, source in self.sets})

    def streamed(self, fold: Fold) -> Iterator[list[tuple[IntArray, NestedRidge]]]:
        """The same for some layers at a time, in order, so that the memory stays small with many items."""
        kernels = {source: self.kernels[source](fold) for _, source in self.sets}
        n_layers = len(next(iter(kernels.values())))
        height = max(1, _FORM_NUMBERS // (len(self.alphas) * len(self.strata) ** 2))
        for start in range(0, n_layers, height):
            part = slice(start, start + height)
            yield self._fitted(fold, {source: found[part] for source, found in kernels.items()})

    def _fitted(self, fold: Fold, kernels: Mapping[int, Array]) -> list[tuple[IntArray, NestedRidge]]:
        groups = np.arange(len(self.strata)) if self.groups is None else self.groups
        made = []
        for members, source in self.sets:
            items = self.people.members[members[0]].items
            train, test = np.intersect1d(fold.train, items), np.intersect1d(fold.test, items)
            ridge = NestedRidge.fit(kernels[source], train, test, (self.strata, groups), self.alphas)
            made.append((members, ridge))
        return made


@dataclass(frozen=True, slots=True, eq=False)
class NestedScores:
    """layers (L x people): mean r over folds. nested (people,): with the layer chosen in each fold.

    chosen (folds,): that layer. table (people x items): what each item adds to `nested`, whose mean over the
    person's items is the score; 0 where the person lacks the item. alphas (A,): how often each penalty was
    chosen, over folds, layers and people. flat (L,): layers that predict no differences in any fold.
    """

    layers: Array
    nested: Array
    chosen: IntArray
    table: Array
    alphas: IntArray
    flat: NDArray[np.bool_]


def nested_scores(problem: Problem, advance: Callable[[int], None] = lambda steps: None) -> NestedScores:
    """Fit and score every fold; `advance` counts folds."""
    parts = []
    for part in in_order(lambda fold: _score_fold(problem, fold), problem.folds):
        parts.append(part)
        advance(1)
    n_folds = len(parts)
    counts = np.array([[len(person.items)] for person in problem.people.members])
    return NestedScores(
        np.sum([part.layers for part in parts], axis=0) / n_folds,
        np.sum([part.nested for part in parts], axis=0) / n_folds,
        np.concatenate([part.chosen for part in parts]),
        np.sum([part.table for part in parts], axis=0) * counts / n_folds,
        np.sum([part.alphas for part in parts], axis=0),
        np.all([part.flat for part in parts], axis=0),
    )


def choose(losses: Sequence[Array]) -> tuple[IntArray, list[IntArray]]:
    """The layer of least error left out, and each person's penalty at every layer.

    losses: for each set of people (people x ... x L x A). Returns (...) and (people x ... x L) for each set:
    a person's error is that at the best penalty; the layer's is the sum over people.
    """
    total = np.sum([found.min(axis=-1).sum(axis=0) for found in losses], axis=0)
    return total.argmin(axis=-1), [found.argmin(axis=-1) for found in losses]


def correlation(along: Array, predicted: Array, measured: Array) -> Array:
    """Pearson's r from sums; 0 where nothing is predicted (or measured) to vary."""
    fine = (predicted > NONE) & (measured > NONE)
    size = np.sqrt(np.where(fine, predicted * measured, 1.0))
    return np.where(fine, along / size, 0.0)


def summed(items: Moments) -> float:
    """Pearson's r of a fold from the `moments` of its items."""
    along, predicted, measured = (np.asarray(part.sum()) for part in items)
    return float(correlation(along, predicted, measured))


def _score_fold(problem: Problem, fold: Fold) -> NestedScores:
    """The scores of one fold; the table's rows sum to r."""
    people = problem.people.members
    moments: dict[int, list[Moments]] = {member: [] for member in range(len(people))}
    errors, flat = [], []
    counts = np.zeros(len(problem.alphas), dtype=np.intp)
    for ridges in problem.streamed(fold):
        losses = []
        for members, ridge in ridges:
            outer = np.stack([people[member].outer for member in members])
            loss = ridge.losses(outer)
            best = loss.argmin(axis=-1)
            counts += np.bincount(best.ravel(), minlength=len(counts))
            for place, member in enumerate(members.tolist()):
                for at, alpha in enumerate(best[place].tolist()):
                    moments[member].append(ridge.moments(outer[place], at, alpha))
            losses.append(loss)
        errors.append(np.sum([loss.min(axis=-1).sum(axis=0) for loss in losses], axis=0))
        flat.append(np.all([ridge.flat for _, ridge in ridges], axis=0))
    layer = int(np.concatenate(errors).argmin())
    r = np.array([[summed(items) for items in moments[member]] for member in moments]).T
    table = np.zeros((len(people), len(problem.strata)))
    for member, person in enumerate(people):
        test = np.intersect1d(fold.test, person.items)
        table[member, test] = _shares(moments[member][layer], float(r[layer, member]))
    return NestedScores(r, r[layer], np.array([layer]), table, counts, np.concatenate(flat))


def _shares(items: Moments, r: float) -> Array:
    """What each item adds to a fold's r; the terms that sum to zero say how r would move without the item.

    First-order: d r = d(along) / size - r / 2 (d(predicted) / predicted + d(measured) / measured).
    """
    along, predicted, measured = items
    sums = predicted.sum(), measured.sum()
    if min(sums) <= NONE:
        return np.zeros(len(along))
    leverage = (predicted / sums[0] + measured / sums[1]) / 2
    shares: Array = along / np.sqrt(sums[0] * sums[1]) - r * (leverage - 1 / len(along))
    return shares
