"""What steering did, as plain values: a sheet for each model and each data that it was steered by."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from brainbench.plan import NOTHING
from brainbench.text import plain
from brainbench_leaderboard.sheets import Cell, Line, Section, Sheet, marks, number
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
_MODEL = ("model", "revision", "dtype", "seed", "question")
_HEADINGS = ("brain-guided", "controls", "not ranked", "oracles", "")


def steered_sheets(rows: Iterable[Row]) -> tuple[Sheet, ...]:
    """The steered among a task's rows: the model as it is, brain-guided, controls, and last what has no rank.

    In each part the best comes first, as in the rows given.
    """
    models: dict[tuple[Any, ...], dict[tuple[Any, Any], list[Row]]] = {}
    steered = [row for row in rows if row["intervention"] != NOTHING]
    for row in sorted(steered, key=lambda row: row["outcome"] != "scores"):
        own = tuple(row[name] for name in _MODEL)
        if row["outcome"] != "scores":  # it may have ended before the model's revision was known
            own = next((known for known in models if known[0] == row["model"]), own)
        models.setdefault(own, {}).setdefault((row["learnt_from"], _source(row)), []).append(row)
    names = Counter(model for model, *_ in models)
    return tuple(
        _sheet(group, alone=names[model] == 1)
        for (model, *_), sources in models.items()
        for group in sources.values()
    )


def _sheet(rows: list[Row], *, alone: bool) -> Sheet:
    first = rows[0]
    told = [str(first["revision"] or "")[:14], f"seed {first['seed']}"] if not alone else []
    told += [first["dtype"]] if first["dtype"] not in (None, "float32") else []
    kept = " by what was kept" if _source(first) and not first["learnt_from"] else ""
    learnt = f"{kept}, learnt from {_source(first)}" if _source(first) else ""
    learnt += ", which is simulated" if any(map(_simulated, rows)) else ""
    who = ", ".join(str(part) for part in (first["model"], *told) if part)
    parts: dict[str, list[Row]] = {heading: [] for heading in _HEADINGS}
    for row in rows:
        parts[_heading(row)].append(row)
    for heading in _HEADINGS[2:]:  # brain-guided ones first, in the order they have
        parts[heading].sort(key=lambda row: row["role"] != "brain")
    sections = [Section("", _base(rows))]
    for heading, part in parts.items():
        named = Counter((row["intervention"], row["strength"]) for row in part)
        lines = [_line(row, alone=named[row["intervention"], row["strength"]] == 1) for row in part]
        if lines:
            sections.append(Section(heading, tuple(lines), apart=heading in _HEADINGS[2:]))
    return _without_empty(Sheet(plain(f"{who}, steered{learnt}"), COLUMNS, tuple(sections), "steering"))


def _without_empty(sheet: Sheet) -> Sheet:
    """The sheet without columns in which nothing stands."""
    kept = [at for at in range(len(COLUMNS)) if any(line.cells[at].lines != ("",) for line in sheet.lines)]

    def fewer(line: Line) -> Line:
        return replace(line, cells=tuple(line.cells[at] for at in kept))

    sections = tuple(replace(section, lines=tuple(map(fewer, section.lines))) for section in sheet.sections)
    return replace(sheet, columns=tuple(COLUMNS[at] for at in kept), sections=sections)


def _source(row: Row) -> str | None:
    """What it was learnt from: the dataset of the run, or for what was kept the one that its facts name."""
    said = row["learnt_from"] or _fitted(row).get("dataset")
    return said if isinstance(said, str) else None


def _simulated(row: Row) -> bool:
    return _fitted(row).get("simulated") is True


def _fitted(row: Row) -> Mapping[str, Any]:
    """What a run notes of the fit; facts of a kept steering come from a file and may be anything."""
    told: Any = row["details"].get("steering")
    fitted = told.get("fitted") if isinstance(told, dict) else None
    return fitted if isinstance(fitted, dict) else {}


def _heading(row: Row) -> str:
    if row["outcome"] != "scores":
        return _HEADINGS[4]
    if row["unranked"]:
        return _HEADINGS[3] if row["oracle"] else _HEADINGS[2]
    return _HEADINGS[0] if row["role"] == "brain" else _HEADINGS[1]


def _base(rows: list[Row]) -> tuple[Line, ...]:
    """The model as it is, or that it is not there; no line where nothing is to be compared with it."""
    scored = [row for row in rows if row["outcome"] == "scores"]
    known = [row["against_base"]["accuracy"] for row in scored if row["against_base"]]
    if not scored:
        return ()
    return (Line("", "unsteered", (), _filled(Cell((number(known[0]),) if known else (DASH,)))),)


def _filled(*cells: Cell) -> tuple[Cell, ...]:
    return (*cells, *[Cell()] * (len(COLUMNS) - len(cells)))


def _line(row: Row, *, alone: bool) -> Line:
    rank, name, notes = str(row["rank"] or ""), plain(row["intervention"]), _notes(row, alone=alone)
    if row["outcome"] != "scores":
        return Line(rank, name, notes, _filled(Cell((STATES[row["outcome"]],), row["outcome"])))
    base, control = row["against_base"], row["against_control"]
    cells = [Cell((number(row["accuracy"]),))]
    if base is None:
        cells += [Cell((DASH,)), Cell((DASH,)), Cell((DASH,))]
    else:
        cells.append(Cell(_difference(base)))
        cells.append(Cell((_signed(base["gain"]), _signed(-base["harm"]))))
        cells.append(Cell((_p(base["mcnemar_p"]), _p(base["problems_p"]))))
    if control is not None:
        names = plain(control["control"]), f"best of {control['controls']}"
        cells.append(Cell((*_difference(control), *names)))
    else:
        cells.append(Cell((DASH if row["role"] == "brain" else "",)))
    before, after = row["perplexity_before"], row["perplexity_after"]
    cells.append(Cell((f"{after / before:.2f}" if before and after is not None else "",)))
    return Line(rank, name, notes, tuple(cells))


def _notes(row: Row, *, alone: bool) -> tuple[str, ...]:
    """What tells a steering from others of its name, and how far it can be believed."""
    chosen = row["strength"] is not None and (row["protocol"] != "fixed" or row["strength"] != 1)
    notes = [f"strength {row['strength']:g}"] if chosen else []
    notes += [] if alone or not row["steering"] else [f"steering {str(row['steering'])[:8]}"]
    notes += row["unranked"]
    if row["steered"] is not None and row["items"] and row["steered"] < row["items"]:
        notes.append(f"steers {row['steered']} of {row['items']} items")
    return tuple(plain(note) for note in notes) + (() if row["resolved"] else marks(row)[-1:])


def _difference(told: Mapping[str, Any]) -> tuple[str, str]:
    return _signed(told["difference"]), f"[{_short(told['low'])},{_short(told['high'])}]"


def _signed(value: float) -> str:
    short = _short(value)
    return short if short.startswith("-") or short == ".000" else f"+{short}"


def _short(value: float) -> str:
    """Three decimals without the zero before the point: several of these stand side by side."""
    text = f"{value:.3f}".replace("-0.000", "0.000")
    return text if abs(value) >= 0.9995 else text.replace("0.", ".", 1)


def _p(value: float | None) -> str:
    """A p value; 1 where nothing changed."""
    if value is None or value >= 0.9995:
        return "1"
    return "<.001" if value < 0.0005 else _short(value)
