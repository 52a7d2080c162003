"""The command line: parse, call, print. The one place that knows both the harness and the leaderboard."""

from __future__ import annotations

import errno
import sys
from io import TextIOWrapper
from typing import Any

import click

from brainbench.cli.analyse import analyse
from brainbench.cli.board import board
from brainbench.cli.data import data
from brainbench.cli.list import list_installed
from brainbench.cli.run import INTERRUPTED, run
from brainbench.cli.scorer import scorer
from brainbench.cli.steer import steer
from brainbench.cli.tune import tune
from brainbench.errors import BrainbenchError, UsageError
from brainbench.text import plain


class _WrongUse(click.ClickException):
    exit_code = 2


class _Explaining(click.Group):
    """Shows errors raised on purpose as one sentence and a hint, without a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, TextIOWrapper):
                stream.reconfigure(errors="replace")  # a terminal that knows no box or ± still shows the rest
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            click.echo("Stopped.", err=True)
            ctx.exit(INTERRUPTED)
        except BrainbenchError as error:
            kind = _WrongUse if isinstance(error, UsageError) else click.ClickException
            raise kind(plain(f"{error.message} {error.hint}".strip())) from error
        except OSError as error:
            if error.errno == errno.EPIPE:  # the reader of a pipe has left: click knows what to do
                raise
            raise click.ClickException(plain(f"The output cannot be written: {error}.")) from error


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
main.add_command(scorer)
main.add_command(analyse)
main.add_command(steer)
main.add_command(tune)
main.add_command(data)
