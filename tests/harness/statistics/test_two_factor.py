"""Intervals for other people and other items at once."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.spatial.distance import squareform

from brainbench.errors import ShapeError, UsageError
from brainbench.statistics import (
    corrected_two_factor_interval,
    mean_of,
    mean_of_pairs,
    pairs_of,
    two_factor_interval,
    two_way_interval,
)
from brainbench.statistics.two_factor import mean_squares, two_way_error

Array = NDArray[np.float64]


def table(seed: int, shape: tuple[int, int] = (10, 20), scales: tuple[float, ...] = (1, 1, 1)) -> Array:
    rng = np.random.default_rng(seed)
    rows, columns = rng.normal(size=(shape[0], 1)) * scales[0], rng.normal(size=(1, shape[1])) * scales[1]
    return rows + columns + rng.normal(size=shape) * scales[2]


def test_mean_squares_are_those_of_least_squares() -> None:
    values = table(0, (4, 7))
    people, items = (axis.ravel() for axis in np.indices(values.shape))
    ones = np.ones((values.size, 1))
    rows, columns = np.eye(4)[people], np.eye(7)[items]

    def left_over(*design: Array) -> float:
        columns = np.hstack(design)
        fitted = columns @ np.linalg.lstsq(columns, values.ravel(), rcond=None)[0]
        return float(((values.ravel() - fitted) ** 2).sum())

    full = left_over(ones, rows, columns)
    expected = [(left_over(ones, columns) - full) / 3, (left_over(ones, rows) - full) / 6, full / 18]
    assert mean_squares(values) == pytest.approx(expected)


def test_the_correction_gives_the_variance_of_the_two_way_model() -> None:
    values = table(1)
    drawn = corrected_two_factor_interval(mean_of(values), values.shape, seed=0, draws=4000)
    closed = two_way_interval(values)
    people, items, cells = mean_squares(values)
    assert closed.standard_error == pytest.approx(np.sqrt((people + items - cells) / values.size))
    assert drawn.standard_error == pytest.approx(closed.standard_error, rel=0.05)
    assert (drawn.low, drawn.high) == pytest.approx(
        (closed.low, closed.high), abs=0.15 * closed.standard_error
    )
    assert drawn.draws == 12_000


@pytest.mark.parametrize("seed", [4, 8, 9])
def test_the_correction_is_exact_for_few_people_and_noisy_cells(seed: int) -> None:
    values = table(seed, (4, 20), (0.6, 0.6, 2))
    people, items, cells = mean_squares(values)
    assert cells < min(people, items)  # all three terms count
    drawn = corrected_two_factor_interval(mean_of(values), values.shape, seed=0, draws=10_000)
    assert drawn.standard_error**2 == pytest.approx((people + items - cells) / values.size, rel=0.08)


def test_a_factor_without_differences_of_its_own_leaves_all_to_the_other() -> None:
    assert two_way_error((2.0, 1.0, 1.5), (5, 50)) == (np.sqrt(2), 4)
    assert two_way_error((1.0, 2.0, 1.5), (5, 50)) == (np.sqrt(2), 49)


def test_uncorrected_noise_counts_three_times() -> None:
    """The known bias: for noise alone the bootstrap's variance is three times cells / (people items)."""
    ratios = []
    for seed in range(8):
        values = table(seed, (30, 30), (0, 0, 1))
        error = two_factor_interval(mean_of(values), values.shape, seed=seed, draws=300).standard_error
        ratios.append(error**2 * values.size)
    assert 2.6 < np.mean(ratios) < 3.3


@pytest.mark.parametrize("scales", [(1, 1, 1), (1, 0, 1), (0, 1, 1)])
def test_coverage_of_the_closed_form(scales: tuple[float, ...]) -> None:
    repetitions = 600
    intervals = [two_way_interval(table(seed, (10, 20), scales)) for seed in range(repetitions)]
    held = sum(interval.low <= 0 <= interval.high for interval in intervals) / repetitions
    assert 0.925 <= held <= 0.99  # standard error .009 at .95; a little above it is known


