"""Cells of fine-tuned models through the runner: trained once, asked and scored as trained, told on what."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from brainbench.adapter import Adapter
from brainbench.adapter_files import save
from brainbench.adapter_intervention import SavedAdapter
from brainbench.checkpoints import Checkpoint
from brainbench.nouns import ModelOptions, Task
from brainbench.plan import Plan
from brainbench.progress import SilentReporter
from brainbench.records import Failure, Record, Scores
from brainbench.runner import run
from brainbench.task_scores import TaskScores
from brainbench.trainings import Training, Trainings
from brainbench_interventions.none import NoIntervention
from brainbench_interventions.tuning import arms
from brainbench_metrics.predictivity import Predictivity
from brainbench_models.embedded import EmbeddedModel
from brainbench_models.shipped import ShippedCheckpoint
from brainbench_tasks.deduction_made import GeneratedDeduction

MODEL = EmbeddedModel(ShippedCheckpoint())
NONE = NoIntervention()
VALIDATION = GeneratedDeduction(each=1, orders=1, tiny=True, split="validation")
TASK = GeneratedDeduction(each=1, orders=2, tiny=True)
ARM = {arm.name: replace(arm, epochs=1, rate=1e-3) for arm in arms()}


@dataclass(frozen=True)
class Stopping:
    """The few problems with a small validation set; everything else is theirs."""

    few: Any

    def __getattr__(self, name: str) -> Any:
        return getattr(self.few, name)

    def validation(self) -> Task:
        return VALIDATION


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BRAINBENCH_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def cells(**more: Any) -> Plan:
    axes: dict[str, Any] = {
        "models": [],
        "solvers": [MODEL],
        "datasets": [],
        "metrics": [],
        "tasks": [],
        "ceilings": False,
        "options": ModelOptions(head=True),
    }
    return Plan.product(**{**axes, **more})


def computed(plan: Plan) -> list[Record]:
    found = list(run(plan))
    assert all(isinstance(record, Record) for record in found)
    return found  # type: ignore[return-value]


def told(record: Record) -> Mapping[str, Any]:
    assert isinstance(record.outcome, TaskScores), record.outcome
    found: Mapping[str, Any] = record.outcome.details["tuning"]
    return found


def test_a_training_is_asked_and_scored_and_done_once(few: Any, cache: Path) -> None:
    data = Stopping(few)
    arm = replace(ARM["label-only"], early_stop=False)
    changes = [NONE, arm, replace(arm, seed=1)]
    plan = cells(
        models=[MODEL],
        datasets=[data],
        metrics=[Predictivity(folds=2)],
        interventions=changes,
        tasks=[TASK],
        regions=(few.regions[0],),
    )
    records = computed(plan)
    assert len(list((cache / "trainings").iterdir())) == 2
    scored = [record.outcome for record in records if isinstance(record.outcome, Scores)]
    assert len(scored) == 3
    assert len({float(found.per_participant.sum()) for found in scored}) == 3  # other features, other scores
    first, second = (told(record) for record in records if _tuned(record))
    assert (first["seed"], second["seed"]) == (0, 1)
    assert first["fingerprint"] != second["fingerprint"]
    assert first["settings"] == second["settings"]
    assert (first["role"], first["protocol"], first["seen"]) == ("control", "fixed", 0)
    assert first["training"]["validation"] is None
    assert first["fitted"]["items"] == 14
    assert first["fitted"]["simulated"] is True
    assert first["perplexity"]["tokens"] > 100
    again = computed(plan)  # what is finished is taken as it is
    assert [told(record) for record in again if _tuned(record)] == [first, second]
    assert len({record.fingerprint for record in records}) == len(records)
    assert [record.fingerprint for record in again] == [record.fingerprint for record in records]


def _tuned(record: Record) -> bool:
    return isinstance(record.outcome, TaskScores) and "tuning" in record.outcome.details


def test_what_decides_a_training_decides_where_it_is_kept(few: Any, cache: Path) -> None:
    arm = replace(ARM["label-only"], early_stop=False)
    for change in (arm, replace(arm, rate=2e-3), replace(arm, early_stop=True)):
        computed(cells(datasets=[Stopping(few)], interventions=[change], tasks=[TASK], limit=1))
    assert len(list((cache / "trainings").iterdir())) == 3


def test_a_damaged_training_is_made_again(few: Any, cache: Path) -> None:
    plan = cells(datasets=[Stopping(few)], interventions=[ARM["label-only"]], tasks=[TASK], limit=1)
    (first,) = computed(plan)
    (weights,) = (cache / "trainings").glob("*/adapter/adapter_model.safetensors")
    weights.write_bytes(weights.read_bytes()[:-8])
    (again,) = computed(plan)
    assert told(again)["fingerprint"] == told(first)["fingerprint"]


def test_a_training_killed_after_its_last_epoch_is_told_as_an_undisturbed_one(
    few: Any, tmp_path: Path
) -> None:
    arm, kept = ARM["label-only"], Checkpoint(tmp_path / "kept")
    with MODEL.open(ModelOptions(head=True), SilentReporter()) as opened:
        undisturbed = arm.tune(opened, Stopping(few), SilentReporter(), kept)
        resumed = arm.tune(opened, Stopping(few), SilentReporter(), kept)  # all of it is noted
    assert isinstance(undisturbed, Adapter)
    assert isinstance(resumed, Adapter)
    assert undisturbed.facts["training"]["validation"]["items"]
    assert resumed.fingerprint == undisturbed.fingerprint


def test_a_cache_that_is_no_folder_is_one_sentence(
    few: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("mine")
    monkeypatch.setenv("BRAINBENCH_CACHE", str(tmp_path / "file"))
    (found,) = computed(cells(datasets=[few], interventions=[ARM["label-only"]], tasks=[TASK], limit=1))
    assert isinstance(found.outcome, Failure)
    words = f"{found.outcome.message} {found.outcome.hint}"
    assert "A training cannot be kept in" in words
    assert "Set BRAINBENCH_CACHE" in words


def test_who_waits_for_another_process_is_told_so(tmp_path: Path) -> None:
    said: list[str] = []
    held, free = threading.Event(), threading.Event()

    class Saying(SilentReporter):
        def say(self, sentence: str) -> None:
            said.append(sentence)
            free.set()

    def hold() -> None:
        with Training(tmp_path).alone(SilentReporter()):
            held.set()
            free.wait(20)

    with Training(tmp_path).alone(Saying()):
        assert not said
    other = threading.Thread(target=hold)
    other.start()
    assert held.wait(20)
    with Training(tmp_path).alone(Saying()):
        assert said == ["Another process is at the same training: waiting until it has finished."]
    other.join()


def test_items_that_were_trained_on_and_the_validation_set_itself_are_told(few: Any) -> None:
    own = replace_ids(few)
    plan = cells(
        datasets=[Stopping(few)], interventions=[ARM["label-only"]], tasks=[VALIDATION, own], limit=3
    )
    validation, seen = (told(record) for record in computed(plan))
    assert validation["protocol"] == "paper"
    assert validation["training"]["validation"]["task"] == VALIDATION.name
    assert validation["training"]["validation"]["items"] == 16
    assert (seen["protocol"], seen["seen"]) == ("validation", 3)


def replace_ids(few: Any) -> Any:
    """A task of two of the dataset's own items."""
    documents = TASK.documents()[:3]
    ids = [stimulus.id for stimulus in few.stimuli(None)]
    own = [{**row, "id": name, "group": name} for row, name in zip(documents, ids, strict=False)]

    class Own:
        name, version = "own_items", 1

        def lm_eval_config(self) -> dict[str, Any]:
            from brainbench_tasks.task_documents import configuration

            return configuration(self.name, 1, (), "likelihood", lambda: tuple(own))

    return Own()


