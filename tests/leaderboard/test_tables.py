"""What a person sees: every state of a cell has its own words, and nothing is hidden or run as markup."""

from __future__ import annotations

from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from brainbench.nouns import ModelOptions
from brainbench.plan import Cell, Plan
from brainbench.records import Failure, Record, Scores, Skip
from brainbench.runner import run
from brainbench_interventions.none import NoIntervention
from brainbench_leaderboard.store import Leaderboard
from brainbench_leaderboard.tables import legend, reasons, tables

Toy = dict[str, Any]


def records(toy: Toy, *models: Any) -> list[Record]:
    plan = Plan.product(
        models=models,
        datasets=[toy["dataset"]()],
        metrics=[toy["metric"]()],
        interventions=[NoIntervention()],
        options=ModelOptions(),
        ceilings=False,
    )
    return [result for result in run(plan) if isinstance(result, Record)]


@pytest.fixture
def shown(tmp_path: Path) -> Any:
    """Print what a board with these records shows."""

    def shown(*kept: Record, detailed: bool = True, width: int = 120) -> str:
        with Leaderboard(tmp_path / "b.db") as store:
            for record in kept:
                store.add(record)
            rows = store.standings()
        out = StringIO()
        console = Console(file=out, width=width)
        for line in (*tables(rows, detailed=detailed), *legend(rows, detailed=detailed), *reasons(rows)):
            console.print(line)
        return out.getvalue()

    return shown


def test_a_dataset_has_one_table_with_sets_of_items_and_regions_in_its_own_order(
    toy: Toy, shown: Any
) -> None:
    text = shown(*records(toy, toy["model"]()))
    assert text.index("all items") < text.index("even items")
    assert text.count("all items") == 1
    assert text.index("left") < text.index("right")
    assert text.count("SIMULATED toy v1") == 1


def test_missing_skipped_and_failed_are_told_apart_and_never_zero(toy: Toy, shown: Any) -> None:
    one = records(toy, toy["model"]("a"), toy["model"]("b"), toy["model"]("c"))

    def at(region: str) -> list[Record]:
        cells = [(r, r.cell) for r in one if isinstance(r.cell, Cell)]
        return [r for r, cell in cells if (cell.region, cell.item_set.name) == (region, "all")]

    left, right = at("left"), at("right")
    skipped = replace(left[0], outcome=Skip("a prompt without an object"))
    failed = replace(left[1], outcome=Failure("open", "MemoryError", "too large", "Take a smaller one."))
    text = shown(skipped, failed, left[2], right[0])
    assert "skipped" in text
    assert "failed" in text
    assert "not run" in text
    assert "a prompt without an object" in text
    assert "too large Take a smaller one." in text
    assert "0.000" not in text


def test_the_best_comes_first_and_an_unresolved_model_has_no_rank(toy: Toy, shown: Any) -> None:
    one = records(toy, toy["model"]("a"))[0]
    assert isinstance(one.outcome, Scores)

    def scoring(name: str, score: float, **more: Any) -> Record:
        assert isinstance(one.outcome, Scores)
        outcome = replace(one.outcome, per_layer=one.outcome.per_layer * 0 + score)
        cell = replace(one.cell, model=toy["model"](name))
        return replace(one, cell=cell, fingerprint=name, outcome=outcome, **more)

    text = shown(scoring("low", 0.1), scoring("high", 0.3), scoring("loose", 0.9, resolved=False))
    assert text.index("high") < text.index("low") < text.index("loose")
    assert "unresolved, not ranked" in text
    ranks = [line.split()[0] for line in text.splitlines() if "±" in line and "(" not in line]
    assert ranks == ["1", "1", "-"]
    assert "#: with 3 people no two models can be told apart" in " ".join(text.split())


