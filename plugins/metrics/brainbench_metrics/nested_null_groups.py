"""The null of the whole estimator where whole groups of items change places: runs, stories, blocks of time.

A shuffle moves blocks of S about, so that the product of a form with shuffled S is a sum of products of its
blocks with blocks of S. All of these are made once; then a shuffle costs a sum over pairs of groups, however
many items there are. Only groups of one kind change places: those with the same sequence of strata.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brainbench.arrays import IntArray
from brainbench_metrics.folds import Fold
from brainbench_metrics.nested_ridge import NestedRidge
from brainbench_metrics.nested_scores import Problem, correlation
from brainbench_metrics.parallel import in_order

Array = NDArray[np.float64]
_NUMBERS = 1 << 23  # numbers in the products of blocks of a form: 64 MiB


@dataclass(frozen=True, slots=True, eq=False)
class Blocks:
    """Groups by kind, and where each is led to.

    items: for each kind, positions (groups x items of a group). moved: for each kind, which of its groups
    gives its responses to each (draws x groups).
    """

    items: tuple[IntArray, ...]
    moved: tuple[IntArray, ...]

    @classmethod
    def of(cls, problem: Problem, orders: IntArray) -> Blocks:
        """Those of a problem with groups and orders (draws x items) that move groups whole."""
        assert problem.groups is not None
        kinds: dict[bytes, list[IntArray]] = {}
        for name in np.unique(problem.groups):
            unit = np.flatnonzero(problem.groups == name)
            kinds.setdefault(problem.strata[unit].tobytes(), []).append(unit)
        items = tuple(np.stack(units) for units in kinds.values())
        place = np.empty(len(problem.strata), dtype=np.intp)
        for units in items:
            place[units] = np.arange(len(units))[:, None]
        return cls(items, tuple(place[orders[:, units[:, 0]]] for units in items))

    def pairs(self) -> Iterator[tuple[int, int]]:
        """Pairs of kinds, each once."""
        return ((a, b) for a in range(len(self.items)) for b in range(a, len(self.items)))

    def cut(self, whole: Array, a: int, b: int) -> Array:
        """The blocks (groups of kind a x groups of kind b, items x items of each) of (items x items)."""
        rows, columns = self.items[a], self.items[b]
        found = whole[rows[:, None, :, None], columns[None, :, None, :]]
        return found.reshape(len(rows) * len(columns), -1)

    def products(self, form: Array, outers: list[Array]) -> Array:
        """<form, shuffled S> (people x draws); form (items x items); outers: `cut` S of people, by pair."""
        even = (form + form.T) / 2  # S is symmetric: a half of the blocks is enough
        made = np.zeros((len(outers[0]), len(self.moved[0])))
        for (a, b), outer in zip(self.pairs(), outers, strict=True):
            blocks = self.cut(even, a, b)
            first, second = np.divmod(np.arange(len(blocks)), len(self.items[b]))
            used = np.flatnonzero(blocks.any(axis=1) & ((a != b) | (first <= second)))
            first, second = first[used], second[used]
            twice = np.where((a != b) | (first != second), 2.0, 1.0)
            table = outer @ (blocks[used] * twice[:, None]).T
            where = self.moved[a][:, first] * len(self.items[b]) + self.moved[b][:, second]
            for person, found in enumerate(table):
                made[person] += found[where, np.arange(len(used))].sum(axis=1)
        return made


def moves_blocks(problem: Problem, draws: int) -> bool:
    """Whether blocks are the way: groups, few enough of them, and everyone has all items."""
    if problem.groups is None:
        return False
    pairs = len(np.unique(problem.groups)) ** 2
    everything = all(len(person.items) == len(problem.strata) for person in problem.people.members)
    return everything and pairs <= draws and len(problem.people.members) * pairs**2 <= _NUMBERS


def block_scores(
    problem: Problem, orders: IntArray, advance: Callable[[int], None] = lambda steps: None
) -> Array:
    """Nested scores (draws x people) for orders (draws x items) of whole groups; `advance` counts draws."""
    blocks = Blocks.of(problem, orders)
    total = np.zeros((len(orders), len(problem.people.members)))
    for done, r in enumerate(in_order(lambda fold: _fold_scores(problem, fold, blocks), problem.folds)):
        total += r
        advance((done + 1) * len(orders) // len(problem.folds) - done * len(orders) // len(problem.folds))
    return total / len(problem.folds)


def _fold_scores(problem: Problem, fold: Fold, blocks: Blocks) -> Array:
    """Scores (draws x people) of one fold, layer by layer."""
    n_items, people = len(problem.strata), problem.people.members
    shape = (len(blocks.moved[0]), len(people))
    errors, sums = [], []  # of each layer: (draws x people), (2 x draws x people)
    energy = np.zeros(shape)
    outers = {
        int(members[0]): [
            np.stack([blocks.cut(people[member].outer, a, b) for member in members])
            for a, b in blocks.pairs()
        ]
        for members, _ in problem.sets
    }
    for ridges in problem.streamed(fold):
        for layer in range(len(ridges[0][1].flat)):
            error, both = np.zeros(shape), np.zeros((2, *shape))
            for members, ridge in ridges:
                own = outers[int(members[0])]
                error[:, members], both[:, :, members] = _layer(ridge, layer, n_items, blocks, own)
            errors.append(error.sum(axis=1))
            sums.append(both)
        for members, ridge in ridges if len(sums) == len(ridges[0][1].flat) else []:
            whole = _embedded(ridge.centre, ridge.test, ridge.test, n_items)
            energy[:, members] = blocks.products(whole, outers[int(members[0])]).T
    chosen = np.argmin(errors, axis=0)
    along, predicted = np.take_along_axis(np.stack(sums), chosen[None, None, :, None], axis=0)[0]
    return correlation(along, predicted, energy)


def _layer(
    ridge: NestedRidge, layer: int, n_items: int, blocks: Blocks, outers: list[Array]
) -> tuple[Array, Array]:
    """Least error left out (draws x people), and sums of `moments` at its penalty (2 x draws x people)."""
    error, sums = [], []
    for form, predict in zip(ridge.error[layer], ridge.predict[layer], strict=True):
        whole = _embedded(form, ridge.train, ridge.train, n_items)
        error.append(blocks.products(whole, outers).T)
        along = _embedded(predict, ridge.test, ridge.train, n_items)
        predicted = _embedded(predict.T @ predict, ridge.train, ridge.train, n_items)
        sums.append([blocks.products(made, outers).T for made in (along, predicted)])
    best = np.argmin(error, axis=0)
    least = np.take_along_axis(np.stack(error), best[None], axis=0)[0]
    return least, np.take_along_axis(np.stack(sums), best[None, None], axis=0)[0]


def _embedded(form: Array, rows: IntArray, columns: IntArray, n_items: int) -> Array:
    whole = np.zeros((n_items, n_items))
    whole[rows[:, None], columns] = form
    return whole