def test_a_kept_adapter_answers_as_the_run_that_made_it(few: Any, tmp_path: Path) -> None:
    (record,) = computed(cells(datasets=[Stopping(few)], interventions=[ARM["narf-label"]], tasks=[TASK]))
    (folder,) = Trainings().root.iterdir()
    adapter = Training(folder).finished()
    assert adapter is not None
    assert adapter.facts["model"]["name"] == MODEL.name
    save(adapter, tmp_path / "kept")
    (again,) = computed(cells(interventions=[SavedAdapter(adapter)], tasks=[TASK]))
    assert isinstance(record.outcome, TaskScores)
    assert isinstance(again.outcome, TaskScores)
    assert [i.log_likelihoods for i in again.outcome.items] == [
        i.log_likelihoods for i in record.outcome.items
    ]
    for name in ("fingerprint", "role", "seen", "protocol", "training", "looks_at"):
        assert told(again)[name] == told(record)[name]


def test_baselines_are_not_trained(few: Any) -> None:
    plan = cells(
        models=[MODEL, MODEL.untrained],
        solvers=[],
        datasets=[few],
        metrics=[Predictivity()],
        interventions=[NONE, ARM["narf-label"]],
    )
    pairs = {(cell.model.name, cell.intervention.name) for cell in plan}  # type: ignore[union-attr]
    assert pairs == {
        (MODEL.name, "none"),
        (MODEL.name, "narf-label"),
        (MODEL.untrained.name, "none"),  # type: ignore[union-attr]
    }


def test_what_cannot_be_trained_is_a_skip_with_its_reason(few: Any) -> None:
    without = cells(interventions=[ARM["narf-label"]], tasks=[TASK])
    (record,) = computed(without)
    assert "name a dataset" in record.outcome.reason  # type: ignore[union-attr]
    (record,) = computed(
        cells(datasets=[few], interventions=[replace(ARM["narf-label"], people="best9")], tasks=[TASK])
    )
    assert "cannot be trained: There are no best9 of 3 people" in record.outcome.reason  # type: ignore[union-attr]


def test_weights_are_those_of_the_model_again_after_a_run(few: Any) -> None:
    plan = cells(datasets=[few], interventions=[NONE, ARM["label-only"], NONE], tasks=[TASK])
    before, _, after = computed(plan)
    assert isinstance(before.outcome, TaskScores)
    assert isinstance(after.outcome, TaskScores)
    likelihoods = [[item.log_likelihoods for item in one.items] for one in (before.outcome, after.outcome)]
    np.testing.assert_array_equal(likelihoods[0], likelihoods[1])
