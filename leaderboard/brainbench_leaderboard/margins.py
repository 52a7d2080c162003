"""How far each model stands above the best dull predictor, on the same people and the same items.

Dull predictors are the baselines that every run has (kind "baseline"), with the model's seed and scored on
nearly all of its people, and the model's own twin with random weights. The best is chosen by its score, which
is hard on the model: the best of several is a little lucky.

Where a metric says what each item adds to the score, the distance is the mean over the people of both, and
its interval holds for other people and other items. Else it is the difference of the two scores; where these
are means over people it has an interval for other people, where they are medians none.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainbench.arrays import IntArray
from brainbench.errors import ShapeError
from brainbench.statistics import Interval, corrected_two_factor_interval, student_interval, two_way_interval

Row = dict[str, Any]
Array = NDArray[np.float64]
DRAWS = 500
ROUNDING = 1e-9
MOST_PEOPLE = 0.75  # share of a model's people that a dull predictor must have been scored on


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """A headline's scores (people,), and where known by item (people x items), NaN where one lacks it."""

    people: tuple[str, ...]
    scores: Array
    items: tuple[str, ...] = ()
    per_item: Array | None = None

    def of(self, people: Sequence[str], items: Sequence[str] = ()) -> Array:
        """Scores of these people (people,), or with items the table (people x items)."""
        rows = [self.people.index(person) for person in people]
        if not items or self.per_item is None:
            return self.scores[rows]
        return self.per_item[np.ix_(rows, [self.items.index(item) for item in items])]


def with_margins(rows: Sequence[Row], cells_of: Callable[[str], Cells]) -> list[Row]:
    """The rows with `above` (a baseline's name), `above_by`, `above_low`, `above_high`, `above_across`.

    All None for baselines and for rows without scores or without a baseline to compare with. `cells_of` gives
    the cells of a record by fingerprint.
    """
    dull: dict[str, list[Row]] = {}
    for row in rows:
        if row["outcome"] == "scores" and row["model_kind"] in ("baseline", "untrained"):
            dull.setdefault(row["question"], []).append(row)
    return [{**row, **_margin(row, dull.get(row["question"], []), cells_of)} for row in rows]


def _margin(row: Row, dull: Sequence[Row], cells_of: Callable[[str], Cells]) -> Row:
    none = dict.fromkeys(("above", "above_by", "above_low", "above_high", "above_across"))
    if row["baseline"] or row["outcome"] != "scores" or not dull:
        return none
    mine = cells_of(row["fingerprint"])
    fair = [other for other in dull if _may_compare(other, row) and _same_people(mine, other, cells_of)]
    if not fair:
        return none
    best = max(fair, key=lambda other: float(other["score"]))
    others = cells_of(best["fingerprint"])
    people = [person for person in mine.people if person in others.people]
    found, across = _interval(mine, others, people)
    paired = float((mine.of(people) - others.of(people)).mean())
    difference = float(row["score"]) - float(best["score"])
    if across == "people" and abs(paired - difference) > ROUNDING:  # medians, or not the same people
        found = None
    if across == "people and items":
        difference = paired
    limits = (found.low, found.high) if found else (None, None)
    return {
        "above": best["model"],
        "above_by": difference,
        "above_low": limits[0],
        "above_high": limits[1],
        "above_across": across if found else None,
    }


def _may_compare(other: Row, row: Row) -> bool:
    """Whether it is a dull predictor of the same seed and version, or the model's own twin run alike."""
    alike: tuple[str, ...] = ("seed", "nuisances")
    if other["model_kind"] == "untrained":
        if other["model"] != f"untrained:{row['model']}":
            return False
        alike = (*alike, "dtype", "pooling", "intervention")
    return all(other[name] == row[name] for name in alike)


def _same_people(mine: Cells, other: Row, cells_of: Callable[[str], Cells]) -> bool:
    shared = set(mine.people) & set(cells_of(other["fingerprint"]).people)
    return len(shared) >= MOST_PEOPLE * len(mine.people)


def _interval(mine: Cells, others: Cells, people: Sequence[str]) -> tuple[Interval | None, str]:
    if len(people) < 2:
        return None, ""
    items = [item for item in mine.items if item in others.items]
    try:
        if len(items) < 2:
            differences = mine.of(people) - others.of(people)
            return student_interval(differences), "people"
        return _over_both(mine.of(people, items) - others.of(people, items)), "people and items"
    except ShapeError:  # no difference anywhere
        return None, ""


def _over_both(table: Array) -> Interval:
    """For other people and other items, of a table (people x items) with NaN where a person lacks an item."""
    there = np.isfinite(table)
    if there.all():
        return two_way_interval(table)
    filled = np.where(there, table, 0.0)

    def mean(people: IntArray, items: IntArray) -> float:
        times = np.bincount(items, minlength=table.shape[1])
        counts = there[people] @ times
        if not counts.all():
            return float("nan")
        return float(((filled[people] @ times) / counts).mean())

    return corrected_two_factor_interval(mean, table.shape, seed=0, draws=DRAWS)
