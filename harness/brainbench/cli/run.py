"""`brainbench run`: compute what is missing, keep each result as it is finished, show the table."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from brainbench.cli.common import console, db_option, installed, results_file, warn
from brainbench.errors import BrainbenchError, UsageError
from brainbench.text import plain

if TYPE_CHECKING:
    from rich.console import Console

    from brainbench.catalog import Catalog
    from brainbench.plan import Plan
    from brainbench.records import Record, Reused
    from brainbench_leaderboard.store import Leaderboard

INTERRUPTED = 130  # what shells report for Ctrl-C


@click.command()
@click.option(
    "--model", "models", multiple=True, required=True, help="org/name[@revision], a folder, ...; repeatable."
)
@click.option(
    "--dataset", "datasets", multiple=True, default=["deduction"], show_default=True, help="Repeatable."
)
@click.option("--region", "regions", multiple=True, help="Only this region of interest; repeatable.")
@click.option("--items", "item_sets", multiple=True, help="Only this set of items; repeatable.")
@click.option("--metric", "metrics", multiple=True, help="name or name/protocol; repeatable; by default all.")
@click.option(
    "--intervention", "interventions", multiple=True, default=["none"], show_default=True, help="Repeatable."
)
@click.option(
    "--pooling",
    type=click.Choice(["last", "mean"]),
    default="last",
    show_default=True,
    help="Read the last input token, or the mean over the item's own tokens.",
)
@click.option(
    "--dtype",
    type=click.Choice(["float32", "bfloat16", "float16"]),
    default="float32",
    show_default=True,
    help="Of weights and activations.",
)
@click.option("--device", default="auto", show_default=True, help="cpu, cuda, cuda:1, mps, ...")
@click.option("--batch-size", type=click.IntRange(min=1), help="By default chosen, and halved if need be.")
@click.option(
    "--seed",
    type=click.IntRange(0, 2**63 - 1),
    default=0,
    show_default=True,
    help="For random weights and the like.",
)
@click.option("--trust-remote-code", is_flag=True, help="Run code that comes with the model.")
@click.option(
    "--ceiling/--no-ceiling",
    "ceilings",
    default=True,
    show_default=True,
    help="How well people predict people.",
)
@click.option("--again", is_flag=True, help="Compute also what is already there.")
@db_option
def run(db: Path | None, again: bool, **chosen: Any) -> None:
    """Score models against brain data: each layer, participant and region.

    Each result is kept as soon as it is finished, and what is already there is not computed again: an
    interrupted run goes on where it stopped. The exit code is 1 when a cell failed.
    """
    catalog = installed()
    known = len(catalog.problems)
    plan = make_plan(catalog, **chosen)
    warn(catalog.problems[known:])  # what broke when it was first used
    from brainbench.cli.progress import BarReporter
    from brainbench_leaderboard.store import Leaderboard

    err = console(stderr=True)
    path = results_file(db)
    with Leaderboard(path) as store:
        results: list[Record | Reused] = []
        try:
            with BarReporter(err) as reporter:
                _compute(plan, catalog, store, again, reporter, err, results)
        except KeyboardInterrupt:
            err.print(
                f"Stopped. What was finished is kept in {path}: the same command goes on from there.",
                soft_wrap=True,
            )
            sys.exit(INTERRUPTED)
        _show(store, results, path, err)
    sys.exit(int(any(_failed(result) for result in results)))


def make_plan(catalog: Catalog, **chosen: Any) -> Plan:
    """The plan for the options of `run`; raises UsageError for a name that nothing answers to."""
    from brainbench.nouns import ModelOptions
    from brainbench.plan import Plan

    names = ("dtype", "pooling", "device", "batch_size", "seed", "trust_remote_code")
    datasets = [catalog.datasets.get(name) for name in dict.fromkeys(chosen["datasets"])]
    _check("region", chosen["regions"], [region for dataset in datasets for region in dataset.regions])
    _check("set of items", chosen["item_sets"], [s.name for dataset in datasets for s in dataset.item_sets])
    asked = [metric for name in chosen["metrics"] for metric in catalog.find_metrics(name)]
    metrics = [m for at, m in enumerate(asked) if m not in asked[:at]] or catalog.metrics.values()
    plan = Plan.product(
        models=[catalog.find_model(name) for name in dict.fromkeys(chosen["models"])],
        datasets=datasets,
        metrics=metrics,
        interventions=[catalog.interventions.get(name) for name in dict.fromkeys(chosen["interventions"])],
        options=ModelOptions(**{name: chosen[name] for name in names}),
        regions=chosen["regions"],
        item_sets=chosen["item_sets"],
        ceilings=chosen["ceilings"],
    )
    if not plan.cells:
        raise UsageError("There is nothing to compute: no metric is installed, or no such region.")
    return plan


def _check(kind: str, asked: tuple[str, ...], known: list[str]) -> None:
    from brainbench.catalog import suggest

    for name in asked:
        if name not in known:
            raise UsageError(
                f"There is no {kind} called {name!r} in the chosen datasets.", hint=suggest(name, known)
            )


def _compute(  # noqa: PLR0913, PLR0917 - the one place where all meet
    plan: Plan,
    catalog: Catalog,
    store: Leaderboard,
    again: bool,
    reporter: Any,
    err: Console,
    results: list[Record | Reused],
) -> None:
    from brainbench.records import Record
    from brainbench.runner import run as run_plan

    versions = catalog.provider_versions()
    is_done = (lambda fingerprint: False) if again else store.has
    log = _Log(err)
    with reporter.task("All cells", len(plan)) as advance:
        for result in run_plan(plan, is_done=is_done, reporter=reporter, plugins=versions):
            if isinstance(result, Record):
                kept = _keep(result, store)
                log.record(kept)
                results.append(kept)
            else:
                results.append(result)
            advance(1)


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


class _Log:
    """One line for each finished cell; what fails many times for one reason is said once."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._said: set[tuple[str, str]] = set()

    def record(self, record: Record) -> None:
        """Print what became of a cell, unless its failure has been said."""
        from brainbench.records import Failure, Scores

        outcome, cell = record.outcome, record.cell
        if isinstance(outcome, Scores):
            best = f"{outcome.headline:.4f} at {outcome.layers[outcome.best]}"
            self._print("done", "green", f"{cell}: {best} ({record.provenance['seconds']:.1f} s)")
        elif isinstance(outcome, Failure):
            who = cell.model.name if cell.model else "ceiling"
            if (who, outcome.message) not in self._said:
                self._said.add((who, outcome.message))
                self._print("failed", "red", f"{cell}: {outcome.message} {outcome.hint}".strip())
        else:
            self._print("skipped", "yellow", f"{cell}: {outcome.reason}")

    def _print(self, state: str, style: str, line: str) -> None:
        from rich.text import Text

        text = Text(f"{state:<8}", style=style).append(plain(line), style="default")
        self.console.print(text, soft_wrap=not self.console.is_terminal)


def _failed(result: Record | Reused) -> bool:
    from brainbench.records import Failure, Record

    return isinstance(result, Record) and isinstance(result.outcome, Failure)


def _show(store: Leaderboard, results: list[Record | Reused], path: Path, err: Console) -> None:
    from brainbench.records import Reused
    from brainbench_leaderboard.tables import legend, tables

    out = console()
    seen = {result.fingerprint for result in results}
    rows = [row for row in store.standings() if row["fingerprint"] in seen]
    for table in tables(rows):
        out.print(table)
        out.print()
    for line in legend(rows):
        out.print(line)
    reused = sum(isinstance(result, Reused) for result in results)
    failed = sum(_failed(result) for result in results)
    cells = f"{len(results)} cell{'' if len(results) == 1 else 's'}"
    err.print(
        f"{cells}: {len(results) - reused - failed} computed, {reused} were there, "
        f"{failed} failed. All results: {path} (brainbench board).",
        soft_wrap=True,
    )
