"""`brainbench tune` and `run --adapter` as people type them, with a small training that a plugin brings."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from brainbench.adapter import Adapter
from brainbench.adapter_files import load, save
from brainbench.adapter_intervention import saved
from brainbench.cli import main
from brainbench.cli.tune_notes import notes
from brainbench.nouns import ModelOptions
from brainbench.plugins import discover
from brainbench.plugins import load as load_plugins
from brainbench.progress import SilentReporter
from brainbench_leaderboard.store import Leaderboard
from brainbench_models.shipped import FOLDER

TINY, GUIDE = "brainbench/tiny", "simulated-deduction-guide"
FIT = ("fit", "--model", TINY, "--dataset", GUIDE, "--intervention")
PLUGIN = '''
"""A training that draws its weights; and others that go wrong."""
from dataclasses import dataclass
import numpy as np
import brainbench
from brainbench.adapter import Adaptable, Adapter
from brainbench.records import Skip

TRAINED = 0

@dataclass(frozen=True)
class Drawn:
    name: str = "drawn"
    version: int = 2
    role: str = "control"
    seed: int = 0

    def apply(self, model, dataset):
        raise AssertionError

    def tune(self, model, dataset, reporter, kept):
        if self.name == "breaks":
            raise MemoryError("no room")
        if self.name == "gives-nothing":
            return None
        if self.name == "skips":
            return Skip("there is nothing to learn.")
        global TRAINED
        TRAINED += 1
        rng = np.random.default_rng(self.seed)
        weights = {}
        for name in "qkvo":
            for layer in (1, 2):
                module = f"model.layers.{layer}.self_attn.{name}_proj"
                weights[module + ".lora_A.weight"] = rng.normal(size=(2, 128)) / 4
                weights[module + ".lora_B.weight"] = rng.normal(size=(128, 2)) / 4
        items = [stimulus.id for stimulus in dataset.stimuli(reporter)]
        facts = {
            "intervention": self.name, "version": self.version, "dataset": dataset.name,
            "dataset_version": dataset.version, "region": "reasoning", "fitted_on": items,
            "people": ["p1", "p2"], "training": {
                "epochs": 3, "best_epoch": 2, "seconds": 90.5, "trained": 4096, "loss": [0.7, 0.25],
                "validation": {"task": "deduction_3_validation", "items": 40, "before": 0.5, "after": 0.625}},
            "brain": {"cosine": [0.01, 0.25], "cosine_heldout": [0.01, 0.02]},
            "perplexity": {"before": 10.0, "after": 10.5, "tokens": 9, "unit": "token"}}
        return Adapter("lora", weights, 2, 4.0, ("labels",), facts)

@brainbench.hookimpl
def register_interventions(register):
    for name in ("drawn", "breaks", "gives-nothing", "skips"):
        register(Drawn(name))
'''


def typed(*arguments: object) -> Result:
    result = CliRunner().invoke(
        main, ["tune", *map(str, arguments)], prog_name="brainbench", env={"COLUMNS": "140"}
    )
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def said(result: Result, code: int = 0) -> str:
    assert result.exit_code == code, result.output
    if code:
        assert result.stderr.startswith("Error: ")
        assert result.stderr.count("\n") == 1
        assert not result.stdout
    return result.output


@pytest.fixture(scope="module", autouse=True)
def plugin(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A distribution with the plugin, found as any other is."""
    folder = tmp_path_factory.mktemp("installed")
    (folder / "brainbench_drawn.py").write_text(PLUGIN)
    about = folder / "drawn-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: drawn\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[brainbench]\ndrawn = brainbench_drawn\n")
    with pytest.MonkeyPatch.context() as patched:
        patched.syspath_prepend(folder)
        patched.setenv("BRAINBENCH_CACHE", str(folder / "cache"))
        yield


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """An adapter and what training it printed."""
    folder = tmp_path_factory.mktemp("tune") / "kept"
    return folder, said(typed(*FIT, "drawn", "--out", folder))


