"""The kit for plugin authors: built-ins pass it, and each broken promise is noticed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from brainbench import testing
from brainbench.arrays import Features
from brainbench.catalog import Catalog
from brainbench.nouns import BrainDataset, Identity, ModelOptions, OpenModel, RegionPlace
from brainbench.plugins import discover, load
from brainbench.progress import SilentReporter
from brainbench.records import Scores

Toy = dict[str, Any]
CATALOG: Catalog = load(discover())


@pytest.mark.parametrize("name", list(CATALOG.metrics))
def test_built_in_metrics_keep_their_promises(name: str) -> None:
    testing.check_metric(CATALOG.metrics.get(name))


@pytest.mark.parametrize("name", list(CATALOG.interventions))
def test_built_in_interventions_keep_their_promises(name: str, tiny_model: Path) -> None:
    """On a real network and a dataset with right answers; those that need a head do not apply to it."""
    model, dataset = CATALOG.find_model(str(tiny_model)), CATALOG.datasets.get("simulated-deduction")
    with model.open(ModelOptions(device="cpu"), SilentReporter()) as opened:
        assert isinstance(opened, OpenModel)
        testing.check_intervention(CATALOG.interventions.get(name), opened, dataset)


@pytest.mark.real
@pytest.mark.parametrize("name", list(CATALOG.datasets))
def test_built_in_datasets_keep_their_promises(
    name: str, mirror: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BRAINBENCH_MIRROR", str(mirror))
    monkeypatch.setenv("BRAINBENCH_CACHE", str(tmp_path))
    testing.check_dataset(CATALOG.datasets.get(name))


@pytest.mark.real
@pytest.mark.parametrize("prefix", ["", "untrained:"])
@pytest.mark.parametrize("pooling", ["last", "mean"])
def test_a_real_model_keeps_its_promises(prefix: str, pooling: Any, real_model: Path) -> None:
    model = CATALOG.find_model(f"{prefix}{real_model}")
    testing.check_model(model, ModelOptions(device="cpu", pooling=pooling))


def test_the_toys_of_these_tests_keep_their_promises(toy: Toy) -> None:
    testing.check_model(toy["model"]())
    testing.check_dataset(toy["dataset"]())


def refused(check: Any, *things: Any, match: str) -> None:
    with pytest.raises(AssertionError, match=match):
        check(*things)


def test_a_model_whose_answers_depend_on_their_company_is_noticed(toy: Toy) -> None:
    @dataclass
    class Centred:
        def features(self, stimuli: Any, reporter: Any) -> Features:
            x = np.array([[float(len(s.text)), 1.0] for s in stimuli])
            return Features({"layer.0": x - x.mean(axis=0)})

        def facts(self) -> dict[str, Any]:
            return {}

    base: Any = toy["model"]

    @dataclass(frozen=True)
    class Company(base):  # type: ignore[misc]
        @contextmanager
        def open(self, options: Any, reporter: Any) -> Iterator[Any]:
            yield Centred()

    refused(testing.check_model, Company(), match="company")


def test_an_identity_that_changes_is_noticed(toy: Toy) -> None:
    base: Any = toy["model"]

    @dataclass(frozen=True)
    class Restless(base):  # type: ignore[misc]
        def identity(self, options: Any) -> Identity:
            return Identity({"at": np.random.default_rng().random()})

    refused(testing.check_model, Restless(), match="identity")


def test_metrics_that_change_arrays_score_constants_or_wander_are_noticed(toy: Toy) -> None:
    base: Any = toy["metric"]

    @dataclass(frozen=True)
    class Careless(base):  # type: ignore[misc]
        def score(self, features: Any, recording: Any, reporter: Any) -> Any:
            recording.participants[0].responses[0] = 0
            return super().score(features, recording, reporter)

    @dataclass(frozen=True)
    class Gullible(base):  # type: ignore[misc]
        def score(self, features: Any, recording: Any, reporter: Any) -> Any:
            names, people = tuple(features.layers), tuple(p.id for p in recording.participants)
            zeros = np.zeros((len(names), len(people)))
            return Scores(names, people, zeros, zeros[:, 0], zeros[:, 0], 0, "none")

    @dataclass(frozen=True)
    class Wandering(Gullible):
        def score(self, features: Any, recording: Any, reporter: Any) -> Any:
            scores = super().score(features, recording, reporter)
            noise = np.random.default_rng().normal(size=scores.per_participant.shape)
            return replace(scores, per_participant=noise)

    refused(testing.check_metric, Careless(), match="changes the arrays")
    refused(testing.check_metric, Gullible(), match="do not vary")
    refused(testing.check_metric, Wandering(), match="not repeatable")


def test_an_intervention_that_stays_is_noticed(toy: Toy) -> None:
    @dataclass(frozen=True)
    class Sticky:
        name: str = "sticky"
        version: int = 1

        @contextmanager
        def apply(self, model: OpenModel, dataset: BrainDataset) -> Iterator[OpenModel]:
            model.scale = 5.0  # type: ignore[attr-defined]
            yield model

    with toy["model"]().open(ModelOptions(), SilentReporter()) as opened:
        refused(testing.check_intervention, Sticky(), opened, toy["dataset"](), match="stays changed")


def test_a_dataset_whose_parts_disagree_is_noticed(toy: Toy) -> None:
    base: Any = toy["dataset"]

    @dataclass(frozen=True)
    class Shifted(base):  # type: ignore[misc]
        def recording(self, region: str, reporter: Any) -> Any:
            found = super().recording(region, reporter)
            return replace(found, items=found.items[::-1])

    refused(testing.check_dataset, Shifted(), match="items are not the stimuli")

    @dataclass(frozen=True)
    class Misplaced(base):  # type: ignore[misc]
        region_places: Any = field(default_factory=lambda: {"nowhere": RegionPlace("a guess")})

    refused(testing.check_dataset, Misplaced(), match="places of its regions")
    refused(
        testing.check_dataset, Misplaced(region_places={"left": (1, 2, 3)}), match="places of its regions"
    )


def test_a_task_without_a_name_is_noticed() -> None:
    @dataclass(frozen=True)
    class Nameless:
        name: str = "nameless"
        version: int = 1

        def lm_eval_config(self) -> dict[str, Any]:
            return {}

    refused(testing.check_task, Nameless(), match="names no task")
    refused(testing.check_task, object(), match="lacks name")
