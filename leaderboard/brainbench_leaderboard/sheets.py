"""Tables of tasks as plain values: a sheet has columns and sections of lines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from brainbench.text import plain
from brainbench_leaderboard.values import Row


@dataclass(frozen=True, slots=True)
class Cell:
    """What stands in one place: its first line, and smaller ones below; `state` as in `Value`."""

    lines: tuple[str, ...] = ("",)
    state: str = "scores"


@dataclass(frozen=True, slots=True)
class Line:
    """A model, a steering, or something to compare with.

    model, change: what the model is called, or what changed it (perhaps without settings), for links.
    """

    rank: str
    name: str
    marks: tuple[str, ...]
    cells: tuple[Cell, ...]
    model: str = ""
    change: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """Lines that belong together.

    references: they are no results of models, but what these are held to. apart: a line is drawn above them.
    """

    heading: str
    lines: tuple[Line, ...]
    references: bool = False
    apart: bool = False


@dataclass(frozen=True, slots=True)
class Sheet:
    """One table: columns, whose names may have a second line, beside the rank and the name of a `what`."""

    title: str
    columns: tuple[tuple[str, ...], ...]
    sections: tuple[Section, ...]
    what: str = "model"

    @property
    def lines(self) -> tuple[Line, ...]:
        """Of all sections."""
        return tuple(line for section in self.sections for line in section.lines)


def number(value: float | None) -> str:
    """With three decimals; nothing for nothing."""
    return "" if value is None else f"{value:.3f}"


def marks(row: Row) -> tuple[str, ...]:
    """How a model was run, where that is not the usual way."""
    dtype = row["dtype"] if row["dtype"] not in (None, "float32") else ""
    return tuple(plain(mark) for mark in (dtype, "" if row["resolved"] else "not pinned down") if mark)


def without_empty(sheet: Sheet) -> Sheet:
    """The sheet without columns in which nothing stands."""
    lines = sheet.lines
    kept = [at for at in range(len(sheet.columns)) if any(line.cells[at].lines != ("",) for line in lines)]

    def fewer(line: Line) -> Line:
        return replace(line, cells=tuple(line.cells[at] for at in kept))

    sections = tuple(replace(section, lines=tuple(map(fewer, section.lines))) for section in sheet.sections)
    return replace(sheet, columns=tuple(sheet.columns[at] for at in kept), sections=sections)


def difference(told: Mapping[str, Any]) -> tuple[str, str]:
    """A difference, and its interval."""
    return signed(told["difference"]), f"[{short(told['low'])},{short(told['high'])}]"


def signed(value: float) -> str:
    """With its sign, where it is not nothing."""
    text = short(value)
    return text if text.startswith("-") or text == ".000" else f"+{text}"


def short(value: float) -> str:
    """Three decimals without the zero before the point: several of these stand side by side."""
    text = f"{value:.3f}".replace("-0.000", "0.000")
    return text if abs(value) >= 0.9995 else text.replace("0.", ".", 1)
