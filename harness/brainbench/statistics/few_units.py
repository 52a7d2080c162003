"""Correlations over few units, models say: interval, permutation p, what each unit does to them, and partial.

A correlation over ten or twenty models hangs on single ones: beside r stand its range when each unit is left
out in turn, and the unit whose absence moves it most. The interval is BCa over units (Efron 1987); with
fewer than some twenty units it is too narrow more often than it should be, as `intervals` says, and near
|r| = 1 it may reach to the most extreme resample of all. A resample in which a variable does not vary has no
correlation and counts as 0: with four units that is one in sixty.

`partial_correlation` is that of what is left of both after a third variable is taken out, linearly; its p
value comes from shuffling what is left of y (Freedman and Lane 1983, Journal of Business and Economic
Statistics 1:292), which holds its level where x and the third go together, as a model's size and depth do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brainbench.errors import ShapeError
from brainbench.statistics.checks import Values, numbers, require_variation
from brainbench.statistics.intervals import Interval, bca_interval
from brainbench.statistics.permutation import permutation_p
from brainbench.statistics.streams import blocks

LEAST_UNITS = 4  # with three, r is large by chance more often than not
FLAT = 1e-12  # what is left of a variable, relative to it, that is rounding and no variation

Rows = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Correlation:
    """A correlation r over n units.

    interval: None where it is not defined, and `no_interval` says why. p: two-sided, from `draws` shuffles.
    left_out_low, left_out_high: the range of r when each unit is left out in turn. leverage: position of the
    unit whose absence moves r most.
    """

    r: float
    n: int
    interval: Interval | None
    no_interval: str
    p: float
    draws: int
    left_out_low: float
    left_out_high: float
    leverage: int


def pearson(x: Values, y: Values, *, seed: int, draws: int = 10_000, level: float = 0.95) -> Correlation:
    """Pearson's r of x and y (units,).

    Raises ShapeError for fewer than four units, lengths that differ, values that are not finite, and a
    variable that does not vary.
    """
    return _correlation(_checked(x, y), _pearson, seed, draws, level)


def spearman(x: Values, y: Values, *, seed: int, draws: int = 10_000, level: float = 0.95) -> Correlation:
    """Spearman's rho of x and y (units,), ties with their mean rank; raises as `pearson`."""
    return _correlation(_checked(x, y), _spearman, seed, draws, level)


def partial_correlation(  # noqa: PLR0913 - three variables, and how it is drawn
    x: Values, y: Values, given: Values, *, seed: int, draws: int = 10_000, level: float = 0.95
) -> Correlation:
    """Pearson's r of x and y (units,) with `given` taken out of both.

    Raises ShapeError as `pearson`, for fewer than five units, and where `given` leaves nothing of x or y.
    """
    columns = _checked(x, y, given, least=LEAST_UNITS + 1)
    for name, one in (("x", columns[0]), ("y", columns[1])):
        if np.linalg.norm(_rest(one, columns[2])) <= FLAT**0.5 * np.linalg.norm(one - one.mean()):
            raise ShapeError(
                f"The third variable leaves nothing of {name}: the two go together exactly.",
                hint="Add units in which they do not.",
            )
    return _correlation(columns, _partial, seed, draws, level)


def _checked(*columns: Values, least: int = LEAST_UNITS) -> Rows:
    made = [numbers(column, "Values to correlate", 1, least=least) for column in columns]
    if len({len(column) for column in made}) != 1:
        raise ShapeError(
            f"Values to correlate must be of the same units; got {[len(column) for column in made]} of them."
        )
    for column in made:
        require_variation(column, "Values to correlate")
    return np.stack(made)


def _correlation(
    columns: Rows, of: Callable[[Rows], Rows], seed: int, draws: int, level: float
) -> Correlation:
    units = columns.shape[1]
    r = float(of(columns))
    left_out = np.array([of(np.delete(columns, unit, axis=1)) for unit in range(units)])

    def resampled(drawn: Values, /, *, axis: int) -> Rows:
        del axis  # always the last
        return of(columns[:, drawn.astype(np.intp)])

    interval, why = None, ""
    try:
        interval = bca_interval(np.arange(float(units)), resampled, seed=seed, draws=draws, level=level)
    except ShapeError:
        why = f"The BCa interval is not defined for these {units} units."
    if interval is not None and interval.high - interval.low <= FLAT:
        interval, why = None, f"All resamples of these {units} units have the same correlation."
    return Correlation(
        r,
        units,
        interval,
        why,
        permutation_p(r, _null(columns, of, seed, draws), alternative="two-sided"),
        draws,
        float(left_out.min()),
        float(left_out.max()),
        int(np.abs(left_out - r).argmax()),
    )


def _null(columns: Rows, of: Callable[[Rows], Rows], seed: int, draws: int) -> Rows:
    """The correlation in shuffles of y, or of what the third variable leaves of y."""
    units = columns.shape[1]
    y = columns[1] if len(columns) == 2 else _rest(columns[1], columns[2])
    found = []
    for block in blocks(seed, draws):
        shuffled = y[block.permutations(units)]
        others = (np.broadcast_to(column, shuffled.shape) for column in columns[2:])
        found.append(of(np.stack([np.broadcast_to(columns[0], shuffled.shape), shuffled, *others])))
    return np.concatenate(found)


def _pearson(columns: Rows) -> Rows:
    """Of two variables (2 x ... x units): r (...), 0 where one does not vary."""
    centred = columns - columns.mean(axis=-1, keepdims=True)
    sizes = np.sqrt((centred**2).sum(axis=-1))
    flat = (sizes <= FLAT * np.abs(columns).max(axis=-1)).any(axis=0)
    products = (centred[0] * centred[1]).sum(axis=-1)
    r: Rows = np.where(flat, 0.0, products / np.where(flat, 1.0, sizes[0] * sizes[1]))
    return np.clip(r, -1.0, 1.0)


def _spearman(columns: Rows) -> Rows:
    from scipy.stats import rankdata

    return _pearson(np.asarray(rankdata(columns, axis=-1), dtype=np.float64))


def _partial(columns: Rows) -> Rows:
    """Of three variables (3 x ... x units): r (...) of the first two given the third; 0 where undefined."""
    xy, xz, yz = (_pearson(columns[[a, b]]) for a, b in ((0, 1), (0, 2), (1, 2)))
    left = (1 - xz**2) * (1 - yz**2)
    flat = left <= FLAT
    r: Rows = np.where(flat, 0.0, (xy - xz * yz) / np.sqrt(np.where(flat, 1.0, left)))
    return np.clip(r, -1.0, 1.0)


def _rest(y: Values, given: Values) -> Values:
    """What is left of y (units,) after a straight line in `given`."""
    z = given - given.mean()
    centred = y - y.mean()
    rest: Values = centred - z * (z @ centred) / (z @ z)
    return rest
