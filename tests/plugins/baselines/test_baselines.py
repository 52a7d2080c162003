"""Baselines: known features, known scores on the real data, and the same code path as a model's."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from brainbench.arrays import Features, PersonalFeatures
from brainbench.catalog import Catalog
from brainbench.errors import UsageError
from brainbench.nouns import ModelOptions, OpenBaseline
from brainbench.nuisances import NUISANCES
from brainbench.plan import Cell, Plan
from brainbench.plugins import discover, load
from brainbench.progress import SilentReporter
from brainbench.records import Record, Scores, Skip
from brainbench.runner import run
from brainbench.stimuli import Message
from brainbench.testing import check_model, sample_recording, sample_stimuli
from brainbench_models.baselines import NoiseBaseline, PersonBaseline, WordsBaseline

OPTIONS = ModelOptions()


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load(discover())


def features(model: Any, options: ModelOptions = OPTIONS, recording: Any = None, items: int = 6) -> Any:
    asked = sample_stimuli(items)
    with model.open(options, SilentReporter()) as opened:
        assert isinstance(opened, OpenBaseline)
        return opened.features_of(asked, recording or sample_recording(items), SilentReporter())


def test_every_dull_predictor_of_the_harness_is_a_baseline(catalog: Catalog) -> None:
    names = {name for name in catalog.models if name.startswith("baseline:")}
    assert names == {f"baseline:{nuisance}" for nuisance in NUISANCES} | {
        "baseline:words",
        "baseline:noise",
        "baseline:person",
    }
    for name in names:
        model = catalog.find_model(name)
        check_model(model)
        assert model in catalog.baselines_of([])


def test_a_run_gets_each_models_twin_and_every_baseline_once(catalog: Catalog) -> None:
    tiny = catalog.find_model("brainbench/tiny")
    twin = catalog.find_model("untrained:brainbench/tiny")
    found = [model.name for model in catalog.baselines_of([tiny, catalog.find_model("baseline:type")])]
    assert found[0] == "untrained:brainbench/tiny"
    assert "baseline:type" not in found
    assert len(found) == len(set(found)) == len(catalog.baselines_of([]))  # a twin more, the type less
    assert "untrained:brainbench/tiny" not in [model.name for model in catalog.baselines_of([tiny, twin])]


def test_words_are_counted_in_small_letters() -> None:
    made = features(WordsBaseline(), items=2)
    # "All as are us." and "All as are us. All bs are vs.": all, are, as, bs, us, vs
    assert made.layers["words"].tolist() == [[1, 1, 1, 0, 1, 0], [2, 2, 1, 1, 1, 1]]


@pytest.mark.parametrize("text", ["", "####"])
def test_items_without_words_are_skipped_and_no_failure(text: str) -> None:
    (item,) = sample_stimuli(1)
    asked = [
        replace(item, id=name, messages=(Message("user", text),), text=text, content=text) for name in "ab"
    ]
    with WordsBaseline().open(OPTIONS, SilentReporter()) as opened:
        assert opened.features_of(asked, sample_recording(2), SilentReporter()) == Skip("No item has a word.")


def test_a_word_of_test_items_alone_changes_no_prediction() -> None:
    """A regression from all words equals, on its test items, one from the training items' words."""
    from sklearn.linear_model import Ridge

    rng = np.random.default_rng(0)
    made = features(WordsBaseline()).layers["words"]
    voxels, train, test = rng.normal(size=(6, 3)), np.arange(4), np.arange(4, 6)
    known = made[train].any(axis=0)
    assert not known.all()  # the last items bring words of their own
    whole = Ridge(0.1).fit(made[train], voxels[train]).predict(made[test])
    part = Ridge(0.1).fit(made[train][:, known], voxels[train]).predict(made[test][:, known])
    np.testing.assert_allclose(whole, part, atol=1e-12)


def test_noise_follows_from_the_seed_and_nothing_else() -> None:
    first, again = features(NoiseBaseline(3)), features(NoiseBaseline(3))
    other = features(NoiseBaseline(3), ModelOptions(seed=1))
    assert list(first.layers) == ["noise.0", "noise.1", "noise.2"]
    np.testing.assert_array_equal(first.layers["noise.1"], again.layers["noise.1"])
    assert not np.array_equal(first.layers["noise.1"], other.layers["noise.1"])
    assert not np.array_equal(first.layers["noise.0"], first.layers["noise.1"])
    more = features(NoiseBaseline(5))
    np.testing.assert_array_equal(first.layers["noise.2"], more.layers["noise.2"])
    identities = [NoiseBaseline(3).identity(options).facts for options in (OPTIONS, ModelOptions(seed=1))]
    assert identities[0] != identities[1]


def test_noise_with_types_has_one_offset_a_type() -> None:
    plain, typed = features(NoiseBaseline(2)), features(NoiseBaseline(2, with_type=True))
    offset = typed.layers["noise.1"] - plain.layers["noise.1"]
    np.testing.assert_allclose(offset[0], offset[2])
    assert np.abs(offset[0] - offset[1]).max() > 0.5
    alone = replace(sample_recording(6), strata=())
    assert isinstance(features(NoiseBaseline(2, with_type=True), recording=alone), Skip)


