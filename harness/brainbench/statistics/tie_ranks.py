"""Ranks that tied models share, with power also where there are hundreds of models.

All pairs of models are compared at once: the differences of people (or problems) are flipped in sign, those
of all pairs by one pattern, and the largest statistic over all pairs in each pattern is what a pair's own
must reach. A pair's statistic is |mean difference| / sqrt(its mean square + s²), whose denominator no flip
changes. s² is a share, (1 - 2/models)², of the tenth percentile of the mean squares of all pairs. So two
models are compared as by `sign_flip`, and of more models each pair's own noise counts, but not in full:

- With s = 0 the statistic is that of `rank_models`. Of thousands of pairs and ten people some have small
  differences of one sign by chance alone, and next to these nothing can be told apart.
- With s alone it is a mean difference, the largest of which is the range of the flipped means. One noisy
  model, or one far from all others, widens it for everyone.

The chance that any two equal models are told apart is at most alpha where differences are symmetric around
zero, jointly over models, if all are equal; it needs no equal noise. Where some are better, the largest over
all pairs is at least the largest over the equal ones, so that no subset pivotality is needed either; but s²
then hangs a little on signs, and the bound is close and not exact. docs/calibration.md has simulations.

If a is better than b and b better than c, then a is better than c: where all are compared on the same units
that follows by itself, and where some are missing it is made to, since where the first two are right so is
the third. So two models of one rank were not told apart. A model with much noise can still have a better rank
than a steadier one of a higher score: a rank counts the models that are known to be better.

What makes it fast is that a flipped difference is the difference of two flipped means: patterns x models
numbers, not patterns x pairs x people.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brainbench.errors import ShapeError
from brainbench.statistics.checks import Values, require_draws, require_seed, require_share
from brainbench.statistics.permutation import TIE
from brainbench.statistics.streams import BLOCK, blocks

SHARE = 0.1  # of pairs whose mean square is below the usual one: those that hardly differ but by noise
_ROOM = 2**17  # numbers at a time: what a processor holds close by


@dataclass(frozen=True, slots=True, eq=False)
class TieRanks:
    """Ranks (models,) in the order given: 1 + the number of models that are known to be better.

    better (models x models): whether the model of the row is known to be better than that of the column.
    smallest_p: what the test can reach with so many units; above alpha, all ranks are 1.
    """

    ranks: NDArray[np.intp]
    better: NDArray[np.bool_]
    smallest_p: float

    @property
    def tied(self) -> NDArray[np.intp]:
        """How many models have the rank of each (models,), itself among them."""
        return np.bincount(self.ranks)[self.ranks]


def tie_ranks(
    scores: Values, shown: Values | None = None, *, seed: int, draws: int = 2000, alpha: float = 0.05
) -> TieRanks:
    """Rank models by the scores (models x units) that each person, or problem, gives them.

    NaN where a unit lacks a model: two models are compared on the units that both have, and not at all on
    fewer than two. shown (models,): the scores by which the models are listed, where these are not the means:
    a model is then known to be better only if it is the higher by both. Differences of mere rounding are
    none. Exact, whatever the seed, where units have no more patterns of signs than `draws`.

    The chance that any two equal models are told apart is at most alpha: for other units of that kind.
    Raises ShapeError for no model or unit, a model without a unit and infinite values, UsageError for draws,
    seed or alpha that cannot be.
    """
    require_share(alpha, "alpha")
    table, units = _checked(scores), np.shape(scores)[1]
    floor = TIE * np.nanmax(np.abs(np.asarray(scores, dtype=np.float64)), axis=1)
    by = np.nanmean(table, axis=1) if shown is None else np.asarray(shown, dtype=np.float64)
    if by.shape != table.shape[:1]:
        raise ShapeError(f"{len(table)} models are shown by scores of the shape {by.shape}.")
    signs, exact = _signs(units, seed, draws)
    observed, largest = _compared(table, signs, floor)
    extra = 0 if exact else 1
    at = np.searchsorted(np.sort(largest), np.abs(observed) - 3 * TIE)
    p = (len(largest) - at + extra) / (len(largest) + extra)
    found = (p <= alpha) & (observed > 0) & (by[:, None] > by)
    better = _followed(found)
    return TieRanks(1 + better.sum(axis=0), better, smallest_p(units, draws))


def smallest_p(units: int, draws: int = 2000) -> float:
    """The smallest p value that so many units can give in `tie_ranks`."""
    return 2.0 ** (1 - units) if 2**units <= draws else 1 / (1 + draws)


def _checked(scores: Values) -> Values:
    """Scores with each unit's median over models taken away, which is the same for both sides of a pair.

    Not the mean: beside a model of absurdly large scores, nothing would be left of the others' differences.
    """
    table = np.asarray(scores, dtype=np.float64)
    if table.ndim != 2 or not table.size or np.isinf(table).any() or np.isnan(table).all(axis=1).any():
        raise ShapeError(
            f"Scores must be models x units, none infinite and none without a unit; got shape {table.shape}."
        )
    usual = np.nanmedian(np.where(np.isfinite(table).any(axis=0), table, 0.0), axis=0)
    centred: Values = table - usual
    return centred


def _signs(units: int, seed: int, draws: int) -> tuple[Values, bool]:
    """Patterns (patterns x units): all, of which one stands for its opposite, or random ones."""
    require_seed(seed)
    require_draws(draws)
    if 2**units <= draws:
        numbers = np.arange(2 ** max(units - 1, 0))
        return np.where(numbers[:, None] >> np.arange(units) & 1, -1.0, 1.0), True
    return np.concatenate([block.signs(units) for block in blocks(seed, draws)]), False


def _compared(table: Values, signs: Values, floor: Values) -> tuple[Values, Values]:
    """Each pair's statistic with its sign (models x models), and the largest in each pattern (patterns,)."""
    there = np.isfinite(table)
    filled, whole = np.where(there, table, 0.0), bool(there.all())
    found, scales = _scaled(filled, there, floor)
    largest = np.zeros(len(signs))
    # einsum and not a BLAS product, whose last bits may depend on the number of threads
    moved = np.einsum("mu,du->md", filled, signs) if whole else None
    for high in range(len(table) - 1):
        own = scales[high, high + 1 :, None]
        if moved is None:
            shared = there[high] & there[high + 1 :]
            differences = np.where(shared, filled[high] - filled[high + 1 :], 0.0)
        for part in _parts(len(signs), len(own)):
            if moved is None:
                drawn = np.einsum("mu,du->md", differences, signs[part])
            else:
                drawn = moved[high + 1 :, part] - moved[high, part]
            drawn *= own
            np.abs(drawn, out=drawn)
            np.maximum(largest[part], drawn.max(axis=0), out=largest[part])
    return found, largest


