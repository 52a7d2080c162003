"""`brainbench tune merge`: the model folder of a fine-tuned model."""

from __future__ import annotations

import os
import shlex
import shutil
from pathlib import Path
from typing import Any

import click

from brainbench.cli.common import console, installed, model_options
from brainbench.cli.folders import ANOTHER, require_free
from brainbench.errors import NotApplicable, UsageError
from brainbench.text import plain

CONFIG = "config.json"  # what a model folder of transformers has


@click.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--model", required=True, help="The model that was trained: org/name[@revision], a folder, ...")
@click.option(
    "--out", required=True, type=click.Path(path_type=Path), metavar="FOLDER", help="The folder to write."
)
@click.option("--force", is_flag=True, help="Replace the model that is in FOLDER.")
@model_options
def merge(path: Path, model: str, out: Path, force: bool, **options: Any) -> None:
    """Write a model with an adapter in its own weights, as a folder that any tool reads.

    PATH is as for `brainbench tune show`. `brainbench run --model FOLDER` and transformers load what is
    written; unlike the adapter it does not say what it was trained on.
    """
    from brainbench.adapter_files import load

    _require_replaceable(out, model, force=force)
    adapter = load(path)
    found = installed().find_model(model)
    from brainbench.adapter import Saves
    from brainbench.cli.progress import BarReporter
    from brainbench.nouns import ModelOptions

    partial = out.absolute().with_name(f".{out.absolute().name}.{os.getpid()}")
    try:
        with (
            BarReporter(console(stderr=True)) as reporter,
            found.open(ModelOptions(**options, head=True), reporter) as opened,
        ):
            if not isinstance(opened, Saves):
                raise NotApplicable(f"{found.name} is no model that an adapter could be merged into.")
            partial.mkdir(parents=True)
            opened.save_with(adapter, partial)
        _put(partial, out)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    line = f"Written to {out}. Ask it: {shlex.join(('brainbench', 'run', '--model', _spec(out)))}"
    console().print(plain(f"{line} --task deduction_3"), soft_wrap=True)


def _require_replaceable(out: Path, model: str, *, force: bool) -> None:
    """Raise UsageError where the folder could not be written, or where something else would be lost."""
    require_free(out, "a model", (CONFIG,), force=force)
    require_free(out.absolute().parent, "a folder", (), force=True)
    if not out.exists():
        return
    if Path(model).is_dir() and os.path.samefile(out, model):
        raise UsageError(f"{out} is the model that was trained, which is kept.", hint=ANOTHER)
    if any(out.iterdir()) and not (out / CONFIG).exists():
        raise UsageError(f"{out} holds other things than a model.", hint=ANOTHER)


def _put(partial: Path, out: Path) -> None:
    """Put a folder that is finished in the place of another, which is gone only when this one is there."""
    older = partial.with_name(f"{partial.name}.older")
    if out.exists():
        out.replace(older)
    partial.replace(out)
    shutil.rmtree(older, ignore_errors=True)


def _spec(folder: Path) -> str:
    """How a folder is named as a model: one word alone would be a registered model's name."""
    return str(folder) if folder.is_absolute() or len(folder.parts) > 1 else f"./{folder}"
