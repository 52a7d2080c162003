"""The published RSA, against a plain loop with scipy, and what it says where it has no answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.spatial.distance import pdist
from scipy.stats import spearmanr

from brainbench.arrays import Features, Participant, Recording
from brainbench.errors import ShapeError, UsageError
from brainbench.progress import SilentReporter
from brainbench.records import Scores, Skip
from brainbench.testing import check_metric
from brainbench_metrics.rsa import Rsa

Array = NDArray[np.float64]
Make = Callable[..., Recording]
QUIET = SilentReporter()


def score(layers: dict[str, Any], recording: Recording, metric: Rsa | None = None) -> Scores:
    outcome = (metric or Rsa()).score(Features(layers), recording, QUIET)
    assert isinstance(outcome, Scores), outcome
    return outcome


def reason(layers: dict[str, Any], recording: Recording, metric: Rsa | None = None) -> str:
    outcome = (metric or Rsa()).score(Features(layers), recording, QUIET)
    assert isinstance(outcome, Skip)
    return outcome.reason


def shared(seed: int, people: int = 6, items: int = 14, voxels: int = 20) -> tuple[Array, list[Array]]:
    """A layer, and people whose responses share part of it in common voxels."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(items, 10))
    y = x[:, :4] @ rng.normal(size=(4, voxels))
    return x, [y + 3 * rng.normal(size=y.shape) for _ in range(people)]


def plain(
    layers: dict[str, Array], responses: Sequence[Array], present: Sequence[Sequence[int]]
) -> tuple[Array, Array]:
    """Raw Spearman (layers x people) and ceilings (people,), item by item."""
    raw, ceiling = np.zeros((len(layers), len(responses))), np.zeros(len(responses))
    for at, (own, items) in enumerate(zip(responses, present, strict=True)):
        brain = pdist(own, "correlation")
        for row, x in enumerate(layers.values()):
            raw[row, at] = spearmanr(pdist(x[list(items)], "correlation"), brain).statistic
        rest, mine = [], []
        for place, item in enumerate(items):
            others = [
                r[list(there).index(item)]
                for k, (r, there) in enumerate(zip(responses, present, strict=True))
                if k != at and item in there
            ]
            if others:
                rest.append(np.mean(others, axis=0))
                mine.append(place)
        ceiling[at] = spearmanr(
            pdist(own[mine], "correlation"), pdist(np.array(rest), "correlation")
        ).statistic
    return raw, ceiling


def check(result: Scores, layers: dict[str, Array], raw: Array, ceiling: Array) -> None:
    kept = ceiling > 0
    ratio = raw[:, kept] / ceiling[kept]
    values = np.clip(ratio, -1, 1)
    np.testing.assert_allclose(result.per_participant, values, atol=1e-12, rtol=0)
    np.testing.assert_allclose(result.per_layer, np.median(values, axis=1), atol=1e-12)
    assert result.headline == result.per_layer.max()
    details = result.details
    np.testing.assert_allclose([details["raw"][name] for name in layers], raw, atol=1e-12)
    np.testing.assert_allclose(details["ceiling"], ceiling, atol=1e-12)
    assert details["kept"] == kept.tolist()
    assert details["share_kept"] == kept.mean()
    assert details["share_clipped"] == np.mean(np.abs(ratio) > 1 + 1e-9)
    names = np.array(details["people"])[kept]
    assert result.participants == tuple(names)
    for row, name in enumerate(layers):
        assert details["clipped"][name] == names[np.abs(ratio[row]) > 1 + 1e-9].tolist()


def test_keeps_what_a_metric_promises() -> None:
    check_metric(Rsa())


def test_scores_are_those_of_a_plain_loop_with_scipy(make_recording: Make) -> None:
    x, responses = shared(1)
    layers = {"x": x, "noise": np.random.default_rng(2).normal(size=(14, 30)), "narrow": x[:, :3]}
    raw, ceiling = plain(layers, responses, [range(14)] * 6)
    assert np.count_nonzero(ceiling > 0) > 0
    check(score(layers, make_recording(responses)), layers, raw, ceiling)