def test_an_interval_over_people_alone_does_not_hold_for_other_items() -> None:
    """Why there are two factors: with items that differ, people's interval misses the truth."""
    held, repetitions = 0, 300
    for seed in range(repetitions):
        means = table(seed, (20, 10), (0.3, 1, 1)).mean(axis=1)
        held += abs(means.mean()) <= 2.09 * means.std(ddof=1) / np.sqrt(20)
    assert held / repetitions < 0.6


def test_percentiles_agree_with_drawing_by_hand() -> None:
    values = table(2)
    rng = np.random.default_rng(7)
    drawn = [values[np.ix_(rng.integers(0, 10, 10), rng.integers(0, 20, 20))].mean() for _ in range(4000)]
    ours = two_factor_interval(mean_of(values), values.shape, seed=0, draws=4000, level=0.8)
    expected = tuple(np.quantile(drawn, [0.1, 0.9]))
    assert (ours.low, ours.high) == pytest.approx(expected, abs=0.1 * ours.standard_error)
    assert ours.estimate == pytest.approx(values.mean())


@settings(max_examples=25)
@given(st.integers(0, 1000), st.floats(-50, 50), st.floats(0.01, 100), st.randoms(use_true_random=False))
def test_the_closed_form_knows_no_order_and_follows_shift_and_scale(
    seed: int, shift: float, scale: float, random: object
) -> None:
    values = table(seed, (5, 6))
    rng = np.random.default_rng(seed + 1)
    plain = two_way_interval(values)
    moved = two_way_interval(values[rng.permutation(5)][:, rng.permutation(6)] * scale + shift)
    assert (moved.low, moved.high) == pytest.approx(
        (plain.low * scale + shift, plain.high * scale + shift), abs=1e-9 * (scale + abs(shift))
    )
    turned = two_way_interval(values.T)
    assert (turned.low, turned.high) == pytest.approx((plain.low, plain.high))


