"""One direction for each type of problem, one for all, or one fitted on some types and used on all."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from brainbench.answers import WordAnswers
from brainbench.progress import SilentReporter
from brainbench.records import Skip
from brainbench.steering import Addition, Steering
from brainbench_interventions.averages import average, shortest
from brainbench_interventions.directions import by_type, difference_of_means
from brainbench_interventions.material import Material, gather
from brainbench_interventions.repair import Climbing, Repair, repairs
from brainbench_interventions.ridge_map import RidgeMap
from brainbench_interventions.steering import DirectionSteering, built_in

QUIET = SilentReporter()
GENERAL = [made for made in built_in() if isinstance(made, DirectionSteering) and not made.held_out]
TYPED = [made for made in GENERAL if made.per_type]


def named(name: str) -> Any:
    return next(made for made in built_in() if made.name == name)


def material(model: Any, dataset: Any) -> Material:
    found = gather(model, dataset, QUIET)
    assert isinstance(found, Material)
    return found


def vectors(steering: Any) -> dict[str, Any]:
    assert isinstance(steering, Steering), steering
    return {site: c.vector for site, c in steering.changes.items() if isinstance(c, Addition)}


def unit(vector: Any) -> Any:
    return vector / np.linalg.norm(vector, axis=-1, keepdims=True)


@pytest.mark.parametrize("made", TYPED, ids=lambda made: made.name)
def test_a_types_row_is_what_its_items_alone_give(made: Any, arithmetic: Any, brains: Any) -> None:
    """And the last row is the mean of the others, whatever their lengths."""
    steering = made.fit(arithmetic(), brains(), QUIET)
    assert steering.items == ("one", "two", "*")
    for at, kind in enumerate(("one", "two")):
        alone = made.at(kind) if kind == "syllogism" else replace(made, types=(kind,))
        only = alone.fit(arithmetic(), brains(), QUIET)
        assert (only.key, only.items) == ("", ())
        assert len(only.facts["fitted_on"]) == 12
        assert set(only.facts["fitted_on"]) == {f"i{i}" for i in range(at, 24, 2)}
        for site, vector in vectors(only).items():
            np.testing.assert_allclose(unit(vectors(steering)[site][at]), unit(vector), atol=1e-6)
    for rows in vectors(steering).values():
        np.testing.assert_allclose(unit(rows[2]), unit(rows[:2].sum(axis=0)), atol=1e-6)
        assert np.abs(rows[0] - rows[1]).max() > 0.01


def test_jointly_it_is_the_mean_over_all_changes(arithmetic: Any, brains: Any) -> None:
    model, dataset = arithmetic(), brains()
    answers = WordAnswers.of(model, dataset.stimuli(QUIET))
    found = list(repairs(material(model, dataset), Climbing(), answers))
    steering = named("nari-general-joint").fit(model, dataset, QUIET)
    assert (steering.key, steering.items) == ("", ())
    for site, vector in vectors(steering).items():
        successful = np.vstack([repair.changes[site][repair.right] for repair in found])
        assert len(successful) > 3
        np.testing.assert_allclose(unit(vector), unit(successful.mean(axis=0)), atol=1e-6)


class Untyped:
    """A dataset whose types are strata of the recording and nothing that another problem could have."""

    def __init__(self, dataset: Any) -> None:
        self._dataset = dataset

    def __getattr__(self, name: str) -> Any:
        return getattr(self._dataset, name)

    def stimuli(self, reporter: Any) -> Any:
        made = self._dataset.stimuli(reporter)
        return tuple(replace(s, conditions={"label": s.conditions["label"]}) for s in made)


def test_without_the_condition_one_direction_is_for_all(arithmetic: Any, brains: Any) -> None:
    dataset = Untyped(brains())
    whole = material(arithmetic(), dataset)
    assert (whole.key, whole.kinds) == ("", ("one", "two"))  # W is still fitted by stratum
    general = named("nari-general").fit(arithmetic(), dataset, QUIET)
    joint = named("nari-general-joint").fit(arithmetic(), dataset, QUIET)
    assert general.key == ""
    for site, vector in vectors(general).items():
        np.testing.assert_array_equal(vector, vectors(joint)[site])
    held_out = named("nari-heldout").fit(arithmetic(), dataset, QUIET)
    assert all(len(np.unique(rows.round(5), axis=0)) == 5 for rows in vectors(held_out).values())


def test_a_type_without_a_direction_is_any_other_type(arithmetic: Any, brains: Any) -> None:
    whole = material(arithmetic(), brains())
    assert whole.labels is not None
    kinds = np.array(whole.types)
    found = {
        k: difference_of_means(whole.select(whole.of_type(k)), whole.labels[kinds == k])
        for k in ["one", "two"]
    }
    names, rows = by_type({"one": found["one"], "two": {}}, whole)
    assert names == ("one", "*")
    for site, two in rows.items():
        np.testing.assert_allclose(two[0], two[1])
        np.testing.assert_allclose(np.linalg.norm(two, axis=1), whole.sigma(site))
    assert by_type({"one": {}, "two": {}}, whole) == (("*",), {})
    opposite = {"one": {"attention.1": np.ones(10)}, "two": {"attention.1": -np.ones(10)}}
    assert not by_type(opposite, whole)[1]["attention.1"][2].any()


@pytest.mark.parametrize("name", ["nari", "nari-general", "nari-heldout", "brain-subspace", "language-only"])
def test_an_unknown_type_is_a_skip_that_names_it(name: str, arithmetic: Any, brains: Any) -> None:
    from brainbench_interventions import subspace

    made = next(m for m in (*built_in(), *subspace.built_in()) if m.name == name)
    found = made.at("transitive").fit(arithmetic(), brains(), QUIET)
    assert isinstance(found, Skip)
    assert found.reason == "Dataset brains has no items of the type 'transitive'."


def test_a_model_that_is_always_right_gives_no_direction(arithmetic: Any, brains: Any) -> None:
    def right(steering: Any, items: Any, rows: Any = ()) -> Any:
        return np.ones(len(items), dtype=bool)

    found = named("nari-general").fit(arithmetic(), brains(), QUIET, right)
    assert isinstance(found, Skip)
    assert found.reason == "Nothing that the model gets wrong and people got right was repaired."


def test_an_oracle_of_one_type_repairs_that_type_only(arithmetic: Any, brains: Any) -> None:
    whole = named("nari").fit(arithmetic(), brains(), QUIET)
    part = replace(named("nari"), types=("two",)).fit(arithmetic(), brains(), QUIET)
    assert set(part.items) == {item for item in whole.items if int(item[1:]) % 2} != set(whole.items)


def made_up() -> list[Repair]:
    """Two people's changes of the items a and b at one place, one of them a failure."""
    right = np.array([True, True]), np.array([True, False])
    changes = np.array([[3.0, 4.0], [0.0, 2.0]]), np.array([[1.0, 0.0], [7.0, 7.0]])
    return [
        Repair(person, "one", ("a", "b"), {"layer.0": change}, is_right)
        for person, change, is_right in zip("pq", changes, right, strict=True)
    ]


