"""`brainbench board`: the leaderboard in the terminal, and as a site."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from brainbench.cli import board_exchange, board_serve
from brainbench.cli.common import (
    console,
    db_option,
    installed,
    require_known,
    results_file,
    show_ideas,
    show_tasks,
)
from brainbench.text import plain


@click.group(invoke_without_command=True)
@click.option("--dataset", help="Only this dataset.")
@click.option("--items", "item_set", help="Only this set of items.")
@click.option("--task", help="Only this task.")
@click.option("--scorer", help="Only ideas that this scorer scored.")
@click.option("--json", "as_json", is_flag=True, help="Print every row as JSON.")
@db_option
@click.pass_context
def board(  # noqa: PLR0913, PLR0917 - its options
    context: click.Context,
    dataset: str | None,
    item_set: str | None,
    task: str | None,
    scorer: str | None,
    as_json: bool,
    db: Path | None,
) -> None:
    """Show the leaderboard, or with a subcommand do something else with it.

    Scores on real and simulated data never share a table, nor do two versions of a dataset or metric.
    """
    context.obj = db
    if context.invoked_subcommand is not None:
        if dataset or item_set or task or scorer or as_json:
            raise click.UsageError(
                "--dataset, --items, --task, --scorer and --json are for showing the leaderboard alone."
            )
        return
    path = results_file(db)
    rows, tasks, ideas = _standings(path, task)
    for option, column, name, among in (
        ("--dataset", "dataset", dataset, [*rows, *ideas]),
        ("--items", "item_set", item_set, rows),
        ("--scorer", "scorer", scorer, ideas),
    ):
        if name is not None:
            require_known(option, name, {row[column] for row in among if row[column] is not None})
    if any((task, dataset, item_set, scorer)):  # of what cannot be so called nothing is shown
        rows = [] if task or scorer else _only(rows, dataset=dataset, item_set=item_set)
        tasks = [] if dataset or item_set or scorer else tasks
        ideas = [] if task or item_set else _only(ideas, dataset=dataset, scorer=scorer)
    if as_json:
        import json

        click.echo(json.dumps([*rows, *tasks, *ideas], indent=2))
        return
    _show(rows, tasks, ideas, path)


@board.command()
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--db",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The results file, as for `brainbench board`.",
)
@click.pass_context
def publish(context: click.Context, folder: Path, db: Path | None) -> None:
    """Write the leaderboard as a site, of which DIR/index.html is the first page.

    It loads nothing from elsewhere: open it from the disk, or put the folder on any server. What an earlier
    site left in DIR is cleared away.
    """
    from brainbench.errors import StoreError
    from brainbench_leaderboard.site.board import Cards
    from brainbench_leaderboard.site.publish import publish as write
    from brainbench_leaderboard.store import Leaderboard

    path = results_file(db or context.obj)
    if not path.exists():
        raise StoreError(f"There are no results in {path} yet.", hint="`brainbench run` makes some.")
    with Leaderboard.reading(path) as store:
        page = write(store, folder, Cards.of(installed()))
    click.echo(plain(page.absolute().as_uri()))


board.add_command(board_serve.serve)
board.add_command(board_exchange.export)
board.add_command(board_exchange.merge)
board.add_command(board_exchange.diff)
board.add_command(board_exchange.verify)


Rows = list[dict[str, Any]]


def _only(rows: Rows, **wanted: str | None) -> Rows:
    """Those that have what is wanted, where anything is."""
    return [row for row in rows if all(value in {None, row[column]} for column, value in wanted.items())]


def _standings(path: Path, task: str | None) -> tuple[Rows, Rows, Rows]:
    """What there is of scores, of tasks or of one task, and of ideas."""
    from brainbench_leaderboard.store import Leaderboard

    if not path.exists():
        return [], [], []
    with Leaderboard.reading(path) as store:
        if task is not None:
            require_known("--task", task, store.task_names())
        return store.standings(), store.task_standings(task), store.idea_standings()


def _show(rows: Rows, tasks: Rows, ideas: Rows, path: Path) -> None:
    from brainbench_leaderboard.tables import legend, reasons, tables

    out = console()
    if not rows and not tasks and not ideas:
        click.echo(f"No results in {path} yet: `brainbench run` makes some.")
    for table in tables(rows):
        out.print(table)
        out.print()
    for line in (*legend(rows), *reasons(rows)):
        out.print(line)
    show_tasks(tasks)
    show_ideas(ideas)
