"""Hub models against a small hub on this machine: exact revisions, work offline, and refusals."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from brainbench.errors import ModelError
from brainbench.nouns import ModelOptions
from brainbench.progress import SilentReporter
from brainbench.stimuli import Stimulus
from brainbench_models import checkpoints, downloads
from brainbench_models.huggingface import HuggingFaceModel, HuggingFaceSource

CPU = ModelOptions(device="cpu")
OLD, NEW = "a" * 40, "b" * 40


class Hub:
    """Serves one folder as a repository at any commit, over HTTP, in the hub's own protocol."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.branches = {"main": OLD}
        self.gated = False
        self.fetched: list[str] = []
        self.server: ThreadingHTTPServer  # while it runs

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        parts = request.path.split("?")[0].strip("/").split("/")
        if parts[:5] == ["api", "models", "org", "model", "tree"]:  # what lies in a subfolder: nothing
            return self.send(request, 404, error="EntryNotFound")
        if parts[:4] == ["api", "models", "org", "model"]:
            asked = "/".join(parts[5:]) or "main"
            commit = asked if asked in (OLD, NEW) else self.branches.get(asked)
            if commit is None:
                return self.send(request, 404, error="RevisionNotFound")
            files = [{"rfilename": f.name, "size": f.stat().st_size} for f in self.folder.iterdir()]
            about = {"id": "org/model", "sha": commit, "siblings": files}
            return self.send(request, 200, json.dumps(about).encode())
        if parts[:3] == ["org", "model", "resolve"]:
            return self.give(request, parts[3], "/".join(parts[4:]))
        return self.send(request, 401, error="RepoNotFound")

    def give(self, request: BaseHTTPRequestHandler, commit: str, name: str) -> None:
        if self.gated:
            return self.send(request, 403, error="GatedRepo")
        self.fetched.append(f"{commit}/{name}")
        file = self.folder / name
        if not file.is_file():
            return self.send(request, 404, error="EntryNotFound", commit=commit)
        return self.send(request, 200, file.read_bytes(), commit=commit)

    def send(
        self,
        request: BaseHTTPRequestHandler,
        status: int,
        body: bytes = b"",
        *,
        error: str = "",
        commit: str = "",
    ) -> None:
        request.send_response(status)
        headers = {"Content-Length": str(len(body)), "Content-Type": "application/json"}
        if error:
            headers["X-Error-Code"] = error
        if commit:
            headers |= {"X-Repo-Commit": commit, "ETag": f'"{hashlib.sha256(body).hexdigest()}"'}
        for name, value in headers.items():
            request.send_header(name, value)
        request.end_headers()
        if request.command == "GET":
            request.wfile.write(body)


@pytest.fixture
def hub(
    llama: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, serve: Callable[..., ThreadingHTTPServer]
) -> Hub:
    from huggingface_hub import constants, hf_api

    served = Hub(llama)
    served.server = serve(served.answer)
    address = f"http://127.0.0.1:{served.server.server_port}"
    template = address + "/{repo_id}/resolve/{revision}/{filename}"
    # two clients that read the address when they were made
    monkeypatch.setattr(hf_api.api, "endpoint", address)
    monkeypatch.setattr("transformers.utils.hub._hf_api", None, raising=False)
    monkeypatch.setattr(constants, "ENDPOINT", address)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    monkeypatch.setattr(checkpoints, "_commits", {})
    return served


def find(spec: str) -> HuggingFaceModel:
    found = HuggingFaceSource().find(spec)
    assert found is not None
    return found


def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    checkpoints._commits.clear()  # as in a new process


def test_a_branch_is_resolved_once_and_loaded_exactly(
    hub: Hub, llama: Path, problems: tuple[Stimulus, ...], relative_difference: Any
) -> None:
    model = find("org/model")
    identity = model.identity(CPU)
    assert identity.resolved
    assert identity.facts["name"] == "org/model"
    assert identity.facts["revision"] == OLD
    hub.branches["main"] = NEW  # somebody pushes while we work
    with model.open(CPU, SilentReporter()) as opened:
        features = opened.features(problems, SilentReporter())
    assert hub.fetched
    assert {path.split("/")[0] for path in hub.fetched} == {OLD}
    assert model.identity(CPU) == identity
    with find(str(llama)).open(CPU, SilentReporter()) as opened:
        local = opened.features(problems, SilentReporter())
    assert relative_difference(features.layers, local.layers) == 0


class CountingReporter:
    """Keeps each task's label, total and the steps reported."""

    def __init__(self) -> None:
        self.tasks: list[tuple[str, int, list[int]]] = []

    @contextmanager
    def task(self, label: str, total: int) -> Iterator[Callable[[int], None]]:
        steps: list[int] = []
        self.tasks.append((label, total, steps))
        yield steps.append


@pytest.mark.parametrize("sharded", [False, True])
def test_fetching_weights_reports_progress_once_and_takes_no_other_copy(
    hub: Hub, llama: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sharded: bool
) -> None:
    monkeypatch.setattr(downloads, "_MEGABYTE", 1000)
    hub.folder = tmp_path / "served"
    shutil.copytree(llama, hub.folder)
    if sharded:
        from transformers import AutoModelForCausalLM

        (hub.folder / "model.safetensors").unlink()
        AutoModelForCausalLM.from_pretrained(llama).save_pretrained(hub.folder, max_shard_size="40KB")
    (hub.folder / "consolidated.safetensors").write_bytes(b"another copy")
    reporter = CountingReporter()
    with find("org/model").open(CPU, reporter):
        pass
    ((label, total, steps),) = reporter.tasks
    assert "org/model" in label
    weights = [f.stat().st_size for f in hub.folder.glob("model*.safetensors")]
    assert (len(weights) > 1) == sharded
    assert total == sum(weights) // 1000
    assert sum(steps) == total
    assert not [path for path in hub.fetched if "consolidated" in path]
    with find("org/model").open(CPU, reporter):
        pass
    assert len(reporter.tasks) == 1, "what is in the cache is not fetched again"