def test_training_keeps_an_adapter_and_says_what_it_is_and_what_to_do_with_it(
    trained: tuple[Path, str],
) -> None:
    folder, words = trained
    adapter = load(folder)
    assert adapter.fingerprint in words
    for part in (
        "model.layers.1-2.self_attn.{k,o,q,v}_proj      8   ",
        "LoRA, rank 2, alpha 4: 4,096 numbers beside",
        "has seen      labels",
        "drawn v2, seed 0",
        "simulated-deduction-guide v1 (SIMULATED), region reasoning: 70 items, 2 people",
        "brainbench/tiny, revision sha256:",
        "3 epochs, kept from epoch 2; 90.5 s; loss 0.7 before, 0.25 after",
        "deduction_3_validation, 40 items: accuracy 0.5 before, 0.625 after",
        "0.01 before, 0.25 after; of other items: 0.01 before, 0.02 after",
        "10 before, 10.5 after on neutral text",
        "a control",
    ):
        assert part in words
    assert "not known" not in words
    assert f"brainbench run --model {TINY} --task deduction_3 --adapter {folder}" in words
    facts = adapter.facts
    assert (facts["role"], facts["seed"], facts["simulated"]) == ("control", 0, True)
    assert (facts["model"]["name"], facts["data"]["name"]) == (TINY, GUIDE)
    assert json.loads((folder / "adapter_config.json").read_text())["base_model_name_or_path"] == TINY


def test_a_training_is_not_repeated_and_another_seed_is_another(
    trained: tuple[Path, str], tmp_path: Path
) -> None:
    """What a run asks then is the same training: the plugin counts."""
    module = sys.modules["brainbench_drawn"]
    count = module.TRAINED
    said(typed(*FIT, "drawn", "--out", tmp_path / "a"))
    assert load(tmp_path / "a").fingerprint == load(trained[0]).fingerprint
    task = ("--task", "deduction_propositional", "--limit", 1, "--db", tmp_path / "b", "--metric", "none")
    assert run("--dataset", GUIDE, *task, "--intervention", "drawn").exit_code == 0
    assert count == module.TRAINED
    said(typed(*FIT, "drawn", "--out", tmp_path / "c", "--training-seed", 8))
    other = load(tmp_path / "c")
    assert (module.TRAINED, other.facts["seed"]) == (count + 1, 8)
    assert other.fingerprint != load(trained[0]).fingerprint


def test_what_another_training_left_and_what_nobody_signed_is_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the cache lies a copy of another seed's, then one that lost brainbench.json."""
    monkeypatch.setenv("BRAINBENCH_CACHE", str(tmp_path / "cache"))

    def fitted(seed: int) -> str:
        said(typed(*FIT, "drawn", "--out", tmp_path / "kept", "--force", "--training-seed", seed))
        return load(tmp_path / "kept").fingerprint

    first = fitted(0)
    (own,) = (tmp_path / "cache" / "trainings").glob("*/adapter")
    second = fitted(1)
    (other,) = set((tmp_path / "cache" / "trainings").glob("*/adapter")) - {own}
    shutil.rmtree(own)
    shutil.copytree(other, own)
    assert fitted(0) == first != second
    (own / "brainbench.json").unlink()
    assert fitted(0) == first
    count = sys.modules["brainbench_drawn"].TRAINED
    assert fitted(0) == first
    assert count == sys.modules["brainbench_drawn"].TRAINED


def test_show_as_json_holds_all_but_the_weights(trained: tuple[Path, str]) -> None:
    told = json.loads(said(typed("show", trained[0] / "adapter_config.json", "--json")))
    adapter = load(trained[0])
    assert told["fingerprint"] == adapter.fingerprint
    assert told["facts"] == adapter.form()["facts"]
    (group,) = told["modules"]
    pairs = [
        [adapter.weights[f"{module}.lora_{end}.weight"].astype(float) for end in "BA"]
        for module in adapter.modules
    ]
    assert group["norm"] == pytest.approx(np.mean([np.linalg.norm(4 / 2 * up @ down) for up, down in pairs]))


def test_what_nobody_has_noted_is_said_to_be_unknown(tmp_path: Path) -> None:
    weights = {"h.0.q.lora_A.weight": np.ones((1, 2)), "h.0.q.lora_B.weight": np.ones((2, 1))}
    for facts in (
        {"imported": "peft"},
        {"training": {"loss": [1, "\x1b[2J"], "epochs": 10**400}, "model": 3, "brain": [1], "seed": "x"},
    ):
        save(Adapter("lora", weights, 1, 1.0, (), facts), tmp_path)
        words = " ".join(said(typed("show", tmp_path)).split())
        assert "who trained it, on what data, which items it has seen" in words
        assert "nothing that is known of" in words
        assert "\x1b[2J" not in words
    save(Adapter("full", {"h.0.q.weight": np.ones((3, 2))}), tmp_path)
    assert "full: 6 numbers in the place of" in said(typed("show", tmp_path))


