"""How far models stand above the best dull predictor."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import ttest_rel

from brainbench.arrays import AnyFeatures, Recording
from brainbench.nouns import Identity, ModelOptions
from brainbench.plan import Plan
from brainbench.records import Record, Scores
from brainbench.runner import run
from brainbench.statistics import corrected_two_factor_interval, two_way_interval
from brainbench_interventions.none import NoIntervention
from brainbench_leaderboard import values, view
from brainbench_leaderboard.margins import Cells, with_margins
from brainbench_leaderboard.store import Leaderboard
from brainbench_leaderboard.tables import tables

Toy = dict[str, Any]
RNG = np.random.default_rng(0)
PEOPLE = ("p", "q", "r", "s")
ITEMS = tuple("abcdefgh")
MINE, OTHERS = RNG.normal(0.5, 0.1, (4, 8)), RNG.normal(0.2, 0.1, (4, 8))


def row(model: str, score: float, kind: str = "huggingface", **more: Any) -> dict[str, Any]:
    return {
        "model": model,
        "model_kind": kind,
        "baseline": int(kind != "huggingface"),
        "outcome": "scores",
        "score": score,
        "question": "one",
        "fingerprint": model,
        **dict.fromkeys(("dtype", "pooling", "intervention", "seed", "nuisances")),
        **more,
    }


def cells(table: Any, people: tuple[str, ...] = PEOPLE, items: tuple[str, ...] = ITEMS) -> Cells:
    return Cells(people, np.nanmean(table, axis=1), items, table)


def margin(found: dict[str, Cells], *rows: dict[str, Any]) -> dict[str, Any]:
    return {one["model"]: one for one in with_margins(rows, found.__getitem__)}["m"]


def test_the_difference_is_paired_over_people_and_items() -> None:
    made = margin({"m": cells(MINE), "b": cells(OTHERS)}, row("m", 0.5), row("b", 0.2, "baseline"))
    expected = two_way_interval(MINE - OTHERS)
    assert (made["above"], made["above_across"]) == ("b", "people and items")
    assert made["above_by"] == pytest.approx((MINE - OTHERS).mean())
    assert (made["above_low"], made["above_high"]) == pytest.approx((expected.low, expected.high))


def test_people_and_items_are_matched_by_name_and_others_left_out() -> None:
    turned = Cells(PEOPLE[::-1], OTHERS[::-1].mean(axis=1), ITEMS[::-1], OTHERS[::-1, ::-1])
    straight = margin({"m": cells(MINE), "b": cells(OTHERS)}, row("m", 1.0), row("b", 0.2, "baseline"))
    mixed = margin({"m": cells(MINE), "b": turned}, row("m", 1.0), row("b", 0.2, "baseline"))
    assert mixed["above_low"] == pytest.approx(straight["above_low"])
    fewer = cells(OTHERS[1:, 2:], PEOPLE[1:], ITEMS[2:])
    part = margin({"m": cells(MINE), "b": fewer}, row("m", 1.0), row("b", 0.2, "baseline"))
    assert part["above_high"] == pytest.approx(two_way_interval((MINE - OTHERS)[1:, 2:]).high)


def test_a_person_without_an_item_is_left_out_of_that_item() -> None:
    gaps = MINE.copy()
    gaps[0, :3] = np.nan
    made = margin({"m": cells(gaps), "b": cells(OTHERS)}, row("m", 1.0), row("b", 0.2, "baseline"))
    whole = two_way_interval(MINE - OTHERS)
    assert made["above_across"] == "people and items"
    assert made["above_low"] == pytest.approx(whole.low, abs=0.05)
    assert made["above_high"] == pytest.approx(whole.high, abs=0.05)


def test_the_interval_of_a_table_with_gaps_resamples_what_is_there() -> None:
    gaps = np.where(np.random.default_rng(2).random(MINE.shape) < 0.15, np.nan, MINE + np.arange(8) / 8)
    made = margin({"m": cells(gaps), "b": cells(OTHERS)}, row("m", 1.0), row("b", 0.2, "baseline"))
    table = gaps - OTHERS

    def mean(people: Any, items: Any) -> float:
        return float(np.mean([np.nanmean(table[person][items]) for person in people]))

    expected = corrected_two_factor_interval(mean, table.shape, seed=0, draws=500)
    assert (made["above_low"], made["above_high"]) == pytest.approx((expected.low, expected.high))


def test_without_scores_by_item_the_interval_is_over_people() -> None:
    mine, others = Cells(PEOPLE, MINE.mean(axis=1)), Cells(PEOPLE, OTHERS.mean(axis=1))
    scores = float(mine.scores.mean()), float(others.scores.mean())
    made = margin({"m": mine, "b": others}, row("m", scores[0]), row("b", scores[1], "baseline"))
    expected = ttest_rel(mine.scores, others.scores).confidence_interval(0.95)
    assert made["above_across"] == "people"
    assert (made["above_low"], made["above_high"]) == pytest.approx((expected.low, expected.high))


def test_medians_are_subtracted_and_have_no_interval() -> None:
    mine, others = Cells(PEOPLE, MINE[:, 0]), Cells(PEOPLE, OTHERS[:, 0])
    scores = float(np.median(mine.scores)), float(np.median(others.scores))
    made = margin({"m": mine, "b": others}, row("m", scores[0]), row("b", scores[1], "baseline"))
    assert made["above_by"] == pytest.approx(scores[0] - scores[1])
    assert made["above_low"] is made["above_across"] is None


def test_a_dull_predictor_of_few_people_or_of_another_version_is_not_compared_with() -> None:
    few, old = Cells(PEOPLE[:1], np.array([0.9])), row("old", 0.8, "baseline", nuisances=0)
    found = {"m": cells(MINE), "b": cells(OTHERS), "few": few, "old": cells(OTHERS), "more": cells(OTHERS)}
    rows = [
        row("m", 0.5),
        row("few", 0.9, "baseline"),
        old,
        row("more", 0.85, "noise"),
        row("b", 0.2, "baseline"),
    ]
    assert margin(found, *rows)["above"] == "b"
    assert margin(found, *rows[:-1])["above"] is None


def test_one_person_and_no_difference_have_no_interval() -> None:
    one = {"m": cells(MINE[:1], PEOPLE[:1]), "b": cells(OTHERS[:1], PEOPLE[:1])}
    for found in (one, {"m": cells(MINE), "b": cells(MINE)}):
        made = margin(found, row("m", 1.0), row("b", 0.2, "baseline"))
        assert made["above_by"] is not None
        assert made["above_low"] is made["above_across"] is None


def test_the_best_is_taken_but_neither_people_nor_another_models_twin() -> None:
    rows = [
        row("m", 0.5),
        row("low", 0.1, "baseline"),
        row("high", 0.2, "baseline"),
        row("people", 0.9, "people"),
        row("untrained:other", 0.8, "untrained"),
        row("elsewhere", 0.7, "baseline", question="two"),
        row("failed", 0.6, "baseline", outcome="failure"),
    ]
    found = {one["model"]: cells(OTHERS) for one in rows}
    assert margin(found, *rows)["above"] == "high"
    assert margin({**found, "untrained:m": cells(OTHERS)}, *rows, row("untrained:m", 0.3, "untrained"))[
        "above"
    ] == ("untrained:m")
    for other in ({"seed": 7}, {"pooling": "mean"}, {"intervention": "push"}, {"dtype": "float16"}):
        twin = {**row("untrained:m", 0.3, "untrained"), **other}
        assert margin({**found, "untrained:m": cells(OTHERS)}, *rows, twin)["above"] == "high"


def test_a_baseline_itself_and_a_lonely_model_have_none() -> None:
    only = with_margins([row("m", 0.5)], lambda name: cells(OTHERS))
    dull = with_margins([row("b", 0.5, "baseline"), row("c", 0.4, "baseline")], lambda name: cells(OTHERS))
    assert all(one["above"] is None for one in (*only, *dull))


@dataclass(frozen=True)
class Dull:
    name: str = "dull"
    baseline: bool = True

    def identity(self, options: ModelOptions) -> Identity:
        return Identity({"kind": "baseline", "name": self.name})

    @contextmanager
    def open(self, options: ModelOptions, reporter: Any) -> Iterator[Dull]:
        yield self

    def features_of(self, stimuli: Any, recording: Recording, reporter: Any) -> AnyFeatures:
        return recording.nuisances["characters"]

    def facts(self) -> dict[str, Any]:
        return {}


@pytest.fixture
def records(toy: Toy) -> list[Record]:
    plan = Plan.product(
        models=[toy["model"](), Dull()],
        datasets=[toy["dataset"]()],
        metrics=[toy["metric"]()],
        interventions=[NoIntervention()],
        options=ModelOptions(),
        ceilings=False,
    )
    return [result for result in run(plan) if isinstance(result, Record)]


def by_item(record: Record, seed: int, *, gap: bool = False) -> Record:
    """The record with made-up scores by item around its scores."""
    assert isinstance(record.outcome, Scores)
    scores = record.outcome.per_participant[record.outcome.best]
    table = np.random.default_rng(seed).normal(size=(len(scores), 5))
    if gap:
        table[0, 1] = np.nan
    table += (scores - np.nanmean(table, axis=1))[:, None]
    return replace(record, outcome=replace(record.outcome, items=tuple("abcde"), per_item=table))


def test_the_store_keeps_scores_by_item_and_puts_baselines_apart(
    tmp_path: Path, records: list[Record]
) -> None:
    with Leaderboard(tmp_path / "b.db") as store:
        for at, record in enumerate(records):
            store.add(by_item(record, at, gap=at == 0))
        rows = store.standings()
    model, dull = ([one for one in rows if one["model"] == name] for name in ("letters", "dull"))
    assert [one["rank"] for one in model] == [1] * len(model)
    assert {one["rank"] for one in dull} == {None}
    assert all(one["baseline"] for one in dull)
    assert {(one["above"], one["above_across"]) for one in model} == {("dull", "people and items")}
    assert {one["above"] for one in dull} == {None}
    for one in model:
        (other,) = [d for d in dull if d["question"] == one["question"]]
        assert one["above_by"] == pytest.approx(one["score"] - other["score"], abs=1e-4)


def test_tables_show_the_margin_and_in_brief_the_best_dull_predictor(
    tmp_path: Path, records: list[Record]
) -> None:
    from rich.console import Console

    with Leaderboard(tmp_path / "b.db") as store:
        for record in records:
            store.add(record)
        rows = store.standings()
    for section in view.tables(rows)[0].sections:
        assert [entry.model for entry in section.entries] == ["letters"]
        assert [entry.model for entry in section.baselines] == ["dull"]
        assert all(value.beside == "dull" and value.above for value in section.entries[0].values)
    for detailed, says in ((True, "-  dull"), (False, "best dull predictor")):
        console = Console(width=200, record=True, file=io.StringIO())
        for table in tables(rows, detailed=detailed):
            console.print(table)
        text = console.export_text()
        assert says in text
        assert ("-  dull" in text) == detailed
        value = view.tables(rows)[0].sections[0].entries[0].values[0]
        assert value.above.startswith(f"{rows[0]['above_by']:+.3f} [")
        assert (value.above if detailed else value.briefly) in text


@pytest.mark.parametrize(
    ("by", "low", "high", "exact", "brief"),
    [
        (0.1294, 0.0938, 1.165, "+0.129 [0.094, 1.165]", "+.13 [.09,1.17]"),
        (-0.1294, -0.1938, -0.065, "-0.129 [-0.194, -0.065]", "-.13 [-.19,-.07]"),
        (10.0, None, None, "+10.000", "+10.00"),
    ],
)
def test_margins_are_written_once_exactly_and_once_briefly(
    by: float, low: float | None, high: float | None, exact: str, brief: str
) -> None:
    made = {"above_by": by, "above_low": low, "above_high": high, "above": "baseline:words"}
    assert values._above(made) == (exact, brief, "words")


JUDGED = {"low": None, "high": None, "p": None, "beyond": None, "beyond_low": None, "beyond_high": None}


@pytest.mark.parametrize(
    ("known", "tested", "beyond"),
    [
        ({}, "", ""),
        ({"low": -0.01, "high": 0.2, "p": 0.0414}, "[-0.010, 0.200], p 0.041", ""),
        ({"p": 0.0001}, "p 1e-04", ""),
        ({"beyond": 0.012, "beyond_low": 0.001, "beyond_high": 0.02}, "", "+0.012 [0.001, 0.020]"),
        ({"beyond": -0.012}, "", "-0.012"),
        ({"beyond": 0.012, "baseline": 1}, "", ""),  # a dull predictor beyond itself is nothing
    ],
)
def test_interval_p_value_and_what_is_beyond_all_dull_predictors(
    known: dict[str, Any], tested: str, beyond: str
) -> None:
    assert values._judged({"baseline": 0, **JUDGED, **known}) == (tested, beyond)


def test_the_view_finds_what_robust_metrics_say_of_a_score(tmp_path: Path, records: list[Record]) -> None:
    details = {
        "letters": {
            "p": 0.03,
            "interval": {"low": 0.1, "high": 0.2},
            "unique_variance": {"r2_unique": 0.01, "interval": {"low": 0.0, "high": 0.02}},
        },
        "dull": {"null": {"p": 0.5}, "partial": {"cross-validated": 0.04, "interval": {"none": "few"}}},
    }
    with Leaderboard(tmp_path / "b.db") as store:
        for record in records:
            assert record.cell.model is not None
            assert isinstance(record.outcome, Scores)
            said = details[record.cell.model.name]
            store.add(replace(record, outcome=replace(record.outcome, details=said)))
        rows = {one["model"]: one for one in store.standings()}
    keys = ("p", "low", "high", "beyond", "beyond_low", "beyond_high")
    assert [rows["letters"][key] for key in keys] == [0.03, 0.1, 0.2, 0.01, 0.0, 0.02]
    assert [rows["dull"][key] for key in keys] == [0.5, None, None, 0.04, None, None]


def test_the_best_dull_predictor_may_be_random_weights_but_neither_people_nor_more_noise() -> None:
    usual: dict[str, Any] = {
        **JUDGED,
        "region": "r",
        "outcome": "scores",
        "spread": 0.1,
        "best_layer": "x",
        "above_by": None,
    }
    rows: list[values.Row] = [
        row("m", 0.9, **usual),
        row("baseline:words", 0.2, "baseline", **usual),
        row("untrained:m", 0.3, "untrained", **usual),
        row("baseline:person", 0.8, "people", **usual),
        row("baseline:noise@99", 0.7, "noise", **usual),
    ]
    best = view._best_dull(rows, "r")
    assert (best.text, best.beside) == ("0.300 ± 0.100", "untrained:m")
    assert view._best_dull(rows[:2], "r").beside == "words"
    assert view._best_dull(rows[:1], "r").state == "missing"
