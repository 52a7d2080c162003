"""Names, identities, untrained twins and what an open model says of itself."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import weakref
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from brainbench.errors import ModelError
from brainbench.nouns import Model, ModelOptions, ModelSource, OpenModel
from brainbench.progress import SilentReporter
from brainbench.stimuli import Stimulus
from brainbench_models import huggingface
from brainbench_models.checkpoints import FolderCheckpoint, HubCheckpoint
from brainbench_models.huggingface import HuggingFaceModel, HuggingFaceSource, UntrainedSource
from brainbench_models.opened import OpenHuggingFaceModel

CPU = ModelOptions(device="cpu")


def find(spec: Path | str) -> HuggingFaceModel:
    found = (UntrainedSource().find(str(spec))) or HuggingFaceSource().find(str(spec))
    assert found is not None
    return found


def test_importing_the_plugin_imports_nothing_heavy() -> None:
    heavy = "{'torch', 'transformers', 'huggingface_hub', 'sklearn', 'scipy', 'pooch', 'nilearn'}"
    code = f"import sys, brainbench_models.huggingface; print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_both_sources_are_registered_and_fit_the_interface(llama: Path) -> None:
    offered: list[Model | ModelSource] = []
    huggingface.register_models(offered.append)
    assert [thing.name for thing in offered] == ["huggingface", "untrained"]
    assert all(isinstance(source, ModelSource) for source in offered)
    assert isinstance(find(llama), Model)
    with find(llama).open(CPU, SilentReporter()) as opened:
        assert isinstance(opened, OpenModel)


@pytest.mark.parametrize(
    ("spec", "repo", "revision", "name"),
    [
        ("org/name", "org/name", "main", "org/name"),
        (
            "Qwen/Qwen2-1.5B-Instruct@v1.0",
            "Qwen/Qwen2-1.5B-Instruct",
            "v1.0",
            "Qwen/Qwen2-1.5B-Instruct@v1.0",
        ),
        ("o/n@refs/pr/3", "o/n", "refs/pr/3", "o/n@refs/pr/3"),
    ],
)
def test_hub_names(spec: str, repo: str, revision: str, name: str) -> None:
    found = find(spec)
    assert found == HuggingFaceModel(HubCheckpoint(repo, revision))
    assert found.name == name
    twin = find(f"untrained:{spec}")
    assert twin.name == f"untrained:{name}"
    assert not twin.trained


@pytest.mark.parametrize(
    "spec",
    ["", "gpt2", "a/b/c", "org/name@", "org/name@../x", "org /name", "word-rate:x", "untrained:org/name"],
)
def test_other_names_are_left_to_other_sources(spec: str) -> None:
    assert HuggingFaceSource().find(spec) is None


@pytest.mark.parametrize("spec", ["org/name", "untrained:", "untrained:gpt2", "random:org/name"])
def test_names_of_no_untrained_twin(spec: str) -> None:
    assert UntrainedSource().find(spec) is None


def test_folders_are_called_by_their_own_name(llama: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(llama.parent)
    for spec in (str(llama), f"./{llama.name}", llama.name, f"../{llama.parent.name}/{llama.name}/"):
        assert find(spec).name == "tiny-llama"
    monkeypatch.chdir(llama)
    assert find(".").name == "tiny-llama"
    assert find("~/nowhere").name == "nowhere"
    assert isinstance(find("./missing").checkpoint, FolderCheckpoint)


def test_a_folders_identity_follows_its_bytes_not_its_path(llama: Path, tmp_path: Path) -> None:
    copy = tmp_path / "elsewhere" / llama.name
    shutil.copytree(llama, copy)
    first, second = find(llama).identity(CPU), find(copy).identity(CPU)
    assert first == second
    assert first.resolved
    assert first.facts["name"] == "tiny-llama"
    assert first.facts["revision"].startswith("sha256:")
    assert json.loads(json.dumps(dict(first.facts))) == dict(first.facts)
    (copy / "README.md").write_text("notes")
    (copy / "generation_config.json").write_text("{}")
    (copy / "model.py").write_text("pass")
    assert find(copy).identity(CPU) == first
    assert (
        find(copy).identity(replace(CPU, trust_remote_code=True)).facts["revision"] != first.facts["revision"]
    )
    assert find(copy).identity(replace(CPU, trust_remote_code=True)).facts["trust_remote_code"] is True
    for name in ("model.safetensors", "config.json", "tokenizer.json"):
        file = copy / name
        old = file.read_bytes()
        file.write_bytes(old.replace(b"1", b"2", 1) if name != "model.safetensors" else old[:-1] + b"\x7f")
        assert find(copy).identity(CPU).facts["revision"] != first.facts["revision"], name
        file.write_bytes(old)
    assert find(copy).identity(CPU) == first


def test_files_in_subfolders_that_change_features_belong_to_the_identity(llama: Path, tmp_path: Path) -> None:
    copy = tmp_path / llama.name
    shutil.copytree(llama, copy)
    plain = find(copy).identity(CPU)
    (copy / "additional_chat_templates").mkdir()
    (copy / "additional_chat_templates" / "default.jinja").write_text("{{ messages[-1].content }}")
    templated = find(copy).identity(CPU)
    assert templated != plain
    (copy / "shards").mkdir()
    (copy / "model.safetensors").rename(copy / "shards" / "one.safetensors")
    index = {"metadata": {}, "weight_map": {"model.norm.weight": "shards/one.safetensors"}}
    (copy / "model.safetensors.index.json").write_text(json.dumps(index))
    sharded = find(copy).identity(CPU)
    weights = (copy / "shards" / "one.safetensors").read_bytes()
    (copy / "shards" / "one.safetensors").write_bytes(weights[:-1] + b"\x7f")
    assert find(copy).identity(CPU) != sharded


def test_options_that_change_no_feature_are_no_part_of_the_identity(llama: Path) -> None:
    same = (replace(CPU, device="cuda"), replace(CPU, batch_size=3), replace(CPU, seed=4))
    other = (replace(CPU, dtype="bfloat16"), replace(CPU, pooling="mean"))
    plain = find(llama).identity(CPU)
    assert all(find(llama).identity(options) == plain for options in same)
    assert all(find(llama).identity(options) != plain for options in other)


def test_weights_are_hashed_once(llama: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    copy = tmp_path / llama.name
    shutil.copytree(llama, copy)
    first = find(copy).identity(CPU)
    stat = (copy / "model.safetensors").stat()
    (copy / "model.safetensors").write_bytes(b"x" * stat.st_size)
    os.utime(copy / "model.safetensors", ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert find(copy).identity(CPU) == first  # by size and time, not read again
    os.utime(copy / "model.safetensors", ns=(stat.st_atime_ns, stat.st_mtime_ns + 1_000_000))
    assert find(copy).identity(CPU) != first


def test_an_untrained_twin_has_the_shapes_and_a_seed(llama: Path, problems: tuple[Stimulus, ...]) -> None:
    def features(spec: str, **options: Any) -> Any:
        with find(spec).open(replace(CPU, **options), SilentReporter()) as opened:
            return opened.features(problems, SilentReporter()).layers

    trained, twin = features(str(llama)), features(f"untrained:{llama}", seed=1)
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    again, other = features(f"untrained:{llama}", seed=1), features(f"untrained:{llama}", seed=2)
    np.testing.assert_array_equal(torch.rand(3), expected)  # the caller's random numbers go on as they were
    rounded = features(f"untrained:{llama}", seed=1, dtype="bfloat16")
    for name, array in twin.items():
        assert array.shape == trained[name].shape
        np.testing.assert_array_equal(array, again[name])
        assert np.abs(array - other[name]).max() > 0.1 * np.abs(array).max()
        assert np.abs(array - trained[name]).max() > 0.1 * np.abs(array).max()
        assert np.abs(array - rounded[name]).max() < 0.1 * np.abs(array).max()


def test_an_untrained_twins_identity_holds_seed_but_not_weights(llama: Path, tmp_path: Path) -> None:
    bare = tmp_path / llama.name
    shutil.copytree(llama, bare)
    (bare / "model.safetensors").unlink()
    twin = find(f"untrained:{llama}").identity(CPU)
    assert find(f"untrained:{bare}").identity(CPU) == twin
    assert twin.facts["kind"] == "untrained"
    assert twin.facts["weights"] == "random"
    assert twin.facts["seed"] == 0
    assert find(f"untrained:{llama}").identity(replace(CPU, seed=7)) != twin
    (bare / "config.json").write_text((bare / "config.json").read_text() + " ")
    assert find(f"untrained:{bare}").identity(CPU) != twin


def test_facts_say_what_was_used(make_model: Callable[..., Path], chat_template: str) -> None:
    with find(make_model("gpt2", chat=chat_template)).open(
        replace(CPU, device="auto"), SilentReporter()
    ) as opened:
        facts = opened.facts()
        json.dumps(dict(facts))
        assert isinstance(opened, OpenHuggingFaceModel)
        assert facts["parameters"] == sum(w.numel() for w in opened.network.parameters())
    wanted = {"architecture": "GPT2Model", "prompt": "chat", "context": 128, "layers": 3, "width": 16}
    assert wanted.items() <= facts.items()
    assert {"device", "dtype", "batch_size", "transformers", "torch"} <= set(facts)


def test_leaving_frees_the_network_also_after_an_exception(llama: Path) -> None:
    def fail() -> tuple[Any, weakref.ref[Any]]:
        with find(llama).open(CPU, SilentReporter()) as opened:
            assert isinstance(opened, OpenHuggingFaceModel)
            remembered = weakref.ref(opened.network)
            try:
                raise KeyError("in the middle")
            finally:
                kept.append(opened)
                refs.append(remembered)

    kept: list[OpenHuggingFaceModel] = []
    refs: list[weakref.ref[Any]] = []
    with pytest.raises(KeyError):
        fail()
    assert refs[0]() is None
    with pytest.raises(ModelError, match="was closed"):
        kept[0].facts()
