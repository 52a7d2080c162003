"""What is fitted: right directions, honest hold-outs, controls of the same shape and length."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import RidgeCV

from brainbench.answers import WordAnswers
from brainbench.errors import NotApplicable
from brainbench.identity import canonical
from brainbench.progress import SilentReporter
from brainbench.records import Skip
from brainbench.steering import Addition, Steering
from brainbench_interventions.directions import difference_of_means, folds, label_probe, to_spread
from brainbench_interventions.material import Material, gather, middle_half
from brainbench_interventions.repair import Climbing, repairs
from brainbench_interventions.ridge_map import ALPHAS
from brainbench_interventions.steering import DirectionSteering, OracleSteering, built_in
from brainbench_interventions.targets import MAKE

QUIET = SilentReporter()
SITES = ("attention.1", "attention.2")


def fit(intervention: Any, model: Any, dataset: Any) -> Steering:
    found = intervention.fit(model, dataset, QUIET)
    assert isinstance(found, Steering), found
    return found


def material(model: Any, dataset: Any) -> Material:
    found = gather(model, dataset, QUIET)
    assert isinstance(found, Material)
    return found


def vectors(steering: Steering) -> dict[str, Any]:
    assert all(isinstance(change, Addition) for change in steering.changes.values())
    return {site: c.vector for site, c in steering.changes.items() if isinstance(c, Addition)}


def named(name: str) -> Any:
    return next(made for made in built_in() if made.name == name)


def test_the_middle_half_is_the_papers() -> None:
    sites = [f"{kind}.{i}" for kind in ("attention", "layer") for i in range(10)]
    assert middle_half(sites, "attention") == tuple(f"attention.{i}" for i in (2, 3, 4, 5, 6))
    assert middle_half(sites[:1], "attention") == ("attention.0",)
    assert middle_half(sites, "mlp") == ()


@pytest.mark.parametrize(
    "made", [m for m in built_in() if isinstance(m, DirectionSteering)], ids=lambda m: m.name
)
def test_all_directions_have_the_same_places_and_lengths(made: Any, arithmetic: Any, brains: Any) -> None:
    model, dataset = arithmetic(), brains()
    steering = fit(made, model, dataset)
    sigma = {site: material(model, dataset).sigma(site) for site in SITES}
    found, ids = vectors(steering), tuple(stimulus.id for stimulus in dataset.stimuli(QUIET))
    assert tuple(found) == SITES
    for site, rows in found.items():
        expected = sigma[site]
        if made.held_out:
            assert rows.shape == (24, 10)
            drawn = made.source == "random-direction"  # but for its length the same whatever is left out
            assert len(np.unique((rows / np.linalg.norm(rows, axis=1, keepdims=True)).round(5), axis=0)) == (
                2 if drawn else made.held_out * 2  # of each type another
            )
            np.testing.assert_allclose(np.linalg.norm(rows, axis=1), expected, rtol=0.3)
        else:
            assert rows.shape == ((3, 10) if made.per_type else (10,))
            np.testing.assert_allclose(np.linalg.norm(rows, axis=-1), expected, rtol=1e-6)
    assert steering.items == (("one", "two", "*") if steering.key else ids if made.held_out else ())
    assert steering.key == ("type" if made.per_type and not made.held_out else "")
    assert steering.held_out == bool(made.held_out)  # or its results on these items would not be ranked
    assert not steering.oracle
    assert steering.facts["intervention"] == made.name
    assert len(steering.facts["fitted_on"]) == 24
    canonical(dict(steering.facts))
    assert fit(made, arithmetic(), dataset).fingerprint == steering.fingerprint
    other = fit(replace(made, seed=1), arithmetic(), dataset)
    random = made.source in {"random-direction", "random-fmri", "random-fmri-mean", "shuffled-items"}
    same = all(np.array_equal(vectors(other)[site], rows) for site, rows in found.items())
    assert same == (not random and not made.held_out)


@pytest.mark.parametrize("name", ["nari-heldout", "shuffled-items-heldout", "mean-pattern-heldout"])
@pytest.mark.parametrize("head", [True, False])
def test_held_out_directions_do_not_depend_on_the_items_own_scan_or_answers(
    name: str, head: bool, arithmetic: Any, brains: Any
) -> None:
    """Other responses and another label for the items of one fold change all other folds' directions only."""
    model, made = arithmetic(has_head=head), named(name)
    whole = material(model, brains())
    fold = folds(whole.types, 5, 0)
    out = np.flatnonzero(fold == 2)
    rng = np.random.default_rng(5)
    people = []
    for person in whole.people:
        responses = person.responses.copy()
        responses[out] += rng.normal(size=(len(out), responses.shape[1])) * 5
        right = person.right
        assert right is not None
        people.append(replace(person, responses=responses, right=np.where(fold == 2, ~right, right)))
    assert whole.labels is not None
    labels = np.where(fold == 2, ~whole.labels, whole.labels)
    changed = replace(whole, people=tuple(people), labels=labels)
    answers = WordAnswers.of(model, brains().stimuli(QUIET))
    assert (answers is not None) == head
    first, second = (made.steer_with(found, answers) for found in (whole, changed))
    assert isinstance(first, Steering)
    assert isinstance(second, Steering)
    for site, rows in vectors(first).items():
        np.testing.assert_array_equal(rows[out], vectors(second)[site][out])
        assert all((rows[i] != vectors(second)[site][i]).any() for i in np.flatnonzero(fold != 2))


