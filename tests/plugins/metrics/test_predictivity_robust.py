from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from brainbench.arrays import Features, Recording
from brainbench.errors import ShapeError, UsageError
from brainbench.progress import SilentReporter
from brainbench.records import Scores, Skip
from brainbench.statistics import two_way_interval
from brainbench.testing import check_metric
from brainbench_metrics.predictivity_robust import NESTED, RobustPredictivity
from brainbench_metrics.robust_ceiling import windows
from brainbench_tasks.simulated import SimulatedDeduction

Array = NDArray[np.float64]
Make = Callable[..., Recording]
QUIET = SilentReporter()
FAST = RobustPredictivity(permutations=99, draws=200)
STRATA = ["a"] * 22 + ["b"] * 18


def score(layers: dict[str, Any], recording: Recording, metric: RobustPredictivity = FAST) -> Scores:
    outcome = metric.score(Features(layers), recording, QUIET)
    assert isinstance(outcome, Scores)
    json.dumps(outcome.details, allow_nan=False)
    return outcome


def reason(layers: dict[str, Any], recording: Recording) -> str:
    outcome = FAST.score(Features(layers), recording, QUIET)
    assert isinstance(outcome, Skip)
    return outcome.reason


def people(seed: int, n_people: int = 3, voxels: int = 12, noise: float = 2.0) -> tuple[Array, list[Array]]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(40, 30))
    return x, [
        x[:, :4] @ rng.normal(size=(4, voxels)) + noise * rng.normal(size=(40, voxels))
        for _ in range(n_people)
    ]


def simulated(preset: str, region: str, items: str, **changes: Any) -> tuple[SimulatedDeduction, Recording]:
    dataset = replace(SimulatedDeduction(preset), **changes)
    (chosen,) = (found for found in dataset.item_sets if found.name == items)
    index = chosen.indices(dataset.stimuli(QUIET))
    return dataset, dataset.recording(region, QUIET).select(index)


def test_keeps_what_a_metric_promises() -> None:
    check_metric(RobustPredictivity())


def test_the_headline_is_the_choice_among_layers_and_found_where_planted(make_recording: Make) -> None:
    x, responses = people(1)
    rng = np.random.default_rng(101)
    layers = {"noise": rng.normal(size=(40, 30)), "x": x, "more noise": rng.normal(size=(40, 300))}
    found = score(layers, make_recording(responses, STRATA))
    assert found.layers == (NESTED, *layers)
    assert found.best == 0
    np.testing.assert_array_equal(found.per_participant[0], found.per_participant[2])  # chosen in every fold
    assert found.details["share_of_folds_by_layer"] == {"x": 1.0}
    assert found.details["highest_layer"] == "x"
    np.testing.assert_allclose(found.per_layer, found.per_participant.mean(axis=1))
    np.testing.assert_allclose(found.spread, found.per_participant.std(axis=1, ddof=1))
    assert found.details["p"] == 0.01
    assert found.headline > found.details["critical_value_0.05"] > found.details["null_mean"]
    interval = found.details["interval"]
    assert interval["low"] < found.headline < interval["high"]
    assert interval["low"] > 0
    assert found.details["strata"] == 2
    per_person = found.details["aggregate"]["per_person"]
    assert found.details["aggregate"]["score"] == pytest.approx(np.mean(list(per_person.values())))


def test_of_one_type_there_is_no_aggregate_and_of_several_it_is_the_score_without_types(
    make_recording: Make,
) -> None:
    x, responses = people(2)
    one = score({"x": x}, make_recording(responses, ["a"] * 40))
    assert "aggregate" not in one.details
    assert one.choice == "the only layer"
    several = score({"x": x}, make_recording(responses, STRATA))
    assert several.details["aggregate"]["score"] != several.headline
    bit = np.array([[1.0] if s == "a" else [0.0] for s in STRATA])
    typed = [y + 3 * bit for y in responses]
    assert score({"x": x}, make_recording(typed, STRATA)).headline == pytest.approx(
        several.headline, abs=1e-9
    )
    with_bit = score({"typed": x[:, 20:] + 3 * bit}, make_recording(typed, STRATA))
    assert with_bit.details["aggregate"]["score"] > 0.4
    assert with_bit.headline < 0.2


