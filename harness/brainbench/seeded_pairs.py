"""What a change that is trained several times does to a model's answers, each time from another seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from brainbench.errors import ShapeError
from brainbench.statistics import Interval, crossed_interval
from brainbench.task_pairs import Answers, compare_all, problem_places
from brainbench.task_scores import no_interval

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class SeededPair:
    """What a change did, after minus before, over its trainings.

    seeds: how many trainings; of one the interval holds for other problems alone, of several for other
    trainings, too. difference: mean over trainings of the difference of accuracies; by_seed: each, in the
    order given; sd: their standard deviation, None of one. gain, harm: means of the shares of items turned
    right and wrong.
    """

    seeds: int
    difference: float
    interval: Interval
    by_seed: tuple[float, ...]
    sd: float | None
    gain: float
    harm: float


def compare_over_seeds(pairs: Sequence[tuple[Answers, Answers]]) -> SeededPair:
    """Compare each training's (before, after), all on the same items, and pool what they say.

    Raises ShapeError for no pair, and where the items differ.
    """
    if not pairs:
        raise ShapeError("There is no training to compare.")
    asked = pairs[0][0]
    was = np.array([before.in_order_of(asked) for before, _ in pairs])
    now = np.array([after.in_order_of(asked) for _, after in pairs])
    by_seed = now.mean(axis=1) - was.mean(axis=1)
    problems = problem_places(asked.groups)
    sizes = np.bincount(problems).astype(np.float64)
    turned = now.astype(np.float64) - was
    changes = np.array([np.bincount(problems, weights=row) for row in turned]) / sizes
    return SeededPair(
        len(pairs),
        float(by_seed.mean()),
        compare_all(pairs)[0].interval if len(pairs) == 1 else _crossed(changes, sizes),
        tuple(map(float, by_seed)),
        float(by_seed.std(ddof=1)) if len(pairs) > 1 else None,
        float((now & ~was).mean()),
        float((was & ~now).mean()),
    )


def _crossed(changes: Floats, sizes: Floats) -> Interval:
    """Of several seeds: kept between -1 and 1, for few of them it may be wide."""
    if changes.shape[1] < 2 or np.ptp(changes) == 0:
        return no_interval(float(changes.mean(axis=0) @ sizes / sizes.sum()), changes.shape[1])
    found = crossed_interval(changes, sizes)
    return replace(found, low=max(-1.0, found.low), high=min(1.0, found.high))
