"""`brainbench tune show`: what a kept adapter is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from brainbench.cli.known import print_with_notes
from brainbench.text import plain

if TYPE_CHECKING:
    from brainbench.adapter import Adapter


@click.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def show(path: Path, as_json: bool) -> None:
    """Say what an adapter changes, who trained it on what, and how the training went.

    PATH is a folder that `brainbench tune fit` or peft's save_pretrained made, with safetensors in it.
    Reading executes nothing.
    """
    from brainbench.adapter_files import load

    adapter = load(path)
    if as_json:
        import json

        click.echo(json.dumps(summary(adapter), indent=2))
        return
    print_summary(adapter, path)


def summary(adapter: Adapter) -> dict[str, Any]:
    """All that `show` says, as plain JSON; norm: of the change to a module's weights, their mean."""
    from brainbench.module_names import grouped

    return {
        "fingerprint": adapter.fingerprint,
        **adapter.form(),
        "size": adapter.size,
        "modules": [_modules(name, every, adapter) for name, every in grouped(adapter.modules).items()],
    }


def _modules(name: str, every: tuple[str, ...], adapter: Adapter) -> dict[str, Any]:
    own = {module: _own(module, adapter) for module in every}
    norms = [_norm(module, adapter) for module in every] if adapter.kind == "lora" else []
    return {
        "modules": name,
        "count": len(every),
        "size": sum(sum(adapter.weights[array].size for array in arrays) for arrays in own.values()),
        "norm": sum(norms) / len(norms) if norms else None,
    }


def _own(module: str, adapter: Adapter) -> list[str]:
    from brainbench.adapter import DOWN, UP

    ends = (DOWN, UP) if adapter.kind == "lora" else (".weight", ".bias")
    return [f"{module}{end}" for end in ends if f"{module}{end}" in adapter.weights]


def _norm(module: str, adapter: Adapter) -> float:
    """Frobenius norm of alpha / rank * B A, without making that product."""
    import numpy as np

    down, up = (adapter.weights[name].astype(np.float64) for name in _own(module, adapter))
    squared = np.sum((down @ down.T) * (up.T @ up))  # the trace of (B A)' B A
    return float(abs(adapter.alpha) / adapter.rank * np.sqrt(max(squared, 0.0)))


def print_summary(adapter: Adapter, path: Path) -> None:
    """A table of modules, and under it what training has seen, who trained it on what, and how it went."""
    from rich.table import Table
    from rich.text import Text

    from brainbench.cli.tune_notes import notes

    title = Text(f"Adapter {plain(path)}", style="bold")
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for column in ("modules", "count", "numbers", "norm of change"):
        table.add_column(column, justify="left" if column == "modules" else "right", overflow="fold")
    for row in summary(adapter)["modules"]:
        norm = "" if row["norm"] is None else f"{row['norm']:.4g}"
        table.add_row(Text(plain(row["modules"])), str(row["count"]), f"{row['size']:,}", norm)
    print_with_notes(table, notes(adapter))
