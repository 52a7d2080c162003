"""The model that comes with brainbench: named by its name, whole or refused, and never looked for outside."""

from __future__ import annotations

import os
import shutil
import socket
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest

from brainbench.catalog import Catalog
from brainbench.errors import ModelError, UsageError
from brainbench.nouns import ModelOptions, OpenModel
from brainbench.plugins import discover, load
from brainbench.progress import SilentReporter
from brainbench.stimuli import Message, Stimulus
from brainbench.testing import check_model

NAME = "brainbench/tiny"
CPU = ModelOptions(device="cpu")
STIMULI = tuple(
    Stimulus(text, (Message("user", text),), text, text) for text in ("Ann is taller", "so is Bob", "?")
)


@pytest.fixture
def catalog(shipped: Path) -> Catalog:
    return load(discover())


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any attempt to look up a name or to connect is a failure, whatever catches it."""

    def refuse(*where: Any, **_: Any) -> NoReturn:
        pytest.fail(f"the network was tried: {where}")

    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket.socket, "connect_ex", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def features(catalog: Catalog, spec: str, options: ModelOptions = CPU) -> dict[str, Any]:
    with catalog.find_model(spec).open(options, SilentReporter()) as opened:
        assert isinstance(opened, OpenModel)
        return dict(opened.features(STIMULI, SilentReporter()).layers)


@pytest.mark.usefixtures("no_network")
@pytest.mark.parametrize("spec", [NAME, f"untrained:{NAME}"])
def test_it_is_read_without_any_network_under_its_own_name(
    catalog: Catalog, spec: str, tiny_model: Path
) -> None:
    model = catalog.find_model(spec)
    assert model.name == spec
    identity = model.identity(CPU)
    assert identity.resolved
    assert identity.facts["name"] == spec
    assert identity.facts["revision"].startswith("sha256:")
    assert str(tiny_model) not in repr((model, identity))
    assert all(np.isfinite(layer).all() for layer in features(catalog, spec).values())


def test_the_untrained_twin_has_the_same_form_and_other_weights_by_seed(catalog: Catalog) -> None:
    trained, twin = features(catalog, NAME), features(catalog, f"untrained:{NAME}")
    again = features(catalog, f"untrained:{NAME}")
    other = features(catalog, f"untrained:{NAME}", ModelOptions(device="cpu", seed=1))
    assert list(trained) == list(twin)
    for layer, values in twin.items():
        assert values.shape == trained[layer].shape
        np.testing.assert_array_equal(values, again[layer])
        assert not np.allclose(values, trained[layer])
        assert not np.allclose(values, other[layer])


@pytest.mark.parametrize("spec", [NAME, f"untrained:{NAME}"])
def test_it_keeps_what_a_model_promises(catalog: Catalog, spec: str) -> None:
    check_model(catalog.find_model(spec))


@pytest.mark.parametrize("spec", [f"{NAME}@main", f"untrained:{NAME}@v1"])
def test_a_revision_of_it_is_refused_in_one_sentence(catalog: Catalog, spec: str) -> None:
    with pytest.raises(UsageError) as caught:
        catalog.find_model(spec)
    assert caught.value.message == f"The model {NAME} comes with brainbench and has no revisions."
    assert spec.rpartition("@")[2] in caught.value.hint
    assert not catalog.problems


def test_a_folder_of_the_same_name_does_not_take_its_place(
    catalog: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / NAME).mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    assert catalog.find_model(f"untrained:{NAME}").identity(CPU).resolved


@pytest.mark.parametrize("file", ["config.json", "model.safetensors", "tokenizer.json"])
def test_a_broken_install_says_what_is_missing(
    catalog: Catalog, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str
) -> None:
    folder = shutil.copytree(tiny_model, tmp_path / "tiny")
    (folder / file).unlink()
    monkeypatch.setattr("brainbench_models.shipped.FOLDER", folder)
    with pytest.raises(ModelError) as caught:
        load(discover()).find_model(NAME).identity(CPU)
    assert caught.value.message == f"The model {NAME}, which comes with brainbench, lacks {file}."
    assert "again" in caught.value.hint


def test_the_untrained_twin_needs_no_weights(tiny_model: Path, tmp_path: Path, catalog: Catalog) -> None:
    from brainbench_models.huggingface import HuggingFaceModel
    from brainbench_models.shipped import ShippedCheckpoint

    folder = shutil.copytree(tiny_model, tmp_path / "tiny")
    whole = HuggingFaceModel(ShippedCheckpoint(folder), trained=False).identity(CPU)
    (folder / "model.safetensors").unlink()
    assert HuggingFaceModel(ShippedCheckpoint(folder), trained=False).identity(CPU) == whole


def test_nothing_is_written_into_the_installed_folder(catalog: Catalog, shipped: Path) -> None:
    before = {file.name: file.stat().st_mtime_ns for file in shipped.iterdir()}
    os.chmod(shipped, 0o555)
    try:
        features(catalog, NAME)
        features(catalog, f"untrained:{NAME}")
    finally:
        os.chmod(shipped, 0o755)
    assert {file.name: file.stat().st_mtime_ns for file in shipped.iterdir()} == before
