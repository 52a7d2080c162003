"""Intervals of many means over units that come in groups, all from the same resamples of the groups.

A mean over items that are forms of problems is a ratio: what the problems add up to, over how many items
they have. Where many such means are of the same groups, resamples are drawn once, and each is turned into
counts, so that every mean costs one product.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from brainbench.arrays import IntArray
from brainbench.errors import ShapeError
from brainbench.statistics.checks import Values, numbers, require_level_and_draws, require_seed
from brainbench.statistics.intervals import Interval, expanded_level

_AT_ONCE = 1 << 19  # positions drawn at once: the counts stay in the processor's cache


def ratio_intervals(
    sums: Values, sizes: Values, *, seed: int, draws: int = 10_000, level: float = 0.95
) -> list[Interval]:
    """Expanded percentile interval of sum(sums) / sum(sizes), for each of sums (means x groups).

    sizes (groups,) are shared. The numbers are those of `expanded_interval` of the ratio, groups being the
    units, with the same seed; a mean that does not vary between groups has an interval of no width. Raises
    ShapeError for fewer than two groups, values that are not finite and sizes that are not positive, and
    UsageError as `expanded_interval`.
    """
    wide = numbers(sums, "Sums (means x groups)", 2, least=1)
    over = numbers(sizes, "Sizes of groups", 1)
    if wide.shape[1:] != over.shape or over.min() <= 0:
        raise ShapeError(f"Sums {wide.shape} need a positive size of each group; got {over.shape} sizes.")
    require_seed(seed)
    raised = expanded_level(len(over), level)
    require_level_and_draws(raised, draws)
    drawn = _drawn(wide, over, seed, draws)
    tails = ((1 - raised) / 2, 1 - (1 - raised) / 2)
    estimates = wide.sum(axis=1) / over.sum()
    return [
        Interval(float(mean), float(low), float(high), level, float(error), "expanded percentile", draws)
        for mean, (low, high), error in zip(
            estimates, np.quantile(drawn, tails, axis=1).T, drawn.std(axis=1, ddof=1), strict=True
        )
    ]


def _drawn(sums: Values, sizes: Values, seed: int, draws: int) -> NDArray[np.float64]:
    """The ratios in every resample (means x draws)."""
    rng, groups = np.random.default_rng(seed), len(sizes)
    at_once = max(1, _AT_ONCE // groups)
    made = np.empty((len(sums), draws))
    both = np.vstack([sums, sizes]).T
    for first in range(0, draws, at_once):
        count = min(at_once, draws - first)
        # As scipy's bootstrap draws them: the two can be compared to the last digits.
        chosen: IntArray = rng.integers(0, groups, (count, groups))
        chosen += np.arange(count)[:, None] * groups
        times = np.bincount(chosen.ravel(), minlength=count * groups).reshape(count, groups)
        totals = times.astype(np.float64) @ both
        made[:, first : first + count] = (totals[:, :-1] / totals[:, -1:]).T
    return made