def test_revisions_are_told_apart(hub: Hub) -> None:
    hub.branches["v2"] = NEW
    assert find("org/model@v2").identity(CPU).facts["revision"] == NEW
    assert find("org/model@v2").identity(CPU).facts["name"] == "org/model"
    assert find(f"org/model@{NEW}").identity(CPU) == find("org/model@v2").identity(CPU)
    twin = find("org/model")
    assert HuggingFaceModel(twin.checkpoint, trained=False).identity(CPU).facts["revision"] == OLD


def test_what_was_read_online_is_found_again_offline(
    hub: Hub, monkeypatch: pytest.MonkeyPatch, problems: tuple[Stimulus, ...]
) -> None:
    model = find("org/model")
    with model.open(CPU, SilentReporter()) as opened:
        opened.features(problems[:1], SilentReporter())
    identity = model.identity(CPU)
    offline(monkeypatch)
    hub.fetched.clear()
    assert model.identity(CPU) == identity
    with model.open(CPU, SilentReporter()) as opened:
        opened.features(problems[:1], SilentReporter())
    assert hub.fetched == []


@pytest.mark.parametrize("pooling", ["cls", ""])
def test_how_sentences_are_pooled_is_fetched_at_the_same_commit_and_never_guessed(
    hub: Hub, llama: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pooling: str
) -> None:
    hub.folder = tmp_path / "served"
    shutil.copytree(llama, hub.folder)
    if pooling:
        kinds = {"": "Transformer", "1_Pooling": "Pooling"}
        modules = [
            {"path": path, "type": f"sentence_transformers.models.{kind}"} for path, kind in kinds.items()
        ]
        (hub.folder / "modules.json").write_text(json.dumps(modules))
        (hub.folder / "1_Pooling").mkdir()
        (hub.folder / "1_Pooling/config.json").write_text(json.dumps({"pooling_mode": pooling}))

    def vectors() -> np.ndarray[Any, Any]:
        with find("org/model").open(CPU, SilentReporter()) as opened:
            return opened.embed(["Abe is taller", "Ben"], SilentReporter())  # type: ignore[attr-defined, no-any-return]

    with find("org/model").open(CPU, SilentReporter()):
        pass  # weights are in the cache, and nothing says how to pool
    online = hub.fetched
    offline(monkeypatch)
    with pytest.raises(ModelError, match="cannot be reached"):
        vectors()
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    found = vectors()
    assert {path.split("/")[0] for path in online} == {OLD}
    assert (f"{OLD}/1_Pooling/config.json" in online) == bool(pooling)
    offline(monkeypatch)
    np.testing.assert_array_equal(vectors(), found)
    with find(str(hub.folder)).open(CPU, SilentReporter()) as opened:
        local = opened.embed(["Abe is taller", "Ben"], SilentReporter())  # type: ignore[attr-defined]
    np.testing.assert_allclose(found, local, atol=1e-6)


def test_offline_and_never_read_is_unresolved_and_cannot_be_opened(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    del hub
    offline(monkeypatch)
    identity = find("org/model").identity(CPU)
    assert not identity.resolved
    assert identity.facts["revision"] == "main"
    assert "cannot be reached" in refusal("org/model").message
    assert find(f"org/model@{OLD}").identity(CPU).resolved  # a commit needs nobody to resolve it
    assert "cannot be reached" in refusal(f"org/model@{OLD}").message


def test_a_hub_that_is_down_counts_as_offline(hub: Hub) -> None:
    hub.server.shutdown()
    hub.server.server_close()
    assert not find("org/model").identity(CPU).resolved
    assert "cannot be reached" in refusal("org/model").message


def refusal(spec: str) -> ModelError:
    with pytest.raises(ModelError) as caught, find(spec).open(CPU, SilentReporter()):
        pass
    assert caught.value.hint
    assert "\n" not in caught.value.message
    return caught.value


def test_refusals_of_the_hub_are_one_sentence(hub: Hub) -> None:
    assert "has no model org/missing" in refusal("org/missing").message
    assert "has no revision 'v9'" in refusal("org/model@v9").message
    with pytest.raises(ModelError, match="has no model org/missing"):
        find("org/missing").identity(CPU)
    hub.gated = True
    gated = refusal("org/model")
    assert "is gated" in gated.message
    assert "Accept its terms" in gated.hint


def test_a_repository_of_pickles_is_refused(hub: Hub, tmp_path: Path, llama: Path) -> None:
    hub.folder = tmp_path / "pickles"
    hub.folder.mkdir()
    for file in llama.iterdir():
        name = "pytorch_model.bin" if file.suffix == ".safetensors" else file.name
        (hub.folder / name).write_bytes(file.read_bytes())
    assert "has no safetensors weights" in refusal("org/model").message
    assert not any(path.endswith(".bin") for path in hub.fetched)
