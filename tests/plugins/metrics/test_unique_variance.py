"""What a layer explains beyond a recording's dull predictors, in the details of `predictivity/robust`."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import ttest_1samp
from sklearn.linear_model import LinearRegression, RidgeCV
from sklearn.preprocessing import StandardScaler

from brainbench.arrays import AnyFeatures, Features, PersonalFeatures, Recording
from brainbench.nuisances import nuisances
from brainbench.progress import SilentReporter
from brainbench.records import Scores
from brainbench_metrics.predictivity_robust import RobustPredictivity
from brainbench_metrics.variance_partition import MIXES
from brainbench_metrics.within_strata import repeated_folds
from brainbench_tasks.deduction import Deduction
from brainbench_tasks.simulated import SimulatedDeduction

Array = NDArray[np.float64]
Make = Callable[..., Recording]
QUIET = SilentReporter()
FAST = RobustPredictivity(permutations=19, draws=100)
STRATA = ["a"] * 22 + ["b"] * 18


def details(features: AnyFeatures, recording: Recording) -> dict[str, Any]:
    outcome = FAST.score(features, recording, QUIET)
    assert isinstance(outcome, Scores), outcome
    json.dumps(outcome.details, allow_nan=False)
    return dict(outcome.details)


def unique(features: AnyFeatures, recording: Recording) -> dict[str, Any]:
    found: dict[str, Any] = details(features, recording)["unique_variance"]
    return found


def simulated(preset: str, items: str, seed: int) -> tuple[SimulatedDeduction, Recording]:
    """A made-up dataset and its recording, with the dull predictors that the harness adds."""
    dataset = replace(SimulatedDeduction(preset), seed=seed)
    stimuli, bare = dataset.stimuli(QUIET), dataset.recording("reasoning", QUIET)
    dull = nuisances(stimuli, bare.strata, (), dataset.behaviour(QUIET))
    (chosen,) = (found for found in dataset.item_sets if found.name == items)
    return dataset, replace(bare, nuisances=dull).select(chosen.indices(stimuli))


def made(seed: int, n_people: int = 4) -> tuple[Array, Array, list[Array], list[Array]]:
    """A layer (40 x 3), length (40 x 2), times of each person (40 x 1), and responses that follow them."""
    rng = np.random.default_rng(seed)
    x, length = rng.normal(size=(40, 3)), rng.normal(size=(40, 2))
    times = [rng.normal(size=(40, 1)) for _ in range(n_people)]
    return (
        x,
        length,
        times,
        [
            np.hstack([x, length, 2 * own]) @ rng.normal(size=(6, 15)) + 1.5 * rng.normal(size=(40, 15))
            for own in times
        ],
    )


def dull(length: Array, times: Sequence[Array]) -> dict[str, AnyFeatures]:
    own = {f"p{at}": Features({"time": x}, quantities=True) for at, x in enumerate(times)}
    return {"length": Features({"length": length}), "own time": PersonalFeatures(own)}


def plain(x: Array, known: Sequence[Array], responses: Sequence[Array], folds: Any) -> tuple[Any, Any]:
    """R2 of nuisances and of both for each person, one stratum, with scikit-learn; one mixture for all."""
    explained, total = np.zeros((2, len(responses))), np.zeros(len(responses))
    for fold in folds:
        fits = []
        for columns, raw in zip(known, responses, strict=True):
            y = StandardScaler().fit_transform(raw)
            scaled = StandardScaler().fit(columns[fold.train]).transform(columns)
            stacks = [scaled / np.sqrt(scaled.shape[1])]
            for array in (np.eye(len(x)), StandardScaler().fit(x[fold.train]).transform(x)):
                own = array - LinearRegression().fit(scaled[fold.train], array[fold.train]).predict(scaled)
                far = np.linalg.norm(own, axis=1)  # none farther out than the farthest in training
                own *= np.minimum(1, far[fold.train].max() / far)[:, None]
                own /= np.sqrt((own[fold.train] ** 2).sum() / len(fold.train))
                stacks += [np.hstack([np.sqrt(1 - m) * stacks[0], np.sqrt(m) * own]) for m in MIXES]
            rows = [(s, RidgeCV(alphas=FAST.alphas).fit(s[fold.train], y[fold.train])) for s in stacks]
            fits.append((y, rows))
        errors = np.sum([[-fit.best_score_ for _, fit in rows] for _, rows in fits], axis=0)
        best = int(errors[: 1 + len(MIXES)].argmin()), int(errors.argmin())
        for person, (y, rows) in enumerate(fits):
            measured = y[fold.test] - y[fold.test].mean(axis=0)
            total[person] += (measured**2).sum()
            for at, row in enumerate(best):
                stack, fit = rows[row]
                predicted = fit.predict(stack[fold.test])
                predicted = predicted - predicted.mean(axis=0)
                explained[at, person] += (measured**2).sum() - ((measured - predicted) ** 2).sum()
    return explained[0] / total, explained[1] / total


def test_parts_are_those_of_a_plain_loop_with_everyones_own_times(make_recording: Make) -> None:
    x, length, times, responses = made(1)
    recording = replace(make_recording(responses, ["a"] * 40), nuisances=dull(length, times))
    found = unique(Features({"x": x}), recording)
    folds = repeated_folds(np.zeros(40, dtype=np.intp), None, 5, 2, 0)
    known = [np.hstack([length, own]) for own in times]
    alone, both = plain(x, known, responses, folds)
    people = found["per_person"].values()
    np.testing.assert_allclose([person["r2_nuisances"] for person in people], alone, atol=1e-9)
    np.testing.assert_allclose([person["r2_nuisances_and_layer"] for person in people], both, atol=1e-9)
    np.testing.assert_allclose([person["r2_unique"] for person in people], both - alone, atol=1e-9)
    assert found["r2_unique"] == pytest.approx(np.mean(both - alone), abs=1e-9)
    assert found["r2_unique"] > 0.1
    assert found["nuisances"] == ["length", "own time"]
    bounds = ttest_1samp(both - alone, 0.0).confidence_interval(0.95)
    assert (found["interval"]["low"], found["interval"]["high"]) == pytest.approx(tuple(bounds), abs=1e-9)
    assert "people" in found["interval"]["covers"]


def test_nuisances_that_all_share_are_those_given_to_each(make_recording: Make) -> None:
    x, length, times, responses = made(2)
    present = [np.arange(40), np.delete(np.arange(40), [3, 30]), np.arange(40), np.arange(40)]
    recording = make_recording([y[rows] for y, rows in zip(responses, present, strict=True)], STRATA, present)
    recording = replace(recording, participants=(recording.participants[0], *recording.participants[2:]))
    shared = {"length": Features({"length": length}), "first's": Features({"time": times[0]})}
    each = {"length": shared["length"], "first's": dull(length, times[:1] * 4)["own time"]}
    one = unique(Features({"x": x}), replace(recording, nuisances=shared))
    other = unique(Features({"x": x}), replace(recording, nuisances=each))
    for person, values in one["per_person"].items():
        assert other["per_person"][person] == pytest.approx(values, abs=1e-12)


def test_the_layer_is_the_one_that_the_headline_chose_in_each_fold(make_recording: Make) -> None:
    x, length, times, responses = made(3)
    rng = np.random.default_rng(3)
    recording = replace(make_recording(responses, STRATA), nuisances=dull(length, times))
    several = details(Features({"noise": rng.normal(size=(40, 5)), "x": x}), recording)
    assert several["share_of_folds_by_layer"] == {"x": 1.0}
    assert several["unique_variance"]["r2_unique"] == unique(Features({"x": x}), recording)["r2_unique"]


@pytest.mark.parametrize("items", ["all", "syllogism"])
def test_mixtures_of_nuisances_add_nothing_and_planted_features_do(items: str) -> None:
    added: dict[str, list[float]] = {"mixture": [], "mixture and noise": [], "planted": []}
    for seed in range(3):
        rng = np.random.default_rng(seed)
        _, recording = simulated("nuisance", items, seed)
        columns = np.hstack(
            [
                StandardScaler().fit_transform(found.layers[name])
                for name, found in recording.nuisances.items()
                if isinstance(found, Features)
            ]
        )
        mixture = columns @ rng.normal(size=(columns.shape[1], 20))
        noisy = mixture + rng.normal(size=mixture.shape)
        for name, array in (("mixture", mixture), ("mixture and noise", noisy)):
            found = unique(Features({name: array}), recording)
            assert found["r2_nuisances"] > 0.05
            assert details(Features({name: array}), recording)["highest_layer"] == name
            added[name].append(found["r2_unique"])
        dataset, recording = simulated("planted", items, seed)
        found = unique(Features({"truth": dataset.truth("reasoning", items).values}), recording)
        assert found["interval"]["low"] > 0.02
        added["planted"].append(found["r2_unique"])
    assert added["mixture"] == [0.0, 0.0, 0.0]
    assert abs(np.mean(added["mixture and noise"])) < 0.005
    assert min(added["planted"]) > 0.05


@pytest.mark.real
def test_noise_adds_nothing_on_real_data(mirror: Any) -> None:
    """Where little can be predicted, noise beside nuisances would shrink them, and gain by that alone."""
    dataset = Deduction()
    stimuli, bare = dataset.stimuli(QUIET), dataset.recording("deductive_reasoning", QUIET)
    known = nuisances(stimuli, bare.strata, dataset.design_conditions, dataset.behaviour(QUIET))
    recording = replace(bare, nuisances=known)
    rng = np.random.default_rng(0)
    found = [unique(Features({"noise": rng.normal(size=(70, 300))}), recording) for _ in range(5)]
    added = [one["r2_unique"] for one in found]
    assert abs(np.mean(added)) < 0.0015
    assert found[0]["r2_nuisances"] > 0.003
    assert found[0]["nuisances"] == [name for name in known if name != "type"]


@pytest.mark.parametrize("name", ["characters", "own-response-time", "others-response-time"])
def test_a_nuisance_adds_nothing_to_itself(name: str) -> None:
    _, recording = simulated("nuisance", "syllogism", 0)
    found = unique(recording.nuisances[name], recording)
    assert found["r2_unique"] == 0.0
    assert found["interval"] is None
    assert "all 0" in found["interval_reason"]


def test_within_types_the_type_is_no_nuisance_and_over_all_items_it_is() -> None:
    _, recording = simulated("nuisance", "all", 0)
    noise = np.random.default_rng(0).normal(size=(70, 5))
    found = details(Features({"noise": noise}), recording)
    assert found["unique_variance"]["nuisances"] == [
        "characters",
        "tokens",
        "own-response-time",
        "others-response-time",
    ]
    over_all = found["aggregate"]["unique_variance"]
    assert over_all["nuisances"] == ["type", *found["unique_variance"]["nuisances"]]
    assert over_all["r2_nuisances"] > found["unique_variance"]["r2_nuisances"]
    assert abs(over_all["r2_unique"]) < 0.01


def test_why_there_is_none(make_recording: Make) -> None:
    x, _, times, responses = made(4)
    bare = make_recording(responses, STRATA)
    found = details(Features({"x": x}), bare)
    assert found["unique_variance"] is None
    assert found["unique_variance_reason"] == "The recording comes without nuisances."
    assert found["aggregate"]["unique_variance"]["nuisances"] == ["type"]
    bit: Mapping[str, Any] = {"type": Features({"type": np.array([[float(s == "a")] for s in STRATA])})}
    found = details(Features({"x": x}), replace(bare, nuisances=bit))
    assert found["unique_variance"] is None
    assert "No nuisance varies" in found["unique_variance_reason"]
    single = replace(bare, participants=bare.participants[:1], nuisances=dull(x[:, :1], times))
    found = unique(Features({"x": x}), single)
    assert found["interval"] is None
    assert "One person" in found["interval_reason"]


def test_who_lacks_a_nuisance_is_controlled_for_the_others_and_named(make_recording: Make) -> None:
    x, length, times, responses = made(5)
    known = dull(length, times)
    recording = make_recording(responses, STRATA)
    everyone = unique(Features({"x": x}), replace(recording, nuisances=known))
    assert everyone["people_without"] == {}
    own = known["own time"]
    assert isinstance(own, PersonalFeatures)
    known["own time"] = PersonalFeatures({name: found for name, found in own.people.items() if name != "p2"})
    found = unique(Features({"x": x}), replace(recording, nuisances=known))
    assert found["people_without"] == {"own time": ["p2"]}
    assert found["per_person"]["p2"]["r2_nuisances"] < everyone["per_person"]["p2"]["r2_nuisances"] - 0.1
    assert found["per_person"]["p1"] == pytest.approx(everyone["per_person"]["p1"], abs=0.05)


def test_times_of_items_that_a_person_lacks_are_not_looked_at(make_recording: Make) -> None:
    x, length, times, responses = made(6)
    present = [np.arange(40), np.delete(np.arange(40), [3, 30]), np.arange(40), np.arange(40)]
    recording = make_recording([y[rows] for y, rows in zip(responses, present, strict=True)], STRATA, present)
    first = unique(Features({"x": x}), replace(recording, nuisances=dull(length, times)))
    times[1] = times[1].copy()
    times[1][[3, 30]] = 1e4
    second = unique(Features({"x": x}), replace(recording, nuisances=dull(length, times)))
    for person, values in first["per_person"].items():
        assert second["per_person"][person] == pytest.approx(values, abs=1e-9)
