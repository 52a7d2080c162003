"""Sentences of pictures: what they show, for who does not see them, and no more than they show."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from brainbench.statistics.few_units import LEAST_UNITS
from brainbench_leaderboard.site.pictures.panels import Panel

NO_INTERVAL = "No interval or p value is given for correlations here: brainbench analyse has them."


def count(number: int, what: str) -> str:
    """A number of things, in words that fit it."""
    return f"{number} {what}{'' if number == 1 else 's'}"


def value(number: float | None) -> str:
    """With three decimals."""
    return "unknown" if number is None else f"{number:.3f}"


def extremes(names: Sequence[str], values: Sequence[float]) -> str:
    """Who is highest and who lowest; of one, that one's value."""
    if len(values) == 1:
        return f"{names[0]} has {value(values[0])}"
    high, low = int(np.argmax(values)), int(np.argmin(values))
    return (
        f"highest is {names[high]} with {value(values[high])}, lowest {names[low]} with {value(values[low])}"
    )


def correlation(x: Sequence[float], y: Sequence[float]) -> str:
    """Pearson's r with n; in words why there is none."""
    if len(x) < LEAST_UNITS:
        return f"{count(len(x), 'model')}: too few for a correlation"
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        return f"no correlation is defined over {len(x)} models, as they do not differ"
    return f"Pearson's r = {float(np.corrcoef(x, y)[0, 1]):.2f} over n = {len(x)} models"


def limits(panel: Panel) -> str:
    """Where the ceiling and the best dull predictor lie."""
    ceiling = (
        "the ceiling is not known" if panel.ceiling is None else f"the ceiling is {value(panel.ceiling)}"
    )
    if panel.dull is None:
        return f"{ceiling}; no dull predictor was scored"
    return f"{ceiling}; the best dull predictor, {panel.dull_name}, has {value(panel.dull)}"
