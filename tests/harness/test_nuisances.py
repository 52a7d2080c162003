"""Dull predictors of items and answers, and baselines that are scored by the same way as models."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from brainbench.arrays import AnyFeatures, Behaviour, Features, PersonalFeatures, Recording
from brainbench.errors import DataError, ShapeError
from brainbench.nouns import Identity, ModelOptions, Reporter
from brainbench.nuisances import nuisances
from brainbench.plan import Plan
from brainbench.records import Record, Scores, Skip
from brainbench.runner import run
from brainbench.stimuli import Message, Stimulus
from brainbench.testing import check_model, sample_recording

Toy = dict[str, Any]


def stimulus(name: str, text: str, **conditions: Any) -> Stimulus:
    return Stimulus(name, (Message("user", text),), text, text, conditions)


ITEMS = (
    stimulus("a", "One, two.", label=True, needed=2, form="x"),
    stimulus("b", "One!", label=False, needed=2, form="y"),
    stimulus("c", "One two three", label=True, needed=3, form="z"),
)


def columns(found: Mapping[str, AnyFeatures], name: str) -> list[list[float]]:
    features = found[name]
    assert isinstance(features, Features)
    assert features.quantities
    made: list[list[float]] = features.layers[name].tolist()
    return made


def test_each_is_what_its_name_says() -> None:
    found = nuisances(ITEMS, ("s", "t", "s"), ("label", "needed", "form"))
    assert columns(found, "type") == [[0], [1], [0]]
    assert columns(found, "design") == [[1, 2, 1, 0, 0], [0, 2, 0, 1, 0], [1, 3, 0, 0, 1]]
    assert columns(found, "characters") == [[9], [4], [13]]
    assert columns(found, "tokens") == [[4], [2], [3]]
    assert set(found) == {"type", "design", "characters", "tokens"}


def test_three_types_are_three_columns() -> None:
    assert columns(nuisances(ITEMS, ("s", "t", "u")), "type") == np.eye(3).tolist()


def test_what_does_not_vary_is_not_there() -> None:
    same = [replace(item, content="One") for item in ITEMS]
    assert nuisances(same, ("s", "s", "s"), ()) == {}


def test_a_condition_that_an_item_lacks_is_named() -> None:
    with pytest.raises(DataError, match=r"Item a lacks the condition 'rating'"):
        nuisances(ITEMS, (), ("rating",))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 10**400])
def test_a_condition_that_is_no_number_to_use_is_named_with_its_item(value: float) -> None:
    items = [replace(item, conditions={"x": at and value}) for at, item in enumerate(ITEMS)]
    with pytest.raises(DataError, match=r"Item b has .* as its condition 'x'"):
        nuisances(items, (), ("x",))


def answered(times: Sequence[Sequence[float]], window: float | None = None) -> Behaviour:
    people = tuple(f"p{i}" for i in range(len(times)))
    return Behaviour(people, ("a", "b", "c"), None, np.array(times, dtype=float), response_window=window)


def personal(found: Mapping[str, AnyFeatures], name: str) -> dict[str, list[float]]:
    features = found[name]
    assert isinstance(features, PersonalFeatures)
    return {person: own.layers[name][:, 0].tolist() for person, own in features.people.items()}


def test_response_times_are_each_persons_own_and_the_mean_of_the_others() -> None:
    found = nuisances(ITEMS, (), behaviour=answered([[1, 2, 3], [3, 4, 4], [5, 0.5, 1]]))
    assert personal(found, "own-response-time")["p1"] == [3, 4, 4]
    assert personal(found, "others-response-time")["p1"] == [3, 1.25, 2]


@pytest.mark.parametrize(("window", "taken"), [(6.0, 6.0), (None, 2.0)])
def test_a_missing_answer_took_the_window_or_as_long_as_the_slowest(
    window: float | None, taken: float
) -> None:
    found = nuisances(ITEMS, (), behaviour=answered([[1, np.nan, 2]], window))
    assert personal(found, "own-response-time") == {"p0": [1, taken, 2]}
    assert "others-response-time" not in found  # there is nobody else


def test_who_never_answered_has_none() -> None:
    found = nuisances(ITEMS, (), behaviour=answered([[1, 2, 3], [np.nan] * 3, [2, 2, 3]]))
    assert list(personal(found, "own-response-time")) == ["p0", "p2"]
    assert personal(found, "others-response-time")["p0"] == [2, 2, 3]
    assert personal(found, "others-response-time")["p1"] == [1.5, 2, 3]  # the others answered


def test_behaviour_of_other_items_is_refused() -> None:
    with pytest.raises(DataError, match="other items"):
        nuisances(ITEMS[::-1], (), behaviour=answered([[1, 2, 3]]))


def test_features_of_several_people_must_agree() -> None:
    with pytest.raises(ShapeError, match="same items and the same layers"):
        PersonalFeatures({"p": Features({"x": np.eye(3)}), "q": Features({"y": np.eye(3)})})
    with pytest.raises(ShapeError, match="same items"):
        PersonalFeatures({})


def test_selecting_items_selects_each_persons_features_and_the_nuisances() -> None:
    made = PersonalFeatures({"p": Features({"x": np.arange(6.0).reshape(3, 2)})})
    part = made.select([0, 2]).of("p")
    assert part is not None
    assert part.layers["x"].tolist() == [[0, 1], [4, 5]]
    assert made.of("q") is None
    recording = replace(sample_recording(3), nuisances={"x": made})
    assert recording.select([1]).nuisances["x"].n_items == 1
    with pytest.raises(ShapeError, match="nuisance 'x' has other items"):
        replace(sample_recording(4), nuisances={"x": made})


@dataclass(frozen=True)
class Dull:
    """A baseline: one of the recording's nuisances, or None for a skip."""

    nuisance: str | None = "characters"
    baseline: bool = True

    @property
    def name(self) -> str:
        return f"dull:{self.nuisance}"

    def identity(self, options: ModelOptions) -> Identity:
        return Identity({"kind": "baseline", "name": self.name})

    @contextmanager
    def open(self, options: ModelOptions, reporter: Reporter) -> Iterator[Dull]:
        yield self

    def features_of(
        self, stimuli: Sequence[Stimulus], recording: Recording, reporter: Reporter
    ) -> AnyFeatures | Skip:
        if self.nuisance is None:
            return Skip("There is nothing.")
        return recording.nuisances[self.nuisance]

    def facts(self) -> dict[str, Any]:
        return {"dull": True}


