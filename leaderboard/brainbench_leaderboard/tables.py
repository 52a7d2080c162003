"""Standings as tables for the terminal: one table per question, models down, regions across."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from brainbench.text import plain

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
STATES = {"scores": "-", "skip": "skipped", "failure": "failed"}
CEILINGS = {"ceiling": "ceiling", "ceiling on the scores' own scale": "ceiling_like_for_like"}


def tables(rows: Iterable[Row]) -> list[Group]:
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


def _table(question: Mapping[str, Any], rows: list[Row], *, same_title: bool) -> Group:
    regions = list(
        dict.fromkeys(row["region"] for row in sorted(rows, key=lambda row: row["region_position"]))
    )
    entries = _entries(rows)
    main = regions[0]
    title = f"{_title(question)} with {question['parameters']}" if same_title else _title(question)
    table = Table()
    table.add_column("#", justify="right")
    table.add_column("model", overflow="fold")
    for region in regions:
        table.add_column(Text(plain(region)), justify="right", overflow="fold")
    ranked = sorted(entries, key=lambda cells: _rank(cells.get(main)))
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
    return Group(Text(plain(title), style="bold"), table)  # a table's own title wraps at its width


def _entries(rows: list[Row]) -> list[dict[str, Row]]:
    """Lines of a table: each has one row a region. Nothing is hidden behind another row."""
    entries: dict[tuple[Any, ...], dict[str, Row]] = {}
    for row in sorted(rows, key=lambda row: row["started"] or ""):
        identity = tuple(row[name] for name in ENTRY)
        alone = row["outcome"] != "failure" and not row["resolved"]  # it stands for no other run
        key = (*identity, row["fingerprint"]) if alone else identity
        if row["region"] in entries.get(key, {}):  # the same on other data, or asked with other prompts
            key = (*key, row["question"])
        entries.setdefault(key, {})[row["region"]] = row
    return list(entries.values())


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
    lines: dict[str, None] = {}
    for row in scored:
        over = f"{row['spread_kind']} over {row['participants']} people"
        metric = f"{row['metric']} ({row['protocol']})"
        lines[f"{metric}: score ± {over}; under it the layer, chosen as the {row['choice']}"] = None
        if row["ceiling_choice"]:
            lines[f"{metric}: ceiling is the {row['ceiling_choice']}"] = None
    if scored:
        lines["# ranks by the first region"] = None
    return [Text(plain(line), style="dim") for line in lines]


def _who(row: Row) -> Text:
    text = Text(plain(row["model"]))
    marks = [str(row["revision"])[:14] if row["revision"] else "", row["dtype"] or ""]
    if row["pooling"] not in (None, "last"):
        marks.append(f"{row['pooling']} pooling")
    if row["intervention"] not in (None, "none"):
        marks.append(f"+ {row['intervention']}")
    if str(row["model"]).startswith("untrained:"):
        marks.append(f"seed {row['seed']}")
    if not row["resolved"]:
        marks.append("unresolved, not ranked")
    return text.append("\n" + plain(", ".join(mark for mark in marks if mark)), style="dim")


def _score(row: Row | None) -> Text:
    if row is None:
        return Text("not run", style="dim")
    if row["outcome"] == "skip":
        return Text("skipped", style="yellow")
    if row["outcome"] == "failure":
        return Text("failed", style="red")
    return Text(f"{row['score']:.3f} ± {row['spread']:.3f}").append(
        f"\n{plain(row['best_layer'])}", style="dim"
    )


def _ceiling(rows: list[Row], region: str, column: str) -> Text:
    here = [row for row in rows if row["region"] == region]
    for row in here:
        if row[column] is not None:
            return Text(f"{row[column]:.3f}", style="italic")
    outcome = next((row["ceiling_outcome"] for row in here if row["ceiling_outcome"]), None)
    return Text(STATES.get(outcome or "", "not run"), style="dim")


def reasons(rows: Iterable[Row]) -> list[Text]:
    """What was skipped or failed, each reason once with the cells that it met."""
    met: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        where = f"{row['dataset']}, {row['region']}, {row['item_set']} items, {row['metric']}"
        if row["outcome"] != "scores":
            reason = f"{row['reason']} {row['hint'] or ''}".strip()
            met.setdefault((f"{row['model']}: {STATES[row['outcome']]}", reason), []).append(where)
        if row["ceiling_outcome"] not in (None, "scores"):
            ceiling = met.setdefault(
                (f"ceiling: {STATES[row['ceiling_outcome']]}", row["ceiling_reason"]), []
            )
            ceiling += [] if where in ceiling else [where]
    return [
        Text(plain(f"{who}. {reason} ({cells[0] if len(cells) == 1 else f'{len(cells)} cells'})"))
        for (who, reason), cells in met.items()
    ]
