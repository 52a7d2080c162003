"""Scores of ideas as plain values, shown alike in a terminal and on a page."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from brainbench.ideas import Idea
from brainbench.plan import NOTHING
from brainbench.text import plain
from brainbench_leaderboard.sheets import Cell, Line, Section, Sheet, difference, marks, short, without_empty
from brainbench_leaderboard.values import STATES, Row, drawn

Read = Callable[[str], tuple[tuple[Idea, str, float | None], ...]]  # by a record's fingerprint

COLUMNS = (
    ("score", "[95 %]"),
    ("texts",),
    ("above unchanged", "[95 %]", "p"),
    ("scorer's validity", "within objects"),
)
UNVALIDATED = "not validated"
UNRATED = "no ratings"  # of people for what the scorer scores
LONGEST = 1000  # characters of a text that a page shows


@dataclass(frozen=True, slots=True)
class IdeaTable:
    """What one scorer gave the texts that models wrote to one dataset's questions, drawn in one way."""

    title: str
    sheet: Sheet
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Writing:
    """All that one model wrote: by object, its texts each with its score, as they are shown."""

    model: str
    summary: str
    objects: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]


def tables(rows: Iterable[Row]) -> list[IdeaTable]:
    """One for each dataset, scorer and way to draw texts; rows come sorted by these."""
    return [_table(list(group)) for _, group in groupby(rows, key=_asked)]


def who(row: Row) -> str:
    """The model, and what changed it."""
    change = "" if row["intervention"] == NOTHING else f" + {row['intervention']}"
    return plain(f"{row['model']}{change}")


def _asked(row: Row) -> tuple[Any, ...]:
    names = ("dataset", "dataset_version", "scorer", "helper", "scorer_version", "sampling")
    return tuple(str(row[name]) for name in names)


def _table(rows: list[Row]) -> IdeaTable:
    first = rows[0]
    title = plain(f"Originality of ideas: {_where(first)}, {_scorer(first)}{drawn(first['sampling'])}")
    scored = [row for row in rows if row["outcome"] == "scores"]
    unchanged = [row for row in scored if row["intervention"] == NOTHING and not row["baseline"]]
    untrained = [row for row in scored if row["intervention"] == NOTHING and row["baseline"]]
    changed = [row for row in scored if row["intervention"] != NOTHING]
    none = [row for row in rows if row["outcome"] != "scores"]
    sections = (
        Section("", tuple(map(_line, unchanged))),
        Section("changed models", tuple(map(_line, changed))),
        Section("without a trained model", tuple(map(_line, untrained))),
        Section("", tuple(map(_line, none)), apart=bool(scored)),
    )
    sheet = without_empty(Sheet(title, COLUMNS, tuple(s for s in sections if s.lines)))
    return IdeaTable(title, sheet, tuple(rows))


def _where(row: Row) -> str:
    if row["dataset"] is None:
        return "the scorer's own questions"
    return f"{row['dataset']} v{row['dataset_version']}"


def _scorer(row: Row) -> str:
    return f"{row['scorer']} v{row['scorer_version']} with {row['helper']}"


def _line(row: Row) -> Line:
    learnt = f"learnt from {row['learnt_from']}" if row["learnt_from"] else ""
    told = (*marks(row), *((plain(learnt),) if learnt else ()))
    return Line(str(row["rank"] or ""), who(row), told, _cells(row), model=row["model"])


def _cells(row: Row) -> tuple[Cell, ...]:
    if row["outcome"] != "scores":
        return Cell((STATES[row["outcome"]],), row["outcome"]), Cell(), Cell(), Cell()
    unscored = (f"{row['unscored']} unscored",) if row["unscored"] else ()
    return (
        Cell((f"{row['score']:.3f}", f"[{row['low']:.3f}, {row['high']:.3f}]")),
        Cell((str(row["texts"]), *unscored)),
        Cell(_gain(row["against_base"])),
        Cell(validity(row)),
    )


def _gain(found: Row | None) -> tuple[str, ...]:
    """What a change added to the score of the unchanged model."""
    return ("",) if found is None else (*difference(found), f"p {short(found['p'])}")


def validity(row: Row) -> tuple[str, ...]:
    """How far the scorer agrees with people, over all and within objects; or that this is not known."""
    if row["validity"] is None:
        return (UNVALIDATED if row["details"].get("rated", True) else UNRATED,)
    over = f"{short(row['validity'])} [{short(row['validity_low'])},{short(row['validity_high'])}]"
    within = row["validity_by_object"]
    told = (over, "-" if within is None else short(within))
    if row["validity_responses"] == row["validity_held_out"]:
        return told
    return (*told, f"of {row['validity_responses']} responses")  # not of all that there are


def writing(row: Row, read: Read) -> Writing:
    """The texts of a scored row."""
    by: dict[str, list[tuple[str, str]]] = {}
    for idea, about, score in read(row["fingerprint"]):
        shown = "unscored" if score is None else f"{score:.3f}"
        by.setdefault(plain(about or idea.item), []).append((_cut(idea.text), shown))
    summary = f"{who(row)}: {row['texts']} texts about {len(by)} objects"
    return Writing(who(row), summary, tuple((name, tuple(texts)) for name, texts in by.items()))


def _cut(text: str) -> str:
    """On one line, and not without end."""
    whole = plain(" ".join(text.split()))
    left = len(whole) - LONGEST
    return whole if left <= 0 else f"{whole[:LONGEST]}... ({left} more characters)"
