"""`brainbench scorer`: how far the scorers of ideas agree with people."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from brainbench.cli.common import console, db_option, installed, results_file
from brainbench.text import plain

if TYPE_CHECKING:
    from brainbench.nouns import Identity, Model, ModelOptions
    from brainbench.scoring import Scorer
    from brainbench.validity import Validity

Row = dict[str, Any]


@click.group()
def scorer() -> None:
    """Say how far a scorer of ideas agrees with people, before its scores are believed.

    `brainbench list scorers` shows which there are; `brainbench run --scorer` scores models' ideas.
    """


@scorer.command()
@click.argument("name", metavar="NAME[@MODEL]")
@click.option("--limit", type=click.IntRange(min=3), help="Only so many of the responses, drawn at random.")
@click.option("--again", is_flag=True, help="Compute also what is already there.")
@click.option("--device", default="auto", show_default=True, help="Of its model: cpu, cuda, cuda:1, mps, ...")
@click.option("--batch-size", type=click.IntRange(min=1), help="Of its model; by default chosen.")
@click.option("--trust-remote-code", is_flag=True, help="Run code that comes with its model.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@db_option
def validate(  # noqa: PLR0913, PLR0917 - its options
    name: str,
    limit: int | None,
    again: bool,
    device: str,
    batch_size: int | None,
    trust_remote_code: bool,
    as_json: bool,
    db: Path | None,
) -> None:
    """Correlate a scorer's scores of people's responses with what people thought of these.

    The responses are some that it has not learnt from. What is found is kept with the results and stands
    beside every score of the same scorer with the same model, on the board and on the page.

    Exit codes: 0 all is well; 1 it cannot be validated; 2 an argument names nothing.
    """
    from brainbench.identity_parts import fingerprint
    from brainbench.nouns import ModelOptions
    from brainbench.scorer_identity import identify_scorer
    from brainbench_leaderboard.store import Leaderboard

    catalog = installed()
    chosen = catalog.find_scorer(name)
    helper = catalog.find_model(chosen.helper)
    options = ModelOptions(device=device, batch_size=batch_size, trust_remote_code=trust_remote_code)
    known = identify_scorer(chosen, helper, options)
    with Leaderboard(results_file(db)) as store:
        found = store.validity(fingerprint(known.facts)) if known.resolved and not again else None
        if found is None or found["responses"] < min(limit or found["held_out"], found["held_out"]):
            validity, source = _validated(chosen, helper, options, known, limit)
            told = validity.facts()
            store.add_validity(validity, helper.name, known.facts, source)
            if not known.resolved:
                click.echo("What its model is could not be pinned down: this holds while it stays.", err=True)
        else:
            told = found["details"]
    told = {**told, "helper": helper.name, "fingerprint": fingerprint(known.facts)}
    if as_json:
        import json

        click.echo(json.dumps(told, indent=2))
        return
    _show(told)


def _validated(
    chosen: Scorer, helper: Model, options: ModelOptions, known: Identity, limit: int | None
) -> tuple[Validity, Row]:
    """The scorer beside people, and by what that was found."""
    import time

    from brainbench.cli.progress import BarReporter
    from brainbench.provenance import environment, now
    from brainbench.scored_ideas import able, kept_at
    from brainbench.scorer_identity import helper_options
    from brainbench.validity import validate as held_to_people

    started, clock = now(), time.monotonic()
    how = helper_options(chosen, options)
    with BarReporter(console(stderr=True)) as reporter, helper.open(how, reporter) as opened:
        validity = held_to_people(chosen, able(chosen, opened), reporter, kept_at(known), limit)
        facts = dict(opened.facts())
    took = {"started": started, "seconds": round(time.monotonic() - clock, 3)}
    return validity, {**environment(), "helper": facts, **took}


def _show(told: Row) -> None:
    from rich.table import Table
    from rich.text import Text

    title = f"{told['scorer']} v{told['version']} with {told['helper']}: correlation with human ratings"
    table = Table(box=None, pad_edge=False)
    for column in ("", "r", "95 % interval", "responses"):
        table.add_column(column, justify="left" if not column else "right", overflow="fold")
    scored = told["responses"] - told["unscored"]
    _add(table, "over all (Pearson)", told["pearson"], scored)
    _add(table, "over all (Spearman)", told["spearman"], scored)
    if told["by_object_mean"]:
        those = sum(found["n"] for found in told["by_object"].values())
        _add(table, "mean within objects", told["by_object_mean"], those)
    for name, found in told["by_object"].items():
        r = "does not vary" if found["r"] is None else f"{found['r']:.3f}"
        table.add_row(Text(f"  {plain(name)}"), r, "", str(found["n"]))
    out = console()
    out.print(Text(plain(title), style="bold"))  # a table's own title wraps at its width
    out.print(table)
    part = f" of {told['held_out']}" if told["responses"] < told["held_out"] else ""
    out.print(
        f"{told['responses']}{part} responses that it has not learnt from, {told['unscored']} unscored; "
        f"objects with at least {told['least']}. Intervals are for other responses about the same objects."
    )


def _add(table: Any, label: str, found: Row, n: int) -> None:
    table.add_row(label, f"{found['r']:.3f}", f"[{found['low']:.3f}, {found['high']:.3f}]", str(n))
