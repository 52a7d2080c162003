from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from brainbench.arrays import Features, Participant, Recording
from brainbench.errors import ShapeError, UsageError
from brainbench.progress import SilentReporter
from brainbench.records import Scores, Skip
from brainbench.testing import check_metric
from brainbench_metrics import parallel
from brainbench_metrics.predictivity import Predictivity

Array = NDArray[np.float64]
Make = Callable[..., Recording]
STRATA = ["a"] * 22 + ["b"] * 18
REAL_STRATA = ["syllogism"] * 36 + ["transitive"] * 34


def score(layers: dict[str, Any], recording: Recording, metric: Predictivity | None = None) -> Scores:
    outcome = (metric or Predictivity()).score(Features(layers), recording, SilentReporter())
    assert isinstance(outcome, Scores)
    return outcome


def reason(layers: dict[str, Any], recording: Recording) -> str:
    outcome = Predictivity().score(Features(layers), recording, SilentReporter())
    assert isinstance(outcome, Skip)
    return outcome.reason


def people(seed: int, n_people: int = 3, voxels: int = 12) -> tuple[Array, list[Array]]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(40, 30))
    return x, [
        x[:, :4] @ rng.normal(size=(4, voxels)) + (1 + i) * rng.normal(size=(40, voxels))
        for i in range(n_people)
    ]


def plain_scores(
    plain_ridge: Callable[..., Any], layers: list[Array], responses: list[Array], strata: list[str]
) -> Array:
    r = [[plain_ridge(x, y, strata)[0] for y in responses] for x in layers]
    return np.array([[np.median(person.mean(axis=0)) for person in row] for row in r])


def test_keeps_what_a_metric_promises() -> None:
    check_metric(Predictivity())


def test_scores_are_those_of_a_plain_loop_with_scikit_learn(
    make_recording: Make, plain_ridge: Callable[..., Any]
) -> None:
    x, responses = people(1)
    layers = {"x": x, "noise": np.random.default_rng(2).normal(size=(40, 100)), "narrow": x[:, :3]}
    result = score(layers, make_recording(responses, STRATA))
    expected = plain_scores(plain_ridge, list(layers.values()), responses, STRATA)
    np.testing.assert_allclose(result.per_participant, expected, atol=1e-8, rtol=0)
    np.testing.assert_allclose(result.per_layer, np.median(expected, axis=1), atol=1e-8)
    deviations = np.abs(expected - np.median(expected, axis=1, keepdims=True))
    np.testing.assert_allclose(result.spread, np.median(deviations, axis=1), atol=1e-8)
    assert result.layers[result.best] == max(
        result.layers, key=lambda name: result.per_layer[result.layers.index(name)]
    )
    assert result.choice == "maximum over 3 layers on the same data (optimistic)"
    best = {p: result.layers[i] for p, i in zip(result.participants, expected.argmax(axis=0), strict=True)}
    assert result.details["best_layer_per_person"] == best
    chosen = [a for layer in layers.values() for y in responses for a in plain_ridge(layer, y, STRATA)[1]]
    assert result.details["alphas_chosen"] == {f"{a:g}": chosen.count(a) for a in Predictivity().alphas}
    assert result.details["share_at_smallest_alpha"] == chosen.count(1e-3) / len(chosen)
    assert result.details["share_at_largest_alpha"] == chosen.count(1e3) / len(chosen)
    assert result.details["share_of_undefined_folds"] == 0
    json.dumps(result.details, allow_nan=False)


@pytest.mark.real
def test_scores_on_the_real_betas_are_those_of_a_plain_loop(
    betas: Callable[[str], list[Array]], make_recording: Make, plain_ridge: Callable[..., Any]
) -> None:
    rng = np.random.default_rng(0)
    everyone = betas("deductive_reasoning")
    responses = [y[:, ::3] for y in everyone[:2]]
    layers: dict[str, Any] = {
        "other people": np.hstack(everyone[2:5]),
        "noise": rng.normal(size=(70, 200)).astype(np.float32),
        "low rank": rng.normal(size=(70, 3)) @ rng.normal(size=(3, 100)),
        "one bit": np.array([[1.0]] * 36 + [[0.0]] * 34),
    }
    result = score(layers, make_recording(responses, REAL_STRATA))
    expected = plain_scores(plain_ridge, list(layers.values()), responses, REAL_STRATA)
    np.testing.assert_allclose(result.per_participant, expected, atol=1e-8, rtol=0)


@pytest.mark.real
def test_one_bit_of_item_type_scores_what_the_reproduction_found(
    betas: Callable[[str], list[Array]], make_recording: Make
) -> None:
    bit = np.array([[1.0]] * 36 + [[0.0]] * 34)
    result = score({"type": bit}, make_recording(betas("deductive_reasoning"), REAL_STRATA))
    assert result.headline == pytest.approx(0.1987, abs=1e-4)
    assert result.choice == "the only layer scored"


