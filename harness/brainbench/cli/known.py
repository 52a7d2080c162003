"""What the facts of something kept say, in words. They come from a file and may be anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from brainbench.cli.common import console
from brainbench.text import plain

if TYPE_CHECKING:
    from rich.table import Table


def print_with_notes(table: Table, notes: Sequence[tuple[str, str]]) -> None:
    """What is kept, as a table, and under it headings with what is known of it."""
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=(0, 2))
    for heading, words in notes:
        grid.add_row(Text(heading, style="bold"), Text(plain(words), overflow="fold"))
    out = console()
    for part in (table, grid):
        out.print(part)
        out.print()


def version_of(facts: Mapping[str, Any], name: str = "version") -> str:
    """A version, to stand behind a name; nothing where there is none."""
    return f" v{facts[name]}" if name in facts else ""


def data_of(facts: Mapping[str, Any]) -> str:
    """Which dataset and region, how many items and people; nothing where no dataset is named."""
    if "dataset" not in facts:
        return ""
    simulated = " (SIMULATED)" if facts.get("simulated") else ""
    where = f"{facts['dataset']}{version_of(facts, 'dataset_version')}{simulated}"
    counts = f"{_count(facts, 'fitted_on')} items, {_count(facts, 'people')} people"
    return f"{where}, region {facts.get('region')}: {counts}"


def model_of(facts: Mapping[str, Any]) -> str:
    """Which model, at which revision and precision; nothing where none is named."""
    model = facts.get("model")
    if not isinstance(model, Mapping):
        return ""
    revision = f", revision {str(model['revision'])[:19]}" if "revision" in model else ""
    return f"{model.get('name')}{revision}, {model.get('dtype')}"


def _count(facts: Mapping[str, Any], name: str) -> str:
    found = facts.get(name)
    return str(len(found)) if isinstance(found, list | tuple) else "an unknown number of"
