"""Pages of models: that everything of the store stands there, as text, with all links leading somewhere."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass, replace
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from brainbench.ideas import Idea, IdeaScores
from brainbench.identity import fingerprint
from brainbench.nouns import ModelOptions
from brainbench.plan import Plan, ScorerCell
from brainbench.records import Failure, Record, Skip
from brainbench.runner import run
from brainbench.text import plain
from brainbench_interventions.none import NoIntervention
from brainbench_leaderboard.sheets import short
from brainbench_leaderboard.site import model_data, model_pages, places
from brainbench_leaderboard.site.board import Board
from brainbench_leaderboard.site.publish import publish
from brainbench_leaderboard.store import Leaderboard

COMMIT = "0123456789" * 4
HOSTILE = {
    "<script>alert(1)</script>": COMMIT,
    '"><img src=x onerror=alert(2)>': "javascript:alert(3)",
    "org/\u202egnp.exe\nrm -rf '~' $(id) {{ 7 * 7 }}": COMMIT,
    "../..": COMMIT,
    "index": "sha256:0",
    "x" * 300: "javascript:alert(4)",
    "": "\u202e",
}
REASONS = (
    "<b>a prompt</b> without an object",
    "too large \u202e <i>for</i> this",
    "Take <u>a smaller</u> one.",
)
OWN = re.compile(
    r'<figure.*?</figure>|<script src="[^"<>]*" defer></script>', re.S
)  # pictures have tests of their own


@dataclass(frozen=True)
class Site:
    """A published store: the folder, and what stands in it."""

    folder: Path
    store: Leaderboard

    def page(self, model: str) -> str:
        """Of a model, as HTML."""
        return (self.folder / places.model_page(model)).read_text("utf-8")

    def data(self, model: str) -> Any:
        """Of a model, as JSON."""
        return json.loads((self.folder / model_data.path(model)).read_text("utf-8"))

    @property
    def rows(self) -> list[tuple[str, dict[str, Any]]]:
        """All rows of the store, with their kind."""
        found = {
            "score": self.store.standings(),
            "task": self.store.task_standings(),
            "ideas": self.store.idea_standings(),
        }
        return [(kind, row) for kind, rows in found.items() for row in rows]


def text_of(html: str) -> str:
    """The text of a piece of markup, on one line."""
    return " ".join(unescape(re.sub(r"<wbr>|<[^>]*>", "", re.sub(r"<(?:td|th|small)", " <", html))).split())


def lines_of(html: str) -> list[str]:
    """The text of each line of each table."""
    return [text_of(line) for line in re.findall(r"<tr.*?</tr>", html, re.S)]


def commands_of(html: str) -> list[list[str]]:
    """The words of each command that a page shows."""
    return [shlex.split(text_of(one)) for one in re.findall(r"<pre.*?</pre>", html, re.S)]


def scored(toy: Any, *models: Any, **dataset: Any) -> list[Record]:
    plan = Plan.product(
        models=models,
        datasets=[toy["dataset"](**dataset)],
        metrics=[toy["metric"](), toy["metric"](protocol="robust")],
        interventions=[NoIntervention()],
        options=ModelOptions(),
    )
    return [result for result in run(plan) if isinstance(result, Record)]


def known_as(record: Record, revision: str, **facts: Any) -> Record:
    """The record with another revision, and facts, of its model."""
    model = {**record.facts["model"], "revision": revision, **facts}
    key = fingerprint([record.fingerprint, revision])
    return replace(record, facts={**record.facts, "model": model}, fingerprint=key)


@dataclass(frozen=True)
class Named:
    """Stands where a cell wants a thing of which only names are read."""

    name: str
    version: int = 1
    simulated: bool = True
    scale: tuple[float, float] = (0.0, 2.0)
    questions: tuple[Any, ...] = ()


def ideas() -> Record:
    """Of the model "letters": nine texts about three objects."""
    anything: Any = Named
    written = tuple(Idea(f"i{at % 3}", at // 3, 7, f"<i>idea</i> {at}") for at in range(9))
    about = {f"i{at}": f"<b>brick</b> {at}" for at in range(3)}
    outcome = IdeaScores(written, tuple(0.5 + at / 20 for at in range(9)), about, {"scale": [0.0, 2.0]})
    facts = {
        "dataset": {"name": "uses"},
        "ideas": {"count": 3, "temperature": 0.7, "top_p": 0.95, "tokens": 8, "seed": 0},
        "scorer": {"name": "far", "version": 1, "helper": {"name": "org/encoder", "revision": COMMIT}},
        "model": {"name": "letters", "revision": "1"},
    }
    cell = ScorerCell(
        *(anything("letters"), ModelOptions(), anything("none"), anything("far")),
        *(anything("org/encoder"), anything("uses")),
    )
    made = {"dtype": "float32", "started": "2026-01-02", "seconds": 1.0}
    return Record(cell, "1d" * 32, facts, True, outcome, made)


def changed(made: Any, told: Any, answers: Any) -> list[Record]:
    """Of the model "letters": a task as it is, steered by simulated brains, and by a control."""
    source = {"fitted": {"dataset": "brains", "simulated": True}}
    where = {"model": "letters", "revision": "1", "task": "sums"}
    right = answers(0.6)
    asked = (
        ("none", right, None),
        ("nari-general", np.roll(right, 3), told(**source)),
        ("random-direction", answers(0.5), told(role="control", **source)),
        ("shuffled", Failure("fit", "ValueError", "no <b>such</b> fit", "Try."), None),
    )
    return [made(*one, **where, fingerprint=fingerprint(["task", at])) for at, one in enumerate(asked)]


_PUBLISHED: list[Site] = []


@pytest.fixture
def site(toy: Any, made: Any, told: Any, answers: Any, tmp_path_factory: pytest.TempPathFactory) -> Site:
    """A site of everything that a store can hold, made once for all tests."""
    if _PUBLISHED:
        return _PUBLISHED[0]
    model = toy["model"]
    twin = replace(model("untrained:letters"), scale=2.0)
    records = scored(toy, model(), twin, model("other", scale=-3.0))
    records += scored(toy, model(), simulated=False, name="real", regions=("left", "right"))
    own = [one for one in scored(toy, model("gone"), name="real") if one.cell.kind == "score"]
    records += [
        replace(own[0], outcome=Skip(REASONS[0])),
        replace(own[1], outcome=Failure("open", "MemoryError", REASONS[1], REASONS[2])),
    ]
    dull = [one for one in scored(toy, model("baseline:words")) if one.cell.kind == "score"]
    records += [
        replace(one, facts={**known_as(one, "1", kind="baseline").facts, "baseline": True}) for one in dull
    ]
    for name, revision in HOSTILE.items():
        records += [
            known_as(one, revision) for one in scored(toy, model(name), name="toys", regions=("left",))[:2]
        ]
    records += [known_as(one, COMMIT) for one in scored(toy, model("org/name"))[:2]]
    evil = "<i>evil</i>\u202e"
    (one, *_) = scored(toy, model("evil"), name=evil, regions=(evil,))
    facts = {**one.provenance, "device": evil, "libraries": {evil: evil}, "architecture": evil}
    metric = toy["metric"](evil)
    records.append(replace(one, cell=replace(one.cell, metric=metric), provenance=facts))
    folder = tmp_path_factory.mktemp("models")
    store = Leaderboard(folder / "b.db")
    for record in (*records, *changed(made, told, answers), ideas()):
        store.add(record)
    _PUBLISHED.append(Site(publish(store, folder / "site").parent, store))
    return _PUBLISHED[0]


def test_everything_in_the_store_stands_on_its_models_page(site: Site) -> None:
    lines = {row["model"]: lines_of(site.page(row["model"])) for _, row in site.rows}
    for kind, row in site.rows:
        page, own = site.page(row["model"]), lines[row["model"]]
        assert f'title="{plain(row["fingerprint"])}"' in page
        (listed,) = [line for line in own if line.startswith(f"{row['fingerprint'][:12]} {kind}")]
        assert plain(row.get("metric") or row.get("task") or row.get("scorer")) in listed
        if row["outcome"] != "scores":
            reason = plain(f"{row['reason']} {row['hint'] or ''}").strip()
            assert all(" ".join(part.split()) in text_of(page) for part in reason.split(" Take ", 1))
        elif kind == "score":
            score = f"{plain(row['region'])} float64 {row['score']:.3f} ± {row['spread']:.3f}"
            assert any(line.startswith(score) for line in own), (row["model"], score)
        else:
            assert any(f"{row['accuracy' if kind == 'task' else 'score']:.3f}" in line for line in own)
    failed = [line for line in lines["gone"] if "failed" in line and "MemoryError" in line]
    assert any("in phase open" in line for line in failed)
    assert not any("0.000" in line for line in lines["gone"])
    assert sum("not run" in line for line in lines["gone"]) == 0


def test_a_page_says_what_the_model_is_and_where_it_stands(site: Site) -> None:
    page = text_of(site.page("letters"))
    assert "see also untrained:letters" in page
    assert re.search(r"SIMULATED toy, first/robust, left, all items: rank \S+ of 4", page)
    assert re.search(r"(?<!SIMULATED )real, first/robust, left, all items: rank 1 of 1", page)
    assert "SIMULATED toy v1" in page
    assert "SIMULATED real" not in page
    assert "untrained twin" in text_of(site.page("untrained:letters"))
    assert f'href="https://huggingface.co/org/name/tree/{COMMIT}" rel="noreferrer noopener"' in site.page(
        "org/name"
    )
    hostile = [link for name in HOSTILE for link in re.findall(r'href="(https?:[^"]*)', site.page(name))]
    assert hostile == []


def test_a_baseline_is_called_one_and_has_no_rank(site: Site) -> None:
    page = site.page("baseline:words")
    assert "baseline: no language model" in text_of(page)
    assert "Beside each score stands the best dull predictor" not in text_of(page)  # it is one of them
    assert "Beside each score stands the best dull predictor" in text_of(site.page("letters"))
    assert "Where it stands" not in page
    assert all(command[-1] == "--no-baselines" for command in commands_of(page))
    beside = [line for line in lines_of(site.page("letters")) if line.startswith("left") and "words" in line]
    assert beside  # the best dull predictor, by name
    assert "none scored" not in page  # a baseline is held to none
    assert any("none scored" in site.page(name) for name in HOSTILE)


def test_what_a_change_gained_is_said_beside_its_control(site: Site) -> None:
    page = text_of(site.page("letters"))
    told = re.search(
        r"nari-general \(brain-guided\): ([^;]*); ([^;]*); ([^;]*); perplexity [^;]* times 1.25", page
    )
    assert told
    assert "over the model as it is" in told[1]
    assert "turned right" in told[2]
    assert "over its best control (random-direction, best of 1)" in told[3]
    assert "SIMULATED: some changes were learnt from simulated brains" in page
    (row,) = [row for kind, row in site.rows if kind == "task" and row["role"] == "brain"]
    assert f"[{short(row['against_base']['low'])},{short(row['against_base']['high'])}]" in told[1]
    assert f"{short(row['against_base']['harm'])} turned wrong" in told[2]


def test_texts_can_be_read_as_far_as_there_is_room(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    page = site.page("letters")
    assert "&lt;i&gt;idea&lt;/i&gt; 8" in page
    assert "<i>idea" not in page
    monkeypatch.setattr(model_pages, "MOST_TEXT", 200)
    short = next(text for path, text in files_of(site) if path == places.model_page("letters"))
    shown = short.count("&lt;i&gt;idea&lt;/i&gt;")
    assert 0 < shown < 9
    assert f"{9 - shown} more texts stand in" in short


def files_of(site: Site) -> list[tuple[str, str]]:
    return [(path, str(text)) for path, text in model_pages.files(Board.of(site.store))]


def test_names_from_outside_are_text_and_no_two_share_a_page(site: Site) -> None:
    pages = {name: site.page(name) for name in HOSTILE}
    assert len(set(pages.values())) == len(HOSTILE)
    for model in {row["model"] for _, row in site.rows}:
        page = re.sub(OWN, "", site.page(model))
        tags = set(re.findall(r"<\s*([a-z0-9]+)", page))
        assert not tags & {"script", "img", "iframe", "form", "svg", "b", "i", "u"}
        assert not re.search(r"<[^>]*\s(?:on\w+|style)=", page)
        assert not re.search(r"(?:href|src)=\"\s*(?:javascript|data|vbscript)", page)
        assert "\u202e" not in page
    for name, page in pages.items():
        assert (
            text_of(page.partition("<h1>")[2].partition("</h1>")[0]) == " ".join(plain(name).split())
            or not name
        )
        if plain(name) == name and name:
            assert commands_of(page)[0][3].partition("@")[0].removeprefix("path/to/") == name
    listed = (site.folder / places.MODELS).read_text("utf-8")
    assert listed.count("<tr>") == 1 + len({row["model"] for _, row in site.rows})


def test_the_data_are_those_of_the_store(site: Site) -> None:
    rows = {row["fingerprint"]: (kind, row) for kind, row in site.rows}
    sources = site.store.sources()
    seen = set()
    for model in {row["model"] for _, row in site.rows}:
        told = site.data(model)
        assert (told["schema"], told["model"], told["left_out"]) == (1, model, [])
        for record in told["records"]:
            kind, row = rows[record["fingerprint"]]
            seen.add(record["fingerprint"])
            same = {name: value for name, value in row.items() if name not in {"sampling", "parameters"}}
            assert record["kind"] == kind
            assert {name: record[name] for name in same} == json.loads(json.dumps(same))
            assert record["facts"] == sources[row["fingerprint"]]["facts"]
            made = sources[row["fingerprint"]]["provenance"]
            assert told["made_with"][record["made_with"]].items() <= made.items()
            if kind == "score" and row["outcome"] == "scores":
                found = site.store.layer_scores(row["fingerprint"])
                assert record["layers"]["people"] == list(found.people)
                assert record["layers"]["names"] == list(found.layers)
                kept = np.array(record["per_person"], dtype=float)
                np.testing.assert_allclose(kept, found.per_person, rtol=1e-5)
    assert seen == set(rows)
    (written,) = [one["ideas"] for one in site.data("letters")["records"] if one["kind"] == "ideas"]
    assert [one["text"] for one in written] == [f"<i>idea</i> {at}" for at in range(9)]


def test_nothing_grows_without_end(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_data, "LARGEST", 12_000)
    monkeypatch.setattr(model_pages, "LARGEST", 1_000)
    monkeypatch.setattr(model_pages, "_MOST", (100, 3))
    made = dict(files_of(site))
    told = json.loads(made[model_data.path("letters")])
    assert told["left_out"][:2] == ["ideas", "per_person"]
    assert "per_person" not in told["records"][0]
    page = made[places.model_page("letters")]
    assert re.search(r"\d+ more records stand in", page)
    assert re.search(r"1 more lines stand in", page)
    assert len(lines_of(page.partition('id="runs"')[2])) == 1 + 3


def test_an_empty_board_has_a_list_that_says_so(tmp_path: Path) -> None:
    with Leaderboard(tmp_path / "e.db") as store:
        ((path, text),) = model_pages.files(Board.of(store))
    assert path == places.MODELS
    assert "No results yet" in str(text)


@pytest.mark.browser
def test_pages_open_from_the_disk_on_any_screen(site: Site, visit: Any, violations: Any) -> None:
    for width, dark in ((1280, False), (360, True)):
        page = visit(site.folder, places.model_page("letters"), width=width, dark=dark)
        page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert violations(page) == []
    for path in (*map(places.model_page, HOSTILE), places.MODELS):
        page.goto((site.folder / path).as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, path
    assert violations(page) == []
    page.get_by_role("link", name="gone", exact=True).click()
    for state in ("skip", "failure"):  # seen, and not only there
        box = page.locator(f"table.scores td.{state}").first.bounding_box()
        assert box
        assert box["x"] > 0
    page.go_back()
    page.get_by_role("link", name="letters", exact=True).click()
    page.get_by_role("link", name="How to run it again").click()
    assert page.get_by_role("heading", name="How to run it again").is_visible()


def test_links_lead_somewhere(site: Site, broken_links: Any) -> None:
    assert broken_links(site.folder) == []
