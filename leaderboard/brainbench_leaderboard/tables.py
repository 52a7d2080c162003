"""Standings as tables for the terminal: one for each dataset and metric, models down, regions across."""

from __future__ import annotations

from collections.abc import Iterable

from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from brainbench_leaderboard import captions, view
from brainbench_leaderboard.values import Row, Value
from brainbench_leaderboard.view import Entry, Section

STYLES = {"scores": "", "skip": "yellow", "failure": "red", "missing": "dim"}


def tables(rows: Iterable[Row], *, detailed: bool = True) -> list[Group]:
    """The tables; without details a line a model, with the ceilings beside the name of the set of items."""
    return [_table(table, detailed) for table in view.tables(rows)]


def legend(rows: Iterable[Row], *, detailed: bool = True) -> list[Text]:
    """What the numbers in the tables are, for each way in which they were made."""
    return [Text(line, style="dim") for line in captions.legend(rows, detailed=detailed)]


def reasons(rows: Iterable[Row]) -> list[Text]:
    """What was skipped or failed, each reason once with the cells that it met."""
    return [Text(line) for line in captions.reasons(rows)]


def _table(table: view.Table, detailed: bool) -> Group:
    drawn = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0), header_style="")
    drawn.add_column("#", justify="right")
    drawn.add_column("model", overflow="fold")
    for region in table.regions:
        drawn.add_column(Text(region), justify="right", overflow="fold")
    for section in table.sections:
        _add(section, drawn, detailed)
    return Group(Text(table.title, style="bold"), drawn)  # a table's own title wraps at its width


def _add(section: Section, drawn: Table, detailed: bool) -> None:
    heading = Text(f"{section.items} items", style="bold")
    if detailed:
        drawn.add_row("", heading)
    else:
        drawn.add_row("", heading, *(_limit(value) for value in section.nearest_ceiling))
    for entry in section.entries:
        _add_entry(entry, drawn, detailed)
    shown = [entry for entry in section.baselines if detailed or not section.entries or _is_twin(entry)]
    if not detailed and section.entries and any(best.text for best in section.best_dull):
        best_of = Text("best dull predictor", style="italic")
        drawn.add_row("", best_of, *(_beside(best) for best in section.best_dull))
    for entry in shown:
        _add_entry(entry, drawn, detailed)
    if detailed:
        for label, ceilings in section.ceilings.items():
            drawn.add_row("", Text(label, style="italic"), *(_value(value, False) for value in ceilings))
    drawn.add_section()


def _add_entry(entry: Entry, drawn: Table, detailed: bool) -> None:
    values = (_value(value, detailed) for value in entry.values)
    drawn.add_row(entry.rank, _who(entry, detailed), *values)


def _is_twin(entry: Entry) -> bool:
    """Whether it is a model with random weights: shown also where other baselines are summed up."""
    return bool(entry.rows[0]["model_kind"] == "untrained")


def _beside(best: Value) -> Text:
    text, name = Text(best.text), best.beside.replace("response-time", "time")  # three fit eighty columns
    name = "random weights" if name.startswith("untrained:") else name
    return text.append(f"\n{name}", style="dim") if name else text


def _who(entry: Entry, detailed: bool) -> Text:
    marks = entry.marks if detailed else entry.notable
    text = Text(entry.model)
    return text.append("\n" + ", ".join(marks), style="dim") if marks else text


def _value(value: Value, detailed: bool) -> Text:
    text = Text(value.text, style=STYLES[value.state])
    if detailed:
        for more in (value.tested, value.layer, value.beyond and f"beyond {value.beyond}"):
            text.append(f"\n{more}" if more else "", style="dim")
    if value.above:
        text.append(f"\n{value.above} over {value.beside}" if detailed else f"\n{value.briefly}", style="dim")
    return text


def _limit(ceiling: Value) -> Text:
    return Text(f"ceiling {ceiling.text}", style="italic") if ceiling.state != "missing" else Text("")