def test_people_may_lack_items(make_recording: Make, plain_ridge: Callable[..., Any]) -> None:
    x, responses = people(3)
    present = [list(range(40)), [i for i in range(40) if i % 7], list(range(40))]
    held = [y[rows] for y, rows in zip(responses, present, strict=True)]
    result = score({"x": x}, make_recording(held, STRATA, present))
    for place, rows in enumerate(present):
        strata = [STRATA[i] for i in rows]
        expected = np.median(plain_ridge(x[rows], held[place], strata)[0].mean(axis=0))
        assert result.per_participant[0, place] == pytest.approx(expected, abs=1e-8)
    assert result.details["items_per_person"] == {"p0": 40, "p1": 34, "p2": 40}
    assert [sum(sizes) for sizes in result.details["fold_sizes"].values()] == [40, 34, 40]


def test_without_strata_folds_are_those_of_a_single_stratum(
    make_recording: Make, plain_ridge: Callable[..., Any]
) -> None:
    x, responses = people(4)
    without = score({"x": x}, make_recording(responses))
    single = score({"x": x}, make_recording(responses, ["one"] * 40))
    np.testing.assert_array_equal(without.per_participant, single.per_participant)
    expected = plain_scores(plain_ridge, [x], responses, [])
    np.testing.assert_allclose(without.per_participant, expected, atol=1e-8)


def test_constant_voxels_are_left_out_and_counted(make_recording: Make) -> None:
    x, responses = people(5)
    clean = score({"x": x}, make_recording(responses, STRATA))
    padded = [np.hstack([y, np.full((40, 50), 0.1)]) for y in responses]
    result = score({"x": x}, make_recording(padded, STRATA))
    np.testing.assert_allclose(result.per_participant, clean.per_participant, atol=1e-12)
    assert result.details["constant_voxels"] == 150
    assert result.details["voxels_per_person"] == {"p0": 12, "p1": 12, "p2": 12}


def test_a_person_without_a_usable_voxel_or_enough_items_is_left_out_with_the_reason(
    make_recording: Make,
) -> None:
    x, responses = people(6)
    present = [list(range(40)), list(range(9)), list(range(40))]
    held = [responses[0], responses[1][:9], np.ones((40, 3))]
    result = score({"x": x}, make_recording(held, STRATA, present))
    assert result.participants == ("p0",)
    left_out = result.details["people_left_out"]
    assert "9 items are too few" in left_out["p1"]
    assert left_out["p2"] == "No voxel varies over the items."


def test_layers_whose_features_do_not_vary_are_not_scored(make_recording: Make) -> None:
    rng = np.random.default_rng(7)
    x, responses = people(7)
    token = rng.normal(size=60).astype(np.float32)
    token[5] = 3e4  # one massive dimension
    rounding = token * (1 + np.float32(1e-7) * rng.integers(-2, 3, size=(40, 60))).astype(np.float32)
    massive = (token + 1e-3 * rng.normal(size=(40, 60))).astype(np.float32)  # small, but real
    massive[:, 5] = 3e4
    layers = {"x": x, "constant": np.tile(token, (40, 1)), "rounding": rounding, "massive": massive}
    result = score(layers, make_recording(responses, STRATA))
    assert result.layers == ("x", "massive")
    assert set(result.unscored) == {"constant", "rounding"}
    assert "do not vary" in result.unscored["rounding"]
    del layers["x"], layers["massive"]
    assert "vary" in reason(layers, make_recording(responses, STRATA))


def test_a_layer_without_any_prediction_that_varies_is_not_scored(make_recording: Make) -> None:
    x, responses = people(8)
    single = np.zeros((40, 1))
    single[3] = 1.0  # its own fold has a constant training column, the others constant test columns
    result = score({"x": x, "single": single}, make_recording(responses, STRATA))
    assert result.layers == ("x",)
    assert "No fold has a prediction that varies" in result.unscored["single"]
    assert result.details["share_of_undefined_folds"] == 0.5
    assert "single" in reason({"single": single}, make_recording(responses, STRATA))


def test_a_voxel_constant_in_a_fold_loses_that_fold_only(
    make_recording: Make, plain_ridge: Callable[..., Any]
) -> None:
    x, responses = people(9, n_people=1, voxels=3)
    from sklearn.model_selection import StratifiedKFold

    folds = list(StratifiedKFold(5, shuffle=True, random_state=1).split(x, STRATA))
    responses[0][folds[3][1], 1] = 2.0
    result = score({"x": x}, make_recording(responses, STRATA))
    r = plain_ridge(x, responses[0], STRATA)[0]
    assert np.isnan(r).sum() == 1
    assert result.headline == pytest.approx(np.median(np.nanmean(r, axis=0)), abs=1e-8)
    assert result.details["share_of_undefined_folds"] == pytest.approx(1 / 15)