def test_type_alone_is_not_scored(make_recording: Make) -> None:
    x, responses = people(3)
    bit = np.array([[1.0] if s == "a" else [0.0] for s in STRATA])
    assert "do not vary" in score({"bit": bit, "x": x}, make_recording(responses, STRATA)).unscored["bit"]
    assert "same stratum" in reason({"bit": bit}, make_recording(responses, STRATA))
    assert "beyond rounding" in reason(
        {"bit": bit * 0.1 + 1e-18 * x[:, :3]}, make_recording(responses, STRATA)
    )


def test_with_one_person_there_is_no_interval_and_the_reason_is_said(make_recording: Make) -> None:
    x, responses = people(4, n_people=1)
    found = score({"x": x}, make_recording(responses, STRATA))
    assert found.details["interval"] is None
    assert "One person" in found.details["interval_reason"]
    assert found.spread.tolist() == [0, 0]
    outcome = FAST.ceiling(make_recording(responses, STRATA), QUIET)
    assert outcome == Skip("A ceiling needs 3 people or more; 1 can be scored.")


def test_what_cannot_be_scored_is_left_out_with_the_reason(make_recording: Make) -> None:
    x, responses = people(5, n_people=4)
    present = [list(range(40)), list(range(9)), list(range(40)), list(range(3, 40))]
    held = [responses[0], responses[1][:9], np.ones((40, 3)), responses[3][3:]]
    held[0][:, 2] = 0.1
    found = score({"x": x}, make_recording(held, STRATA, present))
    assert found.participants == ("p0", "p3")
    assert "too few" in found.details["people_left_out"]["p1"]
    assert "No voxel varies" in found.details["people_left_out"]["p2"]
    assert found.details["constant_voxels"] == 1
    assert found.details["voxels_per_person"] == {"p0": 11, "p3": 12}
    assert found.details["items_per_person"] == {"p0": 40, "p3": 37}


def test_each_item_says_what_it_adds_and_what_a_person_lacks_is_not_there(make_recording: Make) -> None:
    x, responses = people(12, n_people=4)
    present = [np.arange(40)] * 3 + [np.arange(3, 40)]
    recording = make_recording([y[rows] for y, rows in zip(responses, present, strict=True)], STRATA, present)
    found = score({"x": x}, recording)
    assert found.items == recording.items
    assert found.per_item is not None
    np.testing.assert_allclose(np.nanmean(found.per_item, axis=1), found.per_participant[0], atol=1e-12)
    assert np.argwhere(np.isnan(found.per_item)).tolist() == [[3, 0], [3, 1], [3, 2]]
    whole = score({"x": x}, make_recording(responses, STRATA))
    assert whole.per_item is not None
    two_way, interval = two_way_interval(whole.per_item.astype(np.float64)), whole.details["interval"]
    assert two_way.standard_error == pytest.approx(interval["standard_error"], rel=0.15)


def test_a_voxel_that_differs_only_between_types_is_left_out(make_recording: Make) -> None:
    x, responses = people(6)
    bit = np.array([[0.3] if s == "a" else [0.1] for s in STRATA])
    clean = score({"x": x}, make_recording(responses, STRATA))
    padded = score({"x": x}, make_recording([np.hstack([y, bit]) for y in responses], STRATA))
    np.testing.assert_allclose(clean.per_participant, padded.per_participant, atol=1e-12)
    assert padded.details["constant_voxels"] == 3


