"""What is said when a model cannot be opened, and that nothing else is said."""

from __future__ import annotations

import json
import logging
import shutil
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from brainbench.errors import ModelError
from brainbench.nouns import ModelOptions
from brainbench.progress import SilentReporter
from brainbench.stimuli import Stimulus
from brainbench_models.huggingface import HuggingFaceModel, HuggingFaceSource, UntrainedSource

CPU = ModelOptions(device="cpu")


def find(spec: Path | str) -> HuggingFaceModel:
    found = UntrainedSource().find(str(spec)) or HuggingFaceSource().find(str(spec))
    assert found is not None
    return found


def refusal(spec: Path | str, options: ModelOptions = CPU) -> ModelError:
    with pytest.raises(ModelError) as caught, find(spec).open(options, SilentReporter()):
        pass
    assert caught.value.hint
    assert caught.value.message.endswith(".")
    assert "\n" not in caught.value.message
    return caught.value


@pytest.mark.parametrize("device", ["abacus", "cuda:99", "meta", "fpga"])
def test_an_unknown_device_is_refused(llama: Path, device: str) -> None:
    assert f"device {device!r}" in refusal(llama, replace(CPU, device=device)).message


def test_no_batch_is_smaller_than_one(llama: Path) -> None:
    assert "batch size 0" in refusal(llama, replace(CPU, batch_size=0)).message


def test_no_stimuli_is_an_error(llama: Path) -> None:
    with find(llama).open(CPU, SilentReporter()) as opened, pytest.raises(ModelError, match="no stimuli"):
        opened.features([], SilentReporter())


def test_what_is_wrong_with_a_folder_is_said(llama: Path, tmp_path: Path) -> None:
    assert "does not exist" in refusal(tmp_path / "nothing").message
    with pytest.raises(ModelError, match="does not exist"):
        find(tmp_path / "nothing").identity(CPU)
    assert "no config.json" in refusal(tmp_path).message
    assert "no config.json" in refusal(f"untrained:{tmp_path}").message

    def broken(name: str, change: Callable[[Path], Any]) -> str:
        folder = tmp_path / name
        shutil.copytree(llama, folder)
        change(folder)
        return refusal(folder).message

    def configured(**changes: Any) -> Callable[[Path], Any]:
        def change(folder: Path) -> None:
            config = json.loads((folder / "config.json").read_text())
            (folder / "config.json").write_text(json.dumps(config | changes))

        return change

    def pickled(folder: Path) -> None:
        (folder / "model.safetensors").rename(folder / "pytorch_model.bin")

    def headless(folder: Path) -> None:
        (folder / "tokenizer.json").unlink()
        (folder / "tokenizer_config.json").unlink()

    assert "only as pickles" in broken("pickle", pickled)
    assert "no *.safetensors" in broken("empty", lambda folder: (folder / "model.safetensors").unlink())
    assert "not known to the installed transformers" in broken("alien", configured(model_type="alien"))
    assert "lacks 9" in broken("deeper", configured(num_hidden_layers=4))
    assert "tokenizer" in broken("mute", headless)
    code = configured(model_type="own", auto_map={"AutoConfig": "own.Config", "AutoModel": "own.Model"})
    assert "its own Python code" in broken("code", code)
    cut = broken("cut", lambda folder: (folder / "model.safetensors").write_bytes(b"{}"))
    assert "incomplete or damaged" in cut
    whole = (llama / "model.safetensors").read_bytes()
    half = broken("half", lambda folder: (folder / "model.safetensors").write_bytes(whole[: len(whole) // 2]))
    assert "incomplete or damaged" in half
    assert "do not fit its config.json" in broken("wider", configured(intermediate_size=999))
    assert "is a file" in refusal(llama / "config.json").message


def test_code_of_another_repository_is_refused_even_when_trusted(llama: Path, tmp_path: Path) -> None:
    folder = tmp_path / "foreign"
    shutil.copytree(llama, folder)
    config = json.loads((folder / "config.json").read_text())
    config["auto_map"] = {"AutoConfig": "someone/else--own.Config"}
    (folder / "config.json").write_text(json.dumps(config))
    assert "another repository" in refusal(folder, replace(CPU, trust_remote_code=True)).message


def test_the_terminal_stays_clean_and_is_given_back(
    make_model: Callable[..., Path], problems: tuple[Stimulus, ...], capfd: pytest.CaptureFixture[str]
) -> None:
    from huggingface_hub.utils import are_progress_bars_disabled
    from transformers.utils import logging as theirs

    folder = make_model("bert")
    before = (theirs.get_verbosity(), theirs.is_progress_bar_enabled(), are_progress_bars_disabled())
    theirs.set_verbosity(logging.INFO)
    capfd.readouterr()
    try:
        with (
            find(folder).open(CPU, SilentReporter()) as opened,
            warnings.catch_warnings(record=True) as caught,
        ):
            opened.features(problems, SilentReporter())
        assert theirs.get_verbosity() == logging.INFO
        refusal(folder.parent)
        assert theirs.get_verbosity() == logging.INFO
    finally:
        theirs.set_verbosity(before[0])
    assert not caught
    assert capfd.readouterr() == ("", "")
    after = (theirs.get_verbosity(), theirs.is_progress_bar_enabled(), are_progress_bars_disabled())
    assert after == before
