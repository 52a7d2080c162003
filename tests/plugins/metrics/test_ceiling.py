from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from functools import cache
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import curve_fit

from brainbench.arrays import Participant, Recording
from brainbench.progress import SilentReporter
from brainbench.records import Scores, Skip
from brainbench_metrics import parallel
from brainbench_metrics.predictivity import Predictivity
from brainbench_metrics.saturation import plateaus

Array = NDArray[np.float64]
Make = Callable[..., Recording]
STRATA = ["a"] * 11 + ["b"] * 13
SETS = {"all": range(70), "syllogisms": range(36), "transitive": range(36, 70)}
REAL_STRATA = ["syllogism"] * 36 + ["transitive"] * 34


def curve(n: Array, height: float, tau: float) -> Array:
    shape: Array = height * (1 - np.exp(-n / tau))
    return shape


def error(counts: Array, values: Array, height: float, tau: float) -> float:
    return float(((values - curve(counts, height, tau)) ** 2).sum())


def scipy_fit(counts: Array, values: Array) -> tuple[float, float]:
    """The fit of the paper's code: bounds on the plateau only, scipy's own start."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = curve_fit(curve, counts, values, bounds=([0, -np.inf], [1, np.inf]))[0]
    return float(found[0]), float(found[1])


def least_error(counts: Array, values: Array, height: float) -> float:
    """The squared error of a plateau at its best tau, by brute force."""

    def errors(taus: Array) -> Array:
        shapes = height * (1 - np.exp(-counts / taus[:, None]))
        summed: Array = ((values - shapes) ** 2).sum(axis=1)
        return summed

    taus = np.geomspace(0.05, 1e8, 2000)
    for _ in range(3):
        best = int(errors(taus).argmin())
        taus = np.geomspace(taus[max(best - 1, 0)], taus[min(best + 1, len(taus) - 1)], 2000)
    return float(errors(taus).min())


def ceiling(recording: Recording) -> Scores:
    outcome = Predictivity().ceiling(recording, SilentReporter())
    assert isinstance(outcome, Scores)
    return outcome


def people(seed: int, n_people: int = 4, voxels: int = 6) -> list[Array]:
    """People who share three responses to the items, each in voxels of their own."""
    rng = np.random.default_rng(seed)
    shared = rng.normal(size=(24, 3))
    return [shared @ rng.normal(size=(3, voxels)) + rng.normal(size=(24, voxels)) for _ in range(n_people)]


def plain_curves(
    plain_ridge: Callable[..., Any], responses: list[Array], strata: list[str], target: int, sizes: list[int]
) -> Array:
    """Mean r (sizes x voxels) of one person's voxels, by a plain loop over groups and folds."""
    others = [person for person in range(len(responses)) if person != target]
    rows = []
    for size in sizes:
        of_groups = []
        for group in combinations(others, size):
            features = np.hstack([responses[person] for person in group])
            of_groups.append(plain_ridge(features, responses[target], strata)[0].mean(axis=0))
        rows.append(np.mean(of_groups, axis=0))
    return np.array(rows)


def test_small_ceiling_is_that_of_a_plain_loop(make_recording: Make, plain_ridge: Callable[..., Any]) -> None:
    responses = people(1)
    result = ceiling(make_recording(responses, STRATA))
    assert result.layers == ("extrapolated", "from 1 person", "from 2 people", "from 3 people")
    counts = np.array([2.0, 3.0, 4.0])
    curves = np.array(
        [plain_curves(plain_ridge, responses, STRATA, target, [1, 2, 3]) for target in range(4)]
    )
    fitted = np.array([plateaus(counts, person) for person in curves])
    differing = 0
    for values, height in zip(curves.transpose(0, 2, 1).reshape(-1, 3), fitted.ravel(), strict=True):
        theirs, tau = scipy_fit(counts, values)
        if abs(height - theirs) > 1e-3:  # then scipy stopped short of the least error
            assert least_error(counts, values, height) < error(counts, values, theirs, tau)
            differing += 1
    assert differing <= 1

    expected = np.vstack([fitted.mean(axis=1), curves.mean(axis=2).T])
    np.testing.assert_allclose(result.per_participant[1:], expected[1:], atol=1e-8, rtol=0)
    np.testing.assert_allclose(result.per_participant[0], expected[0], atol=1e-6)
    np.testing.assert_allclose(result.per_layer, expected.mean(axis=1), atol=1e-6)
    assert (result.best, result.headline) == (0, result.per_layer[0])
    assert "mean over all voxels of all people" in result.choice
    details = result.details
    everyone = curves[:, -1]
    for found, voxels in ((details, fitted), (details["from_all_others"], everyone)):
        assert found["median"] == pytest.approx(np.median(voxels), abs=1e-6)
    of_medians = [float(np.median(np.median(voxels, axis=1))) for voxels in (fitted, everyone)]
    assert result.like_for_like == pytest.approx(of_medians[0], abs=1e-6)
    assert details["from_all_others"]["median_of_medians"] == pytest.approx(of_medians[1], abs=1e-6)
    assert details["from_all_others"]["mean"] == pytest.approx(everyone.mean(), abs=1e-8)
    assert details["groups_of_people"] == 14
    json.dumps(details, allow_nan=False)


