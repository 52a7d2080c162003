"""What fine-tuning did, as plain values: a sheet for each model and data, a line for each arm."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from brainbench.plan import NOTHING
from brainbench.text import plain
from brainbench_leaderboard.controls import OUTDATED
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
    ("over", "label-only"),
    ("over best", "control"),
    ("ppl",),
    ("brain", "cosine"),
    ("epochs,", "time"),
)


def tuned_sheets(rows: Iterable[Row]) -> tuple[Sheet, ...]:
    """The fine-tuned among a task's rows, as those of steerings: but all trainings of an arm are one line."""
    tuned = [row for row in rows if row["intervention"] != NOTHING and row["tuned"]]
    return tuple(_sheet(group) for group in groups(tuned))


def _sheet(group: Group) -> Sheet:
    first = group.rows[0]
    trained = f" on {source(first)}" if source(first) else ""
    kept = ", as was kept" if source(first) and not first["learnt_from"] else ""
    shared = _shared({row["intervention"] for row in group.rows})
    alike = f", all with {', '.join(shared)}" if shared else ""
    title = plain(f"{group.who}, fine-tuned{trained}{group.simulated}{kept}{alike}")
    arms = _arms(_without(shared, row) for row in group.rows)
    arms.sort(key=_order)
    named = Counter(arm[0]["intervention"] for arm in arms if arm[0]["outcome"] == "scores")
    telling = {name: _telling([arm[0] for arm in arms if arm[0]["intervention"] == name]) for name in named}
    parts: dict[str, list[Line]] = {name: [] for name in HEADINGS}
    for arm in arms:
        parts[heading(_shown(arm))].append(_line(arm, telling.get(arm[0]["intervention"], ())))
    sections = [Section("", _base(group.rows))]
    sections += [
        Section(name, tuple(lines), apart=name in HEADINGS[2:]) for name, lines in parts.items() if lines
    ]
    return without_empty(Sheet(title, COLUMNS, tuple(sections), "fine-tuning"))


def _shared(names: Collection[str]) -> tuple[str, ...]:
    """What stands behind an @ in all names, of several: said once, above."""
    first, *others = (name.split("@")[1:] for name in sorted(names))
    return tuple(place for place in first if others and all(place in own for own in others))


def _without(shared: Sequence[str], row: Row) -> Row:
    """The row with shorter names, its own and its control's."""

    def shorter(name: str) -> str:
        first, *places = name.split("@")
        return "@".join((first, *(place for place in places if place not in shared)))

    pooled, control = row["over_seeds"], (row["over_seeds"] or {}).get("against_control")
    if control:
        pooled = {**pooled, "against_control": {**control, "control": shorter(control["control"])}}
    return {**row, "intervention": shorter(row["intervention"]), "over_seeds": pooled}


def _arms(rows: Iterable[Row]) -> list[list[Row]]:
    """Scored trainings by arm; what was skipped or failed by name and reason."""
    found: dict[Any, list[Row]] = {}
    for row in rows:
        scored = row["outcome"] == "scores"
        key = row["arm"] if scored else (row["intervention"], row["outcome"], row["reason"])
        found.setdefault(key, []).append(row)
    return list(found.values())


def _shown(arm: list[Row]) -> Row:
    """The training that stands for the arm: if possible none that a newer result has replaced."""
    row = min(arm, key=lambda row: bool(row["outdated"]))
    return {**row, "unranked": _reasons(row)}


def _reasons(row: Row) -> list[str]:
    """Why an arm has no rank; that single trainings of it were done again is another matter."""
    return [why for why in row["unranked"] if why != OUTDATED]


def _order(arm: list[Row]) -> tuple[bool, float]:
    """Brain-guided ones first, which tells where both share a part; then by mean accuracy."""
    pooled = arm[0]["over_seeds"]
    return arm[0]["role"] != "brain", -pooled["accuracy"] if pooled else 0.0


def _telling(arms: Sequence[Row]) -> tuple[str, ...]:
    """The settings in which arms of one name differ."""
    settings = [arm["arm_settings"] or {} for arm in arms]
    names = dict.fromkeys(name for one in settings for name in one)
    return tuple(name for name in names if len({json.dumps(one.get(name)) for one in settings}) > 1)


