"""The front page in a real browser: what a visitor does, and what then stands there."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from benchmarks.big_board import Named, fill
from playwright.sync_api import Page, expect

from brainbench.records import Failure, Record
from brainbench.stimuli import ALL_ITEMS, ItemSet
from brainbench_leaderboard.site import front, output, places, publish, table_places
from brainbench_leaderboard.site.board import Board
from brainbench_leaderboard.store import Leaderboard

pytestmark = pytest.mark.browser

EVIL = "<img src=x onerror=alert(1)>\u202e{{ 7 * 7 }}"
FORMULA = '=HYPERLINK("http://x","y"), 1'
EVEN = ItemSet("even", {"type": "even"})
DATASETS = (
    Named("reading", regions=("language", "reasoning"), item_sets=(ALL_ITEMS, EVEN)),
    Named("simulated-reading", simulated=True, regions=("left",), item_sets=(ALL_ITEMS,)),
)
MODELS = 104
Row = dict[str, str]


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Board:
    """More models than a page of the table holds, two of them with names that want to do harm."""
    with Leaderboard(tmp_path_factory.mktemp("front") / "some.db") as store:
        fill(store, MODELS, datasets=DATASETS, names=(EVIL, FORMULA), solvers=6)
        return Board.of(store)


@pytest.fixture(scope="module")
def site(board: Board, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The front page and what it loads."""
    folder = tmp_path_factory.mktemp("site")
    output.write(folder, [*publish.assets(), *front.files(board)])
    return folder


def rows(page: Page) -> list[list[str]]:
    """The first line of text in each cell of the table, without opened lines."""
    return page.evaluate(  # type: ignore[no-any-return]
        """[...document.querySelectorAll('#board-body > tr:not(.detail)')].map((row) =>
        [...row.children].map((cell) => (cell.querySelector('a, .number') ?? cell).textContent))"""
    )


def column(page: Page, title: str) -> list[str]:
    heads = page.locator("#board-head tr:last-child th button").all_inner_texts()
    at = [head.split("\n")[0].rstrip(" ↑↓↕") for head in heads].index(title)
    return [row[at] for row in rows(page)]


def numbers(texts: list[str]) -> list[float | None]:
    plain = [text.replace("\u2212", "-") for text in texts]
    return [float(text) if text.lstrip("+-")[:1].isdigit() else None for text in plain]


def sort(page: Page, title: str) -> None:
    page.locator("#board-head").get_by_role("button", name=title, exact=True).click()


def saved(page: Page, button: str) -> str:
    with page.expect_download() as download:
        page.get_by_role("button", name=button).click()
    return Path(download.value.path()).read_bytes().decode()


def test_it_ranks_all_models_and_names_what_it_ranks_by(site: Path, visit: Any, board: Board) -> None:
    page = visit(site)
    expect(page.locator("#board-count")).to_have_text("104 of 104 models, 1 to 100 on this page.")
    first = [row for row in board.scores if row["dataset"] == "reading" and row["region"] == "language"]
    first = [row for row in first if row["protocol"] == "robust" and row["item_set"] == "all" and row["rank"]]
    best = min(first, key=lambda row: (row["rank"], -row["score"]))
    shown = rows(page)[0]
    assert shown[1] == best["model"]
    assert float(shown[3]) == pytest.approx(best["score"], abs=5e-4)
    assert page.locator("#board-head th.rank small").inner_text() == "in language"
    assert "ceiling" in page.locator("#board-head th.score").first.inner_text()
    assert page.locator("#board-body tr").first.locator("svg .ceiling").count() == 2
    titles = page.locator("#board-head tr:last-child th button").all_inner_texts()
    assert [t.split("\n")[0].rstrip(" ↑↓↕") for t in titles] == [
        *("Rank", "Model", "Parameters", "language", "reasoning"),
        *("steered gain", "harm", "perplexity", "Date"),
    ]


def test_it_sorts_both_ways_and_what_is_missing_stays_last(site: Path, visit: Any) -> None:
    page = visit(site)
    for times, way in ((1, "descending"), (2, "ascending")):
        sort(page, "reasoning")
        found = numbers(column(page, "reasoning"))
        page.get_by_role("button", name="Next").click()
        found += numbers(column(page, "reasoning"))
        known = [x for x in found if x is not None]
        assert 90 < len(known) < len(found) == MODELS
        assert found == sorted(known, reverse=way == "descending") + [None] * (len(found) - len(known)), times
        assert page.locator("th[aria-sort]").get_attribute("aria-sort") == way
        assert page.locator("#board-head th.rank small").inner_text() == "in reasoning"


