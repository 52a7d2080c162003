"""Intervals of a change for other problems and other trainings at once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import t

from brainbench.errors import ShapeError
from brainbench.seeded_pairs import compare_over_seeds
from brainbench.statistics import crossed_interval, two_way_interval
from brainbench.task_pairs import Answers, compare_all

Array = NDArray[np.float64]


def table(seed: int, scales: tuple[float, ...] = (1, 1, 1), shape: tuple[int, int] = (3, 40)) -> Array:
    """Seeds x problems with differences between seeds, between problems, and of cells."""
    rng = np.random.default_rng(seed)
    seeds, problems = rng.normal(size=(shape[0], 1)), rng.normal(size=(1, shape[1]))
    return seeds * scales[0] + problems * scales[1] + rng.normal(size=shape) * scales[2]


def test_the_variance_is_that_of_an_analysis_of_variance_by_least_squares() -> None:
    """Unequal sizes: distances from the weighted mean, weighted, fitted by dummies for seeds and problems."""
    changes, sizes = table(3, shape=(4, 7)), np.array([6.0, 1, 2, 6, 3, 5, 4])
    found = crossed_interval(changes, sizes)
    mean = float(np.average(changes.mean(axis=0), weights=sizes))
    assert found.estimate == pytest.approx(mean)
    values = (sizes / sizes.mean() * (changes - mean)).ravel()
    seeds, problems = (
        np.eye(size)[axis.ravel()] for size, axis in zip((4, 7), np.indices((4, 7)), strict=True)
    )

    def left_over(*design: Array) -> float:
        columns = np.hstack([np.ones((28, 1)), *design])
        return float(((values - columns @ np.linalg.lstsq(columns, values, rcond=None)[0]) ** 2).sum())

    rest = left_over(seeds, problems)
    squares = [(left_over(problems) - rest) / 3, (left_over(seeds) - rest) / 6, rest / 18]
    assert min(squares[:2]) > squares[2]  # all three terms count
    variance = (squares[0] + squares[1] - squares[2]) / 28
    assert found.standard_error**2 == pytest.approx(variance)
    df = (variance * 28) ** 2 / (squares[0] ** 2 / 3 + squares[1] ** 2 / 6 + squares[2] ** 2 / 18)
    assert found.high - mean == pytest.approx(t.ppf(0.975, df) * np.sqrt(variance))
    equal, closed = crossed_interval(changes, np.full(7, 2.0)), two_way_interval(changes)
    assert (equal.low, equal.high) == pytest.approx((closed.low, closed.high))


def test_a_factor_without_differences_never_makes_it_narrower_than_the_other_alone() -> None:
    changes = table(0, (0, 1, 1))
    changes -= changes.mean(axis=1, keepdims=True)  # the seeds' means are all alike
    alone = changes.mean(axis=0).std(ddof=1) / np.sqrt(40)
    assert crossed_interval(changes, np.ones(40)).standard_error == pytest.approx(alone)


@pytest.mark.parametrize("scales", [(0.3, 1, 1), (0, 1, 1), (0.5, 0, 1), (0, 0, 1)])
def test_coverage_with_three_seeds_and_forty_problems(scales: tuple[float, ...]) -> None:
    sizes = np.array([6.0, 6, 3, 1] * 10)
    found = [crossed_interval(table(seed, scales), sizes) for seed in range(800)]
    held = sum(interval.low <= 0 <= interval.high for interval in found) / len(found)
    assert 0.90 <= held < 1


@pytest.mark.parametrize(
    ("shape", "sizes"),
    [((1, 5), np.ones(5)), ((3, 1), np.ones(1)), ((3, 5), np.ones(4)), ((3, 4), np.eye(4)[0])],
)
def test_what_says_nothing_about_seeds_or_problems_is_refused(shape: tuple[int, int], sizes: Array) -> None:
    with pytest.raises(ShapeError):
        crossed_interval(table(0, shape=shape), sizes)
    with pytest.raises(ShapeError, match="no uncertainty"):
        crossed_interval(np.ones((3, 4)), np.ones(4))


def answers(right: Any, groups: tuple[str, ...] = ("a", "a", "a", "b", "b", "c", "d", "d")) -> Answers:
    ids = tuple(f"{group}{at}" for at, group in enumerate(groups))
    return Answers(ids, groups, ("True",) * len(ids), right.astype(bool))


def shuffled(given: Answers, seed: int) -> Answers:
    order = np.random.default_rng(seed).permutation(len(given.ids))
    ids, groups = (tuple(names[at] for at in order) for names in (given.ids, given.groups))
    return Answers(ids, groups, given.expected, given.correct[order])


def test_trainings_are_pooled_problem_by_problem_whatever_their_order() -> None:
    rng = np.random.default_rng(5)
    was, now = rng.random((3, 8)) < 0.5, rng.random((3, 8)) < 0.7
    pairs = [
        (shuffled(answers(b), at), shuffled(answers(a), at + 9))
        for at, (b, a) in enumerate(zip(was, now, strict=True))
    ]
    found = compare_over_seeds(pairs)
    each = now.mean(axis=1) - was.mean(axis=1)
    assert found.seeds == 3
    assert found.by_seed == pytest.approx(tuple(each))
    assert (found.difference, found.sd) == pytest.approx((each.mean(), np.std(each, ddof=1)))
    assert found.gain == pytest.approx((now > was).mean())
    assert found.harm == pytest.approx((now < was).mean())
    turned = now.astype(float) - was
    changes = np.stack(
        [turned[:, part].mean(axis=1) for part in (slice(0, 3), slice(3, 5), slice(5, 6), slice(6, 8))],
        axis=1,
    )
    expected = crossed_interval(changes, np.array([3.0, 2, 1, 2]))
    assert expected.estimate == pytest.approx(found.difference)
    limits = (max(-1, expected.low), min(1, expected.high))
    assert (found.interval.low, found.interval.high) == pytest.approx(limits)


def test_one_training_says_something_about_other_problems_alone() -> None:
    rng = np.random.default_rng(5)
    pair = answers(rng.random(8) < 0.4), answers(rng.random(8) < 0.7)
    found = compare_over_seeds([pair])
    assert (found.seeds, found.sd) == (1, None)
    assert found.interval == compare_all([pair])[0].interval


def test_changes_that_are_all_alike_and_single_problems_have_no_interval() -> None:
    right = np.ones(8)
    same = compare_over_seeds([(answers(right), answers(right))] * 3)
    assert (same.interval.low, same.interval.high, same.sd) == (0, 0, 0)
    assert same.interval.method == "none: the problems do not differ"
    one = [(answers(0 * right, ("a",) * 8), answers(np.arange(8) < many, ("a",) * 8)) for many in (4, 8)]
    found = compare_over_seeds(one)
    assert (found.difference, found.interval.low, found.interval.high) == (0.75, -1, 1)


def test_trainings_on_other_items_are_not_pooled() -> None:
    right = np.arange(8) % 2
    other = answers(right, ("a", "a", "a", "b", "b", "c", "d", "e"))
    for pairs in ([(answers(right), other)], [(answers(right),) * 2, (other,) * 2], []):
        with pytest.raises(ShapeError):
            compare_over_seeds(pairs)
