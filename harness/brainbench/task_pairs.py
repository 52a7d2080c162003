"""A model's answers to a task before and after a change, item by item; many such pairs at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brainbench.errors import ShapeError
from brainbench.statistics import (
    Interval,
    McNemar,
    SignFlip,
    mcnemar,
    ratio_intervals,
    sign_flip_family,
)
from brainbench.task_scores import DRAWS, FEWEST, LEVEL, TaskScores, interval_of_few, no_interval

Floats = NDArray[np.float64]


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


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """Which items (items,) of a task were answered rightly: ids, the problem and the right answer of each."""

    ids: tuple[str, ...]
    groups: tuple[str, ...]
    expected: tuple[str, ...]
    correct: NDArray[np.bool_]

    @classmethod
    def of(cls, scores: TaskScores) -> Answers:
        """Those of a run."""
        rows = [(item.id, item.group, item.expected) for item in scores.items]
        ids, groups, expected = zip(*rows, strict=True)
        return cls(ids, groups, expected, scores.correct)

    def in_order_of(self, other: Answers) -> NDArray[np.bool_]:
        """Which are right, in the other's order of items; raises ShapeError when the items differ."""
        if (self.ids, self.groups, self.expected) == (other.ids, other.groups, other.expected):
            return self.correct
        places = {item: at for at, item in enumerate(self.ids)}
        if places.keys() != set(other.ids):
            raise ShapeError("The runs are not of the same items.", hint="Run both with the same --limit.")
        order = [places[item] for item in other.ids]
        mine = [(self.groups[at], self.expected[at]) for at in order]
        if mine != list(zip(other.groups, other.expected, strict=True)):
            raise ShapeError("Items of the same name differ: the runs are of different versions.")
        return self.correct[order]


def compare(before: TaskScores, after: TaskScores, *, seed: int = 0) -> PairedTask:
    """Compare two runs of a task on the same items, matched by id.

    Raises ShapeError when the items differ, also in what was right, or in the problem they belong to.
    """
    return compare_all([(Answers.of(before), Answers.of(after))], seed=seed)[0]


def compare_all(pairs: Sequence[tuple[Answers, Answers]], *, seed: int = 0) -> list[PairedTask]:
    """Compare each pair (before, after) as `compare` does, with the same numbers, in a fraction of the time.

    Resamples and signs are drawn once for all pairs whose problems have the same numbers of items.
    """
    tests: list[McNemar] = []
    changes: list[Floats] = []
    alike: dict[bytes, list[int]] = {}
    places: dict[tuple[str, ...], NDArray[np.intp]] = {}
    for at, (before, after) in enumerate(pairs):
        was, now = before.correct, after.in_order_of(before)
        tests.append(mcnemar(was, now))
        if before.groups not in places:
            places[before.groups] = problem_places(before.groups)
        problems = places[before.groups]
        changes.append(np.bincount(problems, weights=now.astype(np.float64) - was).astype(np.float64))
        alike.setdefault(np.bincount(problems).astype(np.float64).tobytes(), []).append(at)
    over: dict[int, tuple[Interval, SignFlip | None]] = {}
    for sizes, those in alike.items():
        found = _over_problems(np.array([changes[at] for at in those]), np.frombuffer(sizes), seed)
        over.update(zip(those, found, strict=True))
    return [_paired(tested, len(pairs[at][0].ids), *over[at]) for at, tested in enumerate(tests)]


def _paired(tested: McNemar, total: int, interval: Interval, over: SignFlip | None) -> PairedTask:
    gain, harm = tested.gained / total, tested.harmed / total
    return PairedTask(tested, gain, harm, tested.difference, interval, over)


def problem_places(groups: Sequence[str]) -> NDArray[np.intp]:
    """The position of each item's problem, problems in their order."""
    known: dict[str, int] = {}
    return np.array([known.setdefault(group, len(known)) for group in groups], dtype=np.intp)


def _over_problems(sums: Floats, sizes: Floats, seed: int) -> list[tuple[Interval, SignFlip | None]]:
    """For each change (changes x problems), summed over a problem's items: its interval, and its test."""
    shares = sums / sizes
    vary = np.flatnonzero(np.ptp(shares, axis=1) > 0)
    means = sums.sum(axis=1) / sizes.sum()
    found: list[tuple[Interval, SignFlip | None]] = [
        (no_interval(float(mean), len(sizes)), None) for mean in means
    ]
    if not len(vary):
        return found
    if len(sizes) < FEWEST:
        intervals = [interval_of_few(shares[at], float(means[at])) for at in vary]
    else:
        intervals = ratio_intervals(sums[vary], sizes, seed=seed, draws=DRAWS, level=LEVEL)
    tests = sign_flip_family(shares[vary].T, seed=seed)
    for at, interval, mean, p in zip(vary, intervals, tests.means, tests.single, strict=True):
        found[at] = interval, SignFlip(float(mean), float(p), tests.exact, tests.patterns)
    return found
