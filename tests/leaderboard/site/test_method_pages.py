"""Pages of methods: what each says of itself, what the records say of it, and where it was used."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from brainbench.nouns import MethodCard, ModelOptions
from brainbench.plan import Plan
from brainbench.plugins import discover, load
from brainbench.records import Record
from brainbench.runner import run
from brainbench_interventions.none import NoIntervention
from brainbench_leaderboard.site import method_pages, places
from brainbench_leaderboard.site.board import Board, Cards
from brainbench_leaderboard.site.method_facts import Method, methods
from brainbench_leaderboard.site.method_names import bare
from brainbench_leaderboard.store import Leaderboard

EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{ 7 * 7 }}"
CARD = MethodCard(f"Sums {EVIL}", f"x = {EVIL}", f"See {EVIL}", (f"Beware {EVIL}",))


@pytest.fixture
def board(tmp_path: Path) -> Callable[..., Board]:
    """Of these records; what a board reads later is not asked for here."""

    def board(*kept: Record, cards: Cards | None = None) -> Board:
        with Leaderboard(tmp_path / "b.db") as store:
            for record in kept:
                store.add(record)
            return Board.of(store, cards)

    return board


@pytest.fixture
def scores(toy: dict[str, Any]) -> Callable[..., list[Record]]:
    def scores(metric: Any = None, **dataset: Any) -> list[Record]:
        plan = Plan.product(
            models=[toy["model"]()],
            datasets=[toy["dataset"](**dataset)],
            metrics=[metric or toy["metric"]()],
            interventions=[NoIntervention()],
            options=ModelOptions(),
        )
        return [result for result in run(plan) if isinstance(result, Record)]

    return scores


def page(board: Board, kind: str, name: str) -> str:
    return str(dict(method_pages.files(board))[places.method_page(kind, name)])


def words(text: str) -> str:
    """As a reader sees it."""
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", re.sub("<wbr>", "", text))).split())


def found(board: Board, kind: str, name: str) -> Method:
    (one,) = [method for method in methods(board) if (method.kind, method.name) == (kind, name)]
    return one


@pytest.mark.parametrize(
    ("name", "page"),
    [
        ("narf@language@weight=0.2", "narf"),
        ("none", "none"),
        ("adapter:mine@1f2e", "adapter:PATH"),
        ("steering:a@1", "steering:PATH"),
    ],
)
def test_settings_are_no_method_of_their_own(name: str, page: str) -> None:
    assert bare(name) == page


def test_a_metric_has_its_card_and_all_that_records_say_of_it(toy: Any, scores: Any, board: Any) -> None:
    cards = Cards(
        metrics={"first/paper": MethodCard("Adds.", "x = a + b. a, b: numbers.", "Nobody.", ("It adds.",))}
    )
    made = board(*scores(), *scores(toy["metric"](power=2), simulated=False, name="zoo"), cards=cards)
    method = found(made, "metric", "first/paper")
    assert {json.loads(one)["power"] for one in method.parameters} == {1, 2}
    assert list(method.versions) == [1]
    assert {title.split(",")[0] for title in method.tables.values()} == {"SIMULATED toy v1", "zoo v1"}
    text = page(made, "metric", "first/paper")
    said = words(text)
    for told in ("Adds.", "x = a + b. a, b: numbers.", "Nobody.", "It adds.", "models 1", "SIMULATED toy v1"):
        assert told in said, told
    assert all(f'href="../{path}"' in text for path in method.tables)
    assert "none" in words(str(dict(method_pages.files(made))[places.METHODS]))


def test_an_intervention_says_its_role_its_settings_and_what_stands_beside_it(
    made: Any, told: Any, trained: Any, answers: Any, board: Any
) -> None:
    kept = [
        made("none", answers()),
        made("nari@language", answers(0.7), told(oracle=True)),
        made("random-direction", answers(), told(role="control")),
        trained("narf-label@rate=1e-3", answers(0.8)),
    ]
    this = board(*kept, cards=Cards(beside={"narf-label": ("none", "label-only")}))
    oracle = found(this, "intervention", "nari")
    assert list(oracle.roles) == ["brain, an oracle"]
    assert list(oracle.names) == ["nari@language"]
    assert list(found(this, "intervention", "random-direction").roles) == ["control"]
    text = page(this, "intervention", "narf-label")
    assert f'href="../{places.method_page("intervention", "label-only")}"' in text
    assert "narf-label@rate=1e-3" in words(text)
    assert found(this, "task", "sums").models == {"m": None}
    assert not found(this, "intervention", "none").roles


def test_methods_without_results_say_so_and_come_last(scores: Any, board: Any) -> None:
    cards = Cards(metrics={"a/b": CARD, "first/paper": CARD})
    made = board(*scores(), cards=cards)
    assert "There are none with it yet." in words(page(made, "metric", "a/b"))
    listed = words(str(dict(method_pages.files(made))[places.METHODS]))
    assert listed.index("first/paper") < listed.index("a/b")
    assert "no results" in listed
    assert "No results yet" in words(
        str(dict(method_pages.files(replace(made, scores=(), cards=Cards())))[places.METHODS])
    )
    bare_of_card = board(*scores(), cards=Cards())
    assert "What it computes is not known here" in words(page(bare_of_card, "metric", "first/paper"))


def test_whatever_comes_from_outside_is_text(toy: Any, scores: Any, board: Any) -> None:
    cards = Cards(metrics={f"{EVIL}/paper": CARD})
    made = board(*scores(toy["metric"](EVIL), name=EVIL), cards=cards)
    text = page(made, "metric", f"{EVIL}/paper") + str(dict(method_pages.files(made))[places.METHODS])
    assert "<script" not in text
    assert "<img" not in text
    said = words(text)
    for told in (f"Sums {EVIL}", f"x = {EVIL}", f"See {EVIL}", f"Beware {EVIL}", f"SIMULATED {EVIL} v1"):
        assert told in said
    addresses = re.findall(r'<a href="([^"]*)"', text)
    assert all(
        address.startswith(("../", "#", "methods/")) or address.endswith(".html") for address in addresses
    )


def test_facts_of_a_submission_may_be_anything(scores: Any, board: Any) -> None:
    made = board(*scores())
    several: list[Any] = [None, [], {"metric": 7}, {"metric": {"parameters": [1], "version": "x"}}]
    for facts in several:
        strange = {key: {"facts": facts, "provenance": {}} for key in made.sources}
        method = found(replace(made, sources=strange), "metric", "first/paper")
        assert not method.versions
        assert not method.parameters


def test_every_built_in_method_has_its_page_and_a_broken_card_breaks_nothing(board: Any) -> None:
    catalog = load(discover())
    cards = Cards.of(catalog)
    assert cards.beside["narf-label"] == ("none", "label-only")
    made = dict(method_pages.files(board(cards=cards)))
    wanted = {
        places.method_page(kind, name)
        for kind, things in (
            ("intervention", cards.interventions),
            ("scorer", cards.scorers),
            ("task", cards.tasks),
        )
        for name in things
    }
    assert len(wanted) > 60
    assert wanted < set(made)
    one: Any = cards.interventions["nari-general"]
    assert one.formula in words(str(made[places.method_page("intervention", "nari-general")]))

    class Broken:
        name, protocol = "broken", "x"

        @property
        def card(self) -> MethodCard:
            raise ValueError("no card")

    anything: Any = Broken()
    catalog.metrics.entries["broken/x"] = (anything, next(iter(catalog.metrics.entries.values()))[1])
    assert "broken/x" not in Cards.of(catalog).metrics
