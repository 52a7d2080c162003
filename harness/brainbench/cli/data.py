"""`brainbench data`: from the files of a scanner to a dataset."""

from __future__ import annotations

import click

from brainbench.cli.data_prepare import prepare


@click.group()
def data() -> None:
    """Make a dataset from scans of your own."""


data.add_command(prepare)
