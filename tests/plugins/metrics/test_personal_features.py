"""Features that differ between people: each person is predicted from their own, in both protocols."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.linear_model import RidgeCV
from sklearn.preprocessing import StandardScaler

from brainbench.arrays import AnyFeatures, Features, Participant, PersonalFeatures, Recording
from brainbench.nuisances import nuisances
from brainbench.progress import SilentReporter
from brainbench.records import Scores, Skip
from brainbench.testing import check_metric
from brainbench_metrics.nested_null import shuffled_scores
from brainbench_metrics.nested_people import measured_people, shuffled_orders
from brainbench_metrics.nested_scores import Problem, nested_scores
from brainbench_metrics.predictivity import Predictivity
from brainbench_metrics.predictivity_robust import RobustPredictivity
from brainbench_metrics.robust_problem import layer_kernels
from brainbench_metrics.within_strata import repeated_folds
from brainbench_tasks.deduction import Deduction

Array = NDArray[np.float64]
Make = Callable[..., Recording]
Metric = Predictivity | RobustPredictivity
QUIET = SilentReporter()
PAPER = Predictivity()
ROBUST = RobustPredictivity(permutations=19, draws=100)
BOTH = pytest.mark.parametrize("metric", [PAPER, ROBUST], ids=["paper", "robust"])
STRATA = ["a"] * 22 + ["b"] * 18


def score(metric: Metric, features: AnyFeatures, recording: Recording) -> Scores:
    outcome = metric.score(features, recording, QUIET)
    assert isinstance(outcome, Scores), outcome
    json.dumps(outcome.details, allow_nan=False)
    return outcome


def reason(metric: Metric, features: AnyFeatures, recording: Recording) -> str:
    outcome = metric.score(features, recording, QUIET)
    assert isinstance(outcome, Skip)
    return outcome.reason


def own_times(seed: int, n_people: int = 4, noise: float = 2.0) -> tuple[list[Array], list[Array]]:
    """Each person's own columns (40 items x 3), and responses (40 items x 12 voxels) that follow them."""
    rng = np.random.default_rng(seed)
    own = [rng.normal(size=(40, 3)) for _ in range(n_people)]
    return own, [x @ rng.normal(size=(3, 12)) + noise * rng.normal(size=(40, 12)) for x in own]


def personal(own: Sequence[Array], **more: Sequence[Array]) -> PersonalFeatures:
    """Person p0 has own[0], ...; further layers by name."""
    return PersonalFeatures(
        {
            f"p{at}": Features({"own": x, **{name: arrays[at] for name, arrays in more.items()}})
            for at, x in enumerate(own)
        }
    )


def alone(recording: Recording, at: int) -> Recording:
    return replace(recording, participants=(recording.participants[at],))


@BOTH
def test_the_metric_says_that_it_takes_them_and_keeps_what_it_promises(metric: Metric) -> None:
    assert metric.takes_personal
    assert "takes_personal" not in {field.name for field in fields(metric)}
    check_metric(metric)


@BOTH
def test_each_person_is_scored_as_if_alone_with_their_own(metric: Metric, make_recording: Make) -> None:
    own, responses = own_times(1)
    present = [np.arange(40), np.delete(np.arange(40), [3, 30]), np.arange(40), np.arange(1, 40)]
    held = [y[rows] for y, rows in zip(responses, present, strict=True)]
    recording = make_recording(held, STRATA, present)
    found = score(metric, personal(own), recording)
    for at, x in enumerate(own):
        single = score(metric, Features({"own": x}), alone(recording, at))
        np.testing.assert_allclose(
            found.per_participant[:, at], single.per_participant[:, 0], atol=1e-12, rtol=0
        )
    others = score(metric, personal([*own[1:], own[0]]), recording)
    assert found.headline > others.headline + 0.1


def test_paper_scores_are_those_of_a_plain_loop(
    make_recording: Make, plain_ridge: Callable[..., Any]
) -> None:
    own, responses = own_times(2)
    rng = np.random.default_rng(2)
    wide = [rng.normal(size=(40, 5 + 10 * at)) for at in range(4)]  # widths may differ
    found = score(PAPER, personal(own, wide=wide), make_recording(responses, STRATA))
    expected = [
        [np.median(plain_ridge(x, y, STRATA)[0].mean(axis=0)) for x, y in zip(xs, responses, strict=True)]
        for xs in (own, wide)
    ]
    np.testing.assert_allclose(found.per_participant, expected, atol=1e-8, rtol=0)
    np.testing.assert_allclose(found.per_layer, np.median(expected, axis=1), atol=1e-8)
    alphas = [
        a
        for xs in (own, wide)
        for x, y in zip(xs, responses, strict=True)
        for a in plain_ridge(x, y, STRATA)[1]
    ]
    assert found.details["alphas_chosen"] == {f"{a:g}": alphas.count(a) for a in PAPER.alphas}


