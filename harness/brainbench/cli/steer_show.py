"""`brainbench steer show` and `export`: what a kept steering is, and the same for other tools."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from brainbench.cli.known import data_of, model_of, print_with_notes, version_of
from brainbench.errors import UsageError
from brainbench.text import plain

if TYPE_CHECKING:
    from brainbench.steering import Steering

WHERE = {
    "last": "the last token of the prompt",
    "prompt": "every token of the prompt",
    "all": "every token, also those after the prompt",
}
kept = click.argument("path", type=click.Path(path_type=Path))


@click.command()
@kept
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def show(path: Path, as_json: bool) -> None:
    """Say what a steering changes, how much, at which tokens, and who fitted it on what.

    PATH is a folder that `brainbench steer fit` made, a control vector of repeng or llama.cpp (.gguf; needs
    the package gguf), or a dictionary of lm-eval's `steered` model (.pt). Reading executes nothing.
    """
    from brainbench.steering_reading import read

    steering = read(path)
    if as_json:
        import json

        click.echo(json.dumps(summary(steering), indent=2))
        return
    print_summary(steering, path)


@click.command()
@kept
@click.argument("out", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--force", is_flag=True, help="Replace OUT.")
@click.option("--model-type", default="llama", show_default=True, help="For .gguf: the model's model_type.")
@click.option(
    "--stack", default="layers", show_default=True, help="For .pt: what the model calls its list of layers."
)
@click.option(
    "--attention", default="self_attn", show_default=True, help="For .pt: what it calls attention in each."
)
def export(path: Path, out: Path, force: bool, **names: str) -> None:
    """Write a steering for other tools: control vectors (.gguf), lm-eval (.pt).

    OUT's ending says which. Both act at every token of every prompt, as what was fitted with `--where all`
    does; a control vector of repeng or llama.cpp holds additions to layer.1 and later ones only.
    """
    from brainbench.steering_reading import export as write
    from brainbench.steering_reading import read

    if out.exists() and not force:
        raise UsageError(f"{out} is there already.", hint="Name another file, or add --force.")
    write(read(path), out, **names)
    click.echo(f"Written to {plain(out)}.")


def summary(steering: Steering) -> dict[str, Any]:
    """All that `show` says, as plain JSON."""
    return {
        "fingerprint": steering.fingerprint,
        **steering.form(),
        "oracle": steering.oracle,
        "places": [_place(site, steering) for site in steering.changes],
    }


def _place(site: str, steering: Steering) -> dict[str, Any]:
    """One place: the norm of a vector (their mean where there are rows), the rank of a subspace."""
    import numpy as np

    from brainbench.steering import Addition

    change = steering.changes[site]
    if isinstance(change, Addition):
        wide = change.vector.astype(np.float64)
        rows = len(wide) if wide.ndim == 2 else None
        norm = float(np.linalg.norm(wide, axis=-1).mean())
        return {
            "place": site,
            "kind": "addition",
            "width": change.width,
            "norm": norm,
            "strength": change.strength,
            "rows": rows,
        }
    rank = len(change.basis)
    return {"place": site, "kind": "gain", "width": change.width, "rank": rank, "gain": change.gain}


def print_summary(steering: Steering, path: Path) -> None:
    """A table of places, and under it where it acts, what its fit has seen, and who fitted it on what."""
    from rich.table import Table
    from rich.text import Text

    title = Text(f"Steering {path}", style="bold")
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for column in ("place", "kind", "width", "norm", "strength", "rows"):
        table.add_column(column, justify="left" if column in {"place", "kind"} else "right")
    for place in summary(steering)["places"]:
        table.add_row(*_cells(place))
    print_with_notes(table, _notes(steering))


def _cells(place: dict[str, Any]) -> tuple[str, ...]:
    head = (place["place"], place["kind"], str(place["width"]))
    if place["kind"] == "gain":
        return (head[0], f"gain, rank {place['rank']}", head[2], "", f"x {place['gain']:g}", "all")
    rows = "all" if place["rows"] is None else str(place["rows"])
    return (*head, f"{place['norm']:.4g}", f"{place['strength']:g}", rows)


def _notes(steering: Steering) -> list[tuple[str, str]]:
    """Headings and sentences. Facts come from a file and may be anything."""
    from brainbench.steering import ANY_OTHER
    from brainbench.steering_intervention import SavedSteering

    facts = steering.facts
    changes = "every prompt"
    if steering.items:
        changes = f"{len(steering.items)} items, each its own way"
    if steering.key:
        values = ("any other" if value == ANY_OTHER else value for value in steering.items)
        changes = f"each {steering.key} its own way: {', '.join(values)}"
    told = "yes: its fit was told of the very items that it changes; never ranked with honest ones"
    notes = [
        ("acts at", WHERE[steering.where]),
        ("changes", changes),
        ("has seen", ", ".join(steering.looks_at) or _nothing(facts)),
        ("oracle", told if steering.oracle else "no"),
    ]
    if "intervention" in facts:
        notes.append(("fitted by", f"{facts['intervention']}{version_of(facts)}"))
    if data := data_of(facts):
        notes.append(("fitted on", data))
    if model := model_of(facts):
        notes.append(("for model", model))
    role = "a control" if SavedSteering(steering).role == "control" else "guided by the brain"
    notes.append(("counts as", role))
    if "imported" in facts:
        notes.append(("imported", f"from {facts['imported']}: nothing is known of who fitted it on what"))
    return [*notes, ("fingerprint", steering.fingerprint)]


def _nothing(facts: Any) -> str:
    return "no responses, behaviour or labels" if "intervention" in facts else "nothing that is known of"
