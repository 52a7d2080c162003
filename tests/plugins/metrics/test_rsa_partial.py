"""Partial RSA: against regressions by least squares, what controls take away, and what they leave."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial.distance import pdist
from scipy.stats import rankdata, zscore

from brainbench.arrays import AnyFeatures, Features, Participant, PersonalFeatures, Recording
from brainbench.nuisances import nuisances
from brainbench.progress import SilentReporter
from brainbench.records import Scores, Skip
from brainbench_metrics.rsa import RobustRsa
from brainbench_metrics.rsa_folds import halves
from brainbench_tasks.simulated import SimulatedDeduction

Array = NDArray[np.float64]
QUIET = SilentReporter()
QUICK = RobustRsa(permutations=49, bootstraps=60)
ITEMS = 24


def partial(features: AnyFeatures, recording: Recording, metric: RobustRsa = QUICK) -> dict[str, Any]:
    outcome = metric.score(features, recording, QUIET)
    assert isinstance(outcome, Scores), outcome
    return dict(outcome.details["partial"])


def quantity(x: Array) -> Features:
    return Features({"column": x.reshape(len(x), -1)}, quantities=True)


def study(seed: int, items: int = ITEMS, people: int = 5, gaps: bool = False) -> tuple[Array, Recording]:
    """A layer, and responses that hold it, the length of items and the time that each person took."""
    rng = np.random.default_rng(seed)
    x, length = rng.normal(size=(items, 6)), rng.integers(20, 90, (items, 1)).astype(float)
    design = rng.integers(0, 2, (items, 2)).astype(float)
    times = {f"p{at}": rng.uniform(1, 9, (items, 1)) for at in range(people)}
    made = []
    for name, time in times.items():
        held = np.hstack([x, zscore(length), zscore(time)]) @ rng.normal(size=(8, 20))
        count = rng.integers(items - 4, items + 1) if gaps else items
        there = np.sort(rng.choice(items, count, replace=False))
        made.append(Participant(name, (held + 2 * rng.normal(size=held.shape))[there], there))
    dull: dict[str, AnyFeatures] = {
        "design": quantity(design),
        "characters": quantity(length),
        "own-response-time": PersonalFeatures({name: quantity(time) for name, time in times.items()}),
    }
    strata = tuple("aab"[at % 3] for at in range(items))
    return x, Recording("region", tuple(f"i{i}" for i in range(items)), tuple(made), strata, (), dull)


def left(vector: Array, controls: list[Array], ranked: bool) -> Array:
    """What a regression on the controls (and a constant) leaves."""
    y, *others = (rankdata(z.round(9)) if ranked else z for z in (vector, *controls))
    design = np.column_stack([np.ones(len(y)), *others])
    return np.asarray(y - design @ np.linalg.lstsq(design, y, rcond=None)[0])


def by_regression(
    x: Array, recording: Recording, person: Participant, chosen: NDArray[np.intp], ranked: bool
) -> float:
    there = np.isin(person.present, chosen)
    items = person.present[there]
    kinds = np.array(recording.strata)
    first, second = np.triu_indices(len(kinds), 1)
    of_b = (kinds[first] == "b") + 1 * (kinds[second] == "b")
    controls = [(of_b == count).astype(float) for count in (1, 2)]
    for features in recording.nuisances.values():
        own = features.of(person.id)
        if own is not None:
            controls.append(pdist(zscore(own.layers["column"])))
    columns = np.flatnonzero(np.isin(np.column_stack(np.triu_indices(len(kinds), 1)), items).all(axis=1))
    held = [control[columns] for control in controls]
    model, brain = pdist(x[items], "correlation"), pdist(person.responses[there], "correlation")
    return float(np.corrcoef(left(model, held, ranked), left(brain, held, ranked))[0, 1])


@pytest.mark.parametrize("comparator", ["spearman", "pearson"])
@pytest.mark.parametrize("gaps", [False, True])
def test_controls_are_taken_from_both_sides_person_by_person(comparator: Any, gaps: bool) -> None:
    x, recording = study(1, gaps=gaps)
    own = recording.nuisances["own-response-time"]
    assert isinstance(own, PersonalFeatures)
    some = PersonalFeatures({name: time for name, time in own.people.items() if name != "p3"})
    recording = replace(recording, nuisances={**recording.nuisances, "own-response-time": some})
    metric = replace(QUICK, comparator=comparator)
    found = partial(Features({"x": x}), recording, metric)
    assert found["controls"] == ["strata of both items", "design", "characters", "own-response-time"]
    assert found["people_without_control"] == {"own-response-time": ["p3"]}
    assert found["people_left_out"] == {}
    split = halves(recording, metric.splits, metric.seed)
    assert not isinstance(split, Skip)
    ranked = comparator == "spearman"

    def r(chosen: NDArray[np.intp]) -> Array:
        return np.array([by_regression(x, recording, p, chosen, ranked) for p in recording.participants])

    halved = np.mean([r(split.items(*block)) for block in split.blocks], axis=0)
    assert found["cross-validated"] == pytest.approx(np.tanh(np.arctanh(halved).mean()), abs=1e-9)
    whole = np.tanh(np.arctanh(r(np.arange(ITEMS))).mean())
    assert found["per_layer"]["x"] == pytest.approx(whole, abs=1e-9)
    assert found["interval"]["low"] < found["cross-validated"] < found["interval"]["high"]


def test_without_nuisances_strata_alone_are_controlled_for() -> None:
    x, recording = study(2)
    bare = replace(recording, nuisances={})
    found = partial(Features({"x": x}), bare)
    assert found["controls"] == ["strata of both items"]
    r = [by_regression(x, bare, p, np.arange(ITEMS), True) for p in bare.participants]
    assert found["per_layer"]["x"] == pytest.approx(np.tanh(np.arctanh(r).mean()), abs=1e-12)
    kinds = np.array([[kind == "b"] for kind in recording.strata], dtype=float)
    same = partial(Features({"x": x}), replace(bare, nuisances={"type": quantity(kinds)}))
    assert same["controls"] == ["strata of both items"]  # which say all that type does
    assert same["per_layer"]["x"] == pytest.approx(found["per_layer"]["x"], abs=1e-12)
    assert same["cross-validated"] == pytest.approx(found["cross-validated"], abs=1e-12)
    nothing = partial(Features({"x": x}), replace(bare, strata=()))
    assert "nothing else is known" in nothing["none"]


def test_a_nuisance_that_is_no_quantity_has_the_distance_of_the_metric() -> None:
    x, recording = study(3)
    embedded = Features({"first": x + 0.0, "second": x[:, :4]})
    found = partial(Features({"x": x}), replace(recording, nuisances={"embedding": embedded}))
    assert found["controls"] == ["strata of both items", "embedding/first", "embedding/second"]
    assert found["none"] == "All layers are explained by the controls alone."


@pytest.mark.parametrize("name", ["design", "characters", "own-response-time"])
def test_a_baseline_that_is_a_control_is_explained(name: str) -> None:
    x, recording = study(4)
    found = partial(recording.nuisances[name], recording)
    assert found["none"] == "All layers are explained by the controls alone."
    assert found["explained"] == {"column": "explained by the controls alone"}
    assert len(found["controls"]) == 4
    length = recording.nuisances["characters"]
    assert isinstance(length, Features)
    scaled = Features({"column": 3 * length.layers["column"] + 1, "x": x[:, :1]}, quantities=True)
    both = partial(scaled, recording)
    assert both["explained"] == {"column": "explained by the controls alone"}
    assert set(both["per_layer"]) == {"x"}


def test_too_few_pairs_for_so_many_controls_are_a_reason() -> None:
    rng = np.random.default_rng(5)
    for items, enough in ((8, False), (16, True)):
        x, recording = study(6, items=items)
        more = {f"dull {i}": quantity(rng.normal(size=(items, 1))) for i in range(2)}
        recording = replace(recording, strata=(), nuisances={**recording.nuisances, **more})
        found = partial(Features({"x": x}), recording)
        assert len(found["controls"]) == 5
        if enough:
            assert -1 < found["cross-validated"] < 1
        else:
            assert "Has 6 pairs in a half of the items, too few for 5 controls." in found["none"]
    x, recording = study(7)
    few = np.arange(0, ITEMS, 2)
    person = recording.participants[2]
    short = replace(person, responses=person.responses[few], present=few)
    people = tuple(short if p.id == "p2" else p for p in recording.participants)
    found = partial(Features({"x": x}), replace(recording, strata=(), participants=people))
    assert set(found["people_left_out"]) == {"p2"}


def simulated(preset: Any, seed: int) -> tuple[Array, Recording]:
    """All items of a region with what is known of them, and the features that "planted" plants."""
    dataset = SimulatedDeduction(preset, seed=seed)
    recording = dataset.recording("reasoning", QUIET)
    dull = nuisances(dataset.stimuli(QUIET), recording.strata, (), dataset.behaviour(QUIET))
    truth = replace(dataset, preset="planted").truth("reasoning", "all").values
    return truth, replace(recording, nuisances=dull)


def test_what_is_planted_stays_and_what_is_dull_goes() -> None:
    kept, gone, before, within = [], [], [], []
    for seed in range(4):
        truth, recording = simulated("planted", seed)
        kept.append(partial(Features({"truth": truth}), recording)["cross-validated"])
        _, recording = simulated("nuisance", seed)
        rng = np.random.default_rng(seed)
        kinds = np.array([[kind == "syllogism"] for kind in recording.strata], dtype=float)
        like = Features({"type": 3 * kinds @ rng.normal(size=(1, 30)) + rng.normal(size=(70, 30))})
        outcome = QUICK.score(like, recording, QUIET)
        assert isinstance(outcome, Scores)
        before.append(outcome.details["aggregate"]["score"])
        within.append(outcome.headline)
        gone.append(outcome.details["partial"]["cross-validated"])
    assert min(kept) > 0.15
    assert min(before) > 0.07
    assert max(np.abs(within)) < 0.06
    assert abs(np.mean(gone)) < 0.03
    assert max(np.abs(gone)) < 0.06