def test_noise_is_found_with_any_number_of_layers(catalog: Catalog) -> None:
    assert catalog.find_model("baseline:noise@56") == NoiseBaseline(56)
    assert catalog.find_model("baseline:noise+type@3").name == "baseline:noise+type@3"
    assert catalog.find_model("baseline:noise+type").name == "baseline:noise+type"
    with pytest.raises(UsageError, match="at least one layer"):
        catalog.find_model("baseline:noise@0")
    with pytest.raises(UsageError, match="no model called 'baseline:tipe'"):
        catalog.find_model("baseline:tipe")


def test_models_are_measured_against_what_every_run_has(catalog: Catalog) -> None:
    kinds = {model.name: model.identity(OPTIONS).facts["kind"] for model in catalog.baselines_of([])}
    assert kinds.pop("baseline:person") == "people"
    assert set(kinds.values()) == {"baseline"}
    for name in ("baseline:noise@56", "baseline:noise+type"):
        assert catalog.find_model(name).identity(OPTIONS).facts["kind"] == "noise"


def test_each_person_is_compared_with_the_next_one() -> None:
    recording = sample_recording(6, people=3)
    lacking = replace(
        recording.participants[1], responses=recording.participants[1].responses[1:], present=np.arange(1, 6)
    )
    people = (recording.participants[0], lacking, recording.participants[2])
    made = features(PersonBaseline(), recording=replace(recording, participants=people))
    assert isinstance(made, PersonalFeatures)
    first, last = made.of("person-0"), made.of("person-2")
    assert isinstance(first, Features)
    assert isinstance(last, Features)
    np.testing.assert_array_equal(first.layers["next person"][1:], lacking.responses)
    np.testing.assert_allclose(first.layers["next person"][0], lacking.responses.mean(axis=0))
    np.testing.assert_array_equal(last.layers["next person"], people[0].responses)
    one = replace(recording, participants=recording.participants[:1])
    assert isinstance(features(PersonBaseline(), recording=one), Skip)


# What the same protocol gives for each predictor without brainbench (medians over people): one bit "syllogism
# or transitive", three bits of the design, words, and response times where no answer counts as six seconds.
KNOWN = {
    ("baseline:type", "all"): 0.1987,
    ("baseline:design", "syllogism"): 0.0777,
    ("baseline:design", "transitive"): 0.0899,
    ("baseline:words", "all"): 0.1628,
    ("baseline:words", "syllogism"): 0.030,
    ("baseline:words", "transitive"): -0.024,
    ("baseline:own-response-time", "all"): 0.1548,
    ("baseline:own-response-time", "syllogism"): 0.1460,
    ("baseline:own-response-time", "transitive"): 0.1810,
    ("baseline:others-response-time", "all"): 0.1847,
    ("baseline:others-response-time", "syllogism"): 0.1073,
    ("baseline:others-response-time", "transitive"): 0.1554,
}


@pytest.fixture(scope="module")
def real_scores(catalog: Catalog, mirror: Any) -> dict[tuple[str, str], float | str]:
    """Every baseline on the real data, one region, the published protocol."""
    models = [*catalog.baselines_of([]), NoiseBaseline(56), NoiseBaseline(56, with_type=True)]
    plan = Plan.product(
        models=models,
        datasets=[catalog.datasets.get("deduction")],
        metrics=[catalog.metrics.get("predictivity/paper")],
        interventions=[catalog.interventions.get("none")],
        options=OPTIONS,
        regions=("deductive_reasoning",),
        ceilings=False,
    )
    found: dict[tuple[str, str], float | str] = {}
    for record in run(plan):
        assert isinstance(record, Record)
        assert isinstance(record.cell, Cell)
        assert record.cell.model is not None
        assert record.facts["baseline"] is True
        outcome = record.outcome
        key = (record.cell.model.name, record.cell.item_set.name)
        found[key] = outcome.headline if isinstance(outcome, Scores) else str(outcome)
    return found


@pytest.mark.real
@pytest.mark.parametrize(("model", "items"), KNOWN)
def test_known_scores_of_dull_predictors(real_scores: Any, model: str, items: str) -> None:
    assert real_scores[model, items] == pytest.approx(
        KNOWN[model, items], abs=6e-5 + 5e-4 * ("words" in model)
    )


@pytest.mark.real
def test_noise_of_many_layers_and_other_people_reach_what_they_should(real_scores: Any) -> None:
    """Noise is drawn, so its scores are only known roughly: .057, .060 and .068 were seen elsewhere."""
    for items in ("all", "syllogism", "transitive"):
        assert 0.03 < real_scores["baseline:noise@56", items] < 0.11
    assert real_scores["baseline:noise+type@56", "all"] == pytest.approx(0.2296, abs=0.03)
    assert 0.05 < real_scores["baseline:person", "all"] < 0.2  # one other person, where nine reach .16
    assert "features vary between the items" in str(real_scores["baseline:type", "syllogism"])
