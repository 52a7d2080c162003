"""FOLIO from a small hub on this machine: what is asked, what is kept, and what is said on refusal."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from brainbench.cli import main
from brainbench.errors import DataError, words_of
from brainbench.testing import check_task
from brainbench_tasks.folio import FILE, Folio

COMMIT = "c" * 40
ROWS: list[dict[str, Any]] = [
    {"premises": "All cats purr.\nTom is a cat.", "conclusion": "Tom purrs.", "label": "True"},
    {"premises": "All cats purr.\nTom is a cat.", "conclusion": "Tom does not purr.", "label": "False"},
    {"premises": "All cats purr.\nTom is a cat.", "conclusion": "Tom is grey.", "label": "Uncertain"},
    {
        "premises": [f"Club {i} meets on a Monday." for i in range(8)],
        "conclusion": "Club 3 meets on a Monday",
        "label": "True",
    },
]
for number, one in enumerate(ROWS):
    one |= {"story_id": 7 + number // 3, "example_id": 100 + number}


class Hub:
    """Serves one file of one data set, over HTTP, in the hub's own protocol."""

    def __init__(self) -> None:
        self.body = "\n".join(json.dumps(row) for row in ROWS).encode()
        self.commit, self.refusal = COMMIT, ""
        self.asked: list[str] = []

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        self.asked.append(request.path)
        known = request.path.startswith("/datasets/yale-nlp/FOLIO/resolve/") and request.path.endswith(FILE)
        refusal = self.refusal or ("" if known else "EntryNotFound")
        body = b"" if refusal else self.body
        request.send_response({"GatedRepo": 403, "RepoNotFound": 401}.get(refusal, 404) if refusal else 200)
        headers = {"Content-Length": str(len(body)), "X-Repo-Commit": self.commit}
        headers |= {"X-Error-Code": refusal} if refusal else {"ETag": f'"{hashlib.sha256(body).hexdigest()}"'}
        for name, value in headers.items():
            request.send_header(name, value)
        request.end_headers()
        if request.command == "GET":
            request.wfile.write(body)


@pytest.fixture
def offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)


@pytest.fixture
def hub(offline: None, monkeypatch: pytest.MonkeyPatch, serve: Callable[..., ThreadingHTTPServer]) -> Hub:
    from huggingface_hub import constants

    served = Hub()
    address = f"http://127.0.0.1:{serve(served.answer).server_port}"
    monkeypatch.setattr(constants, "ENDPOINT", address)
    monkeypatch.setattr(
        constants, "HUGGINGFACE_CO_URL_TEMPLATE", address + "/{repo_id}/resolve/{revision}/{filename}"
    )
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_PROGRESS_BARS", True)
    return served


def test_true_and_false_problems_are_asked_with_all_premises(hub: Hub) -> None:
    documents = Folio().documents()
    assert [found["answer"] for found in documents] == ["True", "False", "True"]
    assert [found["group"] for found in documents] == ["story-7", "story-7", "story-8"]
    assert len({found["id"] for found in documents}) == 3
    block = "Premises:\n1. All cats purr.\n2. Tom is a cat.\nConclusion:\nTom purrs."
    assert json.loads(documents[0]["messages"])[-1]["content"] == block
    assert block in documents[0]["text"]
    assert "8. Club 7 meets on a Monday.\nConclusion:\nClub 3 meets on a Monday." in documents[2]["text"]
    assert "Each has 8 premises" in documents[2]["messages"]


def test_it_is_known_by_what_was_fetched_and_needs_no_network_then(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import constants

    task = Folio()
    assert not task.identity().resolved
    assert not hub.asked
    documents = task.documents()
    identity = task.identity()
    assert identity.resolved
    assert identity.facts["data"]["commit"] == COMMIT
    assert identity.facts["data"]["sha256"] == hashlib.sha256(hub.body).hexdigest()
    hub.body, hub.commit = b"other", "d" * 40  # somebody changes it while we work
    assert Folio().documents() == documents
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert Folio().documents() == documents
    assert Folio().identity() == identity
    check_task(task)


@pytest.mark.parametrize(
    ("refusal", "says"),
    [("GatedRepo", "is gated and this account has no access"), ("RepoNotFound", "has no data")],
)
def test_where_it_is_refused_one_sentence_says_what_to_do(hub: Hub, refusal: str, says: str) -> None:
    hub.refusal = refusal
    with pytest.raises(DataError, match=says) as found:
        Folio().documents()
    assert "https://huggingface.co/datasets/yale-nlp/FOLIO" in found.value.hint
    assert words_of(found.value).count(". ") == 0


@pytest.mark.parametrize("body", [b"<html>", b'{"label": "True"}', b"[1]", b'{"label": "Uncertain"}'])
def test_another_file_is_refused(hub: Hub, body: bytes) -> None:
    hub.body = body
    with pytest.raises(DataError, match="FOLIO"):
        Folio().documents()


def test_without_a_network_its_cell_fails_in_one_sentence_and_the_others_run(
    offline: None, tmp_path: Path
) -> None:
    asked = ("--task", "folio", "--task", "deduction_propositional", "--limit", "2", "--device", "cpu")
    found = CliRunner().invoke(
        main, ["run", "--model", "brainbench/tiny", *asked, "--db", str(tmp_path / "b.db")]
    )
    assert found.exit_code == 1
    assert found.stderr.count("The hub cannot be reached") == 1
    assert "hf auth login" in found.stderr
    assert "Traceback" not in found.output
    assert "deduction_propositional" in found.stdout
    assert "2 cells: 1 computed" in found.stderr
    assert "1 failed" in found.stderr


def test_the_embedded_model_can_be_asked_it(hub: Hub, tmp_path: Path) -> None:
    chosen = ("--model", "brainbench/tiny", "--task", "folio", "--json", "--device", "cpu")
    found = CliRunner().invoke(main, ["run", *chosen, "--db", str(tmp_path / "b.db")])
    assert found.exit_code == 0, found.output
    (row,) = json.loads(found.stdout)
    assert (row["task"], row["items"], row["problems"]) == ("folio", 3, 2)
