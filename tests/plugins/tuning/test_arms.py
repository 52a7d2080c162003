"""Every arm on the model that ships with brainbench: what it lowers, what it leaves alone, what it says."""

from __future__ import annotations

import hashlib
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from brainbench.adapter import Adapter
from brainbench.checkpoints import Checkpoint
from brainbench.nouns import ModelOptions
from brainbench.progress import SilentReporter
from brainbench.records import Skip
from brainbench_interventions.tuning import SHARED, Tuning, arms
from brainbench_models.embedded import EmbeddedModel
from brainbench_models.shipped import ShippedCheckpoint

SILENT = SilentReporter()
ARMS = {arm.name: arm for arm in arms()}


@pytest.fixture(scope="module")
def opened() -> Iterator[Any]:
    with EmbeddedModel(ShippedCheckpoint()).open(ModelOptions(head=True), SILENT) as model:
        yield model


def quick(name: str, **settings: Any) -> Tuning:
    shared = {"epochs": 3, "rate": 1e-3, "early_stop": False}
    return replace(ARMS[name], **{**shared, **settings})


def hashes(model: Any) -> dict[str, str]:
    causal = model._causal
    return {n: hashlib.sha256(p.detach().numpy().tobytes()).hexdigest() for n, p in causal.named_parameters()}


@pytest.mark.parametrize("name", ARMS)
def test_each_arm_lowers_its_own_loss_and_leaves_the_network_as_it_was(
    opened: Any, few: Any, name: str
) -> None:
    before = hashes(opened)
    found = quick(name).tune(opened, few, SILENT)
    assert isinstance(found, Adapter)
    assert hashes(opened) == before
    first, last = found.facts["training"]["loss"]
    assert last < first
    assert all(array.any() for array in found.weights.values())
    layers = {int(module.split(".")[2]) for module in found.modules}
    assert layers == {1, 2}  # the middle half of four
    assert found.facts["training"]["wrong_before"] == 6


def test_full_weights_of_attention_are_trained_and_put_back(opened: Any, few: Any) -> None:
    before = hashes(opened)
    found = quick("narf-label", kind="full", rate=1e-4).tune(opened, few, SILENT)
    assert isinstance(found, Adapter)
    assert hashes(opened) == before
    assert found.kind == "full"
    assert found.facts["training"]["loss"][1] < found.facts["training"]["loss"][0]
    with opened.adapted(found):
        during = hashes(opened)
    changed = {name for name in before if during[name] != before[name]}
    assert changed == set(found.weights)
    assert all("self_attn" in name for name in changed)


def test_arms_start_alike_and_differ_in_the_loss_alone(opened: Any, few: Any) -> None:
    """Labels alone, and labels with a brain that weighs nothing, leave the same weights."""
    plain = quick("label-only").tune(opened, few, SILENT)
    nothing = quick("narf-label", weight=0.0).tune(opened, few, SILENT)
    some = quick("narf-label").tune(opened, few, SILENT)
    assert isinstance(plain, Adapter)
    assert isinstance(nothing, Adapter)
    assert isinstance(some, Adapter)
    for name, weights in plain.weights.items():
        np.testing.assert_array_equal(nothing.weights[name], weights)
    assert any((some.weights[name] != weights).any() for name, weights in plain.weights.items())
    assert plain.facts["settings"] == some.facts["settings"]


def test_trainings_of_another_seed_start_elsewhere(opened: Any, few: Any) -> None:
    found = [quick("label-only", seed=seed).tune(opened, few, SILENT) for seed in (0, 0, 1)]
    assert all(isinstance(adapter, Adapter) for adapter in found)
    first, again, other = found
    assert isinstance(first, Adapter)
    assert isinstance(again, Adapter)
    assert isinstance(other, Adapter)
    assert first.fingerprint == again.fingerprint
    for name, weights in first.weights.items():
        assert np.abs(other.weights[name] - weights).max() > 1e-4


def test_what_training_has_seen_is_told(opened: Any, few: Any) -> None:
    told = {
        name: quick(name, epochs=1).tune(opened, few, SILENT)
        for name in ("narf-label", "label-only", "narf-label-one-hot", "narf-label-random-fmri")
    }
    sights = {name: adapter.looks_at for name, adapter in told.items()}  # type: ignore[union-attr]
    assert sights == {
        "narf-label": ("responses", "behaviour", "labels"),
        "label-only": ("labels",),
        "narf-label-one-hot": ("labels",),
        "narf-label-random-fmri": ("behaviour", "labels"),
    }
    facts = told["narf-label"].facts  # type: ignore[union-attr]
    assert len(facts["fitted_on"]) == 14
    assert (facts["dataset"], facts["role"], len(facts["people"])) == ("few-problems", "brain", 3)
    assert set(facts["settings"]) == set(SHARED)
    before, after = facts["brain"]["cosine"]
    assert -1 < before < after < 1