def test_another_view_sorts_by_its_own_numbers(site: Path, visit: Any) -> None:
    page = visit(site)
    for change in ("rsa (paper protocol, v1)", "predictivity (robust protocol, v1)"):
        page.get_by_label("Metric and protocol").select_option(change)
        for title, other in (("reasoning", "language"), ("language", "reasoning")):
            sort(page, "Rank")
            sort(page, title)
            found = numbers(column(page, title))[:90]
            assert found == sorted(found, reverse=True)  # type: ignore[type-var]
            assert numbers(column(page, other))[:90] != found
    sort(page, "Rank")
    ranks = [float(re.sub(r"\D*(\d+).*", r"\1", text)) for text in column(page, "Rank")[:90]]
    assert ranks == sorted(ranks)
    assert page.locator("#board-head th.rank small").inner_text() == "in language"


def test_it_searches_and_filters_and_the_address_keeps_it(site: Path, visit: Any) -> None:
    page = visit(site)
    count = page.locator("#board-count")
    page.get_by_label("Search").fill("QWEN2 0.")
    page.get_by_label("Parameters from").select_option("100M")
    page.get_by_label("Parameters to").select_option("500M")
    page.locator("#board-family").select_option("Qwen2")
    assert count.inner_text() == "4 of 104 models."
    assert all("qwen2" in name for name in column(page, "Model"))
    page.get_by_text("Regions", exact=True).click()
    page.get_by_role("checkbox", name="reasoning").uncheck()
    page.get_by_text("Columns", exact=True).click()
    page.get_by_role("checkbox", name="Revision").check()
    page.get_by_role("checkbox", name="Date").uncheck()
    for name in ("Rank", "Family"):  # and back
        page.get_by_role("checkbox", name=name).click()
        page.get_by_role("checkbox", name=name).click()
    page.get_by_label("Metric and protocol").select_option("rsa (paper protocol, v1)")
    page.get_by_label("Items").select_option("even")
    page.get_by_label("Show baselines").check()
    sort(page, "language")
    sort(page, "language")
    page.locator("button.open").first.click()
    before, heads = rows(page), page.locator("#board-head").inner_text()
    assert ("Rank" in heads, "Family" in heads, "Date" in heads) == (True, False, False)
    page.reload()
    assert (rows(page), page.locator("#board-head").inner_text()) == (before, heads)
    assert page.locator("tr.detail").count() == 1
    assert "even items" in heads
    assert "reasoning" not in heads
    page.get_by_role("button", name="Clear filters").click()
    assert count.inner_text().startswith("108 of 108 models and baselines")


def test_it_says_when_nothing_fits_and_what_the_numbers_are_of(site: Path, visit: Any, board: Board) -> None:
    page = visit(site, "index.html#search=nobody+is+called+so")
    assert page.locator("#board-body tr").inner_text() == "No model fits what is searched and chosen above."
    made = {places.dataset_page(row["dataset"]) for row in board.scores}
    made |= {places.method_page("metric", f"{row['metric']}/{row['protocol']}") for row in board.scores}
    made |= {table_places.score_table(row) for row in board.scores}
    for kind in ("real", "simulated"):
        page.get_by_label("Kind of data").select_option(kind)
        links = page.locator("#board-about a").all()
        told = [str(link.get_attribute("href")) for link in links]
        assert len(told) == 3
        assert set(told) <= made
        assert ("simulated" in told[0]) is (kind == "simulated")


def test_a_phone_has_the_first_score_in_sight_and_a_baseline_no_parameters(site: Path, visit: Any) -> None:
    score = visit(site, width=390).locator("#board-body td.score .number").first
    assert score.bounding_box()["x"] < 300
    page = visit(site, "index.html#baselines=shown&search=baseline")
    assert set(column(page, "Parameters")) == {"none"}


def test_kinds_of_data_are_chosen_never_mixed(site: Path, visit: Any) -> None:
    page = visit(site)
    assert page.locator("#board-simulated").is_hidden()
    assert "SIMULATED" not in page.locator("#board").inner_text()
    page.get_by_label("Kind of data").select_option("simulated")
    assert page.locator("#board-simulated").is_visible()
    assert page.locator("#board-head .made-up").inner_text().startswith("SIMULATED simulated-reading v1")
    assert page.locator("#board-head th.score").count() == 1
    assert "steered gain" not in page.locator("#board-head").inner_text()  # it was learnt from real data
    page.evaluate("location.hash = ''")  # as the button that leads back does
    expect(page.locator("#board-simulated")).to_be_hidden()