@given(st.integers(2, 9), st.data())
def test_pairs_are_those_of_the_square_matrix(objects: int, data: st.DataObject) -> None:
    drawn = np.array(data.draw(st.lists(st.integers(0, objects - 1), min_size=2, max_size=9)))
    square = squareform(np.arange(1, objects * (objects - 1) // 2 + 1)) - 1  # -1 on the diagonal
    upper = square[np.ix_(drawn, drawn)][np.triu_indices(len(drawn), k=1)]
    assert pairs_of(drawn, objects).tolist() == upper[upper >= 0].tolist()


def test_pairs_follow_their_objects_when_resampled() -> None:
    """Pairs of an object rise and fall together: taken for independent, their interval is far too narrow."""
    rng = np.random.default_rng(0)
    first, second = np.triu_indices(20, k=1)
    levels = rng.normal(size=20)
    pairs = levels[first] + levels[second] + rng.normal(size=(10, 190)) * 0.1
    together = corrected_two_factor_interval(mean_of_pairs(pairs, 20), (10, 20), seed=0, draws=1000)
    apart = two_way_interval(pairs)
    truth = 2 * levels.std(ddof=1) / np.sqrt(20)
    assert together.standard_error == pytest.approx(truth, rel=0.1)
    assert apart.standard_error < 0.5 * truth


def test_statistics_of_the_caller_are_computed_anew_for_each_resample() -> None:
    values = table(3)
    seen: list[tuple[int, int]] = []

    def correlation(people: NDArray[np.intp], items: NDArray[np.intp]) -> float:
        seen.append((len(people), len(items)))
        halves = values[people[:5]].mean(axis=0), values[people[5:]].mean(axis=0)
        return float(np.corrcoef(halves[0][items], halves[1][items])[0, 1])

    interval = two_factor_interval(correlation, values.shape, seed=0, draws=200)
    assert seen == [(10, 20)] * 201
    assert interval.low < interval.estimate < interval.high


def test_undefined_draws_are_counted_and_too_many_are_refused() -> None:
    values = table(4, (10, 4))  # 4 objects have one draw in 64 of a single object
    pairs = table(4, (10, 6))
    with pytest.raises(ShapeError, match="not finite for") as caught:
        two_factor_interval(mean_of_pairs(pairs, 4), (10, 4), seed=0, draws=1000)
    assert "too few different" in caught.value.hint
    five = two_factor_interval(mean_of_pairs(table(4, (10, 10)), 5), (10, 5), seed=0, draws=2000)
    assert 0 < five.undefined <= 20
    assert np.isfinite([five.low, five.high]).all()
    assert two_factor_interval(mean_of(values), values.shape, seed=0, draws=100).undefined == 0


@pytest.mark.parametrize("make", [two_factor_interval, corrected_two_factor_interval])
def test_what_cannot_be_resampled_is_refused(make: type) -> None:
    values = table(0)
    with pytest.raises(ShapeError, match="at least two of each"):
        make(lambda people, items: 1.0, (1, 20), seed=0)
    for shape in (5, "55", None, (5,), (5.0, 5), (True, 5), ("5", 5)):
        with pytest.raises(ShapeError, match="at least two of each"):
            make(mean_of(values), shape, seed=0)
    for shape in ((len(values) + 1, 5), (5, values.shape[1] + 1)):
        with pytest.raises(ShapeError, match="no value for"):
            make(mean_of(values), shape, seed=0)
    with pytest.raises(ShapeError, match="all people and items is not finite"):
        make(lambda people, items: float("nan"), (5, 5), seed=0)
    with pytest.raises(ShapeError, match="same for all resamples"):
        make(lambda people, items: 0.3, (5, 5), seed=0, draws=100)
    with pytest.raises(UsageError, match="at least 40"):
        make(mean_of(values), values.shape, seed=0, draws=39)
    with pytest.raises(UsageError, match="seed"):
        make(mean_of(values), values.shape, seed=-1, draws=100)


def test_tables_without_sense_are_refused() -> None:
    with pytest.raises(ShapeError, match="at least 2 entries"):
        two_way_interval(np.ones((1, 5)))
    with pytest.raises(ShapeError, match="all 1"):
        two_way_interval(np.ones((3, 5)))
    with pytest.raises(ShapeError, match="1 of 6"):
        mean_of(np.array([[1, 2, np.inf], [1, 2, 3]]))
    with pytest.raises(ShapeError, match="4 objects have 6 pairs"):
        mean_of_pairs(np.ones((3, 5)), 4)
    with pytest.raises(UsageError, match="positions from 0 to 3"):
        pairs_of(np.array([0, 4]), 4)


@pytest.mark.parametrize("kind", ["cells", "pairs"])
def test_many_resamples_at_once_are_each_what_it_is_alone(kind: str) -> None:
    rng = np.random.default_rng(8)
    table = rng.normal(size=(5, 9 if kind == "cells" else 36))
    statistic = mean_of(table) if kind == "cells" else mean_of_pairs(table, 9)
    people, items = rng.integers(0, 5, (40, 5)), rng.integers(0, 9, (40, 9))
    items[3] = 2  # all objects the same: no pair of different ones
    made = statistic.many(people, items)
    for value, who, which in zip(made, people, items, strict=True):
        columns = which if kind == "cells" else pairs_of(which, 9)
        if kind == "pairs" and not len(columns):
            assert np.isnan(value)
        else:
            assert value == pytest.approx(table[who].mean(axis=0)[columns].mean(), abs=1e-12)
    np.testing.assert_allclose(
        statistic.many(people[:1].repeat(40, 0), items)[:3],
        [statistic(people[0], which) for which in items[:3]],
    )