def test_two_items_or_the_wrong_ones_are_one_clear_sentence(make_recording: Make) -> None:
    x, responses = people(7)
    two = make_recording([y[:2] for y in responses], ["a", "a"])
    assert "2 items are too few" in reason({"x": x[:2]}, two)
    with pytest.raises(ShapeError, match="Features have 39 items"):
        FAST.score(Features({"x": x[:39]}), make_recording(responses, STRATA), QUIET)
    with pytest.raises(ShapeError, match="cross-validated"):
        FAST.score(Features({NESTED: x}), make_recording(responses, STRATA), QUIET)
    for wrong in ({"alphas": ()}, {"alphas": (0.0,)}, {"folds": 1}, {"repeats": 0}, {"permutations": 5}):
        with pytest.raises(UsageError):
            replace(FAST, **wrong)


def test_groups_are_never_split_and_too_few_of_them_are_said(make_recording: Make) -> None:
    x, responses = people(8)
    recording = make_recording(responses, STRATA)
    grouped = replace(recording, groups=tuple(f"run{i // 4}" for i in range(40)))
    found = score({"x": x}, grouped)
    assert found.details["folds"] == 10
    assert found.details["p"] is not None
    few = replace(recording, groups=tuple(f"run{i // 14}" for i in range(40)))
    assert "3 groups" in reason({"x": x}, few)
    unequal = replace(
        recording, strata=(), groups=tuple(np.repeat(list("abcdefgh"), [1, 2, 3, 4, 5, 6, 7, 12]))
    )
    alone = score({"x": x}, unequal)
    assert alone.details["p"] is None
    assert "change places" in alone.details["p_reason"]


def test_what_items_of_a_run_share_does_not_count_where_folds_keep_runs_whole(make_recording: Make) -> None:
    careless, honest, ps = [], [], []
    for seed in range(8):
        rng = np.random.default_rng(seed)
        slow = np.repeat(rng.normal(size=(12, 15)), 4, axis=0) + 0.1 * rng.normal(size=(48, 15))
        drift = [np.repeat(rng.normal(size=(12, 40)), 4, axis=0) for _ in range(3)]
        noisy = [y + 0.3 * rng.normal(size=y.shape) for y in drift]
        split = make_recording(noisy, ["a"] * 48)
        careless.append(score({"slow": slow}, split).headline)
        found = score({"slow": slow}, replace(split, groups=tuple(f"run{i // 4}" for i in range(48))))
        honest.append(found.headline)
        ps.append(found.details["p"])
    assert min(careless) > 0.4
    assert abs(np.mean(honest)) < 0.06
    assert 0.15 < np.mean(ps) < 0.85


def test_what_is_planted_is_found_and_an_empty_region_is_not() -> None:
    headlines, ps, expected = [], [], []
    for seed in range(4):
        dataset, recording = simulated("planted", "reasoning", "syllogism", seed=seed)
        truth = dataset.truth("reasoning", "syllogism")
        rng = np.random.default_rng(seed)
        layers = {"noise": rng.normal(size=(36, 8)), "truth": truth.values}
        found = score(layers, recording)
        headlines.append(found.headline)
        expected.append(truth.expected_score)
        assert found.details["p"] == 0.01
        assert found.details["share_of_folds_by_layer"] == {"truth": 1.0}
        empty = simulated("planted", "control", "syllogism", seed=seed)[1]
        ps.append(score(layers, empty).details["p"])
    assert abs(np.mean(headlines) - np.mean(expected)) < 0.04
    assert max(ps) > 0.05


def test_the_trap_of_type_length_and_time_is_seen() -> None:
    """In `nuisance` type gives a high aggregate; within types length and time explain what is left."""
    within, aggregate, own = [], [], []
    for seed in range(3):
        dataset, recording = simulated("nuisance", "reasoning", "all", seed=seed, people=4)
        truth = dataset.truth("reasoning", "all")
        rng = np.random.default_rng(seed)
        model = truth.nuisances[0][:, :1] + 0.5 * rng.normal(size=(70, 10))  # type, and nothing else
        found = score({"model": model}, recording)
        within.append(found.headline)
        aggregate.append(found.details["aggregate"]["score"])
        shared = found.details["aggregate"]["unique_variance"]
        assert shared["nuisances"] == ["type"]
        assert shared["r2_nuisances"] > 0.03
        assert abs(shared["r2_unique"]) < 0.02
        for person, known in zip(recording.participants, truth.nuisances, strict=True):
            alone = replace(recording, participants=(person,))
            own.append(score({"length and time": known[:, 1:]}, alone).headline)
    assert np.mean(aggregate) > 0.15
    assert abs(np.mean(within)) < 0.04
    assert np.mean(own) > 0.3


