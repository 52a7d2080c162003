"""Accuracies on tasks as plain values, shown alike in a terminal and on a page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby

from brainbench.plan import NOTHING
from brainbench.text import plain
from brainbench_leaderboard.sheets import Cell, Line, Section, Sheet, marks, number
from brainbench_leaderboard.steered_view import steered_sheets
from brainbench_leaderboard.tuned_view import tuned_sheets
from brainbench_leaderboard.values import STATES, Row

_FEW = 4  # values of a condition that still fit beside an accuracy


@dataclass(frozen=True, slots=True)
class TaskTables:
    """A task, version and limit: models as they are, and for each what steering and fine-tuning it did."""

    title: str
    models: Sheet
    steered: tuple[Sheet, ...]
    tuned: tuple[Sheet, ...]
    rows: tuple[Row, ...]


def tasks(rows: Iterable[Row]) -> list[TaskTables]:
    """One for each task, version and limit; rows come sorted by these."""
    return [_task(list(group)) for _, group in groupby(rows, key=_question)]


def _question(row: Row) -> tuple[str, int, int | None]:
    return row["task"], row["task_version"], row["problem_limit"]


def _task(rows: list[Row]) -> TaskTables:
    first = rows[0]
    scored = [row for row in rows if row["outcome"] == "scores"]
    sizes = f", {scored[0]['items']} items of {scored[0]['problems']} problems" if scored else ""
    limit = f", first {first['problem_limit']} problems" if first["problem_limit"] is not None else ""
    title = plain(f"{first['task']} v{first['task_version']}{limit}{sizes}")
    models = _models(title, rows, scored)
    return TaskTables(title, models, steered_sheets(rows), tuned_sheets(rows), tuple(rows))


def _models(title: str, rows: list[Row], scored: list[Row]) -> Sheet:
    people = any(row["people_accuracy"] is not None for row in scored)
    conditions = _conditions(scored)
    names = ("accuracy", "greedy", *conditions, *(("kappa",) if people else ()))
    unchanged = [row for row in rows if row["intervention"] == NOTHING]
    lines = [_line(row, tuple(_values(row, conditions, people))) for row in unchanged]
    held_to = []
    for label, value, kappa in _references(scored):
        texts = (value, "", *[""] * len(conditions), *((kappa,) if people else ()))
        held_to.append(Line("", label, (), tuple(Cell((text,)) for text in texts)))
    sections = (Section("", tuple(lines)), Section("", tuple(held_to), references=True))
    return Sheet(title, tuple((plain(name),) for name in names), sections)


def _line(row: Row, cells: tuple[Cell, ...]) -> Line:
    return Line(str(row["rank"] or ""), plain(row["model"]), marks(row), cells, model=row["model"])


def _conditions(scored: list[Row]) -> dict[str, str]:
    """Columns beside the accuracy, where there are few: by value, the condition it is of."""
    found = scored[0]["by_condition"] if scored else {}
    return {value: name for name, values in found.items() if 1 < len(values) <= _FEW for value in values}


def _values(row: Row, conditions: Mapping[str, str], people: bool) -> list[Cell]:
    if row["outcome"] != "scores":
        return [Cell((STATES[row["outcome"]],), row["outcome"]), *[Cell()] * (1 + len(conditions) + people)]
    main = f"{row['accuracy']:.3f} [{row['low']:.3f}, {row['high']:.3f}]"
    by = row["by_condition"]
    parts = [number(by.get(name, {}).get(value)) for value, name in conditions.items()]
    agreed = number(row["details"].get("with_model", {}).get("kappa"))
    texts = (main, number(row["greedy_accuracy"]), *parts, *((agreed,) if people else ()))
    return [Cell((text,)) for text in texts]


def _references(scored: list[Row]) -> list[tuple[str, str, str]]:
    """What can be had without reading, and what people reach: label, accuracy, kappa."""
    if not scored:
        return []
    row = scored[0]
    found = []
    if row["people_accuracy"] is not None:
        among = row["details"].get("among_people", {}).get("kappa")
        found.append(("people", number(row["people_accuracy"]), number(among)))
    always = number(row["details"].get("with_constant", {}).get("kappa"))
    found.append((f"always {plain(row['constant_answer'])}", number(row["constant_accuracy"]), always))
    if row["chance"] is not None:
        found.append(("guessing", number(row["chance"]), ""))
    return found
