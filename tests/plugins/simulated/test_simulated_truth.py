"""What is planted is what the truth says: shares of variance, features, noise, expected scores."""

from dataclasses import replace
from math import erf, sqrt
from random import Random

import numpy as np
import pytest
from numpy.typing import NDArray

from brainbench.problems import random_problem
from brainbench.progress import SilentReporter
from brainbench_tasks.simulated import SimulatedCreativity, SimulatedDeduction
from brainbench_tasks.simulated_brain import SMOOTHNESS, decorrelated, in_turn
from brainbench_tasks.simulated_creativity import mean_ratings
from brainbench_tasks.simulated_deduction import made_problems, signed_distance
from brainbench_tasks.simulated_scores import expected_score, mean_cosine

QUIET = SilentReporter()
Simulated = SimulatedDeduction | SimulatedCreativity
Array = NDArray[np.float64]
MANY = (20, 15, 10)  # voxels


def adjusted_share(x: Array, y: Array) -> float:
    """Share of the variance of y (items x voxels) that x explains: mean over voxels, adjusted for chance."""
    x = np.column_stack([np.ones(len(x)), x])
    rest = y - x @ np.linalg.lstsq(x, y, rcond=None)[0]
    free, total = len(x) - np.linalg.matrix_rank(x), len(x) - 1
    return float(1 - np.mean(rest.var(axis=0) / y.var(axis=0)) * total / free)


@pytest.mark.parametrize(
    ("dataset", "items"),
    [
        (SimulatedDeduction("planted"), "all"),
        (SimulatedDeduction("planted"), "syllogism"),
        (SimulatedDeduction("planted"), "transitive"),
        (SimulatedDeduction("guide"), "all"),
        (SimulatedDeduction("null"), "all"),
        (SimulatedDeduction("nuisance"), "all"),
        (SimulatedCreativity("planted"), "create"),
        (SimulatedCreativity("planted"), "object"),
        (SimulatedCreativity("guide"), "create"),
        (SimulatedCreativity("null"), "create"),
        (SimulatedCreativity("nuisance"), "all"),
    ],
    ids=lambda value: getattr(value, "name", value),
)
def test_planted_features_and_nuisances_explain_their_shares_of_variance(
    dataset: Simulated, items: str
) -> None:
    large = replace(dataset, grid=MANY, people=3)
    (chosen,) = (found for found in large.item_sets if found.name == items)
    index = list(chosen.indices(large.stimuli(QUIET)))
    other = replace(large, preset="planted").truth(large.regions[0], items).values
    for region in large.regions:
        truth = large.truth(region, items)
        assert truth.ceiling == sqrt(truth.share)
        planted, nuisance = [], []
        for at, person in enumerate(large.recording(region, QUIET).select(index).participants):
            features = truth.values if truth.names else other
            if features.any():
                planted.append(adjusted_share(features[person.present], person.responses.astype(float)))
            if items == "all":
                theirs = truth.nuisances[at][person.present]
                nuisance.append(adjusted_share(theirs, person.responses.astype(float)))
        expected = truth.share if truth.names else 0.0
        assert np.allclose(planted, expected, atol=0.035), region
        if items == "all":
            assert np.allclose(nuisance, truth.nuisance_share, atol=0.035), region


@pytest.mark.parametrize("preset", ["planted", "guide"])
def test_planted_features_are_uncorrelated_within_each_type_and_close_to_their_names(preset: str) -> None:
    for seed in range(5):
        dataset = SimulatedDeduction(preset, seed=seed)
        stimuli = dataset.stimuli(QUIET)
        follows = np.array([float(s.conditions["label"]) for s in stimuli])
        needed = np.array([float(s.conditions["premises_needed"]) for s in stimuli])
        surface = np.array([[len(s.content), float(s.conditions["negated"])] for s in stimuli])
        values = dataset.truth("reasoning").values
        for chosen in dataset.item_sets:
            index = list(chosen.indices(stimuli))
            z = values[index]
            assert np.allclose(z.mean(axis=0), 0)
            assert np.allclose(z.T @ z / len(z), np.eye(z.shape[1]))
        for chosen in dataset.item_sets[1:]:
            index = list(chosen.indices(stimuli))
            least = 0.99 if preset == "guide" else 0.75
            assert np.corrcoef(values[index, 0], follows[index])[0, 1] > least
            if preset == "planted":
                assert np.corrcoef(values[index, 2], needed[index])[0, 1] > 0.85
                cross = values[index].T @ (surface[index] - surface[index].mean(axis=0))
                assert np.allclose(cross, 0, atol=1e-9)