def test_ways_to_average() -> None:
    assert {item: c["layer.0"].tolist() for item, c in shortest(made_up()).items()} == {
        "a": [1, 0],
        "b": [0, 2],
    }
    for options, expected in (
        ({}, [4 / 3, 2]),
        ({"nearest": True}, [0.5, 1]),
        ({"unit": True}, [1.6 / 3, 1.8 / 3]),
        ({"nearest": True, "unit": True}, [0.5, 0.5]),
    ):
        np.testing.assert_allclose(average(made_up(), **options)["layer.0"], expected)
    assert average([]) == {}


@pytest.mark.parametrize("option", ["nearest", "unit"])
def test_ways_to_average_reach_the_steering(option: str, arithmetic: Any, brains: Any) -> None:
    plain = named("nari-general").fit(arithmetic(), brains(), QUIET)
    other = replace(named("nari-general"), **{option: True}).fit(arithmetic(), brains(), QUIET)
    assert other.facts["parameters"][option]
    assert all(np.abs(rows - vectors(plain)[site]).max() > 1e-3 for site, rows in vectors(other).items())


def test_the_map_can_be_fitted_where_model_and_person_agree(
    arithmetic: Any, brains: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, dataset = arithmetic(), brains(absent=4)
    answers = WordAnswers.of(model, dataset.stimuli(QUIET))
    assert answers is not None
    whole = material(model, dataset)
    own = answers(Steering({}), whole.items)
    fitted: list[Any] = []
    fit = RidgeMap.fit

    def watched(states: Any, responses: Any) -> Any:
        fitted.append(states)
        return fit(states, responses)

    monkeypatch.setattr(RidgeMap, "fit", watched)
    found = list(repairs(whole, Climbing(steps=5, consistent_only=True), answers))
    assert len(fitted) == 2 * len(found) > 0
    for repair, states in zip(found, fitted[::2], strict=True):
        person = whole.people[int(repair.person[1:])]
        assert person.right is not None
        here = np.isin(np.arange(24), person.present) & (np.array(whole.types) == repair.kind)
        agreed = here & (own == person.right)
        assert 3 <= agreed.sum() < here.sum()
        np.testing.assert_array_equal(states, whole.states["attention.1"][agreed])


def test_nobody_agrees_with_a_model_that_is_not_asked(arithmetic: Any, brains: Any) -> None:
    for name in ("nari-general", "nari-heldout"):
        made = replace(named(name), consistent_only=True)
        found = made.fit(arithmetic(has_head=False), brains(), QUIET)
        assert isinstance(found, Skip)
        assert "agree" in found.reason
        assert isinstance(made.fit(arithmetic(), brains(), QUIET), Steering)
