"""`brainbench tune`: fine-tune a model on brain data, keep what it learnt, look at it, merge it."""

from __future__ import annotations

import click

from brainbench.cli.tune_fit import fit
from brainbench.cli.tune_merge import merge
from brainbench.cli.tune_show import show


@click.group()
def tune() -> None:
    """Fine-tune a model on brain data and keep the adapter, look at one, or merge it into the model.

    `brainbench run --adapter PATH` asks tasks of, or scores, the model with a kept adapter.

    Exit codes: 0 all is well; 1 there is nothing to train, or a file cannot be read or written, or does not
    fit the model; 2 an argument names nothing.
    """


for command in (fit, show, merge):
    tune.add_command(command)
