"""Means over resampled people and items, of a table's cells or of pairs of objects, many at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from brainbench.arrays import IntArray
from brainbench.errors import ShapeError, UsageError
from brainbench.statistics.checks import Values, numbers

Array = NDArray[np.float64]
AT_ONCE = 1 << 22  # cells in memory at once: 32 MiB


@runtime_checkable
class OfMany(Protocol):
    """A statistic of people and items that can be had of many resamples at once."""

    def many(self, people: IntArray, items: IntArray) -> Array:
        """Values (draws,) for positions of people (draws x P) and items (draws x I); NaN where undefined."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class WeightedMean:
    """The mean of a table (people x columns), each column as often as its items were drawn together.

    first, second (columns,): the items that a column is of; a column of one item names it twice.
    """

    table: Array
    first: IntArray
    second: IntArray
    items: int

    def __call__(self, people: IntArray, items: IntArray) -> float:
        """The mean over these positions, with repeats; NaN where no column is drawn."""
        return float(self.many(people[None], items[None])[0])

    def many(self, people: IntArray, items: IntArray) -> Array:
        """The mean of each resample (draws,)."""
        step = max(1, AT_ONCE // self.table.shape[1])
        parts = [slice(start, start + step) for start in range(0, len(people), step)]
        return np.concatenate([self._part(people[part], items[part]) for part in parts])

    def _part(self, people: IntArray, items: IntArray) -> Array:
        if (people == people[0]).all():  # the same people each time: one mean for all draws
            people = people[:1]
        means = counts(people, len(self.table)) @ self.table / people.shape[1]
        drawn = counts(items, self.items)
        weights = drawn[:, self.first]
        if self.first is not self.second:
            weights = weights * drawn[:, self.second]
        total = weights.sum(axis=1)
        sums = weights @ means[0] if len(means) == 1 else np.einsum("dc,dc->d", means, weights)
        made: Array = np.divide(sums, total, out=np.full(len(total), np.nan), where=total > 0)
        return made


def counts(drawn: IntArray, units: int) -> Array:
    """How often each unit was drawn (draws x units), from positions (draws x any number).

    Raises IndexError for a position that there is not.
    """
    if drawn.size and not (drawn.min() >= 0 and drawn.max() < units):
        raise IndexError(f"positions from {drawn.min()} to {drawn.max()} of {units} units")
    rows = np.arange(len(drawn))[:, None] * units
    made: Array = np.bincount((drawn + rows).ravel(), minlength=len(drawn) * units).astype(np.float64)
    return made.reshape(len(drawn), units)


def mean_of(table: Values) -> WeightedMean:
    """The statistic "mean of the table's cells" (people x items) for the two-factor bootstraps."""
    checked = numbers(table, "A table (people x items)", 2)
    each = np.arange(checked.shape[1])
    return WeightedMean(checked, each, each, checked.shape[1])


def mean_of_pairs(table: Values, objects: int) -> WeightedMean:
    """The statistic "mean over pairs of different objects" of a table (people x pairs).

    Pairs are in the order of the upper triangle, row by row, as in scipy.spatial.distance.pdist. NaN where
    all objects drawn are the same. Raises ShapeError when the pairs are not those of so many objects.
    """
    checked = numbers(table, "A table (people x pairs)", 2, least=1)
    if checked.shape[1] != objects * (objects - 1) // 2:
        raise ShapeError(
            f"{objects} objects have {objects * (objects - 1) // 2} pairs; got {checked.shape[1]} columns.",
            hint="Give the upper triangle without the diagonal, row by row.",
        )
    return WeightedMean(checked, *np.triu_indices(objects, k=1), objects)


def pairs_of(drawn: IntArray, objects: int) -> IntArray:
    """Columns of the pairs among the objects drawn, each as often as it occurs, none of one with itself.

    `drawn` holds positions below `objects`, with repeats; columns are those of the upper triangle of
    (objects x objects), row by row. Raises UsageError for a position that there is not.
    """
    if len(drawn) and not (drawn.min() >= 0 and drawn.max() < objects):
        raise UsageError(f"Objects drawn must be positions from 0 to {objects - 1}.")
    first, second = np.triu_indices(len(drawn), k=1)
    low = np.minimum(drawn[first], drawn[second])
    high = np.maximum(drawn[first], drawn[second])
    columns: IntArray = (low * objects - low * (low + 1) // 2 + high - low - 1)[low != high]
    return columns
