"""Accuracies on tasks as tables for the terminal: one for each task, models down."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Any

from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from brainbench.text import plain

Row = Mapping[str, Any]
STYLES = {"scores": "", "skip": "yellow", "failure": "red"}
_FEW = 4  # values of a condition that still fit beside an accuracy


def tables(rows: Iterable[Row]) -> list[Group]:
    """One table a task, version and limit; rows come sorted by these."""
    return [_table(list(group)) for _, group in groupby(rows, key=_question)]


def legend(rows: Iterable[Row]) -> list[Text]:
    """What the numbers are."""
    scored = [row for row in rows if row["outcome"] == "scores"]
    if not scored:
        return []
    lines = [
        "accuracy: share of items answered rightly [95 % interval for other problems: they are resampled, "
        "each in all its forms]",
        "greedy: share of items for which greedy decoding spells the right answer; the accuracy takes the "
        "likelier of the answers",
    ]
    if any(row["people_accuracy"] is not None for row in scored):
        lines.append(
            "kappa: agreement with a person on which items are right, beyond what their accuracies give by "
            "chance (0), mean over people"
        )
    return [Text(line, style="dim") for line in lines]


def reasons(rows: Iterable[Row]) -> list[Text]:
    """What was skipped or failed, and why."""
    return [
        Text(f"{row['model']} on {row['task']}: {plain(row['reason'])} {plain(row['hint'] or '')}".strip())
        for row in rows
        if row["outcome"] != "scores"
    ]


def _question(row: Row) -> tuple[str, int, int | None]:
    return row["task"], row["task_version"], row["problem_limit"]


def _table(rows: list[Row]) -> Group:
    first = rows[0]
    scored = [row for row in rows if row["outcome"] == "scores"]
    drawn = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0), header_style="")
    drawn.add_column("#", justify="right")
    drawn.add_column("model", overflow="fold")
    people = any(row["people_accuracy"] is not None for row in scored)
    for name in ("accuracy", "greedy", *_conditions(scored), *(("kappa",) if people else ())):
        drawn.add_column(Text(name), justify="right", overflow="fold")
    for row in rows:
        drawn.add_row(str(row["rank"] or ""), _who(row), *_values(row, _conditions(scored), people))
    for label, value, kappa in _references(scored):
        empty = [""] * len(_conditions(scored))
        cells = [value, "", *empty, *((kappa,) if people else ())]
        drawn.add_row("", Text(label, style="italic"), *(Text(cell, style="italic") for cell in cells))
    sizes = f", {first['items']} items of {first['problems']} problems" if scored else ""
    limit = f", first {first['problem_limit']} problems" if first["problem_limit"] is not None else ""
    return Group(Text(f"{first['task']} v{first['task_version']}{limit}{sizes}", style="bold"), drawn)


def _conditions(scored: list[Row]) -> dict[str, str]:
    """Columns beside the accuracy, where there are few: by value, the condition it is of."""
    found = scored[0]["by_condition"] if scored else {}
    return {value: name for name, values in found.items() if 1 < len(values) <= _FEW for value in values}


def _values(row: Row, conditions: Mapping[str, str], people: bool) -> list[Text]:
    if row["outcome"] != "scores":
        style = STYLES[row["outcome"]]
        return [Text("skipped" if row["outcome"] == "skip" else "failed", style=style)]
    greedy = "" if row["greedy_accuracy"] is None else f"{row['greedy_accuracy']:.3f}"
    main = Text(f"{row['accuracy']:.3f} [{row['low']:.3f}, {row['high']:.3f}]")
    by = row["by_condition"]
    parts = [
        f"{by[name][value]:.3f}" if value in by.get(name, {}) else "" for value, name in conditions.items()
    ]
    agreed = _number(row["details"].get("with_model", {}).get("kappa"))
    return [main, *(Text(text) for text in (greedy, *parts, *((agreed,) if people else ())))]


def _references(scored: list[Row]) -> list[tuple[str, str, str]]:
    """What can be had without reading, and what people reach: label, accuracy, kappa."""
    if not scored:
        return []
    row = scored[0]
    found = []
    if row["people_accuracy"] is not None:
        among = row["details"].get("among_people", {}).get("kappa")
        found.append(("people", _number(row["people_accuracy"]), _number(among)))
    always = _number(row["details"].get("with_constant", {}).get("kappa"))
    found.append((f"always {plain(row['constant_answer'])}", _number(row["constant_accuracy"]), always))
    if row["chance"] is not None:
        found.append(("guessing", _number(row["chance"]), ""))
    return found


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _who(row: Row) -> Text:
    marks = [f"+ {row['intervention']}"] if row["intervention"] != "none" else []
    marks += [f"of {row['learnt_from']}"] if row["learnt_from"] else []
    marks += [row["dtype"]] if row["dtype"] not in (None, "float32") else []
    marks += [] if row["resolved"] else ["not pinned down"]
    text = Text(plain(row["model"]))
    return text.append("\n" + ", ".join(marks), style="dim") if marks else text