@given(st.integers(0, 1000))
@settings(max_examples=15, deadline=None)
def test_people_may_lack_items(make_recording: Make, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, responses = shared(seed)
    present = [np.sort(rng.choice(14, rng.integers(6, 15), replace=False)) for _ in responses]
    kept = [y[there] for y, there in zip(responses, present, strict=True)]
    layers = {"x": x, "noise": rng.normal(size=(14, 30))}
    people = tuple(Participant(f"p{i}", y, t) for i, (y, t) in enumerate(zip(kept, present, strict=True)))
    recording = Recording("region", tuple(f"i{i}" for i in range(14)), people)
    raw, ceiling = plain(layers, kept, [there.tolist() for there in present])
    if (ceiling > 0).any():
        check(score(layers, recording), layers, raw, ceiling)
    else:
        assert "above 0" in reason(layers, recording)


@given(st.integers(0, 1000))
@settings(max_examples=15, deadline=None)
def test_order_of_items_and_units_shifts_and_scales_change_nothing(make_recording: Make, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, responses = shared(seed)
    first = Rsa().score(Features({"x": x}), make_recording(responses), QUIET)
    order, voxels = rng.permutation(14), rng.permutation(20)
    moved = [3 * y[order][:, voxels] + 2 for y in responses]
    z = rng.uniform(0.5, 2, (14, 1)) * x[order][:, rng.permutation(10)] + rng.normal(size=(14, 1))
    second = Rsa().score(Features({"x": z}), make_recording(moved), QUIET)
    assert type(first) is type(second)
    if isinstance(first, Scores) and isinstance(second, Scores):
        np.testing.assert_allclose(second.per_participant, first.per_participant, atol=1e-9)


def test_the_ceiling_is_the_median_of_the_peoples_and_a_ratio_reaches_one(make_recording: Make) -> None:
    _, responses = shared(3)
    found = Rsa().ceiling(make_recording(responses), QUIET)
    assert isinstance(found, Scores)
    expected = plain({}, responses, [range(14)] * 6)[1]
    np.testing.assert_allclose(found.per_participant, expected[None], atol=1e-12)
    assert found.headline == pytest.approx(np.median(expected))
    assert found.like_for_like == 1


def test_a_higher_lowest_ceiling_drops_more_people(make_recording: Make) -> None:
    x, responses = shared(4, people=12)
    responses[0] = np.random.default_rng(0).normal(size=(14, 20))
    every, fewer = (score({"x": x}, make_recording(responses), Rsa(lowest_ceiling=c)) for c in (0.0, 0.5))
    assert len(fewer.participants) < len(every.participants)
    assert "above 0.9" in reason({"x": x}, make_recording(responses), Rsa(lowest_ceiling=0.9))
    with pytest.raises(UsageError, match="lowest ceiling"):
        Rsa(lowest_ceiling=1.0)


@pytest.mark.parametrize("seed", range(3))
def test_a_prompt_without_the_object_is_a_skip(make_recording: Make, seed: int) -> None:
    _, responses = shared(5)
    rng = np.random.default_rng(seed)
    same = np.repeat(rng.normal(size=(1, 64)), 14, axis=0).astype(np.float32)
    rounded = same * (1 + np.finfo(np.float32).eps * rng.integers(-2, 3, same.shape)).astype(np.float32)
    for x in (same, rounded, np.zeros((14, 5))):
        assert "do not vary between the items" in reason({"layer.0": x}, make_recording(responses))
    assert "equally far" in reason({"layer.0": np.eye(14)}, make_recording(responses))


def test_a_layer_that_says_nothing_is_named_and_the_others_are_scored(make_recording: Make) -> None:
    x, responses = shared(6)
    flat = x.copy()
    flat[3] = 1.0
    result = score({"x": x, "flat": flat, "one unit": x[:, :1], "same": 0 * x}, make_recording(responses))
    assert result.layers == ("x",)
    assert "Item i3 has no correlation distance" in result.unscored["flat"]
    assert set(result.unscored) == {"flat", "one unit", "same"}


def test_a_constant_voxel_is_a_voxel_and_a_constant_pattern_is_no_item(make_recording: Make) -> None:
    x, responses = shared(7)
    for y in responses:
        y[:, 2] = 5.0
    raw, ceiling = plain({"x": x}, responses, [range(14)] * 6)
    check(score({"x": x}, make_recording(responses)), {"x": x}, raw, ceiling)
    responses[0][4] = 1.5
    result = score({"x": x}, make_recording(responses))
    assert result.details["items_with_constant_pattern"] == 1
    assert result.details["items_per_person"]["p0"] == 13


def test_where_there_is_no_answer_a_sentence_says_so(make_recording: Make) -> None:
    x, responses = shared(8)
    assert "needs 2 people; 1 can" in reason({"x": x}, make_recording(responses[:1]))
    few = [y[:2] for y in responses]
    assert "2 items are too few; RSA needs 4." in reason({"x": x[:2]}, make_recording(few))
    other = [*responses[:5], responses[5][:, :7]]
    assert "from 7 to 20 voxels" in reason({"x": x}, make_recording(other))
    silent = Rsa().ceiling(make_recording(other), QUIET)
    assert isinstance(silent, Skip)
    with pytest.raises(ShapeError, match="13 items"):
        Rsa().score(Features({"x": x[:13]}), make_recording(responses), QUIET)
    apart = [
        Participant(f"p{i}", y[s], np.arange(14)[s])
        for i, (y, s) in enumerate(zip(responses[:2], (slice(0, 7), slice(7, 14)), strict=True))
    ]
    nothing = Recording("region", tuple(f"i{i}" for i in range(14)), tuple(apart))
    assert "too few items in common" in reason({"x": x}, nothing)


def test_noise_alone_gives_a_high_score_as_published(make_recording: Make) -> None:
    """The defect that the robust protocol is for; see benchmarks/rsa_null.py."""
    found = []
    for seed in range(10):
        rng = np.random.default_rng(seed)
        responses = [rng.normal(size=(23, 50)) for _ in range(30)]
        layers = {f"layer.{i}": rng.normal(size=(23, 20)) for i in range(32)}
        found.append(score(layers, make_recording(responses)).headline)
    assert np.mean(found) > 0.2
