"""What the commands share: where results are kept, the console, the installed plugins."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from brainbench.text import plain

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from brainbench.catalog import Catalog, Problem

F = TypeVar("F", bound=Callable[..., Any])

db_option = click.option(
    "--db",
    type=click.Path(dir_okay=False, path_type=Path),
    envvar="BRAINBENCH_DB",
    show_envvar=True,
    help="SQLite file that keeps the results; by default one for all runs of this user.",
)

_MODEL_OPTIONS = (
    click.option(
        "--dtype",
        type=click.Choice(["float32", "bfloat16", "float16"]),
        default="float32",
        show_default=True,
        help="Of weights and activations.",
    ),
    click.option("--device", default="auto", show_default=True, help="cpu, cuda, cuda:1, mps, ..."),
    click.option(
        "--batch-size", type=click.IntRange(min=1), help="By default chosen, and halved if need be."
    ),
    click.option(
        "--seed",
        type=click.IntRange(0, 2**63 - 1),
        default=0,
        show_default=True,
        help="For random weights and the like.",
    ),
    click.option("--trust-remote-code", is_flag=True, help="Run code that comes with the model."),
)


def model_options(command: F) -> F:
    """The options that say how a model is run, in the order in which help shows them."""
    for option in reversed(_MODEL_OPTIONS):
        command = option(command)
    return command


def results_file(given: Path | None) -> Path:
    """The file named on the command line, or the user's own."""
    if given is not None:
        return given
    import platformdirs

    return Path(platformdirs.user_data_dir("brainbench")) / "brainbench.db"


def console(*, stderr: bool = False) -> Console:
    """A console that keeps tables whole when the output goes to a file or a pipe."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    wide = None if (stream is not None and stream.isatty()) or "COLUMNS" in os.environ else 140
    return Console(stderr=stderr, width=wide, highlight=False, markup=False, emoji=False)


def installed() -> Catalog:
    """Load all plugins, and say on standard error which could not be used and why."""
    from brainbench.plugins import discover, load

    catalog = load(discover())
    warn(catalog.problems)
    return catalog


def warn(problems: Iterable[Problem]) -> None:
    """Say each problem on standard error."""
    for problem in problems:
        click.secho(f"warning: {plain(problem.sentence)}", fg="yellow", err=True)


def show_ideas(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print the tables of ideas, what their numbers are, and what was skipped or failed."""
    from brainbench_leaderboard.idea_tables import legend, reasons, tables

    _show(tables(rows), [*legend(rows), *reasons(rows)])


def show_tasks(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print the tables of tasks, what their numbers are, and what was skipped or failed."""
    from brainbench_leaderboard.task_tables import legend, reasons, tables

    _show(tables(rows), [*legend(rows), *reasons(rows)])


def _show(tables: Iterable[RenderableType], lines: Iterable[RenderableType]) -> None:
    out = console()
    for table in tables:
        out.print(table)
        out.print()
    for line in lines:
        out.print(line)


def require_known(option: str, name: str, known: set[str]) -> None:
    """Raise UsageError when no result has this name; without any results there is nothing to name."""
    from brainbench.catalog import suggest
    from brainbench.errors import UsageError

    if known and name not in known:
        raise UsageError(
            f"No result is called {name!r} (option {option}).", hint=suggest(name, sorted(known))
        )
