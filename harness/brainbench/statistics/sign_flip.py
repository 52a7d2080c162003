"""Sign-flip tests over people: whether their differences could as well have had the other sign.

Under the null each person's differences are symmetric around zero, so every pattern of signs is as likely
as the one observed; people are independent. The mean is compared with its values under all patterns, or under
random ones when there are too many (Winkler et al. 2014, NeuroImage 92:381). Items are taken as fixed: the
answer holds for other people and these items. n people have 2^n patterns, so with few people p cannot be
small: at least 2 / 2^n two-sided, .002 for ten.

Several tests on the same people (layers, pairs of models) are flipped together, each test's statistic being
|cosine| between differences and a constant, a monotone function of |t|. The maximum over tests then holds
the chance of any false alarm, and p is not limited by the number of tests, as it is with Bonferroni.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brainbench.statistics.checks import (
    Alternative,
    Values,
    numbers,
    require_alternative,
    require_draws,
    require_seed,
)
from brainbench.statistics.permutation import at_least
from brainbench.statistics.streams import BLOCK, blocks


@dataclass(frozen=True, slots=True)
class SignFlip:
    """Mean difference and its p value. exact: all `patterns` were tried; else so many random ones."""

    mean: float
    p: float
    exact: bool
    patterns: int


@dataclass(frozen=True, slots=True, eq=False)
class SignFlipFamily:
    """Several tests on the same people: means, p values by themselves and adjusted for all; (tests,)."""

    means: NDArray[np.float64]
    single: NDArray[np.float64]
    adjusted: NDArray[np.float64]
    exact: bool
    patterns: int


def sign_flip(
    differences: Values, *, seed: int, draws: int = 10_000, alternative: Alternative = "two-sided"
) -> SignFlip:
    """Test whether the mean of differences (people,) is zero.

    Exact when people have no more patterns of signs than `draws`, whatever the seed; else
    p = (b + 1) / (draws + 1). Raises ShapeError for fewer than two people and values that are not finite.
    """
    checked = numbers(differences, "Differences of people", 1)
    family = sign_flip_family(checked[:, None], seed=seed, draws=draws, alternative=alternative)
    return SignFlip(float(checked.mean()), float(family.single[0]), family.exact, family.patterns)


def sign_flip_family(
    differences: Values, *, seed: int, draws: int = 10_000, alternative: Alternative = "two-sided"
) -> SignFlipFamily:
    """Test each column of differences (people x tests), with p values adjusted by the maximum over tests.

    A column of zeros has p = 1. Raises as `sign_flip`.
    """
    require_alternative(alternative)
    require_seed(seed)
    require_draws(draws)
    checked = numbers(differences, "Differences (people x tests)", 2, least=1)
    numbers(checked[:, 0], "Differences of people", 1)
    exact = 2 ** len(checked) <= draws
    lengths = np.sqrt((checked**2).sum(axis=0) * len(checked))
    scaled = checked / np.where(lengths > 0, lengths, 1.0)
    observed = _extremes(np.ones((1, len(checked))), scaled, alternative)[0]
    single, family, patterns = np.zeros(scaled.shape[1]), np.zeros(scaled.shape[1]), 0
    for signs in _all_signs(len(checked)) if exact else _random_signs(len(checked), seed, draws):
        drawn = _extremes(signs, scaled, alternative)
        single += np.count_nonzero(_reached(drawn, observed), axis=0)
        family += np.count_nonzero(_reached(drawn.max(axis=1, keepdims=True), observed), axis=0)
        patterns += len(signs)
    extra = 0 if exact else 1  # all patterns hold the one observed; random ones need not
    total = patterns + extra
    return SignFlipFamily(
        checked.mean(axis=0), (single + extra) / total, (family + extra) / total, exact, patterns
    )


def _extremes(signs: Values, scaled: Values, alternative: Alternative) -> Values:
    """How far each pattern of signs (patterns x people) moves each test, turned so that large is extreme."""
    # einsum and not a BLAS product, whose last bits may depend on the number of threads.
    cosines: Values = np.einsum("dp,pt->dt", signs, scaled)
    if alternative == "two-sided":
        return np.abs(cosines)
    return cosines if alternative == "greater" else -cosines


def _reached(drawn: Values, observed: Values) -> NDArray[np.bool_]:
    # Cosines are sums of terms of up to 1: their rounding does not shrink with them.
    return at_least(drawn + 2.0, observed + 2.0)


def _all_signs(people: int) -> Iterator[Values]:
    for first in range(0, 2**people, BLOCK):
        numbers_of = np.arange(first, min(first + BLOCK, 2**people))
        yield np.where(numbers_of[:, None] >> np.arange(people) & 1, -1.0, 1.0)


def _random_signs(people: int, seed: int, draws: int) -> Iterator[Values]:
    for block in blocks(seed, draws):
        yield block.signs(people)
