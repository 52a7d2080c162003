"""What steering did, as plain values: a sheet for each model and each data that it was steered by."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from brainbench.plan import NOTHING
from brainbench.text import plain
from brainbench_leaderboard.sheet_groups import HEADINGS, Group, base_accuracy, groups, heading, source
from brainbench_leaderboard.sheets import (
    Cell,
    Line,
    Section,
    Sheet,
    difference,
    marks,
    number,
    short,
    signed,
    without_empty,
)
from brainbench_leaderboard.values import STATES, Row

DASH = "-"
COLUMNS = (
    ("accuracy",),
    ("change",),
    ("gain,", "harm"),
    ("p items,", "problems"),
    ("over best", "control"),
    ("ppl",),
)


def steered_sheets(rows: Iterable[Row]) -> tuple[Sheet, ...]:
    """The steered among a task's rows: the model as it is, brain-guided, controls, and last what has no rank.

    In each part the best comes first, as in the rows given.
    """
    steered = [row for row in rows if row["intervention"] != NOTHING and not row["tuned"]]
    return tuple(_sheet(group) for group in groups(steered))


def _sheet(group: Group) -> Sheet:
    first = group.rows[0]
    kept = " by what was kept" if source(first) and not first["learnt_from"] else ""
    learnt = f"{kept}, learnt from {source(first)}" if source(first) else ""
    title = plain(f"{group.who}, steered{learnt}{group.simulated}")
    parts: dict[str, list[Row]] = {name: [] for name in HEADINGS}
    for row in group.rows:
        parts[heading(row)].append(row)
    for name in HEADINGS[2:]:  # brain-guided ones first, in the order they have
        parts[name].sort(key=lambda row: row["role"] != "brain")
    sections = [Section("", _base(group.rows))]
    for name, part in parts.items():
        named = Counter((row["intervention"], row["strength"]) for row in part)
        lines = [_line(row, alone=named[row["intervention"], row["strength"]] == 1) for row in part]
        if lines:
            sections.append(Section(name, tuple(lines), apart=name in HEADINGS[2:]))
    return without_empty(Sheet(title, COLUMNS, tuple(sections), "steering"))


def _base(rows: Iterable[Row]) -> tuple[Line, ...]:
    """The model as it is, or that it is not there; no line where nothing is to be compared with it."""
    wanted, accuracy = base_accuracy(rows)
    return (Line("", "unsteered", (), _filled(Cell((number(accuracy) or DASH,)))),) if wanted else ()


def _filled(*cells: Cell) -> tuple[Cell, ...]:
    return (*cells, *[Cell()] * (len(COLUMNS) - len(cells)))


def _line(row: Row, *, alone: bool) -> Line:
    rank, name, notes = str(row["rank"] or ""), plain(row["intervention"]), _notes(row, alone=alone)
    if row["outcome"] != "scores":
        none = _filled(Cell((STATES[row["outcome"]],), row["outcome"]))
        return Line(rank, name, notes, none, change=row["intervention"])
    base, control = row["against_base"], row["against_control"]
    cells = [Cell((number(row["accuracy"]),))]
    if base is None:
        cells += [Cell((DASH,)), Cell((DASH,)), Cell((DASH,))]
    else:
        cells.append(Cell(difference(base)))
        cells.append(Cell((signed(base["gain"]), signed(-base["harm"]))))
        cells.append(Cell((_p(base["mcnemar_p"]), _p(base["problems_p"]))))
    if control is not None:
        names = plain(control["control"]), f"best of {control['controls']}"
        cells.append(Cell((*difference(control), *names)))
    else:
        cells.append(Cell((DASH if row["role"] == "brain" else "",)))
    before, after = row["perplexity_before"], row["perplexity_after"]
    cells.append(Cell((f"{after / before:.2f}" if before and after is not None else "",)))
    return Line(rank, name, notes, tuple(cells), change=row["intervention"])


def _notes(row: Row, *, alone: bool) -> tuple[str, ...]:
    """What tells a steering from others of its name, and how far it can be believed."""
    chosen = row["strength"] is not None and (row["protocol"] != "fixed" or row["strength"] != 1)
    notes = [f"strength {row['strength']:g}"] if chosen else []
    notes += [] if alone or not row["steering"] else [f"steering {str(row['steering'])[:8]}"]
    notes += row["unranked"]
    if row["steered"] is not None and row["items"] and row["steered"] < row["items"]:
        notes.append(f"steers {row['steered']} of {row['items']} items")
    return tuple(plain(note) for note in notes) + (() if row["resolved"] else marks(row)[-1:])


def _p(value: float | None) -> str:
    """A p value; 1 where nothing changed."""
    if value is None or value >= 0.9995:
        return "1"
    return "<.001" if value < 0.0005 else short(value)
