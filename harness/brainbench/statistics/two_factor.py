"""Intervals that hold for other people and other items at once.

Both are samples, so both are resampled, independently, and the statistic is computed anew from the people
and items drawn. That is the two-factor ("pigeonhole") bootstrap. It counts the noise of single cells (each
person on each item) up to three times, so its intervals are conservative, most where noise outweighs the
differences between people and between items (McCullagh 2000; Owen 2007, Annals of Applied Statistics 1:386).
Where people or items are few and do differ, its percentiles are too narrow, as all percentiles are: with ten
people 92 percent where 95 are asked for.

`corrected_two_factor_interval` takes that away after Schuett, Kipnis, Diedrichsen and Kriegeskorte 2023
(eLife 12:e82566): with V_p and V_i the variances of bootstraps over people only and over items only, and V
that over both, the surplus V - V_p - V_i is due to cells and belongs in the sum once, where V_p and V_i have
brought it in twice. Here every term is first made unbiased for few units (n / (n - 1)), which for the mean
of a table gives exactly the variance of the two-way random-effects model.

Objects of a representational dissimilarity matrix are items too, but their values belong to pairs:
resample the objects and leave out every pair of an object with itself (`pairs_of`).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from brainbench.arrays import IntArray
from brainbench.errors import ShapeError, words_of
from brainbench.statistics.checks import (
    Values,
    is_whole,
    numbers,
    require_level_and_draws,
    require_variation,
)
from brainbench.statistics.intervals import Interval
from brainbench.statistics.resampled_means import OfMany
from brainbench.statistics.streams import blocks

MOST_UNDEFINED = 0.01  # share of draws without a value beyond which an interval is refused
ROUNDING = 1e-12  # draws that differ by less, relative to their size, do not vary

Indexed = Callable[[IntArray, IntArray], float]


def two_factor_interval(
    statistic: Indexed, shape: tuple[int, int], *, seed: int, draws: int = 10_000, level: float = 0.95
) -> Interval:
    """Percentiles of the two-factor bootstrap: conservative for noisy cells, and without assumed symmetry.

    `statistic(people, items)` takes positions, with repeats, of (people, items) counted by `shape`, and
    returns a number. `mean_of` a table's cells and `mean_of_pairs` of objects take many resamples at once. It
    may return NaN for a resample that leaves it undefined (too few different items): such draws are left out
    and counted, up to 1 in 100.

    Raises ShapeError for fewer than two people or items, for more undefined draws and for a statistic that
    does not vary; UsageError for a level outside (0, 1) or too few draws for it.
    """
    require_level_and_draws(level, draws)
    estimate = _whole(statistic, shape)
    found = np.concatenate(
        [_values(statistic, *block.choices_of_two(*shape)) for block in blocks(seed, draws)]
    )
    defined = _defined(found)
    low, high = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2])
    error = float(defined.std(ddof=1))
    _require_error(error, estimate)
    return Interval(
        estimate, float(low), float(high), level, error, "two-factor percentile", draws, draws - len(defined)
    )


def corrected_two_factor_interval(
    statistic: Indexed, shape: tuple[int, int], *, seed: int, draws: int = 1_000, level: float = 0.95
) -> Interval:
    """Student's interval around the estimate, with the corrected variance of the two-factor bootstrap.

    Takes three times `draws` resamples: of people, of items, of both. Degrees of freedom are Satterthwaite's.
    Assumes that the estimate is roughly normal. Arguments, and errors, as for `two_factor_interval`.
    """
    require_level_and_draws(level, draws)
    estimate = _whole(statistic, shape)
    parts = []
    for block in blocks(seed, draws):
        people, items = block.choices_of_two(*shape)
        everyone, everything = (np.broadcast_to(np.arange(count), (len(people), count)) for count in shape)
        pairs = ((people, everything), (everyone, items), (people, items))
        parts.append(np.stack([_values(statistic, *pair) for pair in pairs], axis=1))
    found = np.concatenate(parts)
    kept = [_defined(column) for column in found.T]
    over_people, over_items, over_both = (float(column.var(ddof=1)) for column in kept)
    a, b = shape[0] / (shape[0] - 1), shape[1] / (shape[1] - 1)
    cells = a * b * (over_both - over_people - over_items)
    error, df = two_way_error((a * over_people, b * over_items, cells), shape)
    undefined = int(np.count_nonzero(~np.isfinite(found)))
    return _student(estimate, (error, df), level, ("two-factor, corrected", 3 * draws, undefined))


def two_way_interval(table: Values, *, level: float = 0.95) -> Interval:
    """Student's interval of the mean of a table (people x items), for other people and other items.

    The corrected two-factor interval in closed form: nothing is drawn. The variance of the mean is
    (M_people + M_items - M_cells) / (people items) with mean squares M of the two-way layout, and at least
    the larger of the one-factor variances; degrees of freedom are Satterthwaite's (the "quasi-F" of Clark
    1973, Journal of Verbal Learning and Verbal Behavior 12:335). Raises ShapeError as `numbers` does, and
    for a table that does not vary.
    """
    require_level_and_draws(level, 2**53)
    checked = numbers(table, "A table (people x items)", 2)
    require_variation(checked, "The table's values")
    fit = two_way_error(mean_squares(checked) / checked.size, checked.shape)
    return _student(float(checked.mean()), fit, level, ("two-way", 0, 0))


def mean_squares(table: Values) -> NDArray[np.float64]:
    """Mean squares of people, items and cells of a table (people x items): (3,)."""
    people, items = table.shape
    rows = table.mean(axis=1, keepdims=True) - table.mean()
    columns = table.mean(axis=0, keepdims=True) - table.mean()
    cells = table - table.mean() - rows - columns
    return np.array(
        [
            items * (rows**2).sum() / (people - 1),
            people * (columns**2).sum() / (items - 1),
            (cells**2).sum() / ((people - 1) * (items - 1)),
        ]
    )


def two_way_error(
    variances: NDArray[np.float64] | tuple[float, float, float], shape: tuple[int, ...]
) -> tuple[float, float]:
    """Standard error for people and items at once, and its degrees of freedom (Satterthwaite 1946).

    `variances` are the estimate's over people, over items, and what cells add; each is a mean square over
    the number of cells. The result is never below the larger of the first two: negative components of
    variance are taken as none.
    """
    people, items, cells = variances
    cells = max(cells, 0.0)
    total, spread = people + items - cells, (people - cells, items - cells)
    if min(spread) <= 0:  # one factor shows no differences of its own: the other has all of the variance
        return float(np.sqrt(max(people, items))), float(shape[int(items > people)] - 1)
    a, b = shape[0] - 1, shape[1] - 1
    return float(np.sqrt(total)), float(total**2 / (people**2 / a + items**2 / b + cells**2 / (a * b)))


def _values(statistic: Indexed, people: IntArray, items: IntArray) -> NDArray[np.float64]:
    """The statistic of each resample (draws,); people, items (draws x units)."""
    if isinstance(statistic, OfMany):
        return statistic.many(people, items)
    return np.array([statistic(*drawn) for drawn in zip(people, items, strict=True)])


def _whole(statistic: Indexed, shape: tuple[int, int]) -> float:
    if not isinstance(shape, tuple) or len(shape) != 2 or not all(map(is_whole, shape)) or min(shape) < 2:
        raise ShapeError(
            f"Resampling people and items needs at least two of each; got {shape!r} (people, items).",
            hint="With one person, give an interval over items: percentile_interval.",
        )
    try:
        estimate = float(statistic(np.arange(shape[0]), np.arange(shape[1])))
    except IndexError as error:
        raise ShapeError(
            f"The statistic has no value for {shape[0]} people and {shape[1]} items: {words_of(error)}",
            hint="Give the shape of the table that the statistic is of.",
        ) from error
    if not np.isfinite(estimate):
        raise ShapeError("The statistic of all people and items is not finite.")
    return estimate


def _defined(found: NDArray[np.float64]) -> NDArray[np.float64]:
    defined = found[np.isfinite(found)]
    if len(defined) < (1 - MOST_UNDEFINED) * len(found):
        raise ShapeError(
            f"The statistic is not finite for {len(found) - len(defined)} of {len(found)} resamples.",
            hint="Resamples repeat people and items: there are too few different ones for this statistic.",
        )
    return defined


def _student(estimate: float, fit: tuple[float, float], level: float, made: tuple[str, int, int]) -> Interval:
    from scipy.special import stdtrit  # scipy.stats would take most of a second to import

    error, df = fit
    _require_error(error, estimate)
    half = error * float(stdtrit(df, (1 + level) / 2))
    return Interval(estimate, estimate - half, estimate + half, level, error, *made)


def _require_error(error: float, estimate: float) -> None:
    if not error > ROUNDING * abs(estimate):
        raise ShapeError(
            "The statistic is the same for all resamples, so that it shows no uncertainty.",
            hint="Look at how the values were made: constant features or one model under two names do this.",
        )