def test_people_of_unequal_size_weigh_by_their_voxels(make_recording: Make) -> None:
    responses = people(2)
    responses[0] = responses[0][:, :2]
    result = ceiling(make_recording(responses, STRATA))
    weights = np.array([2, 6, 6, 6])
    np.testing.assert_allclose(result.per_layer, (result.per_participant * weights).sum(axis=1) / 20)
    middle = np.median(result.per_participant, axis=1, keepdims=True)
    deviation = np.median(np.abs(result.per_participant - middle), axis=1)
    np.testing.assert_allclose(result.spread, deviation)


def test_only_shared_items_count(make_recording: Make) -> None:
    responses = people(3)
    lacking = [i for i in range(24) if i not in (4, 20)]
    everyone = list(range(24))
    held = [responses[0][lacking], *responses[1:]]
    result = ceiling(make_recording(held, STRATA, [lacking, everyone, everyone, everyone]))
    cut = make_recording([y[lacking] for y in responses], [STRATA[i] for i in lacking])
    np.testing.assert_array_equal(result.per_participant, ceiling(cut).per_participant)
    assert (result.details["items"], result.details["items_not_shared"]) == (22, 2)


def test_who_cannot_be_scored_is_left_out_and_takes_no_items_away(make_recording: Make) -> None:
    responses = people(4)
    present = [list(range(24))] * 3 + [[0, 1, 2]]
    result = ceiling(make_recording([*responses[:3], responses[3][:3]], STRATA, present))
    without = ceiling(make_recording(responses[:3], STRATA))
    np.testing.assert_array_equal(result.per_participant, without.per_participant)
    assert "3 items are too few" in result.details["people_left_out"]["p3"]


def test_voxels_that_cannot_be_predicted_are_left_out_and_counted(make_recording: Make) -> None:
    responses = people(5)
    clean = ceiling(make_recording(responses, STRATA))
    single = np.zeros((24, 1))
    single[7] = 1.0  # constant in every training set or every test set
    added = [np.hstack([responses[0], single * 1e-9, np.ones((24, 2))]), *responses[1:]]
    result = ceiling(make_recording(added, STRATA))
    np.testing.assert_allclose(result.per_participant, clean.per_participant, atol=1e-6)
    assert result.details["voxels_without_ceiling"] == 1
    assert result.details["constant_voxels"] == 2
    assert 0 < result.details["share_of_undefined_folds"] < 0.1


@pytest.mark.parametrize(
    ("n_people", "items", "words"),
    [
        (2, 24, "needs 3 people or more; 2"),
        (15, 24, "15 people have too many groups"),
        (4, 9, "9 items are too few"),
    ],
)
def test_what_has_no_ceiling_is_skipped_with_the_reason(
    make_recording: Make, n_people: int, items: int, words: str
) -> None:
    recording = make_recording([y[:items] for y in people(6, n_people)], STRATA[:items])
    outcome = Predictivity().ceiling(recording, SilentReporter())
    assert isinstance(outcome, Skip)
    assert words in outcome.reason or "needs 3 people or more; 0" in outcome.reason


def test_people_without_common_items_are_skipped(make_recording: Make) -> None:
    rng = np.random.default_rng(7)
    present = [list(range(0, 20)), list(range(20, 40)), list(range(10, 30))]
    held = [rng.normal(size=(20, 3)) for _ in present]
    outcome = Predictivity().ceiling(make_recording(held, ["a"] * 40, present), SilentReporter())
    assert outcome == Skip("The people have no item in common.")
    near = [list(range(0, 24)), list(range(10, 34)), list(range(10, 40))]
    held = [rng.normal(size=(len(items), 3)) for items in near]
    outcome = Predictivity().ceiling(make_recording(held, ["a"] * 40, near), SilentReporter())
    assert isinstance(outcome, Skip)
    assert "Over the 14 items that all have" in outcome.reason


