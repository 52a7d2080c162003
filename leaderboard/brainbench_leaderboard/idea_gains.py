"""What a change did to a model's ideas: their scores beside those of the same model as it is, by object."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from brainbench.ideas import interval_over_items
from brainbench.plan import NOTHING
from brainbench.statistics import sign_flip
from brainbench_leaderboard.values import Row

ByObject = Callable[[str], Mapping[str, float]]  # mean scores of a record's objects, by its fingerprint
_ALIKE = ("question", "model", "revision", "dtype", "seed")


def with_gains(rows: Sequence[Row], by_object: ByObject) -> list[dict[str, Any]]:
    """The rows, each with `against_base`: None where nothing was changed, or the unchanged was not asked.

    Else a dictionary: fingerprint of the unchanged model's row, difference of mean scores over the objects
    that both have texts about, their number, the limits low and high of its interval (95 %, for other objects
    like these), and p of the sign-flip test over these objects.
    """
    plain = {
        _place(row): row for row in rows if row["outcome"] == "scores" and row["intervention"] == NOTHING
    }
    return [{**row, "against_base": _gain(row, plain.get(_place(row)), by_object)} for row in rows]


def _place(row: Row) -> tuple[Any, ...]:
    return tuple(row[name] for name in _ALIKE)


def _gain(row: Row, base: Row | None, by_object: ByObject) -> Row | None:
    if row["outcome"] != "scores" or row["intervention"] == NOTHING or base is None:
        return None
    after, before = by_object(row["fingerprint"]), by_object(base["fingerprint"])
    differences = [after[name] - before[name] for name in after if name in before]
    if not differences:
        return None
    widest = row["scale_high"] - row["scale_low"]
    interval = interval_over_items(differences, least=-widest, most=widest)
    return {
        "fingerprint": base["fingerprint"],
        "difference": interval.estimate,
        "objects": len(differences),
        "low": interval.low,
        "high": interval.high,
        "p": sign_flip(np.array(differences), seed=0).p if len(differences) > 1 else 1.0,
    }
