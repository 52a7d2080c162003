"""What the metric finds in the simulated brains: what is planted, nothing in noise, the trap."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from brainbench.arrays import Features, Recording
from brainbench.progress import SilentReporter
from brainbench.records import Scores
from brainbench_metrics.predictivity import Predictivity
from brainbench_tasks.simulated import SimulatedCreativity, SimulatedDeduction

QUIET = SilentReporter()
Simulated = SimulatedDeduction | SimulatedCreativity
Array = NDArray[np.float64]
SEEDS = 8
CLOSE = 0.035  # what expected_score promises


def recording(dataset: Simulated, region: str, items: str) -> Recording:
    (chosen,) = (found for found in dataset.item_sets if found.name == items)
    return dataset.recording(region, QUIET).select(chosen.indices(dataset.stimuli(QUIET)))


def score(x: Array, responses: Recording) -> float:
    scores = Predictivity().score(Features({"x": x}), responses, QUIET)
    assert isinstance(scores, Scores)
    return float(scores.per_layer[0])


def each_by_itself(xs: Array, responses: Recording) -> float:
    """The median over people of the score of features (people x items x width) of their own."""
    return float(
        np.median(
            [
                score(x, replace(responses, participants=(person,)))
                for x, person in zip(xs, responses.participants, strict=True)
            ]
        )
    )


def mean_and_error(values: list[float]) -> tuple[float, float]:
    return float(np.mean(values)), float(np.std(values, ddof=1) / np.sqrt(len(values)))


@pytest.mark.parametrize(
    ("dataset", "items"),
    [
        (SimulatedDeduction("planted"), "all"),
        (SimulatedDeduction("planted"), "syllogism"),
        (SimulatedDeduction("planted"), "transitive"),
        (SimulatedDeduction("guide"), "syllogism"),
        (SimulatedCreativity("planted"), "create"),
        (SimulatedCreativity("planted"), "all"),
        (SimulatedCreativity("guide"), "create"),
    ],
    ids=lambda value: getattr(value, "name", value),
)
def test_planted_features_score_what_is_expected_and_the_control_region_is_empty(
    dataset: Simulated, items: str
) -> None:
    for region in dataset.regions:
        found, expected = [], []
        for seed in range(SEEDS):
            draw = replace(dataset, seed=seed)
            truth = draw.truth(region, items)
            found.append(score(truth.values, recording(draw, region, items)))
            expected.append(truth.expected_score)
        mean, error = mean_and_error(found)
        # A score of noise has a mean of 0 and, for a single feature, a median above it.
        assert abs(mean - np.mean(expected)) < CLOSE + 3 * error, region
        assert (np.mean(expected) == 0) == (region == dataset.regions[-1])


@pytest.mark.parametrize(
    ("dataset", "items"),
    [
        (SimulatedDeduction("null"), "all"),
        (SimulatedDeduction("null"), "syllogism"),
        (SimulatedCreativity("null"), "create"),
        (SimulatedCreativity("planted"), "object"),
        (SimulatedCreativity("guide"), "object"),
    ],
    ids=lambda value: getattr(value, "name", value),
)
def test_nothing_is_found_where_nothing_is_planted(dataset: Simulated, items: str) -> None:
    """Neither by what is planted elsewhere nor by features as wide as a model's."""
    found = []
    for seed in range(SEEDS):
        draw = replace(dataset, seed=seed)
        responses = recording(draw, draw.regions[0], items)
        elsewhere = replace(draw, preset="planted").truth(
            draw.regions[0], "create" if items == "object" else items
        )
        wide = np.random.default_rng(seed).normal(size=(len(responses.items), 64))
        found += [score(elsewhere.values, responses), score(wide, responses)]
    mean, error = mean_and_error(found)
    assert abs(mean) < 0.02 + 3 * error
    assert error < 0.03


def test_the_nuisance_preset_is_the_trap_that_dull_predictors_expose() -> None:
    """A bit, a length and a time reach what there is; features of reasoning nothing beyond them."""
    found: dict[str, list[float]] = {}
    for seed in range(SEEDS):
        dataset = SimulatedDeduction("nuisance", seed=seed)
        truth = dataset.truth("reasoning")
        reasoning = replace(dataset, preset="planted").truth("reasoning").values
        everything = recording(dataset, "reasoning", "all")
        within = recording(dataset, "reasoning", "transitive")
        only = slice(36, None)
        both = np.concatenate([truth.nuisances, np.broadcast_to(reasoning, (8, 70, 3))], axis=2)
        for name, value in {
            "bit": score(truth.nuisances[0, :, :1], everything),
            "nuisances": each_by_itself(truth.nuisances, everything),
            "with reasoning": each_by_itself(both, everything),
            "reasoning": score(reasoning, everything),
            "time within": each_by_itself(truth.nuisances[:, only, 2:], within),
            "reasoning within": score(reasoning[only], within),
        }.items():
            found.setdefault(name, []).append(value)
    mean = {name: float(np.mean(values)) for name, values in found.items()}
    assert mean["bit"] > 0.15
    assert mean["nuisances"] == pytest.approx(np.sqrt(0.25), abs=0.06)  # all that is planted
    assert mean["time within"] > 0.12
    assert mean["with reasoning"] < mean["nuisances"] + 0.01
    assert mean["reasoning"] < 0.08  # through the time that more premises take
    assert mean["reasoning within"] < 0.08


def test_the_nuisances_of_creativity_are_a_trap_as_well() -> None:
    bit, semantic = [], []
    for seed in range(SEEDS):
        dataset = SimulatedCreativity("nuisance", seed=seed)
        responses = recording(dataset, "default", "all")
        bit.append(score(np.repeat([[1.0], [0.0]], 23, axis=0), responses))
        create = recording(dataset, "default", "create")
        semantic.append(score(SimulatedCreativity(seed=seed).truth("default", "create").values, create))
    assert np.mean(bit) > 0.15
    assert abs(np.mean(semantic)) < 0.10  # long names are seldom those of one property


def test_people_predict_each_other_where_something_is_planted() -> None:
    """The ceiling of a small group comes near the planted one and stays low in the control region."""
    dataset = replace(SimulatedDeduction(), people=5)
    medians = {}
    for region in ("reasoning", "control"):
        ceiling = Predictivity().ceiling(recording(dataset, region, "all"), QUIET)
        assert isinstance(ceiling, Scores)
        medians[region] = ceiling.details["from_all_others"]["median_of_medians"]
    assert medians["reasoning"] == pytest.approx(dataset.truth("reasoning").ceiling, abs=0.15)
    assert medians["control"] < 0.10
