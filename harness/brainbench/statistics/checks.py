"""What statistics are asked to work on, checked once: one sentence and what to do about it."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from brainbench.arrays import require_numbers
from brainbench.errors import ShapeError, UsageError

Values = NDArray[np.float64]
Alternative = Literal["two-sided", "greater", "less"]


def numbers(array: object, what: str, dimensions: int, *, least: int = 2) -> Values:
    """The array in float64, or ShapeError: so many dimensions, `least` along each, nothing missing."""
    require_numbers(array, what, kinds="bfiu")
    values = np.asarray(array, dtype=np.float64)
    if values.ndim != dimensions:
        raise ShapeError(f"{what} must have {dimensions} dimensions; got the shape {values.shape}.")
    if min(values.shape) < least:
        raise ShapeError(
            f"{what} must have at least {least} entries along each dimension; got the shape {values.shape}.",
            hint="Nothing can be said about people or items in general from fewer.",
        )
    if not np.isfinite(values).all():
        raise ShapeError(
            f"{what} must be finite; {np.count_nonzero(~np.isfinite(values))} of {values.size} are not.",
            hint="Leave out people or items that lack a value, or let a statistic of your own see to them.",
        )
    return values


def require_variation(values: Values, what: str) -> None:
    """Raise ShapeError when all values are equal: an interval of no width would be a false certainty."""
    if values.min() == values.max():
        raise ShapeError(
            f"{what} are all {values.flat[0]:g}, so that they show no uncertainty.",
            hint="Look at how they were made: constant features or one model under two names do this.",
        )


def require_seed(seed: object) -> None:
    """Raise UsageError unless it is a whole number of at least 0."""
    if not isinstance(seed, int) or isinstance(seed, bool) or seed < 0:
        raise UsageError(f"A seed is a whole number of at least 0; got {seed!r}.", hint="Give seed=0, say.")


def require_draws(draws: object, least: int = 1) -> None:
    """Raise UsageError unless it is a whole number of at least `least`."""
    if not isinstance(draws, int) or isinstance(draws, bool) or draws < least:
        raise UsageError(
            f"draws must be a whole number of at least {least} here; got {draws!r}.",
            hint="10,000 is usual.",
        )


def is_real(value: object) -> bool:
    """Whether it is one real number, Python's or numpy's, and neither True nor a string."""
    return isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)


def is_whole(value: object) -> bool:
    """Whether it is one whole number, Python's or numpy's, and not True."""
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def require_level_and_draws(level: float, draws: int) -> None:
    """Raise UsageError unless 0 < level < 1 and at least one draw is expected in each tail."""
    require_share(level, "The level of an interval")
    require_draws(draws, least=int(np.ceil(round(2 / (1 - level), 6))))


def require_share(value: object, what: str) -> None:
    """Raise UsageError unless 0 < value < 1."""
    if not isinstance(value, float) or not 0 < value < 1:
        raise UsageError(f"{what} must lie between 0 and 1; got {value!r}.", hint="Give 0.95 for 95 percent.")


def require_alternative(alternative: str) -> None:
    """Raise UsageError unless it is one of the three alternatives."""
    if alternative not in get_args(Alternative):
        raise UsageError(
            f"There is no alternative {alternative!r}.",
            hint=f"Give one of {', '.join(get_args(Alternative))}.",
        )
