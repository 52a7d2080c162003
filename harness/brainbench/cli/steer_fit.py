"""`brainbench steer fit`: learn a steering from brain data and keep it."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from brainbench.cli.common import console, installed, model_options
from brainbench.cli.folders import require_free
from brainbench.text import plain

if TYPE_CHECKING:
    from brainbench.steering import Where

ENDING = ".steering"


@click.command()
@click.option("--model", required=True, help="org/name[@revision], a folder, ...")
@click.option("--dataset", required=True, help="Whose brain responses it is learnt from.")
@click.option("--intervention", required=True, help="Which way; see `brainbench list interventions`.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help=f"The folder to keep it in; by default the intervention's name with {ENDING}, here.",
)
@click.option("--force", is_flag=True, help="Replace the steering that is kept there.")
@click.option(
    "--where",
    type=click.Choice(["last", "prompt", "all"]),
    help="Act at the prompt's last token, at all of its tokens, or also at those after it; by default as the "
    "intervention does.",
)
@model_options
def fit(  # noqa: PLR0913, PLR0917 - its options
    model: str,
    dataset: str,
    intervention: str,
    out: Path | None,
    force: bool,
    where: Where | None,
    **options: Any,
) -> None:
    """Learn a steering from a dataset's brain responses, keep it, and say what it is.

    It is kept as two files that execute nothing: steering.json, steering.safetensors. What it was fitted
    on is noted in it.
    """
    path = out or Path(f"{intervention}{ENDING}")
    from brainbench.steering_files import ARRAYS, FORM, save

    require_free(path, "a steering", (FORM, ARRAYS), force=force)
    catalog = installed()
    from brainbench.cli.progress import BarReporter
    from brainbench.cli.steer_show import print_summary
    from brainbench.nouns import ModelOptions
    from brainbench.steering_fitting import acting_at
    from brainbench.steering_fitting import fit as fit_steering

    found = catalog.find_model(model)
    source, way = catalog.find_dataset(dataset), catalog.find_intervention(intervention)
    if where is not None:
        way = acting_at(way, where)
    with BarReporter(console(stderr=True)) as reporter:
        steering = fit_steering(way, found, source, ModelOptions(**options, head=True), reporter)
    save(steering, path)
    print_summary(steering, path)
    kept = shlex.quote(str(path))
    line = f"Kept in {path}. Try it: brainbench steer apply {kept} --model {shlex.quote(model)}"
    console().print(plain(line), soft_wrap=True)