def test_the_ceiling_is_the_score_of_other_peoples_voxels(make_recording: Make) -> None:
    _, responses = people(9, n_people=4)
    recording = make_recording(responses, STRATA)
    ceiling = FAST.ceiling(recording, QUIET)
    assert isinstance(ceiling, Scores)
    assert ceiling.layers == ("from all others", "extrapolated", "from 1 person", "from 2 people")
    for at in range(4):
        others = np.hstack([y for place, y in enumerate(responses) if place != at])
        alone = replace(recording, participants=(recording.participants[at],))
        expected = score({"others": others}, alone).headline
        assert ceiling.per_participant[0, at] == pytest.approx(expected, abs=1e-10)
        single = [score({"other": y}, alone).headline for place, y in enumerate(responses) if place != at]
        assert ceiling.per_participant[2, at] == pytest.approx(np.mean(single), abs=1e-10)
    assert ceiling.headline > 0.3
    assert ceiling.best == 0


def test_where_nothing_is_shared_the_ceiling_is_about_zero_and_the_extrapolation_flagged() -> None:
    measured, flagged, extrapolated = [], [], []
    for seed in range(6):
        _, recording = simulated("null", "reasoning", "syllogism", seed=seed, people=5, grid=(4, 3, 2))
        ceiling = FAST.ceiling(recording, QUIET)
        assert isinstance(ceiling, Scores)
        measured.append(ceiling.headline)
        flagged.append(ceiling.details["extrapolated"]["unstable"])
        extrapolated.append(ceiling.details["extrapolated"]["mean"])
    assert abs(np.mean(measured)) < 0.03
    assert all(flagged)
    assert np.mean(extrapolated) > np.mean(measured)


def test_a_ceiling_uses_the_items_that_all_have_and_says_who_is_left_out(make_recording: Make) -> None:
    _, responses = people(10, n_people=5)
    present = [np.arange(40)] * 3 + [np.arange(2, 40), np.arange(6)]
    held = [y[rows] for y, rows in zip(responses, present, strict=True)]
    recording = make_recording(held, STRATA, present)
    ceiling = FAST.ceiling(recording, QUIET)
    assert isinstance(ceiling, Scores)
    assert ceiling.details["items"] == 38
    assert ceiling.details["items_not_shared"] == 2
    assert set(ceiling.details["people_left_out"]) == {"p4"}
    two = FAST.ceiling(make_recording(responses[:2], STRATA), QUIET)
    assert two == Skip("A ceiling needs 3 people or more; 2 can be scored.")


def test_everyone_is_predicted_equally_often_from_groups_of_every_size() -> None:
    found = windows(7, 0)
    assert len({row.tobytes() for row in found}) == len(found)
    for size in range(1, 7):
        counts = found[found.sum(axis=1) == size].sum(axis=0)
        assert counts.min() > 0
    assert (found[found.sum(axis=1) == 6].sum(axis=0) == 6).all()


def test_progress_is_counted_to_its_end(make_recording: Make) -> None:
    labels: list[tuple[str, int]] = []
    steps: list[int] = []

    class Listening:
        @contextmanager
        def task(self, label: str, total: int) -> Iterator[Callable[[int], None]]:
            labels.append((label, total))
            yield steps.append

    x, responses = people(11)
    FAST.score(Features({"x": x}), make_recording(responses, STRATA), Listening())
    assert labels == [("Predictivity in region: 1 layers, 3 people", 109)]
    assert sum(steps) == 109
