"""`brainbench board`: the leaderboard in the terminal."""

from __future__ import annotations

from pathlib import Path

import click

from brainbench.cli.common import console, db_option, results_file


@click.command()
@click.option("--dataset", help="Only this dataset.")
@click.option("--items", "item_set", help="Only this set of items.")
@click.option("--json", "as_json", is_flag=True, help="Print every row as JSON.")
@db_option
def board(dataset: str | None, item_set: str | None, as_json: bool, db: Path | None) -> None:
    """Show the leaderboard.

    Scores on real and simulated data never share a table, nor do two versions of a dataset or metric.
    """
    from brainbench_leaderboard.store import Leaderboard

    path = results_file(db)
    rows = []
    if path.exists():
        with Leaderboard.reading(path) as store:
            rows = store.standings()
    rows = [row for row in rows if dataset in (None, row["dataset"]) and item_set in (None, row["item_set"])]
    if as_json:
        import json

        click.echo(json.dumps(rows, indent=2))
        return
    from brainbench_leaderboard.tables import legend, reasons, tables

    out = console()
    if not rows:
        click.echo(f"No results in {path} yet: `brainbench run --model <model>` makes some.")
    for table in tables(rows):
        out.print(table)
        out.print()
    for line in (*legend(rows), *reasons(rows)):
        out.print(line)
