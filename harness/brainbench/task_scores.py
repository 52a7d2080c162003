"""What becomes of a task: every item with its answer, and the accuracy with its uncertainty."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainbench.errors import ShapeError
from brainbench.protocols import require_plain
from brainbench.statistics import Interval, expanded_interval, student_interval

Floats = NDArray[np.float64]

LEVEL = 0.95
DRAWS = 10_000
FEWEST = 4  # problems that a bootstrap needs to reach its level with so many draws


@dataclass(frozen=True, slots=True)
class TaskItem:
    """One question and its answer.

    group: the problem that the item is one form of (an order of its premises, say), or its own id. answer:
    the choice taken, or what was generated; expected: the right choice. log_likelihoods: natural, one for
    each of `choices`; empty where the answer was generated. greedy: the choice that greedy decoding spells,
    "" where it spells none; None where that is not known. prompt_hash: SHA-256 of what the model read.
    """

    id: str
    group: str
    correct: bool
    answer: str
    expected: str
    prompt_hash: str
    choices: tuple[str, ...] = ()
    log_likelihoods: tuple[float, ...] = ()
    greedy: str | None = None


@dataclass(frozen=True, eq=False)
class TaskScores:
    """The items of one task, each once, and how many of them were answered rightly.

    `by`: accuracy by the values of some of the items' conditions. `details`: plain JSON, what else a reader
    needs to judge the number. Raises ShapeError for no items, repeated ids, log-likelihoods that are not
    finite or not one for each choice, and details that are no plain JSON.
    """

    items: tuple[TaskItem, ...]
    by: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.items:
            raise ShapeError("TaskScores: there is no item.")
        if len({item.id for item in self.items}) != len(self.items):
            raise ShapeError("TaskScores: an item's id occurs twice.")
        for item in self.items:
            if not all(math.isfinite(value) for value in item.log_likelihoods):
                raise ShapeError(f"TaskScores: item {item.id!r} has a log-likelihood that is not finite.")
            if item.log_likelihoods and len(item.log_likelihoods) != len(item.choices):
                raise ShapeError(f"TaskScores: item {item.id!r} lacks a choice or a log-likelihood.")
        require_plain(self.details, "TaskScores: details")
        require_plain(self.by, "TaskScores: by")

    @cached_property
    def correct(self) -> NDArray[np.bool_]:
        """Whether each item was answered rightly (items,)."""
        return np.array([item.correct for item in self.items])

    @property
    def accuracy(self) -> float:
        """The share of items answered rightly."""
        return float(self.correct.mean())

    @property
    def groups(self) -> int:
        """How many problems the items are forms of."""
        return len({item.group for item in self.items})

    @property
    def chance(self) -> float | None:
        """What guessing among the choices reaches; None where the answer was generated."""
        if not all(item.choices for item in self.items):
            return None
        return float(np.mean([1 / len(item.choices) for item in self.items]))

    @property
    def constant(self) -> tuple[str, float]:
        """The best answer to give to everything, and its accuracy: "always True"."""
        expected = Counter(item.expected for item in self.items)
        answer, count = min(expected.items(), key=lambda found: (-found[1], found[0] != "True", found[0]))
        return answer, count / len(self.items)

    @property
    def greedy_accuracy(self) -> float | None:
        """The share of items for which greedy decoding spells the right answer; None where not known."""
        if any(item.greedy is None for item in self.items):
            return None
        return float(np.mean([item.greedy == item.expected for item in self.items]))

    @cached_property
    def interval(self) -> Interval:
        """For other problems like these: problems are resampled, each with all its forms."""
        return interval_over_groups(*per_group(self.items, self.correct.astype(np.float64)), share=True)


def per_group(items: Sequence[TaskItem], values: Floats) -> tuple[Floats, Floats]:
    """Sums of `values` (items,) over each group's items, and how many those are; groups in their order."""
    places: dict[str, int] = {}
    at = [places.setdefault(item.group, len(places)) for item in items]
    sums: Floats = np.bincount(at, weights=values).astype(np.float64)
    return sums, np.bincount(at).astype(np.float64)


def interval_over_groups(sums: Floats, sizes: Floats, *, share: bool = False, seed: int = 0) -> Interval:
    """Interval of a mean over items that come in groups (of which `sums` and `sizes` are given).

    An expanded bootstrap over groups; for two or three that differ Student's interval of their means. Where
    groups are alike these would claim to be certain: a `share` of 0 or 1 then gets the exact interval
    (Clopper and Pearson), each group counting as one item; else fewer than four groups get all that there
    is, 0 or -1 to 1, and more the mean alone.
    """
    shares, mean = sums / sizes, float(sums.sum() / sizes.sum())
    exact = share and mean in (0.0, 1.0)
    least = 0.0 if share else -1.0
    if 1 < len(sums) < FEWEST and np.ptp(shares) > 0:
        return interval_of_few(shares, mean, least=least)
    if len(sums) > 1 and np.ptp(shares) > 0:

        def ratio(drawn: Floats, /, *, axis: int) -> Floats:
            chosen = drawn.astype(np.intp)
            found: Floats = sums[chosen].sum(axis=axis) / sizes[chosen].sum(axis=axis)
            return found

        places = np.arange(len(sums), dtype=np.float64)
        return expanded_interval(places, ratio, seed=seed, draws=DRAWS, level=LEVEL)
    if exact:
        from scipy.stats import binomtest

        found = binomtest(len(sums) if mean else 0, len(sums)).proportion_ci(LEVEL, "exact")
        return Interval(mean, float(found.low), float(found.high), LEVEL, 0.0, "Clopper-Pearson")
    return no_interval(mean, len(sums), least=least)


def interval_of_few(shares: Floats, mean: float, *, least: float = -1.0, most: float = 1.0) -> Interval:
    """Student's interval of the shares of two or more groups that differ, kept between `least` and `most`.

    So few have too few different resamples for a bootstrap.
    """
    found = student_interval(shares, level=LEVEL)
    half = (found.high - found.low) / 2
    low, high = max(least, mean - half), min(most, mean + half)
    return Interval(mean, low, high, LEVEL, found.standard_error, found.method)


def no_interval(mean: float, problems: int, *, least: float = -1.0, most: float = 1.0) -> Interval:
    """Where all problems are alike: the mean itself or, of very few, all that there is."""
    if problems < FEWEST:
        return Interval(mean, least, most, LEVEL, 0.0, "none: too few problems")
    return Interval(mean, mean, mean, LEVEL, 0.0, "none: the problems do not differ")
