"""A kept steering as an intervention: what it is known by, that it needs no dataset, that it comes off."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from brainbench.errors import NotApplicable, UsageError
from brainbench.identity import identify
from brainbench.nouns import ModelOptions
from brainbench.plan import NOTHING, Plan, TaskCell
from brainbench.plugins import discover, load
from brainbench.progress import SilentReporter
from brainbench.records import Record, Skip
from brainbench.runner import run
from brainbench.steering import Addition, Gain, Steering
from brainbench.steering_files import save
from brainbench.steering_fitting import acting_at, fit
from brainbench.steering_intervention import SavedSteering, saved
from brainbench.task_scores import TaskScores

HEAD = ModelOptions(head=True)
WIDTH = 128
CATALOG = load(discover())
TINY = CATALOG.models.get("brainbench/tiny")
GUIDE = CATALOG.datasets.get("simulated-deduction-guide")


def away(size: float = 1.0, **more: Any) -> Steering:
    """Loses the whole residual stream: whatever is asked, the answer is the same."""
    return Steering({"layer.3": Gain(np.eye(WIDTH), 1 - size)}, **more)


def kept(steering: Steering, folder: Path) -> SavedSteering:
    save(steering, folder)
    return saved(f"steering:{folder}")


def planned(*interventions: Any, datasets: Any = ()) -> Plan:
    return Plan.product(
        models=[],
        datasets=datasets,
        metrics=[],
        interventions=interventions,
        options=HEAD,
        tasks=[CATALOG.tasks.get("deduction_propositional")],
        solvers=[TINY],
        limit=3,
    )


def test_it_is_known_by_what_it_holds_and_not_by_where_it_lies(tmp_path: Path) -> None:
    first = kept(away(), tmp_path / "a")
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    copied = saved(f"steering:{tmp_path / 'b' / 'steering.json'}")
    other = kept(away(0.5), tmp_path / "c")
    marks = []
    for intervention, steering in ((first, away()), (copied, away()), (other, away(0.5))):
        (cell,) = planned(intervention)
        found = identify(cell)
        assert found.resolved
        told = found.facts["intervention"]["parameters"]
        assert told == {"name": intervention.name, "version": 1, "fingerprint": steering.fingerprint}
        assert str(tmp_path) not in str(found.facts)
        marks.append(found.fingerprint)
    assert marks[0] == marks[1] != marks[2]
    assert first.name == copied.name == f"steering:unnamed@{away().fingerprint[:8]}"


def test_it_needs_no_dataset_and_steers_the_answers_once(tmp_path: Path) -> None:
    lost, nothing = kept(away(), tmp_path / "lost"), kept(away(0.0), tmp_path / "nothing")
    plan = planned(CATALOG.interventions.get(NOTHING), lost, nothing, datasets=[GUIDE])
    assert [cell.dataset for cell in plan if isinstance(cell, TaskCell)] == [None] * 3
    found = []
    for record in run(plan):
        assert isinstance(record, Record)
        assert isinstance(record.outcome, TaskScores), record.outcome
        found.append([item.log_likelihoods for item in record.outcome.items])
    assert len(set(found[1])) == 1 < len(set(found[0]))
    assert found[2] == found[0]  # zero strength, and the one before is undone


def test_what_is_learnt_from_brain_data_still_needs_it() -> None:
    (record,) = run(planned(CATALOG.interventions.get("nari-general")))
    assert isinstance(record, Record)
    assert isinstance(record.outcome, Skip)
    assert "name a dataset" in record.outcome.reason


def _fail_in(intervention: SavedSteering, model: Any) -> None:
    with intervention.apply(model, None) as steered:
        assert steered.facts()["steerings"] == [intervention.fingerprint]
        raise RuntimeError("midway")


def test_it_comes_off_after_an_exception_and_refuses_what_cannot_be_steered(toy: Any) -> None:
    intervention = SavedSteering(away())
    with TINY.open(HEAD, SilentReporter()) as model:
        with pytest.raises(RuntimeError, match="midway"):
            _fail_in(intervention, model)
        assert "steerings" not in model.facts()
    with (
        toy["model"]().open(HEAD, SilentReporter()) as model,
        pytest.raises(NotApplicable),
        intervention.apply(model, None),
    ):
        pass


@pytest.mark.parametrize(
    ("more", "role"),
    [
        ({}, "control"),
        ({"looks_at": ("labels",)}, "control"),
        ({"looks_at": ("responses",)}, "brain"),
        ({"looks_at": ("responses",), "facts": {"role": "control"}}, "control"),
        ({"facts": {"role": "brain"}}, "brain"),
        ({"facts": {"role": ["brain"]}}, "control"),
    ],
)
def test_its_role_is_what_its_facts_say_or_what_its_fit_has_seen(more: Any, role: str) -> None:
    assert SavedSteering(away(**more)).role == role


@pytest.mark.parametrize(
    ("facts", "label"),
    [
        ({"intervention": "nari-general"}, "nari-general"),
        ({"intervention": "\x1b[2J"}, "unnamed"),
        ({"intervention": "a" * 99}, "unnamed"),
        ({"intervention": 3}, "unnamed"),
        ({"imported": "lm-eval"}, "imported"),
    ],
)
def test_its_name_is_always_one_that_can_be_stored_and_shown(facts: Any, label: str) -> None:
    intervention = SavedSteering(away(facts=facts))
    assert intervention.name == f"steering:{label}@{intervention.fingerprint[:8]}"


def test_no_path_is_no_steering() -> None:
    for spec in ("steering:", "steering: "):
        with pytest.raises(UsageError, match="names no steering"):
            saved(spec)


@dataclass(frozen=True)
class Mute:
    """Fits nothing."""

    name: str = "mute"
    version: int = 1
    gives: Any = None

    def apply(self, model: Any, dataset: Any) -> Any:
        raise AssertionError

    def fit(self, model: Any, dataset: Any, reporter: Any) -> Any:
        return self.gives


def test_a_fit_says_what_it_was_fitted_with(toy: Any) -> None:
    from brainbench.errors import PluginError

    reporter = SilentReporter()
    mine = Steering({"layer.1": Addition(np.ones(WIDTH))}, facts={"region": "control", "by": "me"})
    facts = fit(Mute(gives=mine), TINY, GUIDE, HEAD, reporter).facts
    assert facts["by"] == "me"
    assert facts["role"] == "brain"
    assert facts["model"] == TINY.identity(HEAD).facts
    assert facts["data"] == GUIDE.identity("control").facts != GUIDE.identity("reasoning").facts
    with pytest.raises(NotApplicable, match="no signal"):
        fit(Mute(gives=Skip("no signal")), TINY, GUIDE, HEAD, reporter)
    with pytest.raises(PluginError, match="not a Steering"):
        fit(Mute(), TINY, GUIDE, HEAD, reporter)
    with pytest.raises(NotApplicable, match="could be steered"):
        fit(Mute(gives=mine), toy["model"](), GUIDE, HEAD, reporter)


def test_the_tokens_are_chosen_before_the_fit_where_there_is_a_choice() -> None:
    changed: Any = acting_at(CATALOG.interventions.get("nari"), "prompt")
    assert (changed.name, changed.where) == ("nari", "prompt")
    with pytest.raises(UsageError):
        acting_at(Mute(), "all")