@pytest.mark.parametrize("out", ["file/kept", "closed/kept", "closed", "full", "file"])
def test_a_folder_that_cannot_be_written_is_refused_before_the_training(
    out: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("closed", "full"):
        (tmp_path / name).mkdir()
    (tmp_path / "file").write_text("mine")
    (tmp_path / "full" / "brainbench.json").write_text("mine")
    (tmp_path / "full" / "config.json").write_text("mine")
    may = os.access  # asked: whoever runs the tests may be allowed everything

    def closed(at: Any, mode: int) -> bool:
        return may(at, mode) and not (Path(at).name == "closed" and mode & os.W_OK)

    monkeypatch.setattr(os, "access", closed)
    fit = ("fit", "--model", "no/such", *FIT[3:], "drawn", "--out", tmp_path / out)
    merge = ("merge", tmp_path / "nowhere", "--model", "no/such", "--out", tmp_path / out)
    for command in (fit, merge):
        words = said(typed(*command), 2)
        assert ("nothing can be written in", "is a file", "--force")[
            ("closed" not in out and "/" not in out) + (out == "full")
        ] in words
        assert ("a model" if command is merge else "an adapter") in words or "nothing" in words


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ((*FIT, "none"), 2, "trains no model"),
        ((*FIT, "nari"), 2, "trains no model"),
        ((*FIT, "drawm"), 2, "Did you mean 'drawn'?"),
        ((*FIT, "breaks"), 1, "breaks failed while it trained: MemoryError: no room."),
        ((*FIT, "gives-nothing"), 1, "gave NoneType, not an Adapter"),
        ((*FIT, "skips"), 1, f"skips cannot train on {GUIDE}: there is nothing to learn."),
        (("fit", "--model", TINY, "--dataset", "nowhere", "--intervention", "drawn"), 2, "no dataset"),
        (("fit", "--model", "a b", "--dataset", GUIDE, "--intervention", "drawn"), 2, "no model"),
        (
            ("fit", "--model", "baseline:noise", "--dataset", GUIDE, "--intervention", "drawn"),
            1,
            "no model that could be fine-tuned",
        ),
    ],
)
def test_what_cannot_be_trained_is_one_sentence_and_leaves_nothing(
    arguments: tuple[str, ...], code: int, words: str, tmp_path: Path
) -> None:
    assert words in said(typed(*arguments, "--out", tmp_path / "kept"), code)
    assert not (tmp_path / "kept").exists()


def run(*arguments: object) -> Result:
    result = CliRunner().invoke(main, ["run", "--model", TINY, *map(str, arguments)])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def test_a_run_asks_the_model_with_the_adapter_and_without(trained: tuple[Path, str], tmp_path: Path) -> None:
    copy = shutil.copytree(trained[0], tmp_path / "copy")
    task = ("--task", "deduction_propositional", "--limit", 3, "--db", tmp_path / "b")
    assert run(*task, "--adapter", trained[0]).exit_code == 0
    again = run(*task, "--adapter", copy, "--intervention", f"adapter:{copy}", "--intervention", "none")
    assert "2 were there" in again.output, again.output
    with Leaderboard.reading(tmp_path / "b") as store:
        rows = {row["intervention"]: row["fingerprint"] for row in store.task_standings()}
        odds = {name: [item.log_likelihoods for item in store.task_items(of)] for name, of in rows.items()}
    name = f"adapter:drawn@{load(trained[0]).fingerprint[:8]}"
    assert set(odds) == {"none", name}
    assert odds[name] != odds["none"]