def test_the_oracle_repairs_what_it_says_and_touches_nothing_else(arithmetic: Any, brains: Any) -> None:
    model, dataset = arithmetic(), brains()
    answers = WordAnswers.of(model, dataset.stimuli(QUIET))
    assert answers is not None
    ids = [s.id for s in dataset.stimuli(QUIET)]
    before = answers(Steering({}), ids)
    steering = fit(OracleSteering(name="nari"), model, dataset)
    after = answers(steering, ids)
    repaired = np.isin(ids, steering.items)
    assert repaired.any()
    assert not before[repaired].any()
    assert after[repaired].all()
    np.testing.assert_array_equal(after[~repaired], before[~repaired])
    assert steering.oracle
    assert set(steering.looks_at) == {"responses", "behaviour", "labels", "own response", "own label"}
    assert steering.facts["repaired"].keys() == steering.facts["targeted"].keys()
    assert max(steering.facts["repaired"].values()) <= len(steering.items)
    bound = {site: 10 * material(model, dataset).sigma(site) * 1.5 for site in SITES}
    assert all((np.linalg.norm(v, axis=1) <= bound[site]).all() for site, v in vectors(steering).items())


@pytest.mark.parametrize("name", ["nari", "nari-random-direction"])
def test_the_random_oracle_has_as_many_tries(name: str, arithmetic: Any, brains: Any) -> None:
    model = arithmetic()
    tries: dict[str, int] = {}

    def stubborn(steering: Steering, items: Any, rows: Any = ()) -> Any:
        for item in items:
            tries[item] = tries.get(item, 0) + bool(steering.items)
        return np.zeros(len(items), dtype=bool)

    found = replace(named(name), steps=35).fit(model, brains(), QUIET, stubborn)
    assert isinstance(found, Skip)
    people = brains().behaviour(QUIET).correct.sum(axis=0)
    assert tries == {f"i{i}": 7 * int(n) for i, n in enumerate(people)}


def test_what_the_model_gets_wrong_and_the_person_right_is_repaired(arithmetic: Any, brains: Any) -> None:
    model, dataset = arithmetic(), brains(absent=4)
    whole = material(model, dataset)
    answers = WordAnswers.of(model, dataset.stimuli(QUIET))
    assert answers is not None
    wrong = dict(zip(whole.items, ~answers(Steering({}), whole.items), strict=True))
    right = dataset.behaviour(QUIET).correct
    found = list(repairs(whole, Climbing(steps=10), answers))
    for repair in found:
        p = int(repair.person[1:])
        expected = {
            item
            for i, item in enumerate(whole.items)
            if wrong[item] and right[p, i] and whole.types[i] == repair.kind and (p < 2 or i < 20)
        }
        assert set(repair.items) == expected
        assert repair.right is not None
    blind = list(repairs(whole, Climbing(blind_steps=3)))
    assert sum(len(repair.items) for repair in blind) == right[:2].sum() + right[2, :20].sum()
    assert all(repair.right is None for repair in blind)


def test_without_a_head_the_oracle_is_skipped_and_cannot_be_applied(arithmetic: Any, brains: Any) -> None:
    model = arithmetic(has_head=False)
    found = named("nari").fit(model, brains(), QUIET)
    assert isinstance(found, Skip)
    assert "no head" in found.reason
    with pytest.raises(NotApplicable, match="nari cannot be fitted"), named("nari").apply(model, brains()):
        pass


def test_what_has_no_labels_has_no_label_directions(arithmetic: Any, brains: Any) -> None:
    for name in ("language-only", "label-probe"):
        assert isinstance(named(name).fit(arithmetic(), brains(labelled=False), QUIET), Skip)
    fit(named("nari-general"), arithmetic(), brains(labelled=False))  # for which the model is not asked


