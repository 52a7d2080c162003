"""`brainbench tune fit`: train a model on brain data and keep the adapter."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import click

from brainbench.cli.common import console, installed, model_options
from brainbench.cli.folders import require_free
from brainbench.text import plain

ENDING = ".adapter"


@click.command()
@click.option("--model", required=True, help="org/name[@revision], a folder, ...")
@click.option("--dataset", required=True, help="Whose brain responses it learns from.")
@click.option("--intervention", required=True, help="Which training; see `brainbench list interventions`.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help=f"The folder to keep the adapter in; by default the intervention's name with {ENDING}, here.",
)
@click.option("--force", is_flag=True, help="Replace the adapter that is kept there.")
@click.option(
    "--training-seed",
    type=click.IntRange(min=0),
    help="Of the training; `brainbench run --trainings 3` has those of the seeds 0, 1 and 2.",
)
@model_options
def fit(  # noqa: PLR0913, PLR0917 - its options
    model: str,
    dataset: str,
    intervention: str,
    out: Path | None,
    force: bool,
    training_seed: int | None,
    **options: Any,
) -> None:
    """Train a model on a dataset's brain responses, keep the adapter, and say what it is.

    What was interrupted goes on where it stopped, and what is trained already is not trained again.
    The adapter is kept as files that execute nothing: a LoRA in the form of the package peft, which can
    load the folder, with brainbench.json beside it, which says who trained it on what.
    """
    from brainbench.adapter_files import FILES, save

    path = out or Path(f"{intervention}{ENDING}")
    require_free(path, "an adapter", FILES, force=force)
    catalog = installed()
    from brainbench.cli.progress import BarReporter
    from brainbench.cli.tune_show import print_summary
    from brainbench.nouns import ModelOptions
    from brainbench.tuning_fitting import fit as train
    from brainbench.tuning_fitting import training_of

    found, source = catalog.find_model(model), catalog.find_dataset(dataset)
    way = training_of(catalog.find_intervention(intervention), training_seed)
    with BarReporter(console(stderr=True)) as reporter:
        adapter = train(way, found, source, ModelOptions(**options, head=True), reporter)
    save(adapter, path)
    print_summary(adapter, path)
    words = ("brainbench", "run", "--model", model, "--task", "deduction_3", "--adapter", str(path))
    line = f"Kept in {path}. Ask it and the model as it was: {shlex.join(words)}"
    console().print(plain(line), soft_wrap=True)