def test_signed_distance_is_read_off_the_problem() -> None:
    rng = Random(0)
    for _ in range(100):
        problem = random_problem("transitive", rng)
        lines = [text.split() for text in problem.premises]
        above = {words[-1]: words[0] for words in lines}
        first, *_, last = problem.conclusion.split()

        def depth(name: str, above: dict[str, str] = above) -> int:
            return 1 + depth(above[name]) if name in above else 0

        assert signed_distance(problem.reordered((2, 0, 1))) == depth(last) - depth(first)
    problem = random_problem("syllogism", rng, subtype="3_true_negate").reordered((1, 2, 0))
    assert signed_distance(problem) == -2  # a denied property reaches down the chain
    assert signed_distance(random_problem("syllogism", rng, subtype="2_true_affirm")) == 1


def test_the_cues_that_the_card_names_are_as_strong_as_it_says() -> None:
    found: dict[str, list[float]] = {"planted": [], "guide": [], "distance": [], "needed": []}
    for seed in range(20):
        problems = made_problems(1, seed)
        syllogism = np.array([problem.kind == "syllogism" for problem in problems])
        nots = [" ".join((*p.premises, p.conclusion)).split().count("not") == 1 for p in problems]
        ends, counts = [], []
        for problem in problems[36:]:
            words = " ".join(problem.premises).split()
            first, *_, last = problem.conclusion.split()
            starts = [text.split()[0] for text in problem.premises]
            ends.append(
                2 * (starts.count(first) - starts.count(last)) - words.count(first) + words.count(last)
            )
            counts.append(words.count(first) + words.count(last))
        for preset in ("planted", "guide"):
            values = SimulatedDeduction(preset, seed=seed).truth("reasoning").values
            r = np.corrcoef(values[syllogism, 0], np.array(nots, dtype=float)[syllogism])[0, 1]
            found[preset].append(float(r))
            if preset == "planted":
                found["distance"].append(float(np.corrcoef(values[36:, 1], ends)[0, 1]))
                found["needed"].append(float(np.corrcoef(values[36:, 2], counts)[0, 1]))
    expected = {"planted": -0.28, "guide": -0.43, "distance": 0.94, "needed": -0.98}
    assert {name: float(np.mean(rs)) for name, rs in found.items()} == pytest.approx(expected, abs=0.05)


def test_the_ceiling_is_of_planted_features_alone_so_none_where_only_nuisances_are() -> None:
    truth = SimulatedDeduction("nuisance").truth("reasoning")
    assert (truth.ceiling, truth.nuisance_share) == (0, 0.25)
    assert "0 here" in SimulatedDeduction("nuisance").card.caveats[-1]


def test_the_creativity_features_are_zero_in_the_control_task_and_the_guide_is_the_mean_rating() -> None:
    for preset in ("planted", "guide"):
        values = SimulatedCreativity(preset).truth("default").values
        assert np.allclose(values[:23].T @ values[:23] / 23, np.eye(values.shape[1]))
        assert not values[23:].any()
    dataset = SimulatedCreativity("guide")
    rating = dataset.behaviour(QUIET).rating
    assert rating is not None
    mean = np.nanmean(rating[:, :23], axis=0)
    guide = dataset.truth("default", "create").values[:, 0]
    assert np.allclose(guide, (mean - mean.mean()) / mean.std())
    properties = SimulatedCreativity().truth("default", "create")
    by_name = dict(zip(properties.names, properties.values.T, strict=True))
    assert by_name["heavy"][0] > 1  # a brick
    assert by_name["heavy"][8] < 0  # a newspaper
    assert by_name["sharp"][20] > 1  # a needle


