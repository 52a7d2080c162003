"""Standings as plain values, shown alike in a terminal and on a page; one section holds what may compare."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

from brainbench.text import plain
from brainbench_leaderboard.dull import best_dull
from brainbench_leaderboard.values import STATES, Row, Value, drawn, short_name, value_of

QUESTION = (
    *("dataset", "dataset_version", "simulated", "metric", "protocol", "metric_version", "parameters"),
    "sampling",
)
ENTRY = ("model", "revision", "intervention", "dtype", "pooling", "seed", "resolved")
CEILINGS = {"ceiling": "ceiling", "ceiling on the scores' own scale": "ceiling_like_for_like"}


@dataclass(frozen=True, slots=True)
class Entry:
    """A model's line: `marks` tell it from any other entry, `notable` only from the usual."""

    rank: str
    model: str
    marks: tuple[str, ...]
    notable: tuple[str, ...]
    values: tuple[Value, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """One set of items: models and baselines, best first, and the ceilings by what they are called.

    best_dull: in each region the best of the baselines that models are measured against, `beside` its name.
    """

    items: str
    entries: tuple[Entry, ...]
    baselines: tuple[Entry, ...]
    best_dull: tuple[Value, ...]
    ceilings: Mapping[str, tuple[Value, ...]]

    @property
    def lines(self) -> tuple[Entry, ...]:
        """All of them, baselines last."""
        return (*self.entries, *self.baselines)

    @property
    def nearest_ceiling(self) -> tuple[Value, ...]:
        """In each region the ceiling on the scores' own scale, or the only one there is."""
        usual, own, *_ = (*self.ceilings.values(), *self.ceilings.values())
        return tuple(b if b.state == "scores" else a for a, b in zip(usual, own, strict=True))


@dataclass(frozen=True, slots=True)
class Table:
    """One dataset and metric: regions across, sets of items down."""

    title: str
    simulated: bool
    regions: tuple[str, ...]
    sections: tuple[Section, ...]


def tables(rows: Iterable[Row]) -> list[Table]:
    """One table for each dataset and metric; two versions or kinds of data never share one.

    By name, the robust protocol of a metric before any other.
    """
    ordered = sorted(rows, key=_place)
    groups = [
        (dict(zip(QUESTION, question, strict=True)), list(group))
        for question, group in groupby(ordered, key=lambda row: tuple(row[name] for name in QUESTION))
    ]
    titles = Counter(_title(question) for question, _ in groups)
    return [_table(question, group, same_title=titles[_title(question)] > 1) for question, group in groups]


def _place(row: Row) -> tuple[list[str], int]:
    named = {**row, "protocol": "" if row["protocol"] == "robust" else row["protocol"]}
    return [str(named[name]) for name in QUESTION], row["item_set_position"]


def _title(question: Mapping[str, Any]) -> str:
    kind = "SIMULATED " if question["simulated"] else ""
    version = f"v{question['dataset_version']}"
    return (
        f"{kind}{question['dataset']} {version}, "
        f"{question['metric']} ({question['protocol']} protocol, v{question['metric_version']})"
        f"{drawn(json.loads(question['sampling'] or '{}'))}"
    )


def _table(question: Mapping[str, Any], rows: list[Row], *, same_title: bool) -> Table:
    regions = tuple(
        dict.fromkeys(row["region"] for row in sorted(rows, key=lambda row: row["region_position"]))
    )
    title = f"{_title(question)} with {question['parameters']}" if same_title else _title(question)
    sections = (list(group) for _, group in groupby(rows, key=lambda row: str(row["item_set"])))
    return Table(
        plain(title),
        bool(question["simulated"]),
        tuple(plain(region) for region in regions),
        tuple(_section(section, regions) for section in sections),
    )


def _section(rows: list[Row], regions: tuple[str, ...]) -> Section:
    lines = sorted(_lines(rows), key=lambda cells: _rank(cells.get(regions[0])))
    names = Counter(str(next(iter(cells.values()))["model"]) for cells in lines)
    dull = [bool(next(iter(cells.values()))["baseline"]) for cells in lines]
    entries = [_entry(cells, regions, names) for cells in lines]
    return Section(
        plain(rows[0]["item_set"]),
        tuple(entry for entry, apart in zip(entries, dull, strict=True) if not apart),
        tuple(entry for entry, apart in zip(entries, dull, strict=True) if apart),
        tuple(_best_dull(rows, region) for region in regions),
        _ceilings(rows, regions),
    )


def _ceilings(rows: list[Row], regions: Sequence[str]) -> dict[str, tuple[Value, ...]]:
    """The usual ceiling, and the one on the scores' own scale where there is any."""
    usual, own = (
        (label, tuple(_ceiling(rows, region, column) for region in regions))
        for label, column in CEILINGS.items()
    )
    return dict([usual, own] if any(row[CEILINGS[own[0]]] is not None for row in rows) else [usual])


def _best_dull(rows: list[Row], region: str) -> Value:
    """The best of the dull predictors in a region that models as they are are measured against."""
    best = best_dull(row for row in rows if row["region"] == region)
    if best is None:
        return Value("", "missing")
    return replace(value_of(best), beside=short_name(best["model"]))


def _lines(rows: list[Row]) -> list[dict[str, Row]]:
    """Lines of a section: each has one row a region. Nothing is hidden behind another row."""
    entries: dict[tuple[Any, ...], dict[str, Row]] = {}
    for row in sorted(rows, key=lambda row: row["started"] or ""):
        identity = tuple(row[name] for name in ENTRY)
        alone = row["outcome"] != "failure" and not row["resolved"]  # it stands for no other run
        key = (*identity, row["fingerprint"]) if alone else identity
        if row["region"] in entries.get(key, {}):  # the same on other data, or asked with other prompts
            key = (*key, row["question"])
        entries.setdefault(key, {})[row["region"]] = row
    return list(entries.values())


def _rank(row: Row | None) -> tuple[bool, float]:
    """Ranked ones first; each by their scores, since ranks are shared, and those without a score last."""
    if row is None or row["outcome"] != "scores":
        return (True, float("inf"))
    return row["rank"] is None, -float(row["score"])


def _entry(cells: Mapping[str, Row], regions: tuple[str, ...], names: Counter[str]) -> Entry:
    row, first = next(iter(cells.values())), cells.get(regions[0])
    usual, notable = _marks(row)
    alone = names[str(row["model"])] == 1  # else what is usual also tells entries apart
    return Entry(
        rank=str(first["rank"]) if first and first["rank"] else "-",
        model=plain(row["model"]),
        marks=(*usual, *notable),
        notable=notable if alone else (*usual, *notable),
        values=tuple(value_of(cells.get(region)) for region in regions),
        rows=tuple(cells.values()),
    )


def _marks(row: Row) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """How a model was run: what is usual, and what is not."""
    dtype, seed = row["dtype"] or "", f"seed {row['seed']}"
    usual = [str(row["revision"])[:14] if row["revision"] else ""]
    notable: list[str] = []
    (usual if dtype == "float32" else notable).append(dtype)
    if row["pooling"] not in (None, "last"):
        notable.append(f"{row['pooling']} pooling")
    if row["intervention"] not in (None, "none"):
        notable.append(f"+ {row['intervention']}")
    if str(row["model"]).startswith("untrained:"):
        (usual if row["seed"] == 0 else notable).append(seed)
    if not row["resolved"]:
        notable.append("unresolved, not ranked")
    return _shown(usual), _shown(notable)


def _shown(marks: list[str]) -> tuple[str, ...]:
    return tuple(plain(mark) for mark in marks if mark)


def _ceiling(rows: list[Row], region: str, column: str) -> Value:
    here = [row for row in rows if row["region"] == region]
    for row in here:
        if row[column] is not None:
            return Value(f"{row[column]:.3f}", "scores")
    outcome = next((row["ceiling_outcome"] for row in here if row["ceiling_outcome"]), None)
    return Value(
        STATES.get(outcome or "", "not run"), outcome if outcome in ("skip", "failure") else "missing"
    )