def test_applying_steers_and_leaves_nothing(arithmetic: Any, brains: Any) -> None:
    model, dataset = arithmetic(), brains()
    before = model.features(dataset.stimuli(QUIET), QUIET).layers
    for name in ("language-only", "nari-heldout"):
        with named(name).apply(model, dataset) as changed:
            during = changed.features(dataset.stimuli(QUIET), QUIET).layers
        assert not model.active
        assert all((during[site] != before[site]).any() for site in SITES)
    with replace(named("nari-general"), strength=0.0).apply(model, dataset) as same:
        during = same.features(dataset.stimuli(QUIET), QUIET).layers
    assert all(np.array_equal(during[site], before[site]) for site in before)


def test_nothing_that_cannot_be_steered(brains: Any, arithmetic: Any) -> None:
    assert isinstance(named("random-direction").fit(object(), brains(), QUIET), Skip)
    other = replace(named("random-direction"), region="nowhere")
    assert isinstance(other.fit(arithmetic(), brains(), QUIET), Skip)


def test_difference_of_means_is_taken_within_types(arithmetic: Any, brains: Any) -> None:
    whole = material(arithmetic(), brains())
    assert whole.labels is not None
    x, y = whole.states["attention.1"], whole.labels
    offset = np.where(np.array(whole.types) == "one", 0.0, 100.0)[:, None]
    moved = replace(whole, states={"attention.1": x + offset})
    plain = difference_of_means(whole, y)["attention.1"]
    np.testing.assert_allclose(difference_of_means(moved, y)["attention.1"], plain, atol=1e-9)
    np.testing.assert_allclose(
        label_probe(moved, y)["attention.1"], label_probe(whole, y)["attention.1"], atol=1e-9
    )
    kinds = np.array(whole.types)
    by_hand = [x[y & (kinds == k)].mean(0) - x[~y & (kinds == k)].mean(0) for k in ("one", "two")]
    np.testing.assert_allclose(plain, np.mean(by_hand, axis=0))
    assert difference_of_means(whole, np.ones(24, dtype=bool)) == {}
    assert label_probe(whole, np.ones(24, dtype=bool)) == {}


def test_the_label_probe_is_scikit_learns(arithmetic: Any, brains: Any) -> None:
    whole = replace(material(arithmetic(), brains()), types=("",) * 24)
    assert whole.labels is not None
    theirs = RidgeCV(alphas=ALPHAS).fit(whole.states["attention.2"], np.where(whole.labels, 1.0, -1.0))
    np.testing.assert_allclose(label_probe(whole, whole.labels)["attention.2"], theirs.coef_, rtol=1e-6)


def test_directions_without_length_are_left_out(arithmetic: Any, brains: Any) -> None:
    whole = material(arithmetic(), brains())
    assert to_spread({"attention.1": np.zeros(10)}, whole) == {}


def test_folds_are_even_within_types() -> None:
    types = ("a",) * 13 + ("b",) * 7
    fold = folds(types, 5, 0)
    for kind in "ab":
        counts = np.bincount(fold[np.array(types) == kind], minlength=5)
        assert counts.max() - counts.min() <= 1
    assert np.ptp(np.bincount(fold)) == 0
    assert not np.array_equal(fold, folds(types, 5, 1))


def test_the_spread_of_states_is_within_types(arithmetic: Any, brains: Any) -> None:
    whole = material(arithmetic(), brains())
    apart = np.where(np.array(whole.types) == "one", 100.0, -100.0)[:, None]
    moved = replace(whole, states={site: states + apart for site, states in whole.states.items()})
    for site in whole.states:
        assert moved.sigma(site) == pytest.approx(whole.sigma(site))


def test_targets_of_controls(arithmetic: Any, brains: Any) -> None:
    whole = material(arithmetic(), brains())
    part = whole.select(whole.of_type("one"))
    person = part.people[0]
    y = person.responses
    made = {name: make(part, person, np.random.default_rng(3)) for name, make in MAKE.items()}
    found = {name: pair for name, pair in made.items() if pair is not None}
    assert list(found) == list(MAKE)
    np.testing.assert_allclose(found["random-fmri-mean"][0].mean(0), y.mean(0))
    np.testing.assert_allclose(found["mean-pattern"][1][3], np.delete(y, 3, axis=0).mean(0))
    shuffled, pattern = found["shuffled-items"]
    np.testing.assert_array_equal(shuffled, pattern)
    assert not (shuffled == y).all(axis=1).any()
    np.testing.assert_array_equal(np.sort(shuffled, axis=0), np.sort(y, axis=0))
    moved = replace(person, responses=np.where(np.arange(12)[:, None] == 3, y + 0.01, y))
    others = (moved, *part.people[1:])
    again = MAKE["other-person"](replace(part, people=others), moved, np.random.default_rng(3))
    assert again is not None
    np.testing.assert_allclose(again[1][3], found["other-person"][1][3])  # without the item's own response
    assert not np.isclose(again[1][4], found["other-person"][1][4]).all()
    alone = MAKE["other-person"](replace(part, people=(person,)), person, np.random.default_rng(3))
    assert alone is None