def test_what_is_no_adapter_is_refused_wherever_one_is_read(tmp_path: Path) -> None:
    (tmp_path / "adapter_model.bin").write_bytes(b"x")
    (tmp_path / "adapter_config.json").write_text('{"peft_type": "LORA", "r": 1, "lora_alpha": 1}')
    for path in (tmp_path, tmp_path / "nowhere", tmp_path / "adapter_model.bin"):
        asked = run("--task", "deduction_3_tiny", "--adapter", path, "--db", tmp_path / "b")
        assert asked.exit_code == 1
        merged = typed("merge", path, "--model", TINY, "--out", tmp_path / "new")
        assert {said(typed("show", path), 1), said(merged, 1)} == {asked.output}
    assert not (tmp_path / "new").exists()


@pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing. is deprecated:FutureWarning")
def test_a_merged_model_answers_as_the_adapted_one(trained: tuple[Path, str], tmp_path: Path) -> None:
    """Beside the open model with the adapter in it, and beside what peft makes of the same folder."""
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    out = tmp_path / "merged"
    words = said(typed("merge", trained[0], "--model", TINY, "--out", out))
    assert f"brainbench run --model {out}" in words.replace("\n", " ")
    plain, merged = (AutoModelForCausalLM.from_pretrained(at, dtype="float32") for at in (FOLDER, out))
    tokens = torch.arange(5, 45)[None]
    with torch.inference_mode():
        before = plain(tokens).logits
        theirs = PeftModel.from_pretrained(plain, trained[0])(tokens).logits
        torch.testing.assert_close(merged(tokens).logits, theirs, atol=1e-3, rtol=0)
    assert (theirs - before).abs().max() > 0.1
    reporter, catalog = SilentReporter(), load_plugins(discover())
    stimuli = catalog.datasets.get(GUIDE).stimuli(reporter)[:3]
    with catalog.find_model(str(out)).open(ModelOptions(head=True), reporter) as opened:
        found = opened.log_odds(stimuli, ("True", "False"), reporter)  # type: ignore[union-attr]
    with catalog.find_model(TINY).open(ModelOptions(head=True), reporter) as opened:
        with saved(f"adapter:{trained[0]}").apply(opened, None) as tuned:  # type: ignore[arg-type]
            ours = tuned.log_odds(stimuli, ("True", "False"), reporter)  # type: ignore[attr-defined]
        untouched = opened.log_odds(stimuli, ("True", "False"), reporter)  # type: ignore[union-attr]
    np.testing.assert_allclose(found, ours, atol=1e-3)
    assert np.abs(untouched - ours).max() > 0.1


def test_merging_loses_nothing_of_others(trained: tuple[Path, str], tmp_path: Path) -> None:
    merge = ("merge", trained[0], "--model", TINY, "--out")
    said(typed(*merge, tmp_path / "merged"))
    before = {path.name: path.read_bytes() for path in (tmp_path / "merged").iterdir()}
    assert "--force" in said(typed(*merge, tmp_path / "merged"), 2)
    (tmp_path / "merged" / "stale.safetensors").write_text("of an older model")
    said(typed(*merge, tmp_path / "merged", "--force"))
    assert {path.name: path.read_bytes() for path in (tmp_path / "merged").iterdir()} == before
    own = ("merge", trained[0], "--model", tmp_path / "merged", "--out", tmp_path / "merged", "--force")
    assert "is the model that was trained" in said(typed(*own), 2)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("mine")
    assert "other things" in said(typed(*merge, tmp_path / "mine", "--force"), 2)
    wrong = {
        "model.layers.9.q.lora_A.weight": np.ones((1, 2)),
        "model.layers.9.q.lora_B.weight": np.ones((2, 1)),
    }
    save(Adapter("lora", wrong, 1), tmp_path / "wrong")
    said(typed("merge", tmp_path / "wrong", "--model", TINY, "--out", tmp_path / "none"), 1)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["merged", "mine", "wrong"]


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"training": {"best_epoch": 0}}, "nothing: no epoch was better than the model as it was"),
        ({}, "nothing"),
    ],
)
def test_an_adapter_that_changes_nothing_says_so(facts: dict[str, Any], words: str) -> None:
    pair = {"a.lora_A.weight": np.ones((2, 3)), "a.lora_B.weight": np.zeros((4, 2))}
    idle = Adapter("lora", pair, 2, 4.0, facts=facts)
    assert idle.idle
    assert dict(notes(idle))["changes"] == words
    acting = Adapter("lora", {**pair, "a.lora_B.weight": np.ones((4, 2))}, 2, 4.0)
    assert not acting.idle
    assert "changes" not in dict(notes(acting))