def _base(rows: Iterable[Row]) -> tuple[Line, ...]:
    wanted, accuracy = base_accuracy(rows)
    return (Line("", "before training", (), _filled(Cell((number(accuracy) or DASH,)))),) if wanted else ()


def _filled(*cells: Cell) -> tuple[Cell, ...]:
    return (*cells, *[Cell()] * (len(COLUMNS) - len(cells)))


def _line(arm: list[Row], telling: Sequence[str]) -> Line:
    row = _shown(arm)
    rank, name = str(row["rank"] or ""), plain(row["intervention"])
    pooled = row["over_seeds"]
    if row["outcome"] != "scores" or pooled is None:
        none = _filled(Cell((STATES[row["outcome"]],), row["outcome"]))
        notes = _which(arm) + (() if row["resolved"] else marks(row)[-1:])
        return Line(rank, name, notes, none, change=row["intervention"])
    base = pooled["against_base"]
    cells = [
        _accuracy(pooled),
        _over(base, pooled, missing=True),
        Cell((signed(base["gain"]), signed(-base["harm"])) if base else (DASH,)),
        _over(pooled["against_label_only"], pooled),
        _over(pooled["against_control"], pooled, missing=row["role"] == "brain"),
        Cell((f"{pooled['perplexity']:.2f}" if pooled["perplexity"] is not None else "",)),
        _cosine(pooled),
        Cell(tuple(filter(None, (_count(pooled["epochs"]), _time(pooled["train_seconds"])))) or ("",)),
    ]
    return Line(rank, name, _notes(row, arm, telling), tuple(cells), change=row["intervention"])


def _accuracy(pooled: Mapping[str, Any]) -> Cell:
    many = len(pooled["seeds"])
    spread = () if pooled["sd"] is None else (f"± {short(pooled['sd'])}",)
    return Cell((number(pooled["accuracy"]), *spread, f"{many} seed{'' if many == 1 else 's'}"))


def _over(told: Mapping[str, Any] | None, pooled: Mapping[str, Any], *, missing: bool = False) -> Cell:
    """A difference, from how many of the arm's seeds where not from all; a dash where one is missing."""
    if told is None:
        return Cell((DASH if missing else "",))
    who = (plain(told["control"]), f"best of {told['controls']}") if "control" in told else ()
    shared, seeds = len(told["seeds"]), len(pooled["seeds"])
    fewer = (f"{shared} of {seeds} seeds",) if shared < seeds else ()
    return Cell((*difference(told), *who, *fewer))


def _cosine(pooled: Mapping[str, Any]) -> Cell:
    told = {name: "→".join(map(short, pooled[name])) for name in ("cosine", "cosine_heldout") if pooled[name]}
    if "cosine_heldout" not in told:
        return Cell((told.get("cosine", ""),))
    return Cell((told.get("cosine", DASH), "held out", told["cosine_heldout"]))


def _count(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}".removesuffix(".0")


def _time(seconds: float | None) -> str:
    """Of seconds, in the unit that a person would use."""
    if seconds is None:
        return ""
    for size, unit in ((3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} s" if seconds >= 1 else f"{seconds:.1f} s"


def _notes(row: Row, arm: list[Row], telling: Sequence[str]) -> tuple[str, ...]:
    """What tells an arm from others of its name, and how far it can be believed."""
    settings = row["arm_settings"] or {}
    notes = [f"{name} {json.dumps(settings.get(name))}" for name in telling]
    notes += row["unranked"]
    pooled = row["over_seeds"]
    if left := pooled["unchanged"]:
        notes.append(f"left as it was in {left} of {len(pooled['seeds'])}")
    if old := sum(bool(one["outdated"]) for one in arm):
        notes.append(f"{old} older result{'' if old == 1 else 's'} left out")
    return tuple(map(plain, notes)) + (() if row["resolved"] else marks(row)[-1:])


def _which(arm: list[Row]) -> tuple[str, ...]:
    """Of several trainings that were skipped or failed, from which seeds they were."""
    seeds = sorted({str(row["training_seed"]) for row in arm if row["training_seed"] is not None})
    return (plain(f"seed{'' if len(seeds) == 1 else 's'} {', '.join(seeds)}"),) if seeds else ()
