"""Pages of tables: what they show, that nothing in them can act, and that they stay small."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from brainbench.errors import StoreError
from brainbench.records import Failure, Record, Skip
from brainbench_leaderboard.site import places, rendering, table_pages, table_places
from brainbench_leaderboard.site.board import Board
from brainbench_leaderboard.site.publish import publish
from brainbench_leaderboard.store import Leaderboard
from brainbench_leaderboard.view import QUESTION

Toy = dict[str, Any]
EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>&amp;{{ 7 * 7 }}"
VOID = {"meta", "br", "img", "wbr", "link", "input", "hr"}
LARGEST = 5_000_000  # bytes of a page


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
def pages(tmp_path: Path) -> Callable[..., dict[str, str]]:
    """The pages of tables of a leaderboard with these records, by their place; the list of tables last."""

    def pages(*kept: Record) -> dict[str, str]:
        with Leaderboard(tmp_path / "b.db") as store:
            for record in kept:
                store.add(record)
            return {path: str(text) for path, text in table_pages.files(Board.of(store))}

    return pages


@pytest.fixture
def page(pages: Any) -> Callable[..., Reader]:
    """The first page of a table."""
    return lambda *kept: Reader(next(iter(pages(*kept).values())))


def test_it_shows_the_tables_of_the_terminal_with_scopes_and_captions(records: Any, page: Any) -> None:
    shown = page(*records())
    assert [th["scope"] for th in shown.all("th")][:4] == ["col"] * 4
    rows = [text.strip() for text in shown.texts["th"]]
    assert rows[:5] == ["#", "model", "left", "right", "all items"]
    assert "even items" in rows
    assert len(shown.all("caption")) == len(shown.all("table")) == 1
    assert any("±" in text for text in shown.texts["td"])
    assert "SIMULATED toy v1" in shown.texts["h1"][0]
    assert "SIMULATED data." in shown.texts["strong"]
    assert "ceiling: skipped. noise has none (4 cells)" in shown.texts["li"]
    assert {
        f"../{places.model_page('letters')}",
        f"../{places.dataset_page('toy')}",
        f"../{places.method_page('metric', 'first/paper')}",
    } < {a["href"] for a in shown.all("a")}


def test_real_data_come_first_and_are_not_called_simulated(toy: Toy, records: Any, pages: Any) -> None:
    made = pages(*records(), *records(dataset=toy["dataset"]("zoo", simulated=False)))
    real, simulated, listed = map(Reader, made.values())
    assert "imulated" not in "".join(real.texts["body"]).replace("SIMULATED", "Simulated")
    assert "SIMULATED data." in simulated.texts["strong"]
    headings = [text.strip() for text in listed.texts["h2"]]
    assert headings == ["Brain data", "SIMULATED brain data"]
    links = [a["href"] for a in listed.all("a") if str(a["href"]).startswith("tables/")]
    assert links == list(made)[:2]
    assert listed.texts["td"] == ["1", "1"]  # how many models, baselines not counted


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
    assert not kinds & {"script", "img", "iframe", "object", "embed", "form", "base", "svg"}
    assert not [name for _, attributes in shown.elements for name in attributes if name.startswith("on")]
    assert not [name for _, attributes in shown.elements for name in attributes if name == "style"]
    for tag in ("th", "h1", "li", "a", "title"):
        assert any(EVIL in text for text in shown.texts[tag]), tag
    for address in (str(a["href"]) for a in shown.all("a")):
        assert address == "#content" or (address.startswith("../") and "<" not in address)


def test_its_policy_allows_its_own_files_and_nothing_else(records: Any, page: Any) -> None:
    shown = page(*records())
    (policy,) = [m["content"] for m in shown.all("meta") if m.get("http-equiv") == "Content-Security-Policy"]
    assert policy == rendering.POLICY
    assert "unsafe" not in policy
    assert not shown.all("style")
    assert not [a for _, a in shown.elements if "src" in a]
    assert [link["href"] for link in shown.all("link")] == ["../assets/site.css"]


def test_it_has_a_language_a_title_and_fits_a_phone(pages: Any) -> None:
    (shown,) = map(Reader, pages().values())
    assert shown.all("html") == [{"lang": "en"}]
    assert shown.texts["title"] == ["Tables - brainbench"]
    assert [m for m in shown.all("meta") if m.get("name") == "viewport"]
    assert "No results yet" in "".join(shown.texts["main"])


def test_an_address_hangs_on_what_is_asked_and_on_nothing_else(toy: Toy, records: Any, pages: Any) -> None:
    (before, _), (_, other, *_) = pages(*records()), pages(*records(dataset=toy["dataset"]("a")))
    assert before == other  # though another table came before it
    row = dict.fromkeys(QUESTION) | {"protocol": "d"}
    ambiguous = {"dataset": "a", "metric": "b.c"}, {"dataset": "a.b", "metric": "c"}
    assert len({table_places.score_table(row | names) for names in ambiguous}) == 2


def test_a_page_of_five_hundred_models_stays_small(records: Any, pages: Any, tmp_path: Path) -> None:
    pages(*records())
    with Leaderboard(tmp_path / "b.db") as store:
        board = Board.of(store)
    row = dict(board.scores[0])
    row |= {"outcome": "scores", "score": 0.1234, "spread": 0.01, "low": 0.1, "high": 0.2, "p": 0.001}
    row |= {"beyond": 0.01, "beyond_low": 0.001, "beyond_high": 0.02, "above": "baseline:response-time"}
    row |= {"above_by": 0.1, "above_low": 0.05, "above_high": 0.15, "best_layer": "model.layers.31.mlp"}
    rows = [
        {
            **row,
            "model": f"organisation/a-model-with-a-long-name-{model}B-Instruct-v0.3",
            "region": f"region {region}",
            "region_position": region,
            "item_set": f"set {items}",
            "item_set_position": items,
            "rank": model,
        }
        for items in range(3)
        for region in range(4)
        for model in range(500)
    ]
    (_, text), _ = table_pages.files(replace(board, scores=tuple(rows)))
    assert str(text).count("±") >= 6000
    assert 1_000_000 < len(str(text).encode()) < LARGEST


def test_it_is_replaced_whole_or_not_at_all(
    records: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Leaderboard(tmp_path / "b.db") as store:
        folder = publish(store, tmp_path / "site").parent
        before = (folder / places.TABLES).read_text()
        store.add(records()[0])
        monkeypatch.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left")))
        with pytest.raises(StoreError, match="cannot be written: No space left"):
            publish(store, folder)
        monkeypatch.undo()
        assert (folder / places.TABLES).read_text() == before
        assert not list(folder.rglob(".site-*"))
        publish(store, folder)
        assert (folder / places.TABLES).read_text() != before


@pytest.mark.browser
def test_a_browser_takes_it_on_a_phone(records: Any, tmp_path: Path, visit: Any, violations: Any) -> None:
    with Leaderboard(tmp_path / "b.db") as store:
        for record in records():
            store.add(record)
        site = publish(store, tmp_path / "site").parent
    page = visit(site, places.TABLES, width=360, dark=True)
    assert violations(page) == []
    page.get_by_role("link", name="SIMULATED toy v1").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("SIMULATED toy v1")
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