def test_a_repeated_penalty_never_wins_over_its_first_mention(make_recording: Make) -> None:
    x, responses = people(10)
    recording = make_recording(responses, STRATA)
    plain = score({"x": x}, recording)
    repeated = score({"x": x}, recording, Predictivity(alphas=(*Predictivity().alphas, 10.0, 1.0, 100.0)))
    np.testing.assert_array_equal(repeated.per_participant, plain.per_participant)
    assert repeated.details["alphas_chosen"] == plain.details["alphas_chosen"]


def test_groups_and_too_few_items_are_skipped_with_the_reason(make_recording: Make) -> None:
    x, responses = people(11)
    whole = make_recording(responses, STRATA)
    grouped = Recording(whole.region, whole.items, whole.participants, whole.strata, tuple("ab" * 20))
    assert "would split the groups" in reason({"x": x}, grouped)
    ceiling = Predictivity().ceiling(grouped, SilentReporter())
    assert isinstance(ceiling, Skip)
    assert "would split the groups" in ceiling.reason
    assert "10 items are too few" in reason({"x": x[:10]}, whole.select(range(10)))


def test_what_does_not_fit_is_refused_in_words(make_recording: Make) -> None:
    x, responses = people(12)
    with pytest.raises(ShapeError, match="39 items, the recording of region 40"):
        Predictivity().score(Features({"x": x[:39]}), make_recording(responses, STRATA), SilentReporter())
    with pytest.raises(UsageError, match="above zero"):
        Predictivity(alphas=(0.0, 1.0))
    with pytest.raises(UsageError, match="at least two folds"):
        Predictivity(folds=1)


@settings(max_examples=20, deadline=None)
@given(order=st.permutations(range(4)), seed=st.integers(0, 1000))
def test_the_order_of_people_does_not_matter(order: list[int], seed: int) -> None:
    x, responses = people(seed, n_people=4, voxels=5)
    whole = tuple(Participant(f"p{i}", y, np.arange(40)) for i, y in enumerate(responses))
    items = tuple(f"i{i}" for i in range(40))
    first = score({"x": x}, Recording("r", items, whole, tuple(STRATA)))
    turned = score({"x": x}, Recording("r", items, tuple(whole[i] for i in order), tuple(STRATA)))
    np.testing.assert_allclose(turned.per_participant, first.per_participant[:, order], atol=1e-12)
    assert turned.headline == pytest.approx(first.headline, abs=1e-12)


def test_the_number_of_cores_changes_no_bit(make_recording: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    x, responses = people(13)
    rng = np.random.default_rng(13)
    layers = {f"layer.{i}": x + i * rng.normal(size=x.shape) for i in range(40)}
    results = []
    for cores in (1, 3):
        monkeypatch.setattr(parallel, "cores", lambda cores=cores: cores)
        results.append(score(layers, make_recording(responses, STRATA)).per_participant)
    np.testing.assert_array_equal(results[0], results[1])


def test_many_layers_are_taken_in_parts_that_change_nothing(make_recording: Make) -> None:
    rng = np.random.default_rng(14)
    _, responses = people(14)
    layers = {f"layer.{i}": rng.normal(size=(40, 8)) for i in range(37)}
    recording = make_recording(responses, STRATA)
    together = score(layers, recording)
    assert together.layers == tuple(layers)
    for place in (0, 16, 36):
        alone = score({"it": layers[f"layer.{place}"]}, recording)
        np.testing.assert_allclose(alone.per_participant[0], together.per_participant[place], atol=1e-12)


def test_noise_scores_about_zero_and_the_planted_layer_wins(make_recording: Make) -> None:
    rng = np.random.default_rng(115)
    x, responses = people(15, n_people=4, voxels=40)
    noise = {f"noise.{i}": rng.normal(size=(40, 30)) for i in range(60)}
    recording = make_recording(responses, STRATA)
    null = score(noise, recording).per_participant.mean(axis=1)
    error = null.std(ddof=1) / np.sqrt(len(null))
    assert error < 0.02
    assert abs(null.mean()) < 4 * error
    result = score({**noise, "planted": x}, recording)
    assert result.layers[result.best] == "planted"
    assert result.headline > null.max() + 0.2
    order = rng.permutation(40)
    shuffled = score({"planted": x[order]}, recording)
    assert abs(shuffled.headline) < 4 * null.std(ddof=1)


def test_progress_counts_every_layer_once(make_recording: Make) -> None:
    seen: list[tuple[str, int]] = []
    steps: list[int] = []

    class Listening:
        @contextmanager
        def task(self, label: str, total: int) -> Iterator[Callable[[int], None]]:
            seen.append((label, total))
            yield steps.append

    x, responses = people(16)
    layers = {f"layer.{i}": x for i in range(20)}
    Predictivity().score(Features(layers), make_recording(responses, STRATA), Listening())
    assert seen == [("Predictivity in region: 20 layers, 3 people", 20)]
    assert sum(steps) == 20
