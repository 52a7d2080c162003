"""Standings as tables for the terminal: one for each dataset and metric, models down, regions across."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from rich import box
from rich.console import Console, ConsoleOptions, Group, RenderResult
from rich.table import Table
from rich.text import Text

from brainbench_leaderboard import captions, view
from brainbench_leaderboard.task_tables import broken
from brainbench_leaderboard.values import Row, Value
from brainbench_leaderboard.view import Entry, Section

# Characters on a line for names, and for what stands below a number (0: as many as there are): the last let
# three regions fit in eighty columns.
_WIDTHS = ((0, 0), (0, 30), (20, 30), (20, 16))
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
    return Group(
        Text(table.title, style="bold"), _Fitted(table, detailed)
    )  # its own title wraps at its width


@dataclass(frozen=True, slots=True)
class _Fitted:
    """A table as wide as the terminal allows: first names are broken, then what stands below a number."""

    table: view.Table
    detailed: bool

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for name, numbers in _WIDTHS:
            drawn = _Drawing(self.detailed, name, numbers).of(self.table)
            if console.measure(drawn, options=options.update(width=10_000)).maximum <= options.max_width:
                break
        yield drawn


@dataclass(frozen=True, slots=True)
class _Drawing:
    """How a table is drawn: names and numbers on lines of so many characters (0: on one)."""

    detailed: bool
    name: int
    numbers: int

    def of(self, table: view.Table) -> Table:
        drawn = Table(
            box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0), header_style=""
        )
        drawn.add_column("#", justify="right", no_wrap=True)
        drawn.add_column("model", overflow="fold")
        for region in table.regions:
            drawn.add_column(Text(_lines(region, self.numbers)), justify="right", overflow="fold")
        for section in table.sections:
            self._add(section, drawn)
        return drawn

    def _add(self, section: Section, drawn: Table) -> None:
        heading = Text(f"{section.items} items", style="bold")
        if self.detailed:
            drawn.add_row("", heading)
        else:
            drawn.add_row("", heading, *(_limit(value) for value in section.nearest_ceiling))
        for entry in section.entries:
            self._add_entry(entry, drawn)
        some = section.entries and not self.detailed  # baselines are summed up where there is a model
        if some and any(best.text for best in section.best_dull):
            best_of = Text("best dull predictor", style="italic")
            drawn.add_row("", best_of, *(_beside(best) for best in section.best_dull))
        for entry in section.baselines:
            if not some or _is_twin(entry):
                self._add_entry(entry, drawn)
        if self.detailed:
            for label, ceilings in section.ceilings.items():
                drawn.add_row(
                    "", Text(label, style="italic"), *(Text(v.text, STYLES[v.state]) for v in ceilings)
                )
        drawn.add_section()

    def _add_entry(self, entry: Entry, drawn: Table) -> None:
        marks = entry.marks if self.detailed else entry.notable
        who = Text(_lines(entry.model, self.name))
        who.append("\n" + ", ".join(marks) if marks else "", style="dim")
        drawn.add_row(entry.rank, who, *map(self._value, entry.values))

    def _value(self, value: Value) -> Text:
        text = Text(value.text, style=STYLES[value.state])
        below = self._details(value) if self.detailed else [value.briefly]
        return text.append("".join(f"\n{line}" for line in below if line), style="dim")

    def _details(self, value: Value) -> list[str]:
        beyond = f"beyond {value.beyond}" if value.beyond else ""
        over = f"over {value.beside}" if value.above else ""
        return [
            self._below(", ", *value.tested.split(", p ", 1)[:1], *_p(value.tested)),
            self._below(" ", value.layer),
            self._below(" ", *_halves(beyond)),
            self._below(" ", *_halves(value.above), over),
        ]

    def _below(self, between: str, *pieces: str) -> str:
        """Pieces on as few lines as there must be."""
        lines = [""]
        for piece in filter(None, pieces):
            joined = f"{lines[-1]}{between}{piece}" if lines[-1] else piece
            if lines[-1] and self.numbers and len(joined) > self.numbers:
                lines.append(_lines(piece, self.numbers))
            else:
                lines[-1] = joined if joined != piece else _lines(piece, self.numbers)
        return "\n".join(lines)


def _p(tested: str) -> list[str]:
    """The p value behind a score's interval."""
    return [f"p {p}" for p in tested.split(", p ", 1)[1:]]


def _halves(number: str) -> list[str]:
    """A number, and its interval."""
    head, bracket, rest = number.partition(" [")
    return [head, bracket.strip() + rest]


def _lines(name: str, width: int) -> str:
    return "\n".join(broken(name, width)) if width else name


def _is_twin(entry: Entry) -> bool:
    """Whether it is a model with random weights: shown also where other baselines are summed up."""
    return bool(entry.rows[0]["model_kind"] == "untrained")


def _beside(best: Value) -> Text:
    text, name = Text(best.text), best.beside.replace("response-time", "time")  # three fit eighty columns
    name = "random weights" if name.startswith("untrained:") else name
    return text.append(f"\n{name}", style="dim") if name else text


def _limit(ceiling: Value) -> Text:
    return Text(f"ceiling {ceiling.text}", style="italic") if ceiling.state != "missing" else Text("")
