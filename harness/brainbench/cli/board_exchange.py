"""`brainbench board export`, `merge`, `diff` and `verify`: results as files that others take in."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from brainbench.cli.common import console, installed, require_known, results_file
from brainbench.text import plain

if TYPE_CHECKING:
    from brainbench_leaderboard.exchange.diff import Difference
    from brainbench_leaderboard.exchange.known import Known
    from brainbench_leaderboard.exchange.merge import Merged
    from brainbench_leaderboard.exchange.verify import Verdict

_FOLDER = click.Path(file_okay=False, path_type=Path)
_SOURCE = click.Path(exists=True, path_type=Path)
own_db_option = click.option(
    "--db",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The results file, as for `brainbench board`.",
)
tolerance_option = click.option(
    "--tolerance",
    type=click.FloatRange(min=0),
    default=1e-3,
    show_default=True,
    help="By how much numbers may differ; for those above 1, their share.",
)
_ALLOWED = (
    click.option(
        "--allow-dataset",
        "datasets",
        multiple=True,
        metavar="NAME",
        help="Take also results on a dataset that is not installed here, or is another version of it; "
        "repeatable.",
    ),
    click.option(
        "--allow-task",
        "tasks",
        multiple=True,
        metavar="NAME",
        help="The same for a task; repeatable.",
    ),
)


def allowed_options(command: Any) -> Any:
    """The options that name what is taken without being installed."""
    for option in reversed(_ALLOWED):
        command = option(command)
    return command


@click.command()
@click.argument("folder", metavar="DIR", type=_FOLDER)
@click.option("--model", "models", multiple=True, help="Only results of this model; repeatable.")
@click.option(
    "--dataset", "datasets", multiple=True, help="Only results on this dataset or task; repeatable."
)
@own_db_option
@click.pass_context
def export(
    context: click.Context,
    folder: Path,
    models: tuple[str, ...],
    datasets: tuple[str, ...],
    db: Path | None,
) -> None:
    """Write results as JSON files below DIR, for other people's boards.

    One file for each model, revision, dataset or task, and metric or scorer. Failures stay here, and so does
    whatever is of this machine: paths, tracebacks. The same results give the same files.
    """
    from brainbench_leaderboard.exchange.export import export as write
    from brainbench_leaderboard.store import Leaderboard

    path = existing(results_file(db or context.obj))
    with Leaderboard.reading(path) as store:
        rows = [*store.standings(), *store.task_standings(), *store.idea_standings()]
        for option, chosen, columns in (
            ("--model", models, ("model",)),
            ("--dataset", datasets, ("dataset", "task")),
        ):
            named = {row.get(column) for row in rows for column in columns}
            for name in chosen:
                require_known(option, name, {str(one) for one in named if one is not None})
        found = write(store, folder, models, datasets)
    for file, count in found.files.items():
        click.echo(plain(f"{count:5} {file.relative_to(folder).as_posix()}"))
    records = sum(found.files.values())
    click.echo(plain(f"{_count(records, 'record')} in {_count(len(found.files), 'file')} below {folder}."))
    _say_left_out(found.left_out)


@click.command()
@click.argument("paths", metavar="SOURCE...", nargs=-1, required=True, type=_SOURCE)
@allowed_options
@own_db_option
@click.pass_context
def merge(
    context: click.Context,
    paths: tuple[Path, ...],
    datasets: tuple[str, ...],
    tasks: tuple[str, ...],
    db: Path | None,
) -> None:
    """Take results of others into the results file: exported folders, or results files.

    All of it is checked before anything is written: form, numbers, fingerprints, and whether datasets and
    tasks are those installed here. The order makes no difference, and merging twice changes nothing. What
    contradicts a result that is there is refused by name, and the rest is taken.

    Exit codes: 0 all is well; 1 something was refused.
    """
    from brainbench_leaderboard.exchange.merge import merge as take

    made = take(paths, results_file(db or context.obj), known_here(datasets, tasks))
    _say_merged(made)
    sys.exit(int(bool(made.refused)))


@click.command()
@click.argument("first", metavar="A", type=_SOURCE)
@click.argument("second", metavar="B", type=_SOURCE)
@tolerance_option
@click.option("--json", "as_json", is_flag=True, help="Print all of it as JSON.")
def diff(first: Path, second: Path, tolerance: float, as_json: bool) -> None:
    """Compare two exported folders or results files.

    Says what is in one and not in the other, and whose scores differ. Exit codes: 0 they hold the same; 1
    they do not.
    """
    from brainbench_leaderboard.exchange.diff import diff as compare

    found = compare(first, second, tolerance)
    if as_json:
        import json
        from dataclasses import asdict

        click.echo(json.dumps(asdict(found), indent=2))
    else:
        _show(found)
    sys.exit(int(bool(found.only_first or found.only_second or found.changed)))


@click.command()
@click.argument("source", metavar="SOURCE", type=_SOURCE)
@click.option(
    "--sample", type=click.IntRange(min=1), help="Only so many records, drawn at random; by default all."
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Which are drawn.")
@click.option("--against", type=_SOURCE, help="Only what this exported folder or results file has not.")
@click.option(
    "--model", "models", multiple=True, help="A model that lies in a folder, by its path; repeatable."
)
@click.option("--device", default="auto", show_default=True, help="cpu, cuda, cuda:1, mps, ...")
@tolerance_option
@click.option("--json", "as_json", is_flag=True, help="Print all of it as JSON.")
def verify(source: Path, models: tuple[str, ...], device: str, as_json: bool, **how: Any) -> None:
    """Compute records of an exported folder or results file again, and compare.

    Models of the hub are fetched at the very commit; no code that comes with a model is run. Exit codes: 0
    nothing differs; 1 something does.
    """
    from dataclasses import asdict

    from brainbench.cli.progress import BarReporter
    from brainbench_leaderboard.exchange.cells import Cells
    from brainbench_leaderboard.exchange.verify import verify as again

    catalog = installed()
    cells = Cells(catalog, [catalog.find_model(model) for model in models], device)
    with BarReporter(console(stderr=True)) as reporter:
        found = [_told(one, as_json) for one in again(source, cells, reporter, **how)]
    counts = [sum(one.outcome == name for one in found) for name in ("agrees", "differs", "not computed")]
    if as_json:
        import json

        click.echo(json.dumps([asdict(one) for one in found], indent=2))
    else:
        agreed = f"{counts[0]} agree within {how['tolerance']:g}"
        click.echo(f"{_count(len(found), 'record')}: {agreed}, {counts[1]} differ, {counts[2]} not computed.")
    sys.exit(int(bool(counts[1])))


def _told(verdict: Verdict, as_json: bool) -> Verdict:
    """Said as soon as it is known."""
    if not as_json:
        words = f"{verdict.outcome}: {_words(verdict.names)}"
        if verdict.outcome != "not computed":
            heads = f"{_value(verdict.said)}, here {_value(verdict.found)}"
            words += f": {heads}; of {verdict.values} values apart by {verdict.largest:.2g} at most"
        click.echo(plain(f"{words}: {verdict.reason}" if verdict.reason else words))
    return verdict


def known_here(datasets: tuple[str, ...], tasks: tuple[str, ...]) -> Known:
    """What records may be of: all that is installed, and what is allowed by name."""
    from brainbench_leaderboard.exchange.known import Known

    return Known(installed(), frozenset(datasets), frozenset(tasks))


def existing(path: Path) -> Path:
    """The results file, if there is one; raises StoreError."""
    from brainbench.errors import StoreError

    if not path.exists():
        raise StoreError(f"There are no results in {path} yet.", hint="`brainbench run` makes some.")
    return path


def _say_merged(made: Merged) -> None:
    click.echo(
        f"{_count(made.added, 'record')} new, {made.there} there already, {made.replaced} replaced by older "
        f"or fuller ones of the same fingerprint, {len(made.refused)} refused."
    )
    for sentence in made.changed:
        click.echo(f"replaced: {sentence}", err=True)
    for sentence in made.refused:
        click.echo(f"refused: {sentence}", err=True)
    _say_left_out(made.left_out)


def _say_left_out(reasons: Mapping[str, int]) -> None:
    for reason, count in sorted(reasons.items()):
        if count:
            click.echo(plain(f"left out: {_count(count, 'record')}: {reason}"), err=True)


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _show(found: Difference) -> None:
    from rich.table import Table
    from rich.text import Text

    out = console()
    for title, held in (("only in A", found.only_first), ("only in B", found.only_second)):
        if held:
            out.print(Text(f"{title}: {_count(len(held), 'record')}", style="bold"))
            for one in held:
                out.print(Text(f"  {_words(one)}"))
    if found.changed:
        table = Table(box=None, pad_edge=False)
        for column in ("differs", "A", "B", "values that differ", "first of them"):
            table.add_column(column, overflow="fold")
        for one in found.changed:
            cells = (_words(one), _value(one["first"]), _value(one["second"]), str(one["values"]))
            table.add_row(*map(Text, (*cells, plain(one["largest"]))))
        out.print(table)
    out.print(Text(f"{_count(found.same, 'record')} the same in both."))


def _words(one: Mapping[str, Any]) -> str:
    """What a record is of, on one line."""
    held = ("revision", "fingerprint")
    names = [str(value) for name, value in one.items() if name not in held and value != "none"]
    return plain(f"{' '.join(names)} {one['fingerprint'][:8]}")


def _value(value: float | str | None) -> str:
    return f"{value:.4f}" if isinstance(value, float) else plain(value)
