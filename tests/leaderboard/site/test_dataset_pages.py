"""Pages of datasets: licence and citation, ceilings, dull predictors, and nothing from outside as markup."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from brainbench.nouns import DatasetCard, Identity, ModelOptions
from brainbench.plan import Plan
from brainbench.records import Record, Scores
from brainbench.runner import run
from brainbench_interventions.none import NoIntervention
from brainbench_leaderboard.site import dataset_pages, places
from brainbench_leaderboard.site.board import Board, Cards
from brainbench_leaderboard.site.dataset_facts import datasets, is_address
from brainbench_leaderboard.site.pictures import choice
from brainbench_leaderboard.site.pictures.picture import Picture
from brainbench_leaderboard.site.table_parts import score_parts
from brainbench_leaderboard.store import Leaderboard

EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{ 7 * 7 }}"
CARD = DatasetCard(
    f"Noise {EVIL}",
    f"CC0 {EVIL}",
    f"Nobody {EVIL}",
    ("https://example.org/data", "javascript:alert(1)", f"https://x/{EVIL} y"),
    (f"Beware {EVIL}",),
)
PLANTED = {"good": (0.5, 0.1), "fair": (0.3, 0.3), "baseline:a": (0.2, 0.4), "baseline:b": (0.4, 0.2)}


@pytest.fixture
def records(toy: dict[str, Any]) -> Callable[..., list[Record]]:
    """Scores as planted: model -> (left, right); the ceiling of each region is 0.9."""

    model: Any = toy["model"]

    @dataclass(frozen=True)
    class Dull(model):  # type: ignore[misc]
        baseline: bool = True

        def identity(self, options: ModelOptions) -> Identity:
            return Identity({"name": self.name, "revision": "1", "kind": "baseline"})

    def of(value: float) -> Scores:
        table = np.array([[value - 0.1, value, value + 0.1]])
        spread = np.array([0.1])
        return Scores(("l",), ("p0", "p1", "p2"), table, table.mean(1), spread, 0, "the only one", "SD")

    def records(**dataset: Any) -> list[Record]:
        models = [(Dull if name.startswith("baseline:") else toy["model"])(name) for name in PLANTED]
        plan = Plan.product(
            models=models,
            datasets=[toy["dataset"](**dataset)],
            metrics=[toy["metric"]()],
            interventions=[NoIntervention()],
            options=ModelOptions(),
        )
        found = []
        for record in run(plan):
            assert isinstance(record, Record)
            cell: Any = record.cell
            planted = PLANTED[cell.model.name] if cell.kind == "score" else (0.9, 0.9)
            found.append(replace(record, outcome=of(planted[cell.region == "right"])))
        return found

    return records


@pytest.fixture
def board(tmp_path: Path) -> Iterator[Callable[..., Board]]:
    """Of these records; what a board reads later is there to the test's end."""
    with Leaderboard(tmp_path / "b.db") as store:

        def board(*kept: Record, cards: Cards | None = None) -> Board:
            for record in kept:
                store.add(record)
            return Board.of(store, cards)

        yield board


def page(board: Board, name: str) -> str:
    return str(dict(dataset_pages.files(board))[places.dataset_page(name)])


def words(text: str) -> str:
    """As a reader sees it."""
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", re.sub("<wbr>", "", text))).split())


def test_it_says_what_people_and_dull_predictors_reach(records: Any, board: Any) -> None:
    (found,) = datasets(board(*records()))
    (asked,) = found.questions
    limits = asked.limits[0]
    assert [(label, [value.text for value in values]) for label, values in limits.ceilings] == [
        ("ceiling", ["0.900", "0.900"])
    ]
    assert {name: [value.text[:5] for value in values] for name, values in limits.dull} == {
        "a": ["0.200", "0.400"],
        "b": ["0.400", "0.200"],
    }
    assert limits.best == ("b", "a")
    assert [text.partition(",")[0] for text in limits.above] == ["1 of 2", "0 of 2"]
    assert [entry.model for entry in asked.ranking] == ["good", "fair"]
    assert (found.people, found.models, found.regions) == ("3", 2, ("left", "right"))


def test_baselines_are_no_models_where_these_are_counted(records: Any, board: Any) -> None:
    (part,) = score_parts(board(*records()))
    assert part.models == 2