def test_ratings_that_nobody_gave_take_the_mean_of_the_others() -> None:
    ratings = np.array([[1.0, np.nan, 3.0], [2.0, np.nan, np.nan]])
    assert mean_ratings(ratings).tolist() == [1.5, 2.0, 3.0]
    SimulatedCreativity("guide", people=1, seed=3).recording("default", QUIET)


def test_neighbouring_voxels_share_their_noise_as_smoothing_would_have_it() -> None:
    grid = (12, 6, 5)
    dataset = SimulatedDeduction("null", grid=grid, people=8)
    noise = np.concatenate(
        [
            (y - y.mean(axis=0)) / y.std(axis=0)
            for y in (p.responses.astype(float) for p in dataset.recording("control", QUIET).participants)
        ]
    ).reshape(-1, *grid)
    for axis in (1, 2, 3):
        for distance in (1, 2, 4):
            one = noise.take(range(distance, noise.shape[axis]), axis=axis)
            two = noise.take(range(noise.shape[axis] - distance), axis=axis)
            r = float(np.mean(one * two))
            assert r == pytest.approx(np.exp(-((distance / 2 / SMOOTHNESS) ** 2)), abs=0.03)
    flat = noise.reshape(8, 70, -1)
    assert abs(float(np.mean(flat[:, 1:] * flat[:, :-1]))) < 0.02  # items are independent
    assert abs(float(np.mean(flat[1:] * flat[:-1]))) < 0.02  # and people


def test_betas_have_voxels_of_different_means_and_spreads() -> None:
    responses = SimulatedDeduction().recording("reasoning", QUIET).participants[0].responses
    assert responses.dtype == np.float32
    assert responses.shape == (70, 60)
    assert responses.std(axis=0).max() > 1.5 * responses.std(axis=0).min()
    assert responses.mean(axis=0).std() > 0.2


def test_decorrelating_and_orthogonalising_do_what_they_say() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(40, 3)) @ rng.normal(size=(3, 3))
    labels = ["a"] * 25 + ["b"] * 15
    against = rng.normal(size=(40, 2))
    z = decorrelated(x, labels, against)
    for rows in (slice(25), slice(25, None)):
        assert np.allclose(z[rows].T @ z[rows], np.eye(3) * len(z[rows]))
        assert np.allclose(z[rows].T @ (against[rows] - against[rows].mean(axis=0)), 0)
    n = in_turn(x)
    assert np.allclose(n.T @ n / 40, np.eye(3))
    assert np.allclose(np.corrcoef(n[:, 0], x[:, 0])[0, 1], 1)
    assert np.linalg.matrix_rank(np.column_stack([n[:, :2], x[:, :2] - x[:, :2].mean(axis=0)]), tol=1e-8) == 2


@pytest.mark.parametrize("k", [1, 2, 3, 6])
@pytest.mark.parametrize("squared", [0.3, 4.0, 60.0])
def test_the_mean_cosine_is_that_of_a_simulation(k: int, squared: float) -> None:
    rng = np.random.default_rng(0)
    weights = rng.normal(size=(200_000, k))
    weights[:, 0] += sqrt(squared)
    cosines = weights[:, 0] / np.linalg.norm(weights, axis=1)
    assert mean_cosine(k, squared) == pytest.approx(cosines.mean(), abs=0.005)
    if k == 1:
        assert mean_cosine(k, squared) == pytest.approx(erf(sqrt(squared / 2)), abs=1e-9)


def test_the_expected_score_is_nothing_without_a_signal_or_items_and_at_most_the_ceiling() -> None:
    assert expected_score(0.0, 3, 70) == expected_score(0.2, 0, 70) == expected_score(0.2, 60, 70) == 0
    assert expected_score(0.2, 3, 10**5) == pytest.approx(sqrt(0.2), abs=1e-4)
    assert expected_score(0.2, 3, 34) < expected_score(0.2, 3, 70) < sqrt(0.2)
    assert expected_score(0.2, 6, 70) < expected_score(0.2, 3, 70)
