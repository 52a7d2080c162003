"""`brainbench board`: the leaderboard in the terminal, and as a page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from brainbench.cli.common import console, db_option, results_file, show_tasks
from brainbench.text import plain


@click.group(invoke_without_command=True)
@click.option("--dataset", help="Only this dataset.")
@click.option("--items", "item_set", help="Only this set of items.")
@click.option("--task", help="Only this task.")
@click.option("--json", "as_json", is_flag=True, help="Print every row as JSON.")
@db_option
@click.pass_context
def board(  # noqa: PLR0913, PLR0917 - its options
    context: click.Context,
    dataset: str | None,
    item_set: str | None,
    task: str | None,
    as_json: bool,
    db: Path | None,
) -> None:
    """Show the leaderboard, or with a subcommand do something else with it.

    Scores on real and simulated data never share a table, nor do two versions of a dataset or metric.
    """
    context.obj = db
    if context.invoked_subcommand is not None:
        if dataset or item_set or task or as_json:
            raise click.UsageError(
                "--dataset, --items, --task and --json are for showing the leaderboard alone."
            )
        return
    path = results_file(db)
    rows, tasks = _standings(path, task)
    for option, column, name in (("--dataset", "dataset", dataset), ("--items", "item_set", item_set)):
        if name is not None:
            _require_known(option, name, {row[column] for row in rows})
            rows = [row for row in rows if row[column] == name]
    if task is not None:
        rows = []
    elif dataset is not None or item_set is not None:
        tasks = []
    if as_json:
        import json

        click.echo(json.dumps([*rows, *tasks], indent=2))
        return
    _show(rows, tasks, path)


@board.command()
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--db",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The results file, as for `brainbench board`.",
)
@click.pass_context
def publish(context: click.Context, folder: Path, db: Path | None) -> None:
    """Write the leaderboard as a page, DIR/index.html.

    It is one file without scripts that loads nothing else: open it from the disk, or put it on any server.
    """
    from brainbench.errors import StoreError
    from brainbench_leaderboard.page import publish as write
    from brainbench_leaderboard.store import Leaderboard

    path = results_file(db or context.obj)
    if not path.exists():
        raise StoreError(f"There are no results in {path} yet.", hint="`brainbench run` makes some.")
    with Leaderboard.reading(path) as store:
        page = write(store, folder)
    click.echo(plain(page.absolute().as_uri()))


def _require_known(option: str, name: str, known: set[str]) -> None:
    """Raise UsageError when no result has this name; without any results there is nothing to name."""
    from brainbench.catalog import suggest
    from brainbench.errors import UsageError

    if known and name not in known:
        raise UsageError(
            f"No result is called {name!r} (option {option}).", hint=suggest(name, sorted(known))
        )


Rows = list[dict[str, Any]]


def _standings(path: Path, task: str | None) -> tuple[Rows, Rows]:
    """What there is of scores, and of tasks or of one task."""
    from brainbench_leaderboard.store import Leaderboard

    if not path.exists():
        return [], []
    with Leaderboard.reading(path) as store:
        if task is not None:
            _require_known("--task", task, store.task_names())
        return store.standings(), store.task_standings(task)


def _show(rows: Rows, tasks: Rows, path: Path) -> None:
    from brainbench_leaderboard.tables import legend, reasons, tables

    out = console()
    if not rows and not tasks:
        click.echo(f"No results in {path} yet: `brainbench run` makes some.")
    for table in tables(rows):
        out.print(table)
        out.print()
    for line in (*legend(rows), *reasons(rows)):
        out.print(line)
    show_tasks(tasks)
