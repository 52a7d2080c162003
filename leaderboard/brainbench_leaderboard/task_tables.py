"""Accuracies on tasks as tables for the terminal: one for each task, models down, and what changed them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from rich import box
from rich.console import Console, ConsoleOptions, Group, RenderResult
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from brainbench_leaderboard import task_captions, task_view
from brainbench_leaderboard.sheets import Cell, Line, Sheet
from brainbench_leaderboard.values import Row

# SIMPLE_HEAD with a rule between sections where that has an empty line.
_RULED = box.Box("    \n    \n ── \n    \n ── \n    \n    \n    \n")
_LONG = 16  # a name below a number is broken where it is longer
_FIRST = 5  # columns of a table that is drawn in two parts
_WHOLE = 20  # what is no longer than this is a number with its interval
STYLES = {"scores": "", "skip": "yellow", "failure": "red"}


def tables(rows: Iterable[Row]) -> list[Group]:
    """The tables of each task, version and limit; rows come sorted by these."""
    made = []
    for task in task_view.tasks(rows):
        drawn: list[Text | Fitted] = [Text(task.title, style="bold")]
        drawn += [Fitted(task.models)] if task.models.lines else []
        for sheet in (*task.steered, *task.tuned):
            drawn += [Text(""), Text(sheet.title, style="bold"), Fitted(sheet)]
        made.append(Group(*drawn))
    return made


def legend(rows: Iterable[Row]) -> list[Text]:
    """What the numbers are."""
    return [Text(line, style="dim") for line in task_captions.legend(list(rows))]


def reasons(rows: Iterable[Row]) -> list[Text]:
    """What was skipped or failed, and why."""
    return [Text(line) for line in task_captions.reasons(rows)]


@dataclass(frozen=True, slots=True)
class Fitted:
    """A sheet drawn as wide as the terminal allows.

    First the gaps give way, then names; then it is drawn in two parts; numbers are broken last.
    """

    sheet: Sheet

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for sheets in ((self.sheet,), _halves(self.sheet)):
            for padding, name in ((1, 20), (0, 20), (0, 12)):
                drawn = [_drawn(sheet, padding, name) for sheet in sheets]
                wide = [console.measure(table, options=options.update(width=10_000)) for table in drawn]
                if max(measured.minimum for measured in wide) <= options.max_width:
                    yield drawn[0]
                    for table in drawn[1:]:
                        yield Text("")
                        yield table
                    return
        yield _drawn(self.sheet, 0, 0)


def _halves(sheet: Sheet) -> tuple[Sheet, ...]:
    """The first columns, and those that are left, of the lines in which they hold something."""
    if len(sheet.columns) <= _FIRST:
        return (sheet,)
    first = [replace(section, lines=_of(section.lines, slice(_FIRST))) for section in sheet.sections]
    second = [replace(section, lines=_of(section.lines, slice(_FIRST, None))) for section in sheet.sections]
    second = [replace(section, lines=tuple(filter(_holds, section.lines))) for section in second]
    return (
        replace(sheet, columns=sheet.columns[:_FIRST], sections=tuple(first)),
        replace(sheet, columns=sheet.columns[_FIRST:], sections=tuple(s for s in second if s.lines)),
    )


def _of(lines: tuple[Line, ...], columns: slice) -> tuple[Line, ...]:
    return tuple(replace(line, cells=line.cells[columns]) for line in lines)


def _holds(line: Line) -> bool:
    return any(cell.lines != ("",) for cell in line.cells)


def _drawn(sheet: Sheet, padding: int, name: int) -> Table:
    """With so much beside each column and room for so much of a name; without any, numbers fold too."""
    gaps = (0, padding, 0, 0)
    drawn = Table(box=_RULED, show_edge=False, pad_edge=False, padding=gaps, header_style="")
    drawn.add_column("#", justify="right", no_wrap=name > 0)
    drawn.add_column(sheet.what, overflow="fold", min_width=name or None)
    for column, widest in zip(sheet.columns, _widths(sheet), strict=True):
        whole = max([widest, *map(len, column)]) if name and widest <= _WHOLE else None
        heading = Text("\n".join(column))
        drawn.add_column(heading, justify="right", overflow="fold", min_width=whole, no_wrap=bool(whole))
    for section in sheet.sections:
        style = "italic" if section.references else ""
        if section.apart:
            drawn.add_section()
        if section.heading:
            drawn.add_row("", Text(section.heading, style="italic"))
        for line in section.lines:
            drawn.add_row(line.rank, _Who(line, style), *(_cell(cell, style) for cell in line.cells))
    return drawn


def _widths(sheet: Sheet) -> list[int]:
    """Of the longest line in each column, below its name."""
    cells = [line.cells for line in sheet.lines]
    return [max(max(map(len, _lines(cell))) for cell in column) for column in zip(*cells, strict=True)]


@dataclass(frozen=True, slots=True)
class _Who:
    """A line's name, broken where a reader would break it, and its marks."""

    line: Line
    style: str

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        marks = Measurement.get(console, options, self._marks)
        widest = max(map(len, parts(self.line.name)))
        return Measurement(max(marks.minimum, widest), max(marks.maximum, len(self.line.name)))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield Text("\n".join(broken(self.line.name, options.max_width)), style=self.style)
        if self.line.marks:
            yield self._marks

    @property
    def _marks(self) -> Text:
        return Text(", ".join(self.line.marks), style="dim")


def _cell(cell: Cell, style: str) -> Text:
    first, *below = _lines(cell)
    text = Text(first, style=STYLES[cell.state] or style)
    return text.append("".join(f"\n{line}" for line in below), style="dim")


def _lines(cell: Cell) -> list[str]:
    """As they are drawn: names below a number are broken where they are long."""
    return [cell.lines[0], *(part for line in cell.lines[1:] for part in broken(line, _LONG))]


def broken(name: str, width: int) -> list[str]:
    """The name in lines of this width, broken behind a sign of punctuation wherever one is there."""
    lines = [""]
    for part in parts(name):
        if lines[-1] and len(lines[-1]) + len(part) > width:
            lines.append("")
        lines[-1] += part
    return lines


def parts(name: str) -> list[str]:
    """Between which a name may be broken."""
    return re.split(r"(?<=[-_/@:=])(?=\w)", name)