def plain_robust(layers: Sequence[Sequence[Array]], responses: Sequence[Array], folds: Any) -> Any:
    """Layers (each with an array for every person), one stratum: r of layers, r of the choice, choices."""
    r = np.zeros((len(folds), len(layers), len(responses)))
    errors = np.zeros_like(r)
    for column, raw in enumerate(responses):
        y = StandardScaler().fit_transform(raw)
        for row, arrays in enumerate(layers):
            for at, fold in enumerate(folds):
                scaler = StandardScaler().fit(arrays[column][fold.train])
                x = scaler.transform(arrays[column]) / np.sqrt(arrays[column].shape[1])
                fit = RidgeCV(alphas=ROBUST.alphas).fit(x[fold.train], y[fold.train])
                errors[at, row, column] = -fit.best_score_
                predicted, measured = fit.predict(x[fold.test]), y[fold.test]
                predicted, measured = predicted - predicted.mean(axis=0), measured - measured.mean(axis=0)
                r[at, row, column] = (predicted * measured).sum() / np.sqrt(
                    (predicted**2).sum() * (measured**2).sum()
                )
    chosen = errors.sum(axis=2).argmin(axis=1)
    return r.mean(axis=0), r[np.arange(len(folds)), chosen].mean(axis=0), chosen


def test_robust_scores_are_those_of_a_plain_loop_and_the_layer_is_chosen_for_all(
    make_recording: Make,
) -> None:
    own, responses = own_times(3, noise=6.0)
    rng = np.random.default_rng(30)
    near = [x + 0.7 * rng.normal(size=x.shape) for x in own]
    noise = [rng.normal(size=(40, 8)) for _ in own]
    found = score(ROBUST, personal(own, near=near, noise=noise), make_recording(responses, ["a"] * 40))
    folds = repeated_folds(np.zeros(40, dtype=np.intp), None, 5, 2, 0)
    layers, nested, chosen = plain_robust([own, near, noise], responses, folds)
    np.testing.assert_allclose(found.per_participant[1:], layers, atol=1e-9)
    np.testing.assert_allclose(found.per_participant[0], nested, atol=1e-9)
    shares = {
        name: np.mean(chosen == row)
        for row, name in enumerate(("own", "near", "noise"))
        if (chosen == row).any()
    }
    assert found.details["share_of_folds_by_layer"] == shares
    assert len(shares) > 1  # a choice that is not the same everywhere


@pytest.mark.parametrize("lacking", [False, True])
def test_the_null_is_the_estimator_on_responses_shuffled_alike_for_all(lacking: bool) -> None:
    own, responses = own_times(4, n_people=3)
    strata = np.array([0] * 22 + [1] * 18)
    there = [np.arange(40), np.delete(np.arange(40), [5, 29]) if lacking else np.arange(40), np.arange(40)]
    folds = repeated_folds(strata, None, 4, 1, 0)
    assert isinstance(folds, tuple)

    def problem(held: Sequence[Array]) -> Problem:
        made = [Participant(f"p{i}", y, rows) for i, (y, rows) in enumerate(zip(held, there, strict=True))]
        kernels = tuple(layer_kernels([x, x[:, :1]], strata) for x in own)
        people = measured_people(made, folds, strata)
        return Problem(kernels, folds, strata, None, people, (0.1, 10.0), np.arange(3))

    held = [y[rows] for y, rows in zip(responses, there, strict=True)]
    orders = shuffled_orders(5, 6, strata, None, there)
    assert orders is not None
    np.testing.assert_array_equal(orders[0], orders[2])
    found = shuffled_scores(problem(held), orders)
    for row in range(6):
        moved = [
            y[np.searchsorted(rows, order[row][rows])]
            for y, rows, order in zip(held, there, orders, strict=True)
        ]
        np.testing.assert_allclose(found[row], nested_scores(problem(moved)).nested, atol=1e-10)


@BOTH
def test_the_same_features_for_everyone_are_those_that_all_share(
    metric: Metric, make_recording: Make
) -> None:
    own, responses = own_times(5)
    present = [np.arange(40), np.delete(np.arange(40), [3, 30]), np.arange(40), np.arange(40)]
    recording = make_recording([y[rows] for y, rows in zip(responses, present, strict=True)], STRATA, present)
    rng = np.random.default_rng(5)
    layers = {"x": own[0], "noise": rng.normal(size=(40, 60)), "flat": np.ones((40, 2))}
    shared = Features(layers)
    everyone = PersonalFeatures({f"p{at}": Features(dict(layers)) for at in range(4)})
    one, other = score(metric, shared, recording), score(metric, everyone, recording)
    np.testing.assert_allclose(one.per_participant, other.per_participant, atol=1e-12)
    assert one.layers == other.layers
    assert set(one.unscored) == set(other.unscored) == {"flat"}
    if metric is ROBUST:
        assert other.details["critical_value_0.05"] == pytest.approx(one.details["critical_value_0.05"])
        assert other.details["aggregate"]["per_person"] == pytest.approx(
            one.details["aggregate"]["per_person"]
        )


