"""How well two measures of the same units agree: over all of them, and within strata of them.

Correlations over all units and within strata answer two questions: where strata differ in both measures for
reasons of their own (objects to which people find better uses, say), units of all strata agree although
within each nothing does.

Intervals are percentile bootstraps that resample units within their strata, so that every draw has as many of
each stratum as the data (strata too small to have an r of their own are resampled together): they speak of
other units of these same strata, and of no other strata. Units are taken for independent: where several are
of one person, and nobody knows of which, intervals are too narrow.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brainbench.errors import ShapeError
from brainbench.statistics.checks import Values, numbers, require_level_and_draws, require_variation
from brainbench.statistics.intervals import Interval
from brainbench.statistics.streams import BLOCK, Block, blocks

_Reals = NDArray[np.float64]
_LEAST_UNITS = 3


@dataclass(frozen=True, slots=True)
class StratumCorrelation:
    """Pearson's r within one stratum of n units; None where one of the measures does not vary there."""

    n: int
    r: float | None


@dataclass(frozen=True, slots=True)
class Correlations:
    """Agreement over all units, and within strata.

    by_stratum: those with enough units. within: the mean of their r that are defined, each stratum counting
    alike however many units it has; None where there is no such r.
    """

    pearson: Interval
    spearman: Interval
    within: Interval | None
    by_stratum: Mapping[str, StratumCorrelation]


def correlations(  # noqa: PLR0913 - two measures, and how their intervals are made
    x: Values,
    y: Values,
    strata: Sequence[str],
    *,
    least: int,
    seed: int,
    draws: int = 2000,
    level: float = 0.95,
) -> Correlations:
    """Pearson's and Spearman's correlation of x and y (units,), and Pearson's within strata.

    `least`: the units that a stratum needs to have an r of its own. Raises ShapeError for fewer than three
    units, measures and strata that do not fit each other, and a measure that does not vary or is not finite;
    UsageError for a level outside (0, 1) or too few draws.
    """
    require_level_and_draws(level, draws)
    pair = np.stack([numbers(x, "The first measure", 1), _fitting(y, len(x))])
    if pair.shape[1] < _LEAST_UNITS or len(strata) != pair.shape[1]:
        raise ShapeError(
            f"{pair.shape[1]} units of {len(strata)} strata cannot be correlated.",
            hint=f"Give {_LEAST_UNITS} units or more, and the stratum of each.",
        )
    for values, what in zip(pair, ("The first measure", "The second measure"), strict=True):
        require_variation(values, what)
    names, labels = np.unique(np.asarray(strata, dtype=object), return_inverse=True)
    members = [np.flatnonzero(labels == label) for label in range(len(names))]
    least = max(least, _LEAST_UNITS)
    chosen = {str(name): at for name, at in zip(names, members, strict=True) if len(at) >= least}
    rest = [at for at in members if len(at) < least]
    found = {name: _pearson(*pair[:, at]) for name, at in chosen.items()}
    defined = [chosen[name] for name, r in found.items() if np.isfinite(r)]
    together = [*chosen.values(), *([np.concatenate(rest)] if rest else [])]
    drawn = [_draw(block, pair, together, defined) for block in blocks(seed, draws)]
    pearson, spearman, within = (np.concatenate(part) for part in zip(*drawn, strict=True))
    return Correlations(
        _interval(float(_pearson(*pair)), pearson, level),
        _interval(float(_pearson(*_ranks(pair))), spearman, level),
        _interval(float(np.mean([_pearson(*pair[:, at]) for at in defined])), within, level)
        if defined
        else None,
        {
            name: StratumCorrelation(len(chosen[name]), float(r) if np.isfinite(r) else None)
            for name, r in found.items()
        },
    )


def _fitting(y: Values, units: int) -> _Reals:
    checked = numbers(y, "The second measure", 1)
    if len(checked) != units:
        raise ShapeError(f"The measures have {units} and {len(checked)} units: they must be of the same.")
    return checked


def _draw(
    block: Block, pair: _Reals, members: Sequence[NDArray[np.intp]], defined: Sequence[NDArray[np.intp]]
) -> tuple[_Reals, _Reals, _Reals]:
    """Of each draw of a block: both correlations over all, and the mean within strata (NaN if undefined)."""
    rng = block.rng()
    drawn = np.empty((BLOCK, pair.shape[1]), dtype=np.intp)
    for at in members:
        drawn[:, at] = at[rng.integers(0, len(at), (BLOCK, len(at)))]
    drawn = drawn[: block.count]
    resampled = pair[:, drawn]
    within = (
        np.mean([_pearson(*resampled[:, :, at]) for at in defined], axis=0)
        if defined
        else np.full(block.count, np.nan)
    )
    return _pearson(*resampled), _pearson(*_ranks(resampled)), within


def _ranks(values: _Reals) -> _Reals:
    from scipy.stats import rankdata

    ranks: _Reals = rankdata(values, axis=-1)
    return ranks


def _pearson(x: _Reals, y: _Reals) -> _Reals:
    """Along the last axis; NaN where one of them does not vary."""
    constant = (np.ptp(x, axis=-1) == 0) | (np.ptp(y, axis=-1) == 0)
    x, y = (values - values.mean(axis=-1, keepdims=True) for values in (x, y))
    scale = np.sqrt((x * x).sum(axis=-1) * (y * y).sum(axis=-1))
    found: _Reals = np.where(constant, np.nan, (x * y).sum(axis=-1) / np.where(constant, 1.0, scale))
    return found


def _interval(estimate: float, drawn: _Reals, level: float) -> Interval:
    """Percentiles of the draws that are defined. Raises ShapeError where hardly any is."""
    defined = drawn[np.isfinite(drawn)]
    require_level_and_draws(level, max(len(defined), 1))
    low, high = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2])
    return Interval(
        estimate,
        float(low),
        float(high),
        level,
        float(defined.std(ddof=1)),
        "percentile within strata",
        len(drawn),
        len(drawn) - len(defined),
    )