@pytest.mark.parametrize(
    "address",
    [
        "sort=-nothing&page=999&least=7&family=<script>&show=x&hide=model&open=y&data=moon",
        "sort=__proto__&search=%00%E0%A4%A&page=-1e9&data=real&dataset=constructor",
        "content",
    ],
)
def test_an_address_that_means_nothing_does_nothing(site: Path, visit: Any, address: str) -> None:
    page = visit(site, f"index.html#{address}")
    assert page.locator("#board-head th").count() == 11
    assert page.get_by_label("Dataset").input_value() == "reading v1"


def test_downloads_hold_what_is_shown(site: Path, visit: Any) -> None:
    page = visit(site)
    sort(page, "Model")
    sort(page, "reasoning")
    shown = rows(page)
    page.get_by_role("button", name="Next").click()
    shown += rows(page)
    text = saved(page, "Download CSV")
    head, *lines = csv.reader(text.splitlines())
    assert len(lines) == MODELS
    assert text.count("\r\n") == text.count("\n") == MODELS + 1
    at = head.index("reading v1, predictivity (robust protocol, v1), all items: reasoning, value")
    assert [line[1].removeprefix("'") for line in lines] == [row[1] for row in shown]
    values = [None if line[at] == "" else float(line[at]) for line in lines]
    assert values == [
        None if x is None else pytest.approx(x, abs=5e-4) for x in numbers([r[4] for r in shown])
    ]
    assert None in values
    assert next(line[1] for line in lines if "HYPERLINK" in line[1]) == f"'{FORMULA}"
    told = json.loads(saved(page, "Download JSON"))
    assert [row["model"] for row in told["rows"]] == [row[1] for row in shown]
    scores = [row["shown"]["region:reasoning"] for row in told["rows"]]
    assert [score and score["value"] for score in scores] == values
    missing = next(row for row in told["rows"] if row["shown"]["region:reasoning"] is None)
    assert missing["missing"]["region:reasoning"]
    assert (told["asked"]["dataset"], told["asked"]["simulated"], told["asked"]["items"]) == (
        "reading",
        False,
        "all",
    )
    assert {"ceiling", "dull", "dull_name"} <= set(told["columns"][4])


def test_a_line_opens_and_says_why_with_the_keyboard_alone(site: Path, visit: Any) -> None:
    page = visit(site)
    page.get_by_label("Search").focus()
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.dataset.sort === 'region:reasoning'"):
            break
    page.keyboard.press("Enter")
    page.keyboard.press("Space")
    assert page.locator("th[aria-sort=ascending]").inner_text().startswith("reasoning")
    for _ in range(10):
        page.keyboard.press("Tab")
        if page.evaluate("'open' in document.activeElement.dataset"):
            break
    page.keyboard.press("Enter")
    focused = page.locator(":focus")
    assert focused.get_attribute("aria-expanded") == "true"
    assert page.locator(f"#{focused.get_attribute('aria-controls')}").is_visible()
    page.keyboard.press("Space")
    assert page.locator("tr.detail").count() == 0
    page.get_by_label("Search").focus()
    page.keyboard.type("0")
    page.locator("summary", has_text="Columns").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    assert "Rank" not in page.locator("#board-head").inner_text()
    assert page.evaluate("document.activeElement.dataset.column") == "rank"


@pytest.mark.parametrize("word", ["failed", "skipped", "not run"])
def test_why_something_is_missing_is_said(site: Path, visit: Any, word: str) -> None:
    page = visit(site)
    cell = page.locator("#board-body td.missing", has_text=word).first
    assert cell.is_visible()
    cell.locator("xpath=..").get_by_role("button").click()
    why = {
        "failed": "Failed (features): The model does not fit into memory. Take a larger machine.",
        "skipped": "Skipped: No layer's features vary between the items.",
        "not run": "Not run: nobody has asked this of it here.",
    }
    assert page.locator("tr.detail td.why", has_text=why[word]).first.is_visible()


def test_names_are_shown_as_typed(site: Path, visit: Any) -> None:
    page = visit(site, "index.html#search=onerror")
    assert column(page, "Model") == [EVIL.replace("\u202e", "\\u202e")]
    page.locator("button.open").click()
    assert page.locator("#board img").count() == 0
    assert "onerror" in page.locator("tr.detail a").inner_text()


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (390, True)])
def test_nothing_stands_in_the_way(site: Path, visit: Any, width: int, dark: bool, violations: Any) -> None:
    page = visit(site, "index.html#search=llama-00", width=width, dark=dark)
    page.get_by_text("Columns", exact=True).click()
    page.get_by_text("Regions", exact=True).click()
    page.locator("button.open").first.click()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert violations(page) == []
    region = page.locator("#board-region")
    region.evaluate("it => it.scrollTo(300, 300)")

    inside = region.bounding_box()
    for place in ("#board-head th.model", "#board-body > tr > th.model") if width < 1000 else ():
        box = page.locator(place).first.bounding_box()
        assert abs(box["x"] - inside["x"]) < 3  # the model stays in sight
    assert abs(page.locator("#board-head").bounding_box()["y"] - inside["y"]) < 3


