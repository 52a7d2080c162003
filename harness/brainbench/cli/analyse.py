"""`brainbench analyse`: questions across the records in the database."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from brainbench.cli.common import console, db_option, results_file
from brainbench.errors import StoreError, UsageError
from brainbench.text import plain

if TYPE_CHECKING:
    from brainbench_leaderboard.analyses.material import Asked
    from brainbench_leaderboard.analyses.results import Finding, Lacking
    from brainbench_leaderboard.store import Leaderboard


@click.command(
    epilog="""
\b
scaling        Does alignment rise with the number of parameters?
originality    Does it rise with how original a model's own ideas are?
stage          Prompts alone against prompts with the model's responses.
network        The first region against each other one.
task-control   Thinking of uses against describing objects.
high-low       Ideas that were rated high against those rated low.
post-training  Variants of a base model against it: needs --base and --model.
layers         Where in the model alignment is, by relative depth.
"""
)
@click.argument("names", metavar="[NAME]...", nargs=-1)
@click.option("--dataset", help="Only this dataset and its variants, named without @...")
@click.option("--metric", help="name/protocol.", default="rsa/robust", show_default=True)
@click.option("--region", "regions", multiple=True, help="Only this region of interest; repeatable.")
@click.option("--model", "models", multiple=True, help="Only this model; repeatable.")
@click.option("--base", help="The model that post-training started from.")
@click.option("--scorer", help="Only ideas with this scorer's scores: its name, or name@helper.")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Also write tables (CSV), figures (PNG, SVG) and an index, analyses.json.",
)
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON, and nothing else.")
@db_option
def analyse(names: tuple[str, ...], out: Path | None, as_json: bool, db: Path | None, **asked: Any) -> None:
    """Ask questions across all scores that the results file keeps: over models, people, regions and layers.

    Without a name all that there is material for; for the others it says what to run. Nothing is computed
    anew but statistics. Each test has its interval, its range when one model or person is left out, and its p
    value as it is and corrected.

    Exit codes: 0 all is well, also where material is lacking; 1 a file cannot be read or written; 2 an
    argument names nothing.
    """
    from brainbench_leaderboard.analyses.catalog import NAMES
    from brainbench_leaderboard.analyses.material import Asked
    from brainbench_leaderboard.store import Leaderboard

    for name in names:
        _require("analysis", name, NAMES)
    path = results_file(db)
    if not path.exists():
        raise StoreError(f"There are no results in {path} yet.", hint="`brainbench run` makes some.")
    with Leaderboard.reading(path) as store:
        _show(store, Asked(**asked), tuple(dict.fromkeys(names)) or NAMES, out, as_json)


def _show(store: Leaderboard, asked: Asked, names: tuple[str, ...], out: Path | None, as_json: bool) -> None:
    from brainbench_leaderboard.analyses.catalog import analyse as run
    from brainbench_leaderboard.analyses.known import require_known
    from brainbench_leaderboard.analyses.material import Material
    from brainbench_leaderboard.analyses.written import as_json as told
    from brainbench_leaderboard.analyses.written import write

    require_known(store, asked)
    material = Material.read(store, asked)
    findings, lacking = run(material, names)
    index = write(material, findings, lacking, out) if out is not None else None
    if as_json:
        import json

        click.echo(json.dumps(told(material, findings, lacking), indent=2, allow_nan=False))
        return
    _print(findings, lacking, material.set_aside)
    if index is not None:
        click.echo(f"Tables, figures and {plain(str(index))}")


def _print(findings: Iterable[Finding], lacking: Iterable[Lacking], set_aside: int) -> None:
    from brainbench_leaderboard.analyses.tables import shown

    out = console()
    for finding in findings:
        out.print(shown(finding))
        for test in finding.tests:
            if test.primary:
                out.print(plain(test.says))
        out.print()
    for one in lacking:
        out.print(f"Not to be had yet. {plain(one.sentence)}", soft_wrap=True)
    if set_aside:
        out.print(f"{set_aside} older or other results of the same models and questions were set aside.")


def _require(what: str, name: str, known: Iterable[str]) -> None:
    from brainbench.catalog import suggest

    known = list(known)
    if name not in known:
        raise UsageError(f"There is no {what} called {name!r}.", hint=suggest(name, known))