def test_tables_that_differ_in_parameters_alone_say_so(toy: Toy, shown: Any) -> None:
    one = records(toy, toy["model"]())[0]
    facts = {**one.facts, "metric": {**one.facts["metric"], "parameters": {"power": 9}}}
    text = shown(one, replace(one, fingerprint="other", facts=facts))
    assert '"power":9' in text
    assert text.count("SIMULATED toy v1, first (paper protocol, v1)") == 2


def test_text_from_plugins_is_shown_and_never_taken_for_markup(toy: Toy, shown: Any) -> None:
    one = records(toy, toy["model"]())[0]
    text = shown(replace(one, outcome=Failure("open", "OSError", "[bold]no[/bold] [link=x]file[/link]", "")))
    assert "[bold]no[/bold] [link=x]file[/link]" in text


def test_a_ceiling_that_was_skipped_says_so_and_why(toy: Toy, shown: Any) -> None:
    plan = Plan.product(
        models=[toy["model"]()],
        datasets=[toy["dataset"]()],
        metrics=[toy["metric"]()],
        interventions=[NoIntervention()],
        options=ModelOptions(),
    )
    text = shown(*(result for result in run(plan) if isinstance(result, Record)))
    assert "ceiling: skipped. noise has none (4 cells)" in text
    assert "not run" not in text


def test_the_same_failure_in_many_cells_is_said_once(toy: Toy, shown: Any) -> None:
    failed = [
        replace(r, outcome=Failure("open", "OSError", "no way in.", "")) for r in records(toy, toy["model"]())
    ]
    text = shown(*failed)
    assert text.count("no way in.") == 1
    assert "letters: failed. no way in. (4 cells)" in text


def test_one_model_that_failed_in_all_regions_before_it_was_known_has_one_line(toy: Toy, shown: Any) -> None:
    broken = records(toy, toy["model"](breaks="identity"), toy["model"]("fine"))
    text = shown(*broken)
    first_section = text.partition("all items")[2].partition("even items")[0]
    assert first_section.count("letters") == 1
    assert first_section.count("failed") == 2
    assert first_section.count("fine") == 1


def test_the_same_model_on_other_data_has_a_line_of_its_own(toy: Toy, shown: Any) -> None:
    one = records(toy, toy["model"]())[0]
    facts = {**one.facts, "dataset": {**one.facts["dataset"], "data": "other"}}
    text = shown(one, replace(one, fingerprint="other", facts=facts))
    assert text.count("±") == 2 + 1  # two lines and the legend


def test_terminal_escapes_are_spelt_out(toy: Toy, shown: Any) -> None:
    one = records(toy, toy["model"]())[0]
    evil = replace(one.cell, model=toy["model"]("a\x1b[2Jb\nc"))
    text = shown(replace(one, cell=evil), replace(one, fingerprint="x", outcome=Skip("why \x1b]0;title\x07")))
    assert "\x1b" not in text
    assert "\x07" not in text
    assert "\\x1b[2Jb\\nc" in text


def test_without_details_a_model_has_one_line_and_the_ceiling_stands_beside_the_set(
    toy: Toy, shown: Any
) -> None:
    made = records(toy, toy["model"]("a"), toy["model"]("untrained:a"))
    text = shown(*made, detailed=False, width=80)
    lines = text.splitlines()
    assert sum("±" in line for line in lines) == 4 + 1  # two models, two sets of items, and the legend
    assert "seed" not in text
    assert "layer.0" not in text
    assert max(map(len, lines)) <= 80


def test_without_details_what_is_unusual_is_said_and_namesakes_are_told_apart(toy: Toy, shown: Any) -> None:
    one = records(toy, toy["model"]("a"))[0]
    facts = {**one.facts, "model": {**one.facts["model"], "revision": "2", "pooling": "mean"}}
    text = shown(replace(one, facts=facts), detailed=False)
    assert "mean pooling" in text
    twice = shown(replace(one, fingerprint="other"), detailed=False)
    assert "2, float64, mean pooling" in twice
    assert "1, float64" in twice
