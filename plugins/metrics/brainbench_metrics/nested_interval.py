"""An interval for a nested score that holds for other people and other items like these.

What each item adds to each person's score is resampled, people and items at once. That takes the regressions
as given, but other items would also have been other training items, and on shared training items the folds
go wrong together. So deviations between items are widened by sqrt(1 + items / training items): after Nadeau
and Bengio 2003 (Machine Learning 52:239), who add n_test / n_train to the 1 / folds of the variance of a mean
over folds. Without it an interval of 95 percent held zero in 79 of 100 simulations of noise (4 people who
share signals that the layers lack, 36 items), with it in 92; where something was planted in 83. Where folds
keep groups of items together, groups are what is resampled.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from brainbench.arrays import IntArray
from brainbench.errors import ShapeError
from brainbench.statistics import Interval, corrected_two_factor_interval
from brainbench_metrics.nested_scores import Array, NestedScores, Problem
from brainbench_metrics.within_strata import indicator

_COVERS = (
    "other people and other items (or groups of them) of the same types, at this number of training items; "
    "somewhat narrow: with 4 people and 36 items it held the truth in 83 to 92 of 100 simulations"
)


def interval_facts(found: NestedScores, problem: Problem, draws: int, seed: int) -> dict[str, Any]:
    """The 95 percent interval of the mean over people, as plain JSON; or None, and the reason.

    A person who lacks an item is left out of it.
    """
    people = problem.people.members
    if len(people) < 2:
        return {"interval": None, "interval_reason": "One person says nothing about other people."}
    there, units = _there(problem), indicator(_units(problem))
    sums, counts = _deviations(found, problem) @ units, there @ units
    shape = (len(people), units.shape[1])

    def mean(who: IntArray, which: IntArray) -> float:
        times = np.bincount(which, minlength=shape[1])
        items = counts @ times
        if not items.all():
            return float("nan")
        return float((found.nested + (sums @ times) / items)[who].mean())

    return said(lambda: corrected_two_factor_interval(mean, shape, seed=seed, draws=draws), _COVERS)


def said(make: Callable[[], Interval], covers: str) -> dict[str, Any]:
    """An interval and what it covers as plain JSON, or None and the reason why it cannot be made."""
    try:
        made = make()
    except ShapeError as error:
        return {"interval": None, "interval_reason": error.message}
    return {
        "interval": {
            "low": made.low,
            "high": made.high,
            "level": made.level,
            "standard_error": made.standard_error,
            "method": made.method,
            **({"draws": made.draws} if made.draws else {}),
            "covers": covers,
        }
    }


def item_values(found: NestedScores, problem: Problem) -> Array:
    """What `Scores.per_item` is to hold (people x items): deviations widened as for the interval.

    Where folds keep groups whole, all items of a group share a value, widened so that items drawn one by one
    are as uncertain as groups drawn whole.
    """
    there, values = _there(problem) > 0, _deviations(found, problem)
    if problem.groups is not None:
        for row, items in enumerate(there):
            values[row, items] = _of_groups(values[row, items], problem.groups[items])
    made: Array = np.where(there, found.nested[:, None] + values, np.nan)
    return made


def _of_groups(values: Array, groups: IntArray) -> Array:
    """Values (items,) of mean 0 made alike within groups, such that their mean has the error of whole groups.

    Sums over groups s_g have a mean over n items with the error of sum(s_g^2) G / (G - 1) / n^2, values v
    have one with that of sum(v^2) n / (n - 1) / n^2.
    """
    units = indicator(groups)
    n_items, n_groups = units.shape
    if n_groups < 2:
        return np.zeros(n_items)
    scale = np.sqrt(n_groups / (n_groups - 1) * (n_items - 1) / n_items)
    spread = scale * (units @ ((values @ units) / np.sqrt(units.sum(axis=0))))
    made: Array = spread - spread.mean()
    return made


def _units(problem: Problem) -> IntArray:
    """What is drawn whole (items,): its number."""
    return np.arange(len(problem.strata)) if problem.groups is None else problem.groups


def _there(problem: Problem) -> Array:
    """Which person has which item (people x items): 1 or 0."""
    made = np.zeros((len(problem.people.members), len(problem.strata)))
    for row, person in enumerate(problem.people.members):
        made[row, person.items] = 1.0
    return made


def _deviations(found: NestedScores, problem: Problem) -> Array:
    """What items add less the person's score, widened (people x items); 0 where the person lacks the item."""
    training = float(np.mean([len(fold.train) for fold in problem.folds]))
    widening = np.sqrt(1 + len(problem.strata) / training)
    made: Array = widening * (found.table - found.nested[:, None]) * _there(problem)
    return made
