"""Bootstrap intervals of a statistic of one value per unit: per person, per item, per model.

Percentile and bias-corrected accelerated (BCa) intervals are scipy's (Efron 1987; Efron and Tibshirani
1993, chapters 13 and 14). Both are too narrow for few units: a bootstrap draw varies by (n - 1) / n of the
variance, and its tails are those of a normal distribution. With ten people expect some 90 percent where
95 are asked for. The expanded percentile interval (Hesterberg 2015, The American Statistician 69:371)
makes up for both where the statistic is a mean or like one. `benchmarks/statistics_calibration.py`
measures them.

These generalise over the units that are given, and over nothing else: an interval over people says
nothing about other items. For both at once see `two_factor`.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from brainbench.errors import ShapeError
from brainbench.statistics.checks import (
    Values,
    numbers,
    require_level_and_draws,
    require_seed,
    require_variation,
)

_AT_ONCE = 2**22  # values in memory; a number of the data alone, so that results are too


class Statistic(Protocol):
    """A function that reduces an array along an axis, as numpy.mean and numpy.median do."""

    def __call__(self, values: NDArray[np.float64], /, *, axis: int) -> NDArray[np.float64]:
        """Reduce along the axis."""
        ...


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate and the interval around it, in the unit of the values.

    level: how often such intervals are to hold the truth. standard_error: standard deviation of the draws,
    or of the formula. draws: how many resamples were made; undefined: how many of them had no value and
    were left out.
    """

    estimate: float
    low: float
    high: float
    level: float
    standard_error: float
    method: str
    draws: int = 0
    undefined: int = 0


def student_interval(values: Values, *, level: float = 0.95) -> Interval:
    """Student's interval of the mean of `values` (units,): nothing is drawn, and few units will do.

    Assumes that the mean is roughly normal. Raises ShapeError for fewer than two units, values that are not
    finite or do not vary, and UsageError for a level outside (0, 1).
    """
    from scipy.special import stdtrit

    require_level_and_draws(level, 2**53)
    checked = numbers(values, "Values to average", 1)
    require_variation(checked, "The values")
    mean, error = float(checked.mean()), float(checked.std(ddof=1) / np.sqrt(len(checked)))
    half = error * float(stdtrit(len(checked) - 1, (1 + level) / 2))
    return Interval(mean, mean - half, mean + half, level, error, "Student")


def percentile_interval(
    values: Values, statistic: Statistic = np.mean, *, seed: int, draws: int = 10_000, level: float = 0.95
) -> Interval:
    """Percentile bootstrap of a statistic of `values` (units,).

    Raises ShapeError for fewer than two units, values that are not finite or do not vary, and UsageError for
    a level outside (0, 1) or fewer draws than put one in each tail.
    """
    require_level_and_draws(level, draws)
    return _interval(values, statistic, (seed, draws), level, "percentile")


def expanded_interval(
    values: Values, statistic: Statistic = np.mean, *, seed: int, draws: int = 10_000, level: float = 0.95
) -> Interval:
    """Percentile bootstrap at a raised level, by which a mean's interval gets as wide as Student's.

    With n units the tail of the percentiles is Phi(-sqrt(n / (n - 1)) t), where t is Student's quantile of
    the level wanted with n - 1 degrees of freedom (Hesterberg 2015). Raises as `percentile_interval`; the
    draws needed go by the raised level.
    """
    require_level_and_draws(level, draws)
    raised = expanded_level(len(numbers(values, "Values to resample", 1)), level)
    require_level_and_draws(raised, draws)
    inner = _interval(values, statistic, (seed, draws), raised, "percentile")
    return Interval(
        inner.estimate, inner.low, inner.high, level, inner.standard_error, "expanded percentile", draws
    )


def expanded_level(units: int, level: float) -> float:
    """The level of percentiles by which the interval of a mean of so many units (two or more) is expanded."""
    from scipy.special import ndtr, stdtrit

    tail = float(ndtr(np.sqrt(units / (units - 1)) * stdtrit(units - 1, (1 - level) / 2)))
    return 1 - 2 * tail


def bca_interval(
    values: Values, statistic: Statistic = np.mean, *, seed: int, draws: int = 10_000, level: float = 0.95
) -> Interval:
    """Bias-corrected accelerated bootstrap of a statistic of `values` (units,).

    Better than percentiles where the statistic is biased or its error depends on its size (a correlation, a
    skewed mean) and there are more than a few tens of units. Raises as `percentile_interval`, and ShapeError
    where the correction is not defined (no value makes a difference when it is left out, say).
    """
    require_level_and_draws(level, draws)
    return _interval(values, statistic, (seed, draws), level, "BCa")


def _interval(
    values: Values,
    statistic: Statistic,
    random: tuple[int, int],
    level: float,
    method: Literal["percentile", "BCa"],
) -> Interval:
    from scipy.stats import DegenerateDataWarning, bootstrap

    seed, draws = random
    require_seed(seed)
    checked = numbers(values, "Values to resample", 1)
    require_variation(checked, "Values to resample")
    with warnings.catch_warnings(), np.errstate(divide="ignore", invalid="ignore"):
        warnings.simplefilter("ignore", DegenerateDataWarning)  # said below, in our words
        done = bootstrap(
            (checked,),
            statistic,
            n_resamples=draws,
            batch=max(1, _AT_ONCE // len(checked)),
            vectorized=True,
            confidence_level=level,
            method=method,
            rng=np.random.default_rng(seed),
        )
    found = [float(bound) for bound in done.confidence_interval]
    if not np.isfinite(found).all():
        raise ShapeError(
            f"The {method} interval is not defined for these {len(checked)} values.",
            hint="Use percentile_interval, more units, or a statistic that is finite for every resample.",
        )
    estimate = float(statistic(checked, axis=-1))
    return Interval(estimate, found[0], found[1], level, float(done.standard_error), method, draws)
