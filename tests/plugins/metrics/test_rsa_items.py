"""What each item adds to a robust RSA score: against derivatives, and as the base of an honest interval."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial.distance import pdist
from scipy.stats import rankdata
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from brainbench.arrays import Features, Participant, Recording
from brainbench.progress import SilentReporter
from brainbench.records import Scores, Skip
from brainbench.statistics import two_way_interval
from brainbench_metrics.rsa import RobustRsa, Rsa
from brainbench_metrics.rsa_folds import halves

Array = NDArray[np.float64]
QUIET = SilentReporter()
QUICK = RobustRsa(permutations=1, bootstraps=40)


def study(rng: np.random.Generator, items: int, people: int, gaps: bool = False) -> tuple[Array, Recording]:
    """A layer and people who hold it in voxels of their own, beside something else that they share."""
    x, other = rng.normal(size=(items, 10)), rng.normal(size=(items, 5))
    made = []
    for at in range(people):
        held = 0.6 * x @ rng.normal(size=(10, 40)) + other @ rng.normal(size=(5, 40))
        count = rng.integers(items - 3, items + 1) if gaps else items
        there = np.sort(rng.choice(items, count, replace=False))
        made.append(Participant(f"p{at}", (held + 3 * rng.normal(size=held.shape))[there], there))
    return x, Recording("region", tuple(f"i{i}" for i in range(items)), tuple(made))


def score(layers: dict[str, Any], recording: Recording) -> Scores:
    outcome = QUICK.score(Features(layers), recording, QUIET)
    assert isinstance(outcome, Scores), outcome
    return outcome


def weighted(x: Array, person: Participant, recording: Recording, weights: Array) -> float:
    """The score of one person where items count so often, ranks held fixed."""
    split = halves(recording, QUICK.splits, QUICK.seed)
    assert not isinstance(split, Skip)
    r = []
    for block in split.blocks:
        there = np.isin(person.present, split.items(*block))
        items = person.present[there]
        model = rankdata(pdist(x[items], "correlation"))
        brain = rankdata(pdist(person.responses[there], "correlation"))
        first, second = np.triu_indices(len(items), 1)
        cov = np.cov(model, brain, aweights=weights[items[first]] * weights[items[second]])
        r.append(cov[0, 1] / np.sqrt(cov[0, 0] * cov[1, 1]))
    return float(np.mean(r))


@pytest.mark.parametrize("gaps", [False, True])
def test_an_item_adds_what_counting_it_a_little_more_does(gaps: bool) -> None:
    x, recording = study(np.random.default_rng(1), 20, 3, gaps)
    result = score({"x": x}, recording)
    assert result.items == recording.items
    assert result.per_item is not None
    for row, own, person in zip(
        result.per_item, result.per_participant[0], recording.participants, strict=True
    ):
        lacking = np.setdiff1d(np.arange(20), person.present)
        assert np.isnan(row[lacking]).all()
        assert np.nanmean(row) == pytest.approx(own, abs=1e-12)
        for item in person.present[:6]:
            step = np.zeros(20)
            step[item] = 1e-5
            up, down = (weighted(x, person, recording, 1 + sign * step) for sign in (1, -1))
            slope = (up - down) / 2e-5
            assert row[item] - own == pytest.approx(len(person.present) * slope, abs=1e-6)


def test_an_item_whose_pattern_is_constant_adds_nothing_to_its_person() -> None:
    x, recording = study(np.random.default_rng(2), 20, 3)
    recording.participants[1].responses[4] = 2.0
    result = score({"x": x, "noise": np.random.default_rng(3).normal(size=(20, 5))}, recording)
    assert result.per_item is not None
    assert np.argwhere(np.isnan(result.per_item)).tolist() == [[1, 4]]


def test_an_interval_over_people_and_items_holds_and_is_no_wider_than_the_bootstraps() -> None:
    """60 studies: fewer than 52 that hold at the level .95 have a chance of .003; wide by at most a half."""
    rng = np.random.default_rng(4)
    found, made, ratio = [], [], []
    for _ in range(60):
        x, recording = study(rng, 24, 8)
        result = score({"x": x}, recording)
        assert result.per_item is not None
        interval, drawn = two_way_interval(result.per_item.astype(float)), result.details["interval"]
        assert interval.estimate == pytest.approx(result.per_participant[0].mean())
        found.append(interval.estimate)
        made.append((interval.low, interval.high))
        ratio.append((interval.high - interval.low) / (drawn["high"] - drawn["low"]))
    low, high = np.array(made).T
    assert np.count_nonzero((low <= np.mean(found)) & (np.mean(found) <= high)) >= 52
    assert 1 < np.mean(high - low) / (3.92 * np.std(found)) < 1.6
    assert 0.6 < np.mean(ratio) < 1.05


@pytest.mark.parametrize("metric", [QUICK, Rsa()])
def test_no_bit_depends_on_the_threads_of_blas(metric: Any) -> None:
    """Products large enough for BLAS to share them out, which changes the order of its sums."""
    rng = np.random.default_rng(5)
    x, shared = rng.normal(size=(46, 300)), rng.normal(size=(46, 300))
    people = tuple(
        Participant(f"p{i}", shared + rng.normal(size=(46, 300)), np.arange(46)) for i in range(60)
    )
    recording = Recording("region", tuple(f"i{i}" for i in range(46)), people)
    features = Features({f"layer.{i}": x + rng.normal(size=(46, 300)) for i in range(20)})
    made = []
    for threads in (1, 2):
        with threadpool_limits(limits=threads, user_api="blas"):
            found = [metric.score(features, recording, QUIET), metric.ceiling(recording, QUIET)]
        assert all(isinstance(outcome, Scores) for outcome in found)
        made.append([(outcome.per_participant.tobytes(), outcome.details) for outcome in found])
    assert made[0] == made[1]
