"""Time series: contiguous blocks, runs and stories as groups that folds and shuffles keep whole."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from brainbench.arrays import Features, Recording
from brainbench.progress import SilentReporter
from brainbench.records import Scores
from brainbench_metrics import nested_null_groups, robust_ceiling
from brainbench_metrics.predictivity_robust import RobustPredictivity
from brainbench_metrics.within_strata import codes_of, repeated_folds

Array = NDArray[np.float64]
Make = Callable[..., Recording]
QUIET = SilentReporter()


def slow(rng: np.random.Generator, items: int, columns: int, width: int = 6) -> Array:
    """Noise (items x columns) of variance 1 in which neighbours are alike, as in a scanner."""
    window = np.ones(width) / np.sqrt(width)
    raw = rng.normal(size=(items + width - 1, columns))
    return np.stack([np.convolve(column, window, "valid") for column in raw.T], axis=1)


def blocks(items: int, length: int) -> tuple[str, ...]:
    return tuple(f"block{i // length:02}" for i in range(items))


def score(layers: dict[str, Any], recording: Recording, **changes: Any) -> Scores:
    metric = replace(RobustPredictivity(permutations=99, draws=100), **changes)
    outcome = metric.score(Features(layers), recording, QUIET)
    assert isinstance(outcome, Scores)
    return outcome


def test_twelve_runs_of_fifty_volumes_take_little_memory(make_recording: Make) -> None:
    rng = np.random.default_rng(0)
    x = slow(rng, 600, 20)
    responses = [x[:, :5] @ rng.normal(size=(5, 50)) + 3 * slow(rng, 600, 50) for _ in range(4)]
    recording = replace(make_recording(responses, ["story"] * 600), groups=blocks(600, 50))
    layers = {"noise": slow(rng, 600, 30), "x": x, "more noise": slow(rng, 600, 300)}
    tracemalloc.start()
    try:
        found = score(layers, recording, permutations=1000)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 2**29  # half of what is allowed
    assert found.details["share_of_folds_by_layer"] == {"x": 1.0}
    assert found.details["p"] == pytest.approx(1 / 1001)
    assert found.details["interval"]["low"] > 0.2
    assert found.per_item is not None
    runs = found.per_item.reshape(4, 12, 50)
    assert np.ptp(runs, axis=2).max() == 0.0  # resampling volumes is resampling runs


def test_folds_are_whole_runs_and_in_time_order_within_them() -> None:
    groups = codes_of(blocks(600, 50), 600)
    folds = repeated_folds(np.zeros(600, dtype=np.intp), groups, 5, 2, 0)
    assert isinstance(folds, tuple)
    for fold in folds:
        assert not set(groups[fold.train]) & set(groups[fold.test])
        assert (np.diff(fold.test) > 0).all()
        sizes = np.bincount(groups[fold.test])
        assert set(sizes[sizes > 0].tolist()) == {50}


def test_drift_within_one_run_counts_unless_blocks_of_time_are_kept_whole(make_recording: Make) -> None:
    careless, honest, ps = [], [], []
    for seed in range(6):
        rng = np.random.default_rng(seed)
        layers = {"drift": slow(rng, 300, 30)}
        split = make_recording([slow(rng, 300, 20) for _ in range(3)], ["story"] * 300)
        careless.append(score(layers, split, permutations=19).headline)
        found = score(layers, replace(split, groups=blocks(300, 50)))
        honest.append(found.headline)
        ps.append(found.details["p"])
    assert min(careless) > 0.2
    assert abs(np.mean(honest)) < np.mean(careless) / 8  # what is left are the ends of blocks
    assert 0.15 < np.mean(ps) < 0.85


def test_neither_parts_of_layers_nor_of_people_change_anything(
    make_recording: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(1)
    x = slow(rng, 120, 10)
    responses = [x[:, :3] @ rng.normal(size=(3, 15)) + 2 * slow(rng, 120, 15) for _ in range(3)]
    recording = replace(make_recording(responses, ["story"] * 120), groups=blocks(120, 15))
    layers = {"noise": slow(rng, 120, 5), "x": x, "near": x + slow(rng, 120, 10)}
    whole = score(layers, recording)
    ceiling = RobustPredictivity().ceiling(recording, QUIET)
    assert isinstance(ceiling, Scores)
    monkeypatch.setattr("brainbench_metrics.nested_scores._FORM_NUMBERS", 2 * 5 * 120**2)
    monkeypatch.setattr(robust_ceiling, "_NUMBERS", 1)
    monkeypatch.setattr(nested_null_groups, "_NUMBERS", 1)  # items one by one
    again = score(layers, recording)
    np.testing.assert_allclose(again.per_participant, whole.per_participant, atol=1e-12)
    assert again.details["critical_value_0.05"] == pytest.approx(whole.details["critical_value_0.05"])
    limited = RobustPredictivity().ceiling(recording, QUIET)
    assert isinstance(limited, Scores)
    np.testing.assert_allclose(limited.per_participant, ceiling.per_participant, atol=1e-8)
