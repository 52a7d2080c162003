"""How far each model stands above the best dull predictor, on the same people and the same items.

Dull predictors are all baselines of the same question but people themselves; of random weights only the
model's own twin. The best is chosen by its score, which is hard on the model: the best of several is a
little lucky. Where a metric says what each item adds to the score the interval holds for other people and
other items, else for other people alone.
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
        if row["baseline"] and row["outcome"] == "scores" and row["model_kind"] != "people":
            dull.setdefault(row["question"], []).append(row)
    return [{**row, **_margin(row, dull.get(row["question"], []), cells_of)} for row in rows]


def _margin(row: Row, dull: Sequence[Row], cells_of: Callable[[str], Cells]) -> Row:
    none = dict.fromkeys(("above", "above_by", "above_low", "above_high", "above_across"))
    fair = [other for other in dull if other["model_kind"] != "untrained" or _is_twin(other, row)]
    if row["baseline"] or row["outcome"] != "scores" or not fair:
        return none
    best = max(fair, key=lambda other: float(other["score"]))
    mine, others = cells_of(row["fingerprint"]), cells_of(best["fingerprint"])
    people = [person for person in mine.people if person in others.people]
    if not people:
        return none
    difference = float((mine.of(people) - others.of(people)).mean())
    found, across = _interval(mine, others, people)
    limits = (found.low, found.high) if found else (None, None)
    return {
        "above": best["model"],
        "above_by": difference,
        "above_low": limits[0],
        "above_high": limits[1],
        "above_across": across if found else None,
    }


def _is_twin(other: Row, row: Row) -> bool:
    """Whether it is the same network with random weights, run in the same way."""
    alike = all(other[name] == row[name] for name in ("dtype", "pooling", "intervention", "seed"))
    return alike and other["model"] == f"untrained:{row['model']}"


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
