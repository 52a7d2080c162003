"""`brainbench steer`: make a steering, keep it, look at it, try it, hand it to other tools."""

from __future__ import annotations

import click

from brainbench.cli.steer_apply import apply
from brainbench.cli.steer_fit import fit
from brainbench.cli.steer_show import export, show


@click.group()
def steer() -> None:
    """Fit a steering on brain data and keep it, look at one, or try it on a prompt.

    `brainbench run --intervention steering:PATH` asks whole tasks of a model that is steered so.

    Exit codes: 0 all is well; 1 there is nothing to fit, or a file cannot be read or written, or does not
    fit the model; 2 an argument names nothing.
    """


for command in (fit, show, apply, export):
    steer.add_command(command)
