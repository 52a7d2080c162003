"""Standings as plain values, shown alike in a terminal and on a page; one section holds what may compare."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from brainbench.text import plain

Row = Mapping[str, Any]
QUESTION = ("dataset", "dataset_version", "simulated", "metric", "protocol", "metric_version", "parameters")
ENTRY = ("model", "revision", "intervention", "dtype", "pooling", "seed", "resolved")
STATES = {"scores": "-", "skip": "skipped", "failure": "failed"}
CEILINGS = {"ceiling": "ceiling", "ceiling on the scores' own scale": "ceiling_like_for_like"}


@dataclass(frozen=True, slots=True)
class Value:
    """What stands in one place of a table; `state` is "scores", "skip", "failure" or "missing"."""

    text: str
    state: str
    layer: str = ""


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
    """One set of items: entries, best first, and the ceilings by what they are called."""

    items: str
    entries: tuple[Entry, ...]
    ceilings: Mapping[str, tuple[Value, ...]]

    @property
    def nearest_ceiling(self) -> tuple[Value, ...]:
        """In each region the ceiling on the scores' own scale, or the only one there is."""
        usual, own = self.ceilings.values()
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


def legend(rows: Iterable[Row], *, detailed: bool = True) -> list[str]:
    """What the numbers in the tables are, for each way in which they were made; briefly, or in detail."""
    scored = [row for row in rows if row["outcome"] == "scores"]
    if not scored:
        return []
    lines: dict[str, None] = {}
    for row in scored:
        metric = f"{row['metric']} ({row['protocol']})"
        if detailed:
            over = f"{row['spread_kind']} over {row['participants']} people"
            lines[f"{metric}: score ± {over}; under it the layer, chosen as the {row['choice']}"] = None
        else:
            lines[f"{metric}: score ± {row['spread_kind']} over people; layer: {row['choice']}"] = None
        if row["ceiling_choice"]:
            own = row["ceiling_like_for_like"] is not None and not detailed
            what = "how well people predict a person, on the scores' scale" if own else row["ceiling_choice"]
            lines[f"{metric}: ceiling is {what}" if own else f"{metric}: ceiling is the {what}"] = None
    return [plain(line) for line in (*lines, "# ranks by the first region")]


def reasons(rows: Iterable[Row]) -> list[str]:
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
        plain(f"{who}. {reason} ({cells[0] if len(cells) == 1 else f'{len(cells)} cells'})")
        for (who, reason), cells in met.items()
    ]


def _title(question: Mapping[str, Any]) -> str:
    kind = "SIMULATED " if question["simulated"] else ""
    version = f"v{question['dataset_version']}"
    return (
        f"{kind}{question['dataset']} {version}, "
        f"{question['metric']} ({question['protocol']} protocol, v{question['metric_version']})"
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
    ceilings = {
        label: tuple(_ceiling(rows, region, column) for region in regions)
        for label, column in CEILINGS.items()
    }
    return Section(
        plain(rows[0]["item_set"]), tuple(_entry(cells, regions, names) for cells in lines), ceilings
    )


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


def _rank(row: Row | None) -> tuple[bool, int]:
    return (True, 0) if row is None or row["rank"] is None else (False, int(row["rank"]))


def _entry(cells: Mapping[str, Row], regions: tuple[str, ...], names: Counter[str]) -> Entry:
    row, first = next(iter(cells.values())), cells.get(regions[0])
    usual, notable = _marks(row)
    alone = names[str(row["model"])] == 1  # else what is usual also tells entries apart
    return Entry(
        rank=str(first["rank"]) if first and first["rank"] else "-",
        model=plain(row["model"]),
        marks=(*usual, *notable),
        notable=notable if alone else (*usual, *notable),
        values=tuple(_value(cells.get(region)) for region in regions),
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


def _value(row: Row | None) -> Value:
    if row is None:
        return Value("not run", "missing")
    if row["outcome"] != "scores":
        return Value(STATES[row["outcome"]], row["outcome"])
    return Value(f"{row['score']:.3f} ± {row['spread']:.3f}", "scores", plain(row["best_layer"]))


def _ceiling(rows: list[Row], region: str, column: str) -> Value:
    here = [row for row in rows if row["region"] == region]
    for row in here:
        if row[column] is not None:
            return Value(f"{row[column]:.3f}", "scores")
    outcome = next((row["ceiling_outcome"] for row in here if row["ceiling_outcome"]), None)
    return Value(
        STATES.get(outcome or "", "not run"), outcome if outcome in ("skip", "failure") else "missing"
    )