def test_the_number_of_cores_changes_no_bit(make_recording: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    results = []
    for cores in (1, 3):
        monkeypatch.setattr(parallel, "cores", lambda cores=cores: cores)
        results.append(ceiling(make_recording(people(8, n_people=6), STRATA)).per_participant)
    np.testing.assert_array_equal(results[0], results[1])


@settings(max_examples=10, deadline=None)
@given(order=st.permutations(range(4)))
def test_the_order_of_people_does_not_matter(order: list[int]) -> None:
    made = [Participant(f"p{i}", y, np.arange(24)) for i, y in enumerate(people(9))]
    items = tuple(f"i{i}" for i in range(24))
    first = ceiling(Recording("r", items, tuple(made), tuple(STRATA)))
    turned = ceiling(Recording("r", items, tuple(made[i] for i in order), tuple(STRATA)))
    np.testing.assert_allclose(turned.per_participant, first.per_participant[:, order], atol=1e-6)


@given(height=st.floats(0.02, 1.0), tau=st.floats(0.6, 20.0))
def test_an_exact_curve_gives_its_plateau_back(height: float, tau: float) -> None:
    counts = np.arange(2.0, 11.0)
    assert plateaus(counts, curve(counts, height, tau)[:, None])[0] == pytest.approx(height, abs=1e-6)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), points=st.integers(2, 9), slope=st.floats(-0.02, 0.02))
def test_no_error_is_larger_than_scipys(seed: int, points: int, slope: float) -> None:
    rng = np.random.default_rng(seed)
    counts = np.arange(2.0, points + 2)
    values = rng.uniform(-0.1, 0.4) + slope * counts + 0.02 * rng.normal(size=points)
    height = plateaus(counts, values[:, None])[0]
    assert 0 <= height <= 1
    theirs = error(counts, values, *scipy_fit(counts, values))
    assert least_error(counts, values, height) <= theirs * (1 + 1e-6) + 1e-12


def test_falling_and_negative_curves_have_a_flat_or_no_plateau() -> None:
    counts = np.arange(2.0, 11.0)
    values = np.stack(
        [np.full(9, 0.2), np.full(9, -0.2), -0.01 * counts, np.full(9, 1.5), 0.01 * counts], axis=1
    )
    np.testing.assert_allclose(plateaus(counts, values), [0.2, 0.0, 0.0, 1.0, 1.0], atol=1e-9)


@pytest.fixture(scope="module")
def real_ceiling(betas: Callable[[str], list[Array]], make_recording: Make) -> Callable[[str], Scores]:
    whole = make_recording(betas("deductive_reasoning"), REAL_STRATA)

    @cache
    def of(items: str) -> Scores:
        return ceiling(whole.select(SETS[items]))

    return of


# Items, then: mean v0, median v0, median of people's medians, r from 1 and from 9 people, share of v0 below
# .01 and at .99 or more. With the released script (its undefined name put right) on the published betas.
KNOWN = {
    "all": (0.2567, 0.2075, 0.2007, 0.1158, 0.1604, 0.21, 0.06),
    "syllogisms": (0.2987, 0.1229, 0.1482, 0.0221, 0.0612, 0.39, 0.16),
    "transitive": (0.2802, 0.1161, 0.1090, 0.0362, 0.0646, 0.39, 0.14),
}


@pytest.mark.real
@pytest.mark.parametrize("items", SETS)
def test_ceilings_of_the_real_betas_are_the_known_ones(
    real_ceiling: Callable[[str], Scores], items: str
) -> None:
    mean, median, of_medians, from_one, from_nine, low, high = KNOWN[items]
    result = real_ceiling(items)
    assert result.headline == pytest.approx(mean, abs=1e-3)
    assert result.details["median"] == pytest.approx(median, abs=1e-3)
    # scipy ends in the worse of two minima in a few voxels, which a median over 313 of them can feel
    assert result.like_for_like == pytest.approx(of_medians, abs=3e-3)
    assert result.per_layer[1] == pytest.approx(from_one, abs=5.1e-5)
    assert result.per_layer[9] == pytest.approx(from_nine, abs=5.1e-5)
    assert result.details["share_below_0.01"] == pytest.approx(low, abs=0.006)
    assert result.details["share_of_0.99_or_more"] == pytest.approx(high, abs=0.006)
    assert result.details["share_of_undefined_folds"] == 0
    assert result.details["groups_of_people"] == 1022


@pytest.mark.real
def test_a_real_persons_curve_is_that_of_a_plain_loop(
    real_ceiling: Callable[[str], Scores],
    betas: Callable[[str], list[Array]],
    plain_ridge: Callable[..., Any],
) -> None:
    responses = [person[:36] for person in betas("deductive_reasoning")]
    measured = real_ceiling("syllogisms").per_participant
    for target in (3, 8):
        expected = plain_curves(plain_ridge, responses, REAL_STRATA[:36], target, [9])
        assert measured[9, target] == pytest.approx(expected.mean(), abs=1e-8)
