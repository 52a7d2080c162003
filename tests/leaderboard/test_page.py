"""The page: what it shows, that nothing in it can act, and that it needs nothing but itself."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from brainbench.errors import StoreError
from brainbench.nouns import ModelOptions
from brainbench.plan import Plan
from brainbench.records import Failure, Record, Skip
from brainbench.runner import run
from brainbench_interventions.none import NoIntervention
from brainbench_leaderboard.origins import dataset_spec
from brainbench_leaderboard.page import publish
from brainbench_leaderboard.store import Leaderboard

Toy = dict[str, Any]
EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>&amp;{{ 7 * 7 }}"
VOID = {"meta", "br", "img", "wbr", "link", "input", "hr"}


class Reader(HTMLParser):
    """Collects a page's elements, and the text inside each kind; fails on what is not closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self.texts.setdefault(tag, []).append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        for tag in set(self.open):
            self.texts[tag][-1] += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture
def records(toy: Toy) -> Callable[..., list[Record]]:
    def records(*models: Any, dataset: Any = None) -> list[Record]:
        plan = Plan.product(
            models=models or [toy["model"]()],
            datasets=[dataset or toy["dataset"]()],
            metrics=[toy["metric"]()],
            interventions=[NoIntervention()],
            options=ModelOptions(),
        )
        return [result for result in run(plan) if isinstance(result, Record)]

    return records


@pytest.fixture
def page(tmp_path: Path) -> Callable[..., Reader]:
    """The published page of a leaderboard with these records."""

    def page(*kept: Record) -> Reader:
        with Leaderboard(tmp_path / "b.db") as store:
            for record in kept:
                store.add(record)
            return Reader(publish(store, tmp_path / "page").read_text())

    return page


def test_it_shows_the_tables_of_the_terminal_with_scopes_and_captions(records: Any, page: Any) -> None:
    shown = page(*records())
    assert [th["scope"] for th in shown.all("th")][:4] == ["col"] * 4
    rows = [text.strip() for text in shown.texts["th"]]
    assert rows[:5] == ["#", "model", "left", "right", "all items"]
    assert "even items" in rows
    assert len(shown.all("caption")) == len(shown.all("table")) == 1
    assert any("±" in text for text in shown.texts["td"])
    assert "SIMULATED toy v1" in shown.texts["h2"][0]
    assert "Simulated data." in shown.texts["strong"]
    assert "ceiling: skipped. noise has none (4 cells)" in shown.texts["li"]


def test_real_data_are_not_called_simulated(toy: Toy, records: Any, page: Any) -> None:
    shown = page(*records(dataset=toy["dataset"](simulated=False)))
    assert "imulated" not in "".join(shown.texts["body"]).replace("SIMULATED", "Simulated")


def test_what_was_skipped_or_failed_is_said_and_never_a_zero(records: Any, page: Any) -> None:
    scores = [record for record in records() if record.cell.kind == "score"]
    shown = page(
        replace(scores[0], outcome=Skip("a prompt without an object")),
        replace(scores[1], outcome=Failure("open", "MemoryError", "too large", "Take a smaller one.")),
    )
    text = "".join(shown.texts["body"])
    assert "a prompt without an object" in text
    assert "too large Take a smaller one." in text
    assert {"skipped", "failed"} <= {cell.strip() for cell in shown.texts["td"]}
    assert "not run" in text
    assert "0.000" not in text


def test_how_a_number_was_made_and_the_command_stand_beside_it(toy: Toy, records: Any, page: Any) -> None:
    shown = page(*records(toy["model"]("a b")))
    assert shown.texts["code"][0] == "brainbench run --model 'a b' --dataset toy --metric first/paper"
    facts = dict(zip(shown.texts["dt"], shown.texts["dd"], strict=True))
    assert facts["revision"] == "1"
    assert facts["device"] == "cpu"
    assert "numpy" in facts["versions"]
    assert facts["layer shown"] == "maximum"


