"""RSA of features that differ between people and of named quantities, against plain loops with scipy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.spatial.distance import pdist, squareform
from scipy.stats import rankdata, spearmanr, zscore

from brainbench.arrays import AnyFeatures, Features, Participant, PersonalFeatures, Recording
from brainbench.progress import SilentReporter
from brainbench.records import Scores, Skip
from brainbench.statistics import blocks
from brainbench_metrics import parallel
from brainbench_metrics.rdm import rdm_of_quantities
from brainbench_metrics.rdm_comparison import ranks
from brainbench_metrics.rsa import RobustRsa, Rsa
from brainbench_metrics.rsa_folds import halves, people_folds

Array = NDArray[np.float64]
Make = Callable[..., Recording]
QUIET = SilentReporter()
QUICK = RobustRsa(permutations=99, bootstraps=60)
ITEMS = 20


def score(features: AnyFeatures, recording: Recording, metric: Any = QUICK) -> Scores:
    outcome = metric.score(features, recording, QUIET)
    assert isinstance(outcome, Scores), outcome
    return outcome


def study(seed: int, people: int = 6, gaps: bool = False) -> tuple[dict[str, dict[str, Array]], Recording]:
    """Layers of each person, and responses in voxels common to all that hold the first of them."""
    rng = np.random.default_rng(seed)
    own, participants = {}, []
    common = rng.normal(size=(ITEMS, 6))
    for at in range(people):
        x = common + 0.5 * rng.normal(size=(ITEMS, 6))
        own[f"p{at}"] = {"own": x, "noise": rng.normal(size=(ITEMS, 7)), "part": x[:, :4]}
        y = np.hstack([x, x]) + rng.normal(size=(ITEMS, 12))
        count = rng.integers(16, ITEMS + 1) if gaps else ITEMS
        there = np.sort(rng.choice(ITEMS, count, replace=False))
        participants.append(Participant(f"p{at}", y[there], there))
    return own, Recording("region", tuple(f"i{i}" for i in range(ITEMS)), tuple(participants))


def personal(own: dict[str, dict[str, Array]], quantities: bool = False) -> PersonalFeatures:
    return PersonalFeatures({who: Features(x, quantities=quantities) for who, x in own.items()})


def between(x: Array, person: Participant, chosen: NDArray[np.intp]) -> float:
    """Spearman of features' and the person's RDM over those chosen items that the person has."""
    there = np.isin(person.present, chosen)
    model = pdist(x[person.present[there]], "correlation")
    return float(spearmanr(model, pdist(person.responses[there], "correlation")).statistic)


def assert_alike(found: Any, expected: Any) -> None:
    if isinstance(expected, dict):
        assert found.keys() == expected.keys()
        for key in expected:
            assert_alike(found[key], expected[key])
    elif isinstance(expected, str):
        assert found == expected
    else:
        assert found == pytest.approx(expected, abs=1e-12)


@given(st.integers(0, 10_000))
@settings(max_examples=20, deadline=None)
def test_quantities_have_the_euclidean_distance_of_standardised_columns(seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(9, 3)) * [1, 1e4, 1e-3] + [0, 1e5, 1]
    np.testing.assert_allclose(rdm_of_quantities(x), pdist(zscore(x), "euclidean"), atol=1e-9)
    constant = np.hstack([x, np.full((9, 1), 0.1)])
    np.testing.assert_array_equal(rdm_of_quantities(constant), rdm_of_quantities(x))
    whole = rng.integers(0, 300, size=(30, 1)).astype(float)
    exact = rankdata(pdist(whole, "cityblock"))  # steps of whole numbers that are equal are ties
    np.testing.assert_array_equal(ranks(rdm_of_quantities(whole)[None])[0], exact)


@pytest.mark.parametrize("metric", [QUICK, Rsa()])
def test_named_quantities_are_scored_where_a_correlation_has_no_value(metric: Any) -> None:
    own, recording = study(1)
    rng = np.random.default_rng(2)
    layers = {
        "one": own["p0"]["own"][:, :1],
        "two": rng.integers(0, 9, (ITEMS, 2)).astype(float),
        "same": np.full((ITEMS, 1), 3.0),
    }
    result = score(Features(layers, quantities=True), recording, metric)
    assert "do not vary" in result.unscored["same"]
    assert result.details["distance"] == "Euclidean, of standardised columns"
    brains = [pdist(person.responses, "correlation") for person in recording.participants]
    expected = [
        [spearmanr(pdist(zscore(layers[name])).round(9), brain).statistic for brain in brains]
        for name in ("one", "two")
    ]
    found = (
        result.per_participant[1:]
        if metric is QUICK
        else [result.details["raw"][name] for name in ("one", "two")]
    )
    np.testing.assert_allclose(found, expected, atol=1e-12)
    plain = score(Features({"own": own["p0"]["own"]}), recording, metric)
    assert plain.details["distance"] == "correlation"


@pytest.mark.parametrize("gaps", [False, True])
def test_the_robust_score_is_that_of_a_plain_loop(gaps: bool) -> None:
    own, recording = study(3, gaps=gaps)
    metric = replace(QUICK, splits=3, folds=3)
    result = score(personal(own), recording, metric)
    split = halves(recording, 3, metric.seed)
    assert not isinstance(split, Skip)
    people = [p for p in recording.participants if p.id in result.participants]
    fold_of = people_folds(len(people), 3, 3, metric.seed)
    names = list(own["p0"])
    found = np.zeros(len(people))
    for at, half in split.blocks:
        train = np.array(
            [[between(own[p.id][name], p, split.items(at, 1 - half)) for p in people] for name in names]
        )
        for place, person in enumerate(people):
            others = fold_of[at] != fold_of[at, place]
            best = names[int(train[:, others].mean(axis=1).argmax())]
            found[place] += between(own[person.id][best], person, split.items(at, half)) / 6
    whole = [[between(own[p.id][name], p, np.arange(ITEMS)) for p in people] for name in names]
    np.testing.assert_allclose(result.per_participant, np.vstack([found, np.array(whole)]), atol=1e-12)


@pytest.mark.parametrize("layers", [("own",), ("own", "noise", "part")])
def test_the_null_permutes_everyones_items_alike(layers: tuple[str, ...]) -> None:
    """One split, two folds, no gaps: every draw written out; either side moves."""
    made, recording = study(4)
    many = {f"{name}{i}": i for name in layers for i in range(1 if layers == ("own",) else 2)}
    own = {
        who: {name: x[name[:-1]] @ np.eye(x[name[:-1]].shape[1])[:, i:] for name, i in many.items()}
        for who, x in made.items()
    }
    metric = replace(QUICK, splits=1, folds=2)
    null = score(personal(own), recording, metric).details["null"]
    split = halves(recording, 1, 0)
    assert not isinstance(split, Skip)
    fold_of = people_folds(6, 2, 1, 0)[0]

    def standard(vector: Array) -> Array:
        ranked = rankdata(vector) - (len(vector) + 1) / 2
        return np.asarray(ranked / np.linalg.norm(ranked))

    models = [
        [squareform(standard(pdist(x, "correlation"))) for x in own[p.id].values()]
        for p in recording.participants
    ]
    inside = [np.ix_(split.items(0, half), split.items(0, half)) for half in (0, 1)]
    brains = [squareform(pdist(p.responses, "correlation")) for p in recording.participants]
    ready = [[squareform(standard(squareform(brain[part]))) for part in inside] for brain in brains]

    def drawn(order: NDArray[np.intp]) -> tuple[float, Array]:
        moved = [[m[np.ix_(order, order)] for m in of] for of in models]
        scale = [np.sqrt(190 / (len(part[0]) * (len(part[0]) - 1) / 2)) for part in inside]
        halves_r = np.array(
            [
                [[scale[h] * (m[inside[h]] * ready[p][h]).sum() / 2 for m in moved[p]] for p in range(6)]
                for h in (0, 1)
            ]
        )
        total = 0.0
        for fold in (0, 1):
            for half in (0, 1):
                best = halves_r[1 - half, fold_of != fold].sum(axis=0).argmax()
                total += halves_r[half, fold_of == fold, best].sum() / 12
        everybody = [squareform(standard(squareform(brain))) for brain in brains]
        whole = [
            np.mean([(moved[p][at] * everybody[p]).sum() / 2 for p in range(6)]) for at in range(len(many))
        ]
        return total, np.array(whole)

    seen = drawn(np.arange(ITEMS))
    # The brains' side is permuted where it has fewer vectors: the models' permutation is the inverse.
    turn = (lambda order: order) if len(many) <= 3 else np.argsort
    draws = [drawn(turn(order)) for block in blocks(0, 99) for order in block.permutations(ITEMS)]
    assert null["statistic"] == pytest.approx(seen[0], abs=1e-6)
    assert null["p"] == pytest.approx((1 + sum(d[0] >= seen[0] for d in draws)) / 100)
    assert null["null_mean"] == pytest.approx(np.mean([d[0] for d in draws]), abs=1e-6)
    assert null["null_sd"] == pytest.approx(np.std([d[0] for d in draws]), abs=1e-6)
    for at, found in enumerate(null["of_layers"].values()):
        single = (1 + sum(d[1][at] >= seen[1][at] for d in draws)) / 100
        assert found["p"] == pytest.approx(single)
        as_high = (1 + sum(d[1].max() >= seen[1][at] for d in draws)) / 100
        assert found["p_adjusted_for_choice"] == pytest.approx(as_high)


@pytest.mark.parametrize("gaps", [False, True])
def test_features_that_are_everyones_give_what_shared_ones_give(gaps: bool) -> None:
    own, recording = study(5, gaps=gaps)
    recording = replace(recording, strata=("a", "b") * 10)
    same = personal(dict.fromkeys(own, own["p0"]))
    for metric in (QUICK, Rsa()):
        one, other = (score(features, recording, metric) for features in (Features(own["p0"]), same))
        np.testing.assert_allclose(other.per_participant, one.per_participant, atol=1e-12)
        for key, value in one.details.items():
            if key not in ("null", "interval", "partial"):
                assert_alike(other.details[key], value)
        if metric is QUICK:
            assert other.details["null"]["p"] == one.details["null"]["p"]
            for key in ("statistic", "null_mean", "null_sd"):
                assert other.details["null"][key] == pytest.approx(one.details["null"][key], abs=1e-6)
            for key in ("low", "high"):
                assert other.details["interval"][key] == pytest.approx(one.details["interval"][key])
            assert other.details["partial"]["per_layer"] == pytest.approx(one.details["partial"]["per_layer"])


def test_the_published_score_takes_each_persons_own_and_keeps_the_others_for_the_ceiling() -> None:
    own, recording = study(6)
    everybody = score(Features(own["p0"]), recording, Rsa())
    without = {who: x for who, x in own.items() if who != "p2"}
    result = score(personal(without), recording, Rsa())
    assert result.details["people"] == ["p0", "p1", "p3", "p4", "p5"]
    assert "Has no features" in result.details["people_left_out"]["p2"]
    ceiling = dict(zip(everybody.details["people"], everybody.details["ceiling"], strict=True))
    assert result.details["ceiling"] == [ceiling[who] for who in result.details["people"]]
    people = [p for p in recording.participants if p.id != "p2"]
    for name in own["p0"]:
        expected = [between(own[p.id][name], p, np.arange(ITEMS)) for p in people]
        np.testing.assert_allclose(result.details["raw"][name], expected, atol=1e-12)


@pytest.mark.parametrize("metric", [QUICK, Rsa()])
def test_who_has_no_features_that_vary_is_left_out_with_a_sentence(metric: Any) -> None:
    own, recording = study(7)
    times = {who: {"time": x["own"][:, :1].copy()} for who, x in own.items()}
    del times["p1"]
    times["p4"]["time"][:] = 5.0
    result = score(personal(times, quantities=True), recording, metric)
    assert set(result.participants) <= {"p0", "p2", "p3", "p5"}
    reasons = result.details["people_left_out"]
    assert reasons["p1"] == "Has no features, where these differ between people."
    assert reasons["p4"] == (
        "Has no RDM of time: Its features do not vary between the items beyond rounding."
    )
    for x in times.values():
        x["time"][:] = 5.0
    silent = metric.score(personal(times, quantities=True), recording, QUIET)
    assert isinstance(silent, Skip)
    assert "do not vary between the items" in silent.reason
    strangers = metric.score(personal({"nobody": own["p0"]}), recording, QUIET)
    assert isinstance(strangers, Skip)
    assert "features" in strangers.reason


def test_who_varies_over_other_items_only_is_left_out() -> None:
    own, recording = study(8)
    times = {who: {"time": x["own"][:, :1]} for who, x in own.items()}
    split = halves(recording, 4, 0)
    assert not isinstance(split, Skip)
    lone = np.full((ITEMS, 1), 2.0)
    lone[0] = 9.0  # one item: in one of the halves nothing varies
    result = score(personal({**times, "p3": {"time": lone}}, quantities=True), recording)
    assert "p3" not in result.participants
    assert "do not vary in a half" in result.details["people_left_out"]["p3"]
    short = replace(
        recording.participants[3],
        responses=recording.participants[3].responses[1:],
        present=np.arange(1, ITEMS),
    )
    people = tuple(short if p.id == "p3" else p for p in recording.participants)
    published = score(
        personal({**times, "p3": {"time": lone}}, quantities=True),
        replace(recording, participants=people),
        Rsa(),
    )
    assert "do not vary" in published.details["people_left_out"]["p3"]


def test_results_do_not_depend_on_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    own, recording = study(9)
    results = []
    for cores in (1, 3):
        monkeypatch.setattr(parallel, "cores", lambda cores=cores: cores)
        results.append(score(personal(own), recording, replace(QUICK, permutations=350)))
    assert results[0].details == results[1].details
    np.testing.assert_array_equal(results[0].per_participant, results[1].per_participant)
