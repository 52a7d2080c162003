"""The command line: parse, call, print. The one place that knows both the harness and the leaderboard."""

from __future__ import annotations

from typing import Any

import click

from brainbench.cli.board import board
from brainbench.cli.list import list_installed
from brainbench.cli.run import run
from brainbench.errors import BrainbenchError, UsageError


class _WrongUse(click.ClickException):
    exit_code = 2


class _Explaining(click.Group):
    """Shows errors raised on purpose as one sentence and a hint, without a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrainbenchError as error:
            kind = _WrongUse if isinstance(error, UsageError) else click.ClickException
            raise kind(f"{error.message} {error.hint}".strip()) from error


@click.group(
    cls=_Explaining, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(package_name="brainbench", message="%(package)s %(version)s")
def main() -> None:
    """Score language models against human brain activity while people think.

    This is not the BrainBench that asks models to predict the results of neuroscience studies.
    """


main.add_command(run)
main.add_command(list_installed)
main.add_command(board)