def outcomes(toy: Toy, model: Any, intervention: Any = None) -> list[Record]:
    from brainbench_interventions.none import NoIntervention

    plan = Plan.product(
        models=[model],
        datasets=[toy["dataset"]()],
        metrics=[toy["metric"]()],
        interventions=[intervention or NoIntervention()],
        options=ModelOptions(),
        ceilings=False,
    )
    return [record for record in run(plan) if isinstance(record, Record)]


def test_a_baseline_is_scored_like_a_model_and_its_record_says_what_it_is(toy: Toy) -> None:
    made = outcomes(toy, Dull())
    assert made
    assert all(isinstance(record.outcome, Scores) for record in made)
    assert all(record.facts["baseline"] is True for record in made)
    assert all(record.facts["baseline"] is False for record in outcomes(toy, toy["model"]()))


def test_a_baseline_without_features_is_a_skip_with_its_reason(toy: Toy) -> None:
    assert [record.outcome for record in outcomes(toy, Dull(None))] == [Skip("There is nothing.")] * 4


def test_a_baseline_passes_the_check_for_authors() -> None:
    check_model(Dull())
    check_model(Dull(None))


def test_a_metric_that_cannot_take_features_of_each_persons_own_is_never_given_them(toy: Toy) -> None:
    @dataclass(frozen=True)
    class Own(Dull):
        def features_of(self, stimuli: Any, recording: Recording, reporter: Any) -> AnyFeatures:
            shared = recording.nuisances["characters"]
            assert isinstance(shared, Features)
            return PersonalFeatures({person.id: shared for person in recording.participants})

    for record in outcomes(toy, Own()):
        assert isinstance(record.outcome, Skip)
        assert "differ between people" in record.outcome.reason


def test_a_baseline_is_asked_anew_for_each_region_and_once_for_its_sets_of_items(toy: Toy) -> None:
    asked: list[str] = []

    @dataclass(frozen=True)
    class Looks(Dull):
        def features_of(self, stimuli: Any, recording: Recording, reporter: Any) -> AnyFeatures:
            asked.append(recording.region)
            return Features({"own": np.stack([recording.participants[0].responses[:, 0]] * 2, axis=1)})

    made = outcomes(toy, Looks())
    assert asked == list(toy["dataset"]().regions)
    assert len(made) == 2 * len(asked)


def test_what_a_dataset_says_of_its_items_goes_before_what_the_harness_finds(toy: Toy) -> None:
    def recording(dataset: Any, region: str, reporter: Any) -> Recording:
        made: Recording = toy["dataset"].recording(dataset, region, reporter)
        own = np.arange(float(len(made.items)))[:, None] ** 2
        return replace(made, nuisances={"characters": Features({"own": own}, quantities=True)})

    seen: list[list[str]] = []

    @dataclass(frozen=True)
    class Looks(Dull):
        def features_of(self, stimuli: Any, recording: Recording, reporter: Any) -> AnyFeatures:
            seen.append(list(recording.nuisances["characters"].layers))
            return recording.nuisances["characters"]

    outcomes({**toy, "dataset": type("Own", (toy["dataset"],), {"recording": recording})}, Looks())
    assert seen
    assert all(layers == ["own"] for layers in seen)


def test_a_fingerprint_knows_the_version_of_the_dull_predictors(toy: Toy) -> None:
    from brainbench.nuisances import NUISANCES_VERSION

    assert all(record.facts["nuisances"] == NUISANCES_VERSION for record in outcomes(toy, toy["model"]()))


def test_an_intervention_does_not_apply_to_a_baseline(toy: Toy) -> None:
    @dataclass(frozen=True)
    class Push:
        name: str = "push"
        version: int = 1

        def apply(self, model: Any, dataset: Any) -> Any:
            raise AssertionError("never applied")

    for record in outcomes(toy, Dull(), Push()):
        assert isinstance(record.outcome, Skip)
        assert "'push'" in record.outcome.reason


def test_scores_by_item_must_have_the_scores_as_their_means() -> None:
    made: dict[str, Any] = {
        "layers": ("x",),
        "participants": ("p",),
        "per_participant": np.array([[0.5]]),
        "per_layer": np.array([0.5]),
        "spread": np.zeros(1),
        "best": 0,
        "choice": "the only one",
        "items": ("a", "b", "c"),
    }
    assert Scores(**made, per_item=np.array([[0.0, 1.0, np.nan]])).per_item is not None
    with pytest.raises(ShapeError, match="means of per_item"):
        Scores(**made, per_item=np.array([[0.0, 0.0, 1.0]]))
    with pytest.raises(ShapeError, match="no item for a participant"):
        Scores(**made, per_item=np.full((1, 3), np.nan))
    with pytest.raises(ShapeError, match=r"per_item is float64 \(1, 2\)"):
        Scores(**made, per_item=np.zeros((1, 2)))
