"""`brainbench run`: compute what is missing, keep each result as it is finished, show the table."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from brainbench.cli import demo
from brainbench.cli.common import (
    console,
    db_option,
    installed,
    model_options,
    results_file,
    show_ideas,
    show_tasks,
    warn,
)
from brainbench.cli.idea_options import idea_options
from brainbench.cli.planning import make_plan
from brainbench.errors import BrainbenchError

if TYPE_CHECKING:
    from brainbench.catalog import Catalog
    from brainbench.plan import Plan
    from brainbench.records import Record, Reused
    from brainbench_leaderboard.store import Leaderboard

INTERRUPTED = 130  # what shells report for Ctrl-C


@click.command()
@click.option(
    "--model",
    "models",
    multiple=True,
    help="org/name[@revision], a folder, ...; repeatable. By default the model that comes with brainbench "
    "and its untrained twin.",
)
@click.option(
    "--dataset",
    "datasets",
    multiple=True,
    help="Repeatable. By default deduction; without --model both simulated datasets.",
)
@click.option(
    "--task",
    "tasks",
    multiple=True,
    help="Ask the models this task (see `brainbench list tasks`), or all; repeatable. Without --dataset "
    "nothing else is done.",
)
@click.option(
    "--limit", type=click.IntRange(min=1), help="Of each task only the first problems: for a quick look."
)
@click.option("--region", "regions", multiple=True, help="Only this region of interest; repeatable.")
@click.option("--items", "item_sets", multiple=True, help="Only this set of items; repeatable.")
@click.option(
    "--metric",
    "metrics",
    multiple=True,
    help="name or name/protocol; repeatable; by default all; none for tasks alone.",
)
@click.option(
    "--intervention",
    "interventions",
    multiple=True,
    default=["none"],
    show_default=True,
    help="Its name, name@region, name@type of problem, name@key=value for a fine-tuning, or steering:PATH "
    "for what `brainbench steer fit` kept; all for all but fine-tunings; repeatable.",
)
@click.option(
    "--trainings",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="How often each fine-tuning is trained, with the seeds 0, 1, ...",
)
@click.option(
    "--adapter",
    "adapters",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="Also the model with this adapter, which `brainbench tune fit` or peft kept; the same as "
    "--intervention adapter:PATH, beside the others; repeatable.",
)
@click.option(
    "--protocol",
    type=click.Choice(["validation", "paper"]),
    default="validation",
    show_default=True,
    help="On what the strength of a steering is chosen: a task's validation set, or the task itself as in "
    "the paper (said beside the result, and never ranked).",
)
@click.option(
    "--pooling",
    type=click.Choice(["last", "mean"]),
    default="last",
    show_default=True,
    help="Read the last input token, or the mean over the item's own tokens.",
)
@idea_options
@model_options
@click.option(
    "--ceiling/--no-ceiling",
    "ceilings",
    default=True,
    show_default=True,
    help="How well people predict people.",
)
@click.option(
    "--baselines/--no-baselines",
    default=True,
    show_default=True,
    help="How far one comes without a trained model: task type, length, response times, random weights, ...",
)
@click.option(
    "--again", is_flag=True, help="Compute also what is already there; kept trainings are asked anew."
)
@click.option("--json", "as_json", is_flag=True, help="Print the scores as JSON, and nothing else.")
@db_option
def run(db: Path | None, again: bool, as_json: bool, **chosen: Any) -> None:
    """Score models against brain data: each layer, participant and region; or on tasks, with --task.

    With --scorer models are also asked for ideas, and these are scored.

    Without --model, --dataset, --task and --scorer it is a demonstration that needs no network:
    brainbench/tiny and untrained:brainbench/tiny on simulated-deduction and simulated-creativity, and a
    page to open.

    Each result is kept as soon as it is finished, and what is already there is not computed again: an
    interrupted run goes on where it stopped.

    Exit codes: 0 all is well; 1 a cell failed, or a file cannot be read or written; 2 an argument names
    nothing; 130 stopped by Ctrl-C.
    """
    asked = bool(chosen["tasks"] or chosen["scorers"])
    is_demo = not chosen["models"] and not chosen["datasets"] and not asked
    chosen["models"], chosen["datasets"] = demo.choose(chosen["models"], chosen["datasets"], asked)
    catalog = installed()
    known = len(catalog.problems)
    plan = make_plan(catalog, **chosen)
    warn(catalog.problems[known:])  # what broke when it was first used
    from brainbench.records import Record
    from brainbench_leaderboard.store import Leaderboard

    path = results_file(db)
    with Leaderboard(path) as store:
        results = _compute(plan, catalog, store, again)
        only = {result.fingerprint for result in results}
        rows = store.standings(only)
        tasks, ideas = store.task_standings(only=only), store.idea_standings(only)
        if as_json:
            import json

            click.echo(json.dumps([*rows, *tasks, *ideas], indent=2))
        else:
            _show(demo.main_rows(rows) if is_demo else rows)
            show_tasks(tasks)
            show_ideas(ideas)
        _say_counts(results, path)
        if is_demo:
            page = _site(store, catalog)
            if not as_json:
                anew = any(isinstance(result, Record) for result in results)
                _close_demo(plan, rows, store.path, page, anew=anew)
    sys.exit(int(any(_failed(result) for result in results)))


def _compute(plan: Plan, catalog: Catalog, store: Leaderboard, again: bool) -> list[Record | Reused]:
    """All results, each kept as soon as it is there; leaves with INTERRUPTED after Ctrl-C."""
    from brainbench.cli.log import Log
    from brainbench.cli.progress import BarReporter
    from brainbench.records import Record
    from brainbench.runner import run as run_plan

    err = console(stderr=True)
    versions = catalog.provider_versions()
    is_done = (lambda fingerprint: False) if again else store.has
    log, results = Log(err, plan), []
    try:
        with BarReporter(err) as reporter, reporter.task("All cells", len(plan)) as advance:
            for result in run_plan(plan, is_done=is_done, reporter=reporter, plugins=versions):
                results.append(_keep(result, store) if isinstance(result, Record) else result)
                log.add(results[-1])
                advance(1)
    except KeyboardInterrupt:
        kept = f"Stopped. What was finished is kept in {store.path}: the same command goes on from there."
        err.print(kept, soft_wrap=True)
        sys.exit(INTERRUPTED)
    return results


def _keep(record: Record, store: Leaderboard) -> Record:
    """Store a record; one that cannot be stored becomes a failure of its cell alone."""
    from brainbench.records import Failure

    try:
        store.add(record)
    except BrainbenchError:  # the database itself: going on would lose every result
        raise
    except Exception as error:
        reason = f"The record cannot be kept: {type(error).__name__}: {error}"
        where = {"seconds": record.provenance["seconds"], "started": record.provenance["started"]}
        record = replace(record, outcome=Failure("store", type(error).__name__, reason), provenance=where)
        store.add(record)
    return record


def _failed(result: Record | Reused) -> bool:
    from brainbench.records import Failure, Record

    return isinstance(result, Record) and isinstance(result.outcome, Failure)


def _show(rows: Sequence[Mapping[str, Any]]) -> None:
    from brainbench_leaderboard.tables import legend, tables

    out = console()
    for table in tables(rows, detailed=False):
        out.print(table)
        out.print()
    for line in legend(rows, detailed=False):
        out.print(line)


def _say_counts(results: list[Record | Reused], path: Path) -> None:
    from brainbench.records import Reused

    reused = sum(isinstance(result, Reused) for result in results)
    failed = sum(_failed(result) for result in results)
    cells = f"{len(results)} cell{'' if len(results) == 1 else 's'}"
    console(stderr=True).print(
        f"{cells}: {len(results) - reused - failed} computed, {reused} were there, "
        f"{failed} failed. All results: {path} (brainbench board).",
        soft_wrap=True,
    )


def _site(store: Leaderboard, catalog: Catalog) -> Path:
    """Write the site beside the results; its first page."""
    from brainbench_leaderboard.site.board import Cards
    from brainbench_leaderboard.site.publish import publish

    return publish(store, store.path.parent / f"{store.path.stem}-page", Cards.of(catalog))


def _close_demo(plan: Plan, rows: list[dict[str, Any]], path: Path, page: Path, *, anew: bool) -> None:
    """Say what a newcomer wants to know."""
    datasets = list({id(cell.dataset): cell.dataset for cell in plan if cell.dataset is not None}.values())
    demo.show(demo.closing(datasets, rows, path, page, anew=anew), console())
