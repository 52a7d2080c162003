"""Two models, or one before and after a change, on the same people or items."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brainbench.arrays import require_numbers
from brainbench.errors import ShapeError
from brainbench.statistics.checks import Values, numbers
from brainbench.statistics.intervals import Interval
from brainbench.statistics.sign_flip import SignFlip, sign_flip
from brainbench.statistics.two_factor import two_way_interval


@dataclass(frozen=True, slots=True)
class PairedComparison:
    """First model minus second.

    interval: for other people and other items. over_people: sign-flip test of people's mean differences,
    for these items. over_items: the same of items' mean differences, for these people. Only where the
    interval leaves out zero is there a difference that should hold for new people and new items; two small
    p values do not say so (Clark 1973).
    """

    difference: float
    interval: Interval
    over_people: SignFlip
    over_items: SignFlip


def compare_models(
    first: Values, second: Values, *, seed: int, draws: int = 10_000, level: float = 0.95
) -> PairedComparison:
    """Compare two models' scores on the same people and items, tables (people x items), cell by cell.

    For scores that exist for a person and an item (right or wrong, a correlation of patterns, a log
    likelihood). Where a score needs many items at once, give the difference of two scores to
    `corrected_two_factor_interval` as a function of people and items, and people's differences to
    `sign_flip`.

    Assumes that people are independent and so are items, that the mean difference is roughly normal (the
    interval) and that differences are symmetric around zero under the null (the tests). The interval is
    `two_way_interval`. Raises ShapeError when the tables differ in shape or hold what is not finite, for
    fewer than two people or items, and when the difference is the same in every cell, zero included.
    """
    tables = [
        numbers(table, f"The {which} model's table (people x items)", 2)
        for table, which in ((first, "first"), (second, "second"))
    ]
    if tables[0].shape != tables[1].shape:
        raise ShapeError(
            f"The models' tables differ in shape: {tables[0].shape} and {tables[1].shape} (people x items).",
            hint="Keep only the people and items that both models were scored on, in one order.",
        )
    differences = tables[0] - tables[1]
    interval = two_way_interval(differences, level=level)
    return PairedComparison(
        interval.estimate,
        interval,
        sign_flip(differences.mean(axis=1), seed=seed, draws=draws),
        sign_flip(differences.mean(axis=0), seed=seed, draws=draws),
    )


@dataclass(frozen=True, slots=True)
class McNemar:
    """Items that a change turned right (gained) or wrong (harmed), and those it left right or wrong.

    difference: accuracy after minus before. p: exact, two-sided.
    """

    gained: int
    harmed: int
    both_right: int
    both_wrong: int
    difference: float
    p: float


def mcnemar(before: NDArray[np.bool_], after: NDArray[np.bool_]) -> McNemar:
    """McNemar's exact test of the same items (items,) answered before and after a change.

    Only items whose answer changed count: under the null each changed either way with probability 1/2, so
    gains are binomial. p = 1 where nothing changed. Items are independent, and the model is the only one
    that the answer holds for. Raises ShapeError unless both are True or False for the same items.
    """
    from scipy.special import bdtr  # scipy.stats would take most of a second to import

    for answers, which in ((before, "before"), (after, "after")):
        require_numbers(answers, f"Right answers {which}", kinds="b")
    if before.ndim != 1 or before.shape != after.shape or not len(before):
        raise ShapeError(
            f"Right answers must be of the same items, one or more; got {before.shape} and {after.shape}.",
            hint="Match the two runs by item id.",
        )
    gained, harmed = int(np.count_nonzero(after & ~before)), int(np.count_nonzero(before & ~after))
    changed = gained + harmed
    p = min(1.0, 2 * float(bdtr(min(gained, harmed), changed, 0.5)))  # as likely either way
    kept = int(np.count_nonzero(before & after))
    return McNemar(gained, harmed, kept, len(before) - kept - changed, (gained - harmed) / len(before), p)