def test_people_are_chosen_by_what_they_got_right(opened: Any, few: Any) -> None:
    right = few.behaviour(None).correct
    assert right is not None
    order = np.argsort(-right.mean(axis=1), kind="stable")
    names = few.behaviour(None).participants
    best = quick("narf-label", people="best1", epochs=1).tune(opened, few, SILENT)
    worst = quick("narf-label", people="worst1", epochs=1).tune(opened, few, SILENT)
    one = quick("narf-label", people=names[1], epochs=1).tune(opened, few, SILENT)
    assert isinstance(best, Adapter)
    assert isinstance(worst, Adapter)
    assert isinstance(one, Adapter)
    assert best.facts["people"] == [names[order[0]]]
    assert right[names.index(worst.facts["people"][0])].mean() == right.mean(axis=1).min()
    assert one.facts["people"] == [names[1]]


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"people": "best9"}, "There are no best9 of 3 people whose answers are known."),
        ({"people": "nobody"}, "There is nobody called 'nobody'."),
        ({"types": ("riddle",)}, "has no items of the type 'riddle'"),
        ({"types": ("transitive",)}, "no item that the model gets wrong"),
        ({"region": "nowhere"}, "has no region or type of problem 'nowhere'"),
        ({"region": "reasoning"}, "is the first region"),
        ({"extra": 4}, "offers no more problems than its own"),
    ],
)
def test_what_cannot_be_trained_is_skipped_with_its_reason(
    opened: Any, few: Any, settings: Any, reason: str
) -> None:
    found = quick("narf-label", epochs=1, **settings).tune(opened, few, SILENT)
    assert isinstance(found, Skip)
    assert reason in found.reason


def test_a_start_from_narf_is_another_start(opened: Any, few: Any) -> None:
    plain = quick("label-only", epochs=1).tune(opened, few, SILENT)
    after = quick("label-only", epochs=1, start="narf").tune(opened, few, SILENT)
    narf = quick("narf", epochs=1).tune(opened, few, SILENT)
    assert isinstance(plain, Adapter)
    assert isinstance(after, Adapter)
    assert isinstance(narf, Adapter)

    def apart(one: Adapter, other: Adapter) -> float:
        return max(float(np.abs(one.weights[name] - other.weights[name]).max()) for name in one.weights)

    assert after.looks_at == narf.looks_at == ("responses", "behaviour", "labels")
    own = {"weight": 0.0, "people": "best1", "similarity": "mse"}  # of its loss, and not of its start
    same = quick("narf-label", epochs=1, start="narf", **own).tune(opened, few, SILENT)
    assert isinstance(same, Adapter)
    assert apart(same, after) == 0
    assert apart(after, narf) <= 1.01e-3  # one step of AdamW moves a weight by the rate
    assert apart(after, plain) > 1e-4


TRAIN = """
import importlib.util, pathlib, sys
spec = importlib.util.spec_from_file_location("few", sys.argv[1])
made = importlib.util.module_from_spec(spec)
sys.modules["few"] = made
spec.loader.exec_module(made)
from dataclasses import replace
from brainbench.checkpoints import Checkpoint
from brainbench.nouns import ModelOptions
from brainbench.progress import SilentReporter
from brainbench_interventions.tuning import arms
from brainbench_models.embedded import EmbeddedModel
from brainbench_models.shipped import ShippedCheckpoint
arm = next(arm for arm in arms() if arm.name == "narf-label")
arm = replace(arm, epochs=400, rate=1e-3, early_stop=False, accumulate=5)
with EmbeddedModel(ShippedCheckpoint()).open(ModelOptions(head=True), SilentReporter()) as model:
    arm.tune(model, made.FewProblems(), SilentReporter(), Checkpoint(pathlib.Path(sys.argv[2])))
"""


def test_a_killed_training_goes_on_to_the_weights_of_an_undisturbed_one(
    opened: Any, few: Any, tmp_path: Path
) -> None:
    kept = Checkpoint(tmp_path / "kept")
    conftest = Path(__file__).with_name("conftest.py")
    command = [sys.executable, "-c", TRAIN, str(conftest), str(kept.folder)]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as process:
        until = time.monotonic() + 120
        while (found := kept.load()) is None or found[1]["epoch"] < 2:
            assert process.poll() is None, process.communicate()[1].decode()
            assert time.monotonic() < until
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
    stopped = kept.load()
    assert stopped is not None
    epochs = stopped[1]["epoch"] + 2
    settings = {"epochs": epochs, "accumulate": 5}
    resumed = quick("narf-label", **settings).tune(opened, few, SILENT, kept)
    undisturbed = quick("narf-label", **settings).tune(opened, few, SILENT)
    assert isinstance(resumed, Adapter)
    assert isinstance(undisturbed, Adapter)
    assert resumed.facts["training"]["epochs"] == epochs
    for name, weights in undisturbed.weights.items():
        np.testing.assert_array_equal(resumed.weights[name], weights)
