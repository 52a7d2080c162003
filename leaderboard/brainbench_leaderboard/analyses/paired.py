"""Two scores of one model, or of two, compared person by person: paired by id, never by order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainbench.arrays import IntArray
from brainbench.errors import ShapeError
from brainbench.statistics import Interval, corrected_two_factor_interval, sign_flip, student_interval
from brainbench_leaderboard.margins import Cells

Array = NDArray[np.float64]
LEAST_PEOPLE = 4  # with three, a sign-flip test cannot come below p = .25
DRAWS = 1_000
SEED = 0


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Differences (people,) of those who have both scores; how many have only one of them.

    interval: of the mean difference, None where it is not defined; over: what it holds for others of. p: of a
    sign-flip test over people. left_out and leverage as for correlations. cells: what was compared.
    """

    people: tuple[str, ...]
    first: Array
    second: Array
    only_first: int
    only_second: int
    interval: Interval | None
    over: str
    p: float
    exact: bool
    left_out: tuple[float, float]
    leverage: str
    cells: tuple[Cells, Cells]

    @property
    def differences(self) -> Array:
        """First minus second (people,)."""
        return self.first - self.second


def pairs(first: Cells, second: Cells) -> Pairs | None:
    """The two compared over the people who have both; None where these are fewer than four.

    Where the metric says what each item adds, the interval holds for other people and other items: items of
    both sides are drawn together, so that what they share stays shared. Else it holds for other people alone.
    """
    theirs = set(second.people)
    people = [person for person in first.people if person in theirs]
    if len(people) < LEAST_PEOPLE:
        return None
    mine, others = first.of(people), second.of(people)
    differences = mine - others
    tested = sign_flip(differences, seed=SEED)
    interval, over = _interval(first, second, people)
    left_out = (differences.sum() - differences) / (len(people) - 1)
    return Pairs(
        tuple(people),
        mine,
        others,
        len(first.people) - len(people),
        len(second.people) - len(people),
        interval,
        over,
        tested.p,
        tested.exact,
        (float(left_out.min()), float(left_out.max())),
        people[int(np.abs(left_out - differences.mean()).argmax())],
        (first, second),
    )


def weighted(found: Sequence[Cells], weights: Sequence[float]) -> Cells | None:
    """The weighted sum of several models' scores, over what all have; None where they share no people."""
    first = found[0]
    people = [person for person in first.people if all(person in set(one.people) for one in found)]
    if not people:
        return None
    scores = sum(weight * one.of(people) for one, weight in zip(found, weights, strict=True))
    if any(one.per_item is None or set(one.items) != set(first.items) for one in found):
        return Cells(tuple(people), np.asarray(scores))
    tables = (weight * one.of(people, first.items) for one, weight in zip(found, weights, strict=True))
    return Cells(tuple(people), np.asarray(scores), first.items, np.asarray(sum(tables)))


def nothing(like: Cells) -> Cells:
    """Zeros for the same people and items, to compare something with nothing."""
    table = None if like.per_item is None else 0.0 * like.per_item
    return Cells(like.people, np.zeros(len(like.people)), like.items, table)


def for_others(first: Cells | None, second: Cells | None) -> dict[str, Any]:
    """Of a statistic over models: what it may come to with other people and items, as columns of a test.

    All models are held to the same people and items. What these happen to have in common with what models
    have in common stands in every model's score, and a test over models takes it for something of theirs.
    """
    found = None if first is None or second is None else pairs(first, second)
    if found is None or found.interval is None:
        return {"others_low": None, "others_high": None, "others": ""}
    return {
        "others_low": found.interval.low,
        "others_high": found.interval.high,
        "others": found.over,
    }


def _interval(first: Cells, second: Cells, people: Sequence[str]) -> tuple[Interval | None, str]:
    try:
        if first.per_item is None or second.per_item is None:
            return student_interval(first.of(people) - second.of(people)), "people"
        items = list(dict.fromkeys((*first.items, *second.items)))
        statistic = MeanDifference(_table(first, people, items), _table(second, people, items))
        shape = (len(people), len(items))
        return corrected_two_factor_interval(statistic, shape, seed=SEED, draws=DRAWS), "people and items"
    except ShapeError:  # no difference anywhere, or too few items for this
        return None, "people"


def _table(cells: Cells, people: Sequence[str], items: Sequence[str]) -> Array:
    """What each of these items adds (people x items), NaN for items of the other side."""
    table = np.full((len(people), len(items)), np.nan)
    place = {item: at for at, item in enumerate(items)}
    table[:, [place[item] for item in cells.items]] = cells.of(people, cells.items)
    return table


@dataclass(frozen=True, slots=True, eq=False)
class MeanDifference:
    """The mean over people of each one's mean over the items of one table less that of the other.

    Tables (people x items) with NaN where a person lacks an item. Who has no item left on a side of a
    resample is left out of it.
    """

    first: Array
    second: Array

    def __call__(self, people: IntArray, items: IntArray) -> float:
        """Of people and items at these positions, with repeats."""
        return float(self.many(people[None], items[None])[0])

    def many(self, people: IntArray, items: IntArray) -> Array:
        """Of many resamples at once (draws,)."""
        count = self.first.shape[1]
        rows = np.arange(len(items))[:, None] * count
        drawn = np.bincount((items + rows).ravel(), minlength=len(items) * count).reshape(len(items), count)
        difference = _means(self.first, drawn) - _means(self.second, drawn)
        chosen = np.take_along_axis(difference, people, axis=1)
        there = np.isfinite(chosen)
        counts = there.sum(axis=1)
        sums = np.where(there, chosen, 0.0).sum(axis=1)
        made: Array = np.divide(sums, counts, out=np.full(len(counts), np.nan), where=counts > 0)
        return made


def _means(table: Array, drawn: NDArray[np.intp]) -> Array:
    """Each person's mean over the items drawn (draws x people), NaN without any."""
    there = np.isfinite(table)
    sums, counts = drawn @ np.where(there, table, 0.0).T, drawn @ there.T.astype(np.float64)
    made: Array = np.divide(sums, counts, out=np.full(sums.shape, np.nan), where=counts > 0)
    return made
