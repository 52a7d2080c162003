"""P values from random draws of the null hypothesis, for one score and for the best of many layers.

With b of m draws at least as extreme as what was observed, p = (b + 1) / (m + 1): what was observed counts as
one of the draws, so p is never zero and the test keeps its level (Phipson and Smyth 2010, Statistical
Applications in Genetics and Molecular Biology 9:39). Draw all of the estimator anew (choices of layer and
penalty included); `streams.Block.permutations` gives the shuffles, also within strata.

The maximum over layers of each draw is compared with every layer's score: then the chance of any false alarm
among all layers is held (Westfall and Young 1993; Nichols and Holmes 2002, Human Brain Mapping 15:1). Layers
should be on one scale; one with a wider null sets the bar for all.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brainbench.errors import ShapeError, UsageError
from brainbench.statistics.checks import (
    Alternative,
    Values,
    is_real,
    numbers,
    require_alternative,
    require_share,
)

TIE = 1e-12  # values this close, relative to the larger, are ties: the order of a sum must not decide


def at_least(drawn: Values, observed: Values) -> NDArray[np.bool_]:
    """Where `drawn` is not below `observed`, ties within rounding included."""
    reached: NDArray[np.bool_] = drawn >= observed - TIE * np.maximum(np.abs(drawn), np.abs(observed))
    return reached


def permutation_p(observed: float, null: Values, *, alternative: Alternative = "greater") -> float:
    """P value of one observed statistic against draws of its null (draws,).

    "two-sided" is twice the smaller of the one-sided p values, at most 1, which needs no symmetry. Raises
    ShapeError for no draws and for values that are not finite.
    """
    require_alternative(alternative)
    drawn = numbers(null, "Draws of the null", 1, least=1)
    if not is_real(observed) or not np.isfinite(observed):
        raise ShapeError(f"The observed statistic is {observed!r}, which has no p value.")
    seen = np.asarray(float(observed))
    greater = (1 + int(np.count_nonzero(at_least(drawn, seen)))) / (1 + len(drawn))
    less = (1 + int(np.count_nonzero(at_least(-drawn, -seen)))) / (1 + len(drawn))
    one_sided = {"greater": greater, "less": less}
    return one_sided.get(alternative, min(1.0, 2 * min(greater, less)))


@dataclass(frozen=True, slots=True, eq=False)
class LayerTests:
    """P values of layers: each by itself, and adjusted for the choice among all of them; (layers,).

    best: position of the layer with the highest score (the largest magnitude, if two-sided); its adjusted p
    value is that of the maximum over layers. maxima: of each of the null's `draws`, ascending.
    """

    single: NDArray[np.float64]
    adjusted: NDArray[np.float64]
    best: int
    draws: int
    maxima: NDArray[np.float64]

    @property
    def p(self) -> float:
        """P value of the best layer's score, its choice included."""
        return float(self.adjusted[self.best])

    def critical(self, alpha: float = 0.05) -> float:
        """Score (or magnitude) above which the adjusted p is at most alpha; inf if draws are too few."""
        require_share(alpha, "alpha")
        allowed = int(np.floor(alpha * (self.draws + 1) * (1 + TIE))) - 1  # maxima that may reach the score
        return float(self.maxima[-allowed - 1]) if allowed >= 0 else float("inf")


class MaxStatistic:
    """Counts draws of the null as they come, so that they need not be in memory together.

    `observed` are the layers' scores (layers,). Feed blocks (draws x layers) in any order and any cut, then
    ask for `result`. Only counts, and one maximum a draw, are kept. High scores speak against the null; with
    `two_sided` magnitudes do, which assumes a null around zero. Raises ShapeError for scores that are not
    finite.
    """

    def __init__(self, observed: Values, *, two_sided: bool = False) -> None:
        self._two_sided = two_sided
        self._observed = self._sized(numbers(observed, "Observed scores of layers", 1, least=1))
        self._single = np.zeros(len(self._observed), dtype=np.intp)
        self._family = np.zeros(len(self._observed), dtype=np.intp)
        self._maxima: list[NDArray[np.float64]] = []

    def update(self, null: Values) -> None:
        """Count a block of draws (draws x layers). Raises ShapeError when the layers are not the observed."""
        checked = numbers(null, "Draws of the null", 2, least=1)
        if checked.shape[1] != len(self._observed):
            raise ShapeError(
                f"Draws of the null have {checked.shape[1]} layers, and {len(self._observed)} were observed.",
                hint="Give an array (draws x layers).",
            )
        drawn = self._sized(checked)
        maxima = drawn.max(axis=1)
        self._single += np.count_nonzero(at_least(drawn, self._observed), axis=0)
        self._family += np.count_nonzero(at_least(maxima[:, None], self._observed), axis=0)
        self._maxima.append(maxima)

    def result(self) -> LayerTests:
        """P values of the draws so far. Raises UsageError when there are none."""
        if not self._maxima:
            raise UsageError("No draw of the null was counted.", hint="Call update before result.")
        maxima = np.sort(np.concatenate(self._maxima))
        return LayerTests(
            (1 + self._single) / (1 + len(maxima)),
            (1 + self._family) / (1 + len(maxima)),
            int(self._observed.argmax()),
            len(maxima),
            maxima,
        )

    def _sized(self, values: Values) -> Values:
        return np.abs(values) if self._two_sided else values


def max_statistic(observed: Values, null: Values, *, two_sided: bool = False) -> LayerTests:
    """P values of layers (layers,) against draws of the null (draws x layers); as `MaxStatistic`."""
    counter = MaxStatistic(observed, two_sided=two_sided)
    counter.update(null)
    return counter.result()