def test_its_page_shows_all_of_that_and_where_the_rest_is(records: Any, board: Any) -> None:
    made = board(*records(), cards=Cards({"toy": replace(CARD, description="Noise of nobody.")}))
    text = page(made, "toy")
    said = words(text)
    for told in ("Noise of nobody.", "SIMULATED data.", "CC0", "0.900", "1 of 2", "1. good", "0.500 ± 0.100"):
        assert told in said, told
    assert text.count("<small>best dull predictor") == 4  # two regions of two sets of items
    assert re.findall(r'<td class="scores best">([\d.]+)', text) == ["0.400", "0.400"] * 2
    assert f"../{places.model_page('good')}" in text
    assert f"../{places.method_page('metric', 'first/paper')}" in text
    assert re.search(r'href="\.\./tables/toy\.first\.paper\.\w{8}\.html"', text)
    assert "v1/left" in said  # what decides the data


def test_cards_and_names_from_outside_are_text(records: Any, board: Any) -> None:
    made = board(*records(name=EVIL, simulated=False), cards=Cards({EVIL: CARD}))
    text = page(made, EVIL)
    assert "<script>alert" not in text
    assert "<img" not in text
    said = words(text)
    for told in (f"Noise {EVIL}", f"CC0 {EVIL}", f"Nobody {EVIL}", f"Beware {EVIL}", f"Dataset {EVIL}"):
        assert told in said
    assert "SIMULATED" not in said
    links = re.findall(r'<a href="((?!\.\./|#)[^"]*)"', text)
    assert links == ["https://example.org/data"]
    assert "javascript:alert(1)" in said


@pytest.mark.parametrize(
    ("source", "may"),
    [
        ("https://example.org/a?b#c", True),
        ("http://example.org", False),
        ("https://", False),
        ("https:///x", False),
        ("data:text/html,x", False),
        ("https://a\u202eb", False),
        ("https://a\nb", False),
        ("a folder", False),
    ],
)
def test_only_an_address_is_a_link(source: str, may: bool) -> None:
    assert is_address(source) == may


def test_a_variant_has_the_card_of_its_base_and_a_stranger_none(records: Any, board: Any) -> None:
    made = board(*records(name="toy@stage=response"), *records(name="other"), cards=Cards({"toy": CARD}))
    assert f"CC0 {EVIL}" in words(page(made, "toy@stage=response"))
    assert "A variant of toy" in words(page(made, "toy@stage=response"))
    assert "Licence and citation are not known here" in words(page(made, "other"))
    assert "not known here" in words(str(dict(dataset_pages.files(made))[places.DATASETS]))


def test_the_list_has_real_data_first_and_simulated_apart(records: Any, board: Any) -> None:
    made = board(*records(), *records(name="zoo", simulated=False))
    text = str(dict(dataset_pages.files(made))[places.DATASETS])
    assert text.index("zoo") < text.index("SIMULATED brain data") < text.index(">toy<")
    assert words(text.partition("SIMULATED brain data")[0]).count("SIMULATED") == 0
    empty = replace(made, scores=(), tasks=(), ideas=())
    assert "No results yet" in str(dict(dataset_pages.files(empty))[places.DATASETS])


def test_facts_of_a_submission_may_be_anything(records: Any, board: Any) -> None:
    made = board(*records())
    several: list[Any] = [
        None,
        [],
        {"dataset": 7},
        {"dataset": {"data": [1]}},
        {"dataset": {"data": "x\x1b[2J"}},
    ]
    for facts in several:
        strange = replace(made, sources={key: {"facts": facts, "provenance": {}} for key in made.sources})
        assert "\x1b" not in page(strange, "toy")
        told = {data for _, _, data in datasets(strange)[0].files}
        assert told == ({"x\\x1b[2J"} if facts == several[-1] else set())


def test_it_embeds_its_pictures(records: Any, board: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = Picture("dots", "Dots by person", "Dots show it.", ("model",), (("good",),), True)
    monkeypatch.setattr(choice, "of_dataset", lambda board, name: (shown,) if name == "toy" else ())
    text = page(board(*records()), "toy")
    assert "Dots by person" in text
    assert 'id="dots"' in text