@BOTH
def test_who_has_none_or_none_that_vary_is_left_out_and_said(metric: Metric, make_recording: Make) -> None:
    own, responses = own_times(6, n_people=5)
    recording = make_recording(responses, STRATA)
    features = {f"p{at}": Features({"own": x}) for at, x in enumerate(own)}
    del features["p1"]
    features["p3"] = Features({"own": np.full((40, 3), 6.0)})
    found = score(metric, PersonalFeatures(features), recording)
    assert found.participants == ("p0", "p2", "p4")
    assert found.details["people_left_out"]["p1"] == "There are no features of this participant."
    assert "of this participant vary between" in found.details["people_left_out"]["p3"]
    kept = replace(recording, participants=tuple(recording.participants[at] for at in (0, 2, 4)))
    np.testing.assert_allclose(
        found.per_participant, score(metric, personal(own), kept).per_participant, atol=1e-12
    )
    strangers = PersonalFeatures({"x": features["p0"]})
    assert reason(metric, strangers, recording) == "There are no features of this participant."


@BOTH
def test_what_varies_only_over_items_that_the_person_lacks_does_not_vary(
    metric: Metric, make_recording: Make
) -> None:
    own, responses = own_times(7)
    own[1] = np.where(np.arange(40)[:, None] < 2, own[1], 3.0)
    present = [np.arange(40), np.arange(2, 40), np.arange(40), np.arange(40)]
    recording = make_recording([y[rows] for y, rows in zip(responses, present, strict=True)], STRATA, present)
    found = score(metric, personal(own), recording)
    assert found.participants == ("p0", "p2", "p3")


@BOTH
def test_a_layer_that_does_not_vary_for_one_person_is_not_scored_and_says_for_whom(
    metric: Metric, make_recording: Make
) -> None:
    own, responses = own_times(8)
    other = [x[:, :1] for x in own]
    other[2] = np.zeros((40, 1))
    recording = make_recording(responses, STRATA)
    found = score(metric, personal(own, other=other), recording)
    assert found.participants == ("p0", "p1", "p2", "p3")
    assert "other" not in found.layers
    assert found.unscored["other"].endswith("for participant p2.")
    np.testing.assert_allclose(found.per_participant, score(metric, personal(own), recording).per_participant)
    own[1] = np.zeros((40, 3))
    said = reason(metric, personal(own, other=other), recording)
    assert said.startswith("No layer's features vary")
    assert said.endswith("for every participant.")


def test_a_type_that_is_someones_own_is_left_out_within_types_only(make_recording: Make) -> None:
    own, responses = own_times(9)
    bit = np.array([[1.0] if label == "a" else [0.0] for label in STRATA])
    own[0] = bit
    recording = make_recording(responses, STRATA)
    assert score(ROBUST, personal(own), recording).participants == ("p1", "p2", "p3")
    assert score(PAPER, personal(own), recording).participants == ("p0", "p1", "p2", "p3")
    found = score(ROBUST, personal(own), recording).details["aggregate"]["per_person"]
    assert list(found) == ["p0", "p1", "p2", "p3"]  # over all items the type varies


KNOWN = {  # of the paper's protocol in the region of deductive reasoning: median over people
    ("type", "all"): 0.1987,
    ("design", "syllogism"): 0.0777,
    ("design", "transitive"): 0.0899,
    ("own-response-time", "all"): 0.1548,
    ("own-response-time", "syllogism"): 0.1460,
    ("own-response-time", "transitive"): 0.1810,
    ("others-response-time", "all"): 0.1847,
    ("others-response-time", "syllogism"): 0.1073,
    ("others-response-time", "transitive"): 0.1554,
}


@pytest.mark.real
def test_dull_predictors_reach_on_real_data_what_is_known(mirror: Any) -> None:
    dataset = Deduction()
    stimuli = dataset.stimuli(QUIET)
    bare = dataset.recording("deductive_reasoning", QUIET)
    behaviour = dataset.behaviour(QUIET)
    dull = nuisances(stimuli, bare.strata, dataset.design_conditions, behaviour)
    whole = replace(bare, nuisances=dull)
    sets = {found.name: found.indices(stimuli) for found in dataset.item_sets}
    for (name, items), expected in KNOWN.items():
        recording = whole.select(sets[items])
        found = score(PAPER, recording.nuisances[name], recording)
        assert found.headline == pytest.approx(expected, abs=1e-4), (name, items)
        assert len(found.participants) == 10
