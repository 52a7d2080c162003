"""Brain alignment on a model's page: every score with all that it is to be judged by."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from brainbench.text import plain
from brainbench_leaderboard.site import model_legend
from brainbench_leaderboard.site.model_legend import cut
from brainbench_leaderboard.site.model_rows import Everyone, Own
from brainbench_leaderboard.values import STATES, Row, short_name, value_of
from brainbench_leaderboard.view import Table, tables

COLUMNS = ("run as", "score", "p", "ceiling", "best dull", "above that", "beyond all dull", "layer", "rank")


Cell = tuple[str, ...]  # what stands in one place, and what stands smaller below it


@dataclass(frozen=True, slots=True)
class Line:
    """A region; `why` instead of cells where there is no score, and `state` says so."""

    items: str
    region: str
    state: str
    cells: tuple[Cell, ...]
    why: str = ""


@dataclass(frozen=True, slots=True)
class Metric:
    """A table of one metric's scores, by sets of items. left_out: lines that would make the page too long."""

    name: str
    title: str
    anchor: str
    columns: tuple[str, ...]
    sections: tuple[tuple[str, tuple[Line, ...]], ...]
    legend: tuple[str, ...]
    left_out: int


@dataclass(frozen=True, slots=True)
class Data:
    """A dataset's metrics."""

    name: str
    title: str
    anchor: str
    simulated: bool
    metrics: tuple[Metric, ...]


def brain(everyone: Everyone, own: Own, most: int) -> tuple[Data, ...]:
    """By dataset and metric, robust protocols first; of each at most so many lines."""
    found = []
    named = groupby(tables(own.scores), key=lambda table: _dataset(_first(table)))
    for number, (title, group) in enumerate(named, 1):
        own_tables = list(group)
        anchor = f"brain-{number}"
        metrics = tuple(
            _metric(everyone, table, f"{anchor}-{at}", title, most) for at, table in enumerate(own_tables, 1)
        )
        first = _first(own_tables[0])
        found.append(Data(str(first["dataset"]), title, anchor, bool(first["simulated"]), metrics))
    return tuple(found)


def _first(table: Table) -> Row:
    return table.sections[0].lines[0].rows[0]


def _dataset(row: Row) -> str:
    return plain(f"{'SIMULATED ' if row['simulated'] else ''}{row['dataset']} v{row['dataset_version']}")


def _metric(everyone: Everyone, table: Table, anchor: str, dataset: str, most: int) -> Metric:
    first = _first(table)
    rows = [row for section in table.sections for entry in section.lines for row in entry.rows]
    lines = list(_lines(everyone, table))
    columns, kept = _without_empty(lines[:most])
    return Metric(
        f"{first['metric']}/{first['protocol']}",
        table.title.removeprefix(f"{dataset}, "),
        anchor,
        columns,
        tuple((items, tuple(group)) for items, group in groupby(kept, key=lambda line: line.items)),
        tuple(model_legend.of(rows)),
        max(len(lines) - most, 0),
    )


def _lines(everyone: Everyone, table: Table) -> Iterator[Line]:
    for section in table.sections:
        for entry in section.lines:
            how = ", ".join(entry.notable)
            by_region = {plain(row["region"]): row for row in entry.rows}
            for region in table.regions:
                yield _line(everyone, by_region.get(region), section.items, region, how)


def _line(everyone: Everyone, row: Row | None, items: str, region: str, how: str) -> Line:
    if row is None:
        return Line(items, region, "missing", ((how,), ("not run",)))
    if row["outcome"] != "scores":
        return Line(items, region, row["outcome"], ((how,), (STATES[row["outcome"]],)), why_not(row))
    value, dull = value_of(row), everyone.best_dull(row)
    none = "" if row["baseline"] else "none scored"
    beside = (f"{dull['score']:.3f}", short_name(dull["model"])) if dull else (value.beside or none,)
    interval, p = _tested(row)
    cells = ((how,), (value.text, *interval), (p,), _ceiling(row), beside, _apart(value.above))
    return Line(items, region, "scores", (*cells, _apart(value.beyond), (value.layer,), everyone.rank(row)))


def why_not(row: Row) -> str:
    """Why there is no score, in which phase it failed, and what can be done."""
    phase = f" (in phase {row['phase']}: {row['exception']})" if row["phase"] else ""
    return cut(plain(f"{row['reason']}{phase} {row['hint'] or ''}".strip()))


def _tested(row: Row) -> tuple[Cell, str]:
    interval = () if row["low"] is None else (f"[{row['low']:.3f}, {row['high']:.3f}]",)
    if row["p"] is None:
        return interval, ""
    return interval, f"{row['p']:.3f}" if row["p"] >= 0.0005 else f"{row['p']:.0e}"


def _apart(difference: str) -> Cell:
    """A difference, and its interval below."""
    value, _, interval = difference.partition(" ")
    return (value, interval) if interval else (value,)


def _ceiling(row: Row) -> Cell:
    """The usual one and, where there is any, the one on the scores' own scale; or why there is none."""
    if row["ceiling"] is None:
        return (STATES.get(row["ceiling_outcome"] or "", "not run"),)
    own = row["ceiling_like_for_like"]
    return f"{row['ceiling']:.3f}", *(() if own is None else (f"{own:.3f} like for like",))


def _without_empty(lines: Sequence[Line]) -> tuple[tuple[str, ...], tuple[Line, ...]]:
    """Columns in which something stands, and the lines with these alone."""

    def cells(line: Line, places: Sequence[int]) -> tuple[Cell, ...]:
        return tuple(line.cells[at] for at in places if at < len(line.cells))

    used = [at for at in range(len(COLUMNS)) if any(cell[0] for line in lines for cell in cells(line, [at]))]
    return tuple(COLUMNS[at] for at in used), tuple(replace(line, cells=cells(line, used)) for line in lines)
