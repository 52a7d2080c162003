"""What all correlations over models share: the count of parameters, whom a result holds for, its columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from brainbench.statistics import Correlation
from brainbench_leaderboard.analyses.entries import Entry
from brainbench_leaderboard.analyses.material import models_of
from brainbench_leaderboard.analyses.names import short_names
from brainbench_leaderboard.analyses.paired import for_others, nothing, weighted
from brainbench_leaderboard.analyses.results import Result, span
from brainbench_leaderboard.margins import Cells


def which_count(found: Sequence[Entry]) -> str:
    """Which count all of them have: that with the head where it is known of all."""
    return "with_head" if all(entry.with_head for entry in found) else "parameters"


def count_of(entry: Entry, which: str) -> int:
    """The number of a model's parameters, counted so."""
    return int(getattr(entry, which) or 0)


def slope_for_others(
    cells: Sequence[Cells], x: Sequence[float], given: Sequence[float] | None = None
) -> dict[str, Any]:
    """What the slope of models' scores on x may be with other people and items, as columns of a test.

    cells: each model's scores; x, and what is `given`, of each model. A slope is a weighted sum of scores.
    """
    values = np.array(x)
    others = np.ones((1, len(x))) if given is None else np.stack([np.ones(len(x)), np.array(given)])
    left = values - others.T @ np.linalg.lstsq(others.T, values, rcond=None)[0]
    slope = weighted(cells, (left / (left @ left)).tolist())
    return for_others(slope, None if slope is None else nothing(slope))


def correlated(r: Correlation, found: Sequence[Entry], **said: Any) -> Result:
    """A correlation over these models as a test; said: name, where, statistic, primary and more of it."""
    interval = r.interval
    return Result(
        **said,
        value=r.r,
        n=r.n,
        of="models",
        over="models",
        interval=span(interval),
        no_interval=r.no_interval,
        level=interval.level if interval else 0.95,
        method=interval.method if interval else "",
        p=r.p,
        p_method=f"{r.draws} shuffles",
        left_out=(r.left_out_low, r.left_out_high),
        leverage=short_names(models_of(found))[found[r.leverage].model],
    )
