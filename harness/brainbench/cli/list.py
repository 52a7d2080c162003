"""`brainbench list`: what is installed, who provides it, and what could not be used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from brainbench.cli.common import console, installed
from brainbench.errors import words_of
from brainbench.text import plain

if TYPE_CHECKING:
    from brainbench.catalog import Catalog
    from brainbench.nouns import BrainDataset
    from brainbench.scoring import Scorer

KINDS = ("models", "datasets", "metrics", "interventions", "tasks", "scorers", "plugins")


@click.command("list")
@click.argument("kind", type=click.Choice(KINDS), required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_installed(kind: str | None, as_json: bool) -> None:
    """Show what is installed and who provides it: models, datasets, metrics, interventions, tasks, scorers.

    `brainbench list datasets` adds licence, citation, source and variants of each dataset.
    """
    catalog = installed()
    everything = {name: _rows(catalog, name) for name in KINDS if kind in (None, name)}
    if as_json:
        import json

        click.echo(json.dumps(everything, indent=2))
        return
    for name, rows in everything.items():
        _print_table(name, rows)
    if kind == "datasets":
        for dataset in catalog.datasets.values():
            _print_card(dataset)


def _rows(catalog: Catalog, kind: str) -> list[dict[str, Any]]:
    if kind == "plugins":
        used = [{"name": p.plugin, "state": "in use", "provided by": str(p)} for p in catalog.plugins]
        off = [{"name": p.plugin, "state": "switched off", "provided by": str(p)} for p in catalog.disabled]
        bad = [
            {"name": b.provider.plugin, "state": b.sentence, "provided by": str(b.provider)}
            for b in catalog.problems
        ]
        return used + off + bad
    rows = [
        {"name": name, "what": _what(kind, thing), "provided by": str(provider)}
        for name, (thing, provider) in getattr(catalog, kind).entries.items()
    ]
    for of, what, sources in (
        ("models", "model", catalog.sources.entries),
        ("datasets", "dataset", catalog.dataset_sources.entries),
    ):
        rows += [
            {
                "name": source.pattern,
                "what": f"any {what} of the source {name!r}",
                "provided by": str(provider),
            }
            for name, (source, provider) in sources.items()
            if of == kind
        ]
    return rows


def _what(kind: str, thing: Any) -> str:
    if kind == "datasets":
        marks = "SIMULATED; " if thing.simulated else ""
        sets = ", ".join(item_set.name for item_set in thing.item_sets)
        return (
            f"{marks}v{thing.version}; regions {', '.join(thing.regions)}; items {sets}; {thing.card.licence}"
        )
    kind_of = type(thing)
    lines = (kind_of.__doc__ or "").strip().splitlines()
    if lines and lines[0].startswith(f"{kind_of.__name__}("):  # what dataclass writes where nobody did
        lines = []
    version = f"v{thing.version}; " if hasattr(thing, "version") else ""
    helped = f"{_help_of(thing)}; " if kind == "scorers" else ""
    return version + helped + str(getattr(thing, "about", lines[0] if lines else ""))


def _help_of(scorer: Scorer) -> str:
    """What a scorer's model does for it, which one that is, and its scale."""
    does = "embeds sentences" if scorer.helps == "embeds" else "answers"
    which = f"by default {scorer.helper}" if scorer.helper else f"named as {scorer.name}@model"
    low, high = scorer.scale
    return f"scores {low:g} to {high:g} with a model that {does}, {which}"


def _print_table(title: str, rows: list[dict[str, Any]]) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(title=Text(title, style="bold"), title_justify="left", box=None, pad_edge=False)
    for column in rows[0] if rows else ("none installed",):
        table.add_column(column, overflow="fold", style="cyan" if column == "name" else "")
    for row in rows:
        table.add_row(*(Text(plain(value)) for value in row.values()))
    out = console()
    out.print(table)
    out.print()


def _data_hash(dataset: BrainDataset, region: str) -> str:
    try:
        return str(dataset.identity(region).facts.get("data", "unknown"))
    except Exception as error:
        return f"unknown ({words_of(error)})"


def _variants(dataset: BrainDataset) -> tuple[str, ...]:
    """What may stand behind its name, where anything may."""
    return tuple(getattr(dataset, "variants", ("place=value",))) if hasattr(dataset, "at") else ()


def _print_card(dataset: BrainDataset) -> None:
    from rich.text import Text

    card, out = dataset.card, console()
    out.print(Text(dataset.name, style="bold cyan"))
    out.print(Text(card.description))
    for title, lines in (
        ("licence", (card.licence,)),
        ("citation", (card.citation,)),
        ("source", card.sources),
        ("caveat", card.caveats),
        ("variants", (f"{dataset.name}@{', @'.join(forms)}",) if (forms := _variants(dataset)) else ()),
        ("hash", tuple(f"{region}: {_data_hash(dataset, region)}" for region in dataset.regions)),
    ):
        for line in lines:
            out.print(Text(f"  {title}: ", style="dim").append(plain(line), style="default not dim"))
    out.print()
