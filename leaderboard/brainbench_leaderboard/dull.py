"""Which rows are dull predictors of a question, and the best one of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from brainbench_leaderboard.ties import is_changed

Row = Mapping[str, Any]


def best_dull(rows: Iterable[Row]) -> Row | None:
    """Of rows of one question the best dull predictor that models as they are are measured against.

    Those are the baselines that every run has, and models of random weights, but not steered ones: these
    have learnt from brains. None where there is none.
    """
    found = (row for row in rows if row["outcome"] == "scores" and row["baseline"] and _is_dull(row))
    return max(found, key=lambda row: float(row["score"]), default=None)


def _is_dull(row: Row) -> bool:
    return bool(row["model_kind"] == "baseline" or (row["model_kind"] == "untrained" and not is_changed(row)))
