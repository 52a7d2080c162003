"""An interval for a nested score that holds for other people and other items like these."""

from __future__ import annotations

from typing import Any

import numpy as np

from brainbench.arrays import IntArray
from brainbench.errors import ShapeError
from brainbench.statistics import corrected_two_factor_interval
from brainbench_metrics.nested_people import People
from brainbench_metrics.nested_scores import NestedScores

_COVERS = (
    "other people and other items of the same types, at this number of training items; regressions as "
    "fitted, so that what differs between training sets is not counted twice"
)


def interval_facts(found: NestedScores, people: People, draws: int, seed: int) -> dict[str, Any]:
    """The 95 percent interval of the mean over people, as plain JSON; or None, and the reason.

    People and items are resampled together, from what each item adds to each person's score; a person
    who lacks an item is left out of it.
    """
    shape = (len(people.members), found.table.shape[1])
    there = np.zeros(shape)
    for row, person in enumerate(people.members):
        there[row, person.items] = 1.0

    def mean(who: IntArray, which: IntArray) -> float:
        counts = np.bincount(which, minlength=shape[1])
        items = there @ counts
        if not items.all():
            return float("nan")
        return float(((found.table @ counts) / items)[who].mean())

    if len(people.members) < 2:
        return {"interval": None, "interval_reason": "One person says nothing about other people."}
    try:
        made = corrected_two_factor_interval(mean, shape, seed=seed, draws=draws)
    except ShapeError as error:
        return {"interval": None, "interval_reason": error.message}
    return {
        "interval": {
            "low": made.low,
            "high": made.high,
            "level": made.level,
            "standard_error": made.standard_error,
            "method": made.method,
            "draws": made.draws,
            "covers": _COVERS,
        }
    }