def test_without_scripts_it_points_to_the_tables(site: Path, visit: Any) -> None:
    page = visit(site, java_script_enabled=False)
    assert page.locator("noscript").is_visible()
    assert page.get_by_role("link", name="plain tables").first.get_attribute("href") == "tables.html"
    assert page.locator("#board").is_hidden()


def test_a_board_of_a_task_alone_stands(tmp_path: Path, visit: Any, made: Callable[..., Record]) -> None:
    with Leaderboard(tmp_path / "b.db") as store:
        store.add(made("none", [[True, False]] * 4))
        store.add(made("nari", Failure("steering", "OSError", "no brains")))
        files = [*publish.assets(), *front.files(Board.of(store))]
    output.write(tmp_path / "site", files)
    page = visit(tmp_path / "site")
    assert column(page, "accuracy") == ["0.500"]
    assert column(page, "Rank") == ["1"]
    assert page.locator("#board-head th.rank small").inner_text() == "by accuracy, sums v1"


def test_a_board_of_ideas_alone_shows_them(board: Board, tmp_path: Path, visit: Any) -> None:
    facts = {"model": "m", "revision": "r", "dtype": "float32", "seed": None, "baseline": 0, "resolved": 1}
    asked = {"dataset": None, "dataset_version": None, "scorer": "far", "scorer_version": 1, "helper": "h"}
    told = {"outcome": "scores", "score": 0.864, "low": 0.8, "high": 0.9, "rank": 1, "intervention": "none"}
    more = {"simulated": 0, "sampling": None, "question": "q", "fingerprint": "f", "started": "2026-01-01"}
    rest = dict.fromkeys(("validity", "validity_low", "validity_high", "learnt_from"))
    row = {**facts, **asked, **told, **more, **rest}
    skipped = {"outcome": "skip", "score": None, "rank": None, "reason": "No.", "phase": None, "hint": None}
    other = {**row, "scorer": "a first one", "question": "other", "fingerprint": "g", **skipped}
    alone = replace(board, scores=(), tasks=(), ideas=(other, row))
    output.write(tmp_path, [*publish.assets(), *front.files(alone)])
    page = visit(tmp_path)
    assert rows(page)[0][3:5] == ["skipped", "0.864"]
    assert column(page, "Rank") == ["1"]  # by what somebody has a rank in
    assert "far v1" in page.locator("#board-head th.rank small").inner_text()


def test_what_was_learnt_from_simulated_data_is_reached_without_scores_of_such_and_marked(
    tmp_path: Path, visit: Any, made: Callable[..., Record], told: Any
) -> None:
    fitted = {"fitted": {"dataset": "brains", "simulated": True}}
    with Leaderboard(tmp_path / "b.db") as store:
        store.add(made("none", [[True, False]] * 4))
        store.add(made("nari", [[True, True]] * 4, told(**fitted)))
        files = [*publish.assets(), *front.files(Board.of(store))]
    output.write(tmp_path / "site", files)
    page = visit(tmp_path / "site")
    assert column(page, "steered gain") == ["+0.500"]
    assert column(page, "harm") == ["0.0 %"]
    assert column(page, "perplexity") == ["\u00d7 1.25"]
    assert page.locator("#board-head .made-up").inner_text().startswith("SIMULATED sums v1: nari")


def test_tied_models_share_a_rank_and_the_next_one_counts_them(
    tmp_path: Path, visit: Any, board: Board
) -> None:
    places: dict[str, int] = {}  # in threes, whatever the board says of its ties
    shared = []
    for row in sorted(board.scores, key=lambda row: -(row["score"] or 0)):
        place = places.setdefault(row["question"], 0)
        places[row["question"]] += bool(row["rank"])
        shared.append({**row, "rank": row["rank"] and place - place % 3 + 1})
    output.write(tmp_path, [*publish.assets(), *front.files(replace(board, scores=tuple(shared)))])
    page = visit(tmp_path)
    assert column(page, "Rank")[:6] == ["=1tied with 2 others"] * 3 + ["=4tied with 2 others"] * 3
    scores = numbers(column(page, "language")[:5])
    assert scores == sorted(scores, reverse=True)  # type: ignore[type-var]