def _scaled(filled: Values, there: NDArray[np.bool_], floor: Values) -> tuple[Values, Values]:
    """Each pair's statistic with its sign, and what its sum of differences is multiplied by for it.

    Both are (models x models), the second in its upper half; 0 where a pair shares fewer than two units, or
    differs by rounding alone: by less than `floor` (models,) of one of them.
    """
    models = len(filled)
    sums, squares, counts = (np.zeros((models, models)) for _ in range(3))
    for high in range(models - 1):
        shared = there[high] & there[high + 1 :]
        differences = np.where(shared, filled[high] - filled[high + 1 :], 0.0)
        counts[high, high + 1 :] = np.maximum(shared.sum(axis=1), 1)
        sums[high, high + 1 :] = differences.sum(axis=1)
        squares[high, high + 1 :] = (differences**2).sum(axis=1)
    pairs = (counts > 1) & (squares > np.maximum(floor[:, None], floor) ** 2 * counts)
    counts[~pairs], squares[~pairs] = 1, 1
    squares /= counts
    usual = np.quantile(squares[pairs], SHARE) if pairs.any() else 0.0
    scales = pairs / counts / np.sqrt(squares + (1 - 2 / models) ** 2 * usual)
    found = sums * scales
    return found - found.T, scales


def _parts(patterns: int, models: int) -> Iterator[slice]:
    """The patterns in parts that fit beside so many models."""
    size = max(BLOCK, _ROOM // max(models, 1))
    return (slice(first, first + size) for first in range(0, patterns, size))


def _followed(found: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Who is better than whom, directly or through others (models x models)."""
    better = found
    while True:
        known = better.astype(np.float32)
        more: NDArray[np.bool_] = better | (known @ known > 0.5)  # whole numbers: exact on any machine
        if np.array_equal(more, better):
            return better
        better = more