@pytest.mark.parametrize(
    ("name", "revision", "spec"),
    [
        ("org/name", "a" * 40, f"org/name@{'a' * 40}"),
        ("org/name@v1", "b" * 40, f"org/name@{'b' * 40}"),
        ("untrained:org/name", "a" * 40, f"untrained:org/name@{'a' * 40}"),
        ("tiny-llama", "sha256:0", "path/to/tiny-llama"),
        ("untrained:tiny-llama", "sha256:0", "untrained:path/to/tiny-llama"),
        ("brainbench/tiny", "sha256:0", "brainbench/tiny"),
    ],
)
def test_the_command_names_the_exact_model(
    toy: Toy, records: Any, page: Any, name: str, revision: str, spec: str
) -> None:
    one = records(toy["model"](name))[0]
    facts = {**one.facts, "model": {**one.facts["model"], "revision": revision}}
    assert f"--model {spec} " in page(replace(one, facts=facts)).texts["code"][0]


def test_the_command_leads_to_the_folder_of_a_prepared_dataset() -> None:
    assert dataset_spec("creativity:aut@stage=response") == "path/to/aut@stage=response"
    assert dataset_spec("deduction") == "deduction"


def test_the_command_gives_every_option_that_is_not_usual(toy: Toy, records: Any, page: Any) -> None:
    one = next(r for r in records() if r.cell.item_set.name == "even")
    model = {**one.facts["model"], "pooling": "mean", "trust_remote_code": True}
    cell = replace(one.cell, options=ModelOptions(seed=3))
    made = {**one.provenance, "dtype": "bfloat16"}
    other = next(r for r in records(toy["model"]("other")) if r.cell.item_set.name == "all")
    shown = page(replace(one, cell=cell, facts={**one.facts, "model": model}, provenance=made), other)
    (command,) = [text for text in shown.texts["code"] if "letters" in text]
    for option in ("--items even", "--pooling mean", "--dtype bfloat16", "--seed 3", "--trust-remote-code"):
        assert option in command


def test_names_and_reasons_from_outside_are_text_wherever_they_stand(
    toy: Toy, records: Any, page: Any
) -> None:
    one = records()[0]
    cell = replace(one.cell, model=toy["model"](EVIL), dataset=toy["dataset"](EVIL, regions=(EVIL,)))
    cell = replace(cell, region=EVIL, metric=toy["metric"](EVIL))
    facts = {**one.facts, "model": {**one.facts["model"], "revision": EVIL}}
    made = {**one.provenance, "device": EVIL, "libraries": {EVIL: EVIL}}
    evil = replace(one, cell=cell, facts=facts, provenance=made)
    failed = replace(evil, fingerprint="x", outcome=Failure("open", "OSError", EVIL, EVIL))
    shown = page(evil, failed)
    kinds = {tag for tag, _ in shown.elements}
    assert not kinds & {"script", "img", "iframe", "object", "embed", "form", "link", "base", "svg"}
    assert not [name for _, attributes in shown.elements for name in attributes if name.startswith("on")]
    assert not [name for _, attributes in shown.elements for name in attributes if name == "style"]
    for tag in ("th", "h2", "li", "dd", "h3"):
        assert any(EVIL in text for text in shown.texts[tag]), tag
    assert all(str(a["href"]).startswith(("#table-", "#task-")) for a in shown.all("a"))


def test_its_policy_allows_its_own_style_and_nothing_else(records: Any, page: Any) -> None:
    shown = page(*records())
    (policy,) = [m["content"] for m in shown.all("meta") if m.get("http-equiv") == "Content-Security-Policy"]
    (style,) = shown.texts["style"]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    allowed = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    assert policy == allowed
    assert "url(" not in style
    assert "@import" not in style
    assert "prefers-color-scheme: dark" in style
    assert not [a for _, a in shown.elements if "src" in a]


def test_it_has_a_language_a_title_and_fits_a_phone(page: Any) -> None:
    shown = page()
    assert shown.all("html") == [{"lang": "en"}]
    assert shown.texts["title"] == ["brainbench leaderboard"]
    assert [m for m in shown.all("meta") if m.get("name") == "viewport"]
    assert "No results yet" in "".join(shown.texts["main"])


def test_it_is_replaced_whole_or_not_at_all(
    records: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Leaderboard(tmp_path / "b.db") as store:
        path = publish(store, tmp_path / "page")
        before = path.read_text()
        store.add(records()[0])
        monkeypatch.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left")))
        with pytest.raises(StoreError, match="cannot be written: No space left"):
            publish(store, tmp_path / "page")
        monkeypatch.undo()
        assert path.read_text() == before
        assert os.listdir(path.parent) == ["index.html"]
        assert publish(store, tmp_path / "page").read_text() != before
