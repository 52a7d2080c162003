"""Accuracies on tasks as tables for the terminal: one for each task, models down, and what steering did."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from rich import box
from rich.console import Console, ConsoleOptions, Group, RenderResult
from rich.table import Table
from rich.text import Text

from brainbench_leaderboard import task_captions, task_view
from brainbench_leaderboard.sheets import Cell, Line, Sheet
from brainbench_leaderboard.values import Row

# SIMPLE_HEAD with a rule between sections where that has an empty line.
_RULED = box.Box("    \n    \n ── \n    \n ── \n    \n    \n    \n")
_WHOLE = 20  # what is no longer than this is a number with its interval
STYLES = {"scores": "", "skip": "yellow", "failure": "red"}


def tables(rows: Iterable[Row]) -> list[Group]:
    """The tables of each task, version and limit; rows come sorted by these."""
    made = []
    for task in task_view.tasks(rows):
        drawn: list[Text | _Fitted] = [Text(task.title, style="bold")]
        drawn += [_Fitted(task.models)] if task.models.lines else []
        for sheet in task.steered:
            drawn += [Text(""), Text(sheet.title, style="bold"), _Fitted(sheet)]
        made.append(Group(*drawn))
    return made


def legend(rows: Iterable[Row]) -> list[Text]:
    """What the numbers are."""
    return [Text(line, style="dim") for line in task_captions.legend(list(rows))]


def reasons(rows: Iterable[Row]) -> list[Text]:
    """What was skipped or failed, and why."""
    return [Text(line) for line in task_captions.reasons(rows)]


@dataclass(frozen=True, slots=True)
class _Fitted:
    """A sheet drawn as wide as the terminal allows: first the gaps give way, then names, numbers last."""

    sheet: Sheet

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for padding, name in ((1, 20), (0, 12)):
            drawn = _drawn(self.sheet, padding, name)
            if console.measure(drawn, options=options.update(width=10_000)).minimum <= options.max_width:
                yield drawn
                return
        yield _drawn(self.sheet, 0, 0)


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
            drawn.add_row(line.rank, _who(line, style), *(_cell(cell, style) for cell in line.cells))
    return drawn


def _widths(sheet: Sheet) -> list[int]:
    """Of the longest line in each column, below its name."""
    cells = [line.cells for line in sheet.lines]
    return [max(max(map(len, cell.lines)) for cell in column) for column in zip(*cells, strict=True)]


def _who(line: Line, style: str) -> Text:
    text = Text(line.name, style=style)
    return text.append("\n" + ", ".join(line.marks), style="dim") if line.marks else text


def _cell(cell: Cell, style: str) -> Text:
    text = Text(cell.lines[0], style=STYLES[cell.state] or style)
    return text.append("".join(f"\n{line}" for line in cell.lines[1:]), style="dim")
