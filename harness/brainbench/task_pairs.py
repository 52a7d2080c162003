"""One model on one task before and after a change, item by item."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from brainbench.errors import ShapeError
from brainbench.statistics import Interval, McNemar, SignFlip, mcnemar, sign_flip
from brainbench.task_scores import TaskScores, interval_over_groups, per_group


@dataclass(frozen=True, slots=True)
class PairedTask:
    """What a change did: after minus before.

    items: McNemar's exact test, which takes items for independent: right where each problem comes once, too
    sure of itself where a problem comes in many forms. gain and harm: shares of items turned right and
    wrong; their difference is that of the accuracies. interval: of that difference, problems resampled in
    pairs. over_problems: sign-flip test of the problems' mean differences; None where nothing changed.
    """

    items: McNemar
    gain: float
    harm: float
    difference: float
    interval: Interval
    over_problems: SignFlip | None


def compare(before: TaskScores, after: TaskScores, *, seed: int = 0) -> PairedTask:
    """Compare two runs of a task on the same items, matched by id.

    Raises ShapeError when the items differ, also in what was right, or in the problem they belong to.
    """
    later = {item.id: item for item in after.items}
    if later.keys() != {item.id for item in before.items}:
        raise ShapeError("The two runs are not of the same items.", hint="Run both with the same --limit.")
    pairs = [(item, later[item.id]) for item in before.items]
    if any((one.group, one.expected) != (two.group, two.expected) for one, two in pairs):
        raise ShapeError("Items of the same name differ between the runs: they are of different versions.")
    was, now = (np.array([pair[side].correct for pair in pairs]) for side in (0, 1))
    sums, sizes = per_group(before.items, now.astype(np.float64) - was)
    tested = mcnemar(was, now)
    shares, total = sums / sizes, len(pairs)
    return PairedTask(
        tested,
        tested.gained / total,
        tested.harmed / total,
        tested.difference,
        interval_over_groups(sums, sizes, seed=seed),
        sign_flip(shares, seed=seed) if len(shares) > 1 and np.ptp(shares) > 0 else None,
    )
