"""Standings as tables for the terminal: one table per question, models down, regions across."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Any

from rich.table import Table
from rich.text import Text

Row = Mapping[str, Any]
QUESTION = (
    "dataset",
    "dataset_version",
    "simulated",
    "metric",
    "protocol",
    "metric_version",
    "parameters",
    "item_set",
)
ENTRY = ("model", "revision", "intervention", "dtype", "pooling", "seed", "resolved")
CEILINGS = {"ceiling: extrapolated, mean": "ceiling", "ceiling: median, like the scores": "ceiling_median"}


def tables(rows: Iterable[Row]) -> list[Table]:
    """One table per dataset, metric and set of items; only what stands in one table may be compared."""
    ordered = sorted(
        rows, key=lambda row: ([str(row[name]) for name in QUESTION[:-1]], row["item_set_position"])
    )
    groups = [
        (dict(zip(QUESTION, question, strict=True)), list(group))
        for question, group in groupby(ordered, key=lambda row: tuple(row[name] for name in QUESTION))
    ]
    titles = Counter(_title(question) for question, _ in groups)
    return [_table(question, group, same_title=titles[_title(question)] > 1) for question, group in groups]


def _table(question: Mapping[str, Any], rows: list[Row], *, same_title: bool) -> Table:
    regions = list(
        dict.fromkeys(row["region"] for row in sorted(rows, key=lambda row: row["region_position"]))
    )
    entries: dict[tuple[Any, ...], dict[str, Row]] = {}
    for row in sorted(rows, key=lambda row: row["started"] or ""):
        identity = tuple(row[name] for name in ENTRY)
        # An unresolved record never stands for another: it keeps a line of its own.
        key = identity if row["resolved"] else (*identity, row["fingerprint"])
        entries.setdefault(key, {})[row["region"]] = row
    main = regions[0]
    title = f"{_title(question)} with {question['parameters']}" if same_title else _title(question)
    table = Table(title=Text(title, style="bold"), title_justify="left")
    table.add_column("#", justify="right")
    table.add_column("model", overflow="fold")
    for region in regions:
        table.add_column(region, justify="right")
    ranked = sorted(entries.values(), key=lambda cells: _rank(cells.get(main)))
    for cells in ranked:
        first = cells.get(main)
        rank = str(first["rank"]) if first and first["rank"] else "-"
        table.add_row(
            rank, _who(next(iter(cells.values()))), *(_score(cells.get(region)) for region in regions)
        )
    table.add_section()
    for label, column in CEILINGS.items():
        table.add_row(
            "", Text(label, style="italic"), *(_ceiling(rows, region, column) for region in regions)
        )
    return table


def _rank(row: Row | None) -> tuple[bool, int]:
    return (True, 0) if row is None or row["rank"] is None else (False, int(row["rank"]))


def _title(question: Mapping[str, Any]) -> str:
    kind = "SIMULATED " if question["simulated"] else ""
    version = f"v{question['dataset_version']}"
    return (
        f"{kind}{question['dataset']} {version}, {question['item_set']} items, "
        f"{question['metric']} ({question['protocol']} protocol, v{question['metric_version']})"
    )


def legend(rows: Iterable[Row]) -> list[Text]:
    """What the numbers in the tables are, for each way in which they were made."""
    scored = [row for row in rows if row["outcome"] == "scores"]
    spreads = dict.fromkeys(f"{row['spread_kind']} over {row['participants']} people" for row in scored)
    choices = dict.fromkeys(row["choice"] for row in scored)
    lines = [f"score ± {', '.join(spreads)}; under it the layer that was chosen: {'; '.join(choices)}"]
    lines += [
        "# ranks by the first region; ceilings say how well people predict each other on the same items"
    ]
    return [Text(line, style="dim") for line in lines if scored]


def _who(row: Row) -> Text:
    text = Text(str(row["model"]))
    marks = [str(row["revision"])[:14] if row["revision"] else "", row["dtype"] or ""]
    if row["pooling"] not in (None, "last"):
        marks.append(f"{row['pooling']} pooling")
    if row["intervention"] not in (None, "none"):
        marks.append(f"+ {row['intervention']}")
    if str(row["model"]).startswith("untrained:"):
        marks.append(f"seed {row['seed']}")
    if not row["resolved"]:
        marks.append("unresolved, not ranked")
    return text.append("\n" + ", ".join(mark for mark in marks if mark), style="dim")


def _score(row: Row | None) -> Text:
    if row is None:
        return Text("not run", style="dim")
    if row["outcome"] == "skip":
        return Text("skipped", style="yellow")
    if row["outcome"] == "failure":
        return Text("failed", style="red")
    return Text(f"{row['score']:.3f} ± {row['spread']:.3f}").append(f"\n{row['best_layer']}", style="dim")


def _ceiling(rows: list[Row], region: str, column: str) -> Text:
    for row in rows:
        if row["region"] == region and row[column] is not None:
            return Text(f"{row[column]:.3f}", style="italic")
    return Text("not run", style="dim")


def reasons(rows: Iterable[Row]) -> list[Text]:
    """One sentence for each cell that was skipped or failed."""
    return [
        Text(f"{row['model']}, {row['region']}, {row['item_set']} items: {row['outcome']}. ")
        .append(str(row["reason"]))
        .append(f" {row['hint']}" if row["hint"] else "")
        for row in rows
        if row["outcome"] != "scores"
    ]
