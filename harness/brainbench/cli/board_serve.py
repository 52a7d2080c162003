"""`brainbench board serve`: the leaderboard's page, on this machine."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import click

from brainbench.cli.board_exchange import existing, own_db_option
from brainbench.cli.common import installed, results_file
from brainbench.text import plain

_EXTRA = "Questions in SQL: pip install 'brainbench[datasette]', then again."


@click.command()
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    default=8000,
    show_default=True,
    help="0 for any that is free. datasette gets the next free one.",
)
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="With another address than this machine's own, others can read it, too.",
)
@own_db_option
@click.pass_context
def serve(context: click.Context, port: int, host: str, db: Path | None) -> None:
    """Show the leaderboard as a page, on this machine, until Ctrl-C.

    It is the page of `brainbench board publish`, made again when results have come in since the last visit.
    With the extra brainbench[datasette] the results file is opened in datasette as well, for reading alone:
    with questions to start from, and for those of your own.

    Exit codes: 2 nothing can be served at that address; 130 stopped by Ctrl-C.
    """
    from brainbench_leaderboard.site.board import Cards
    from brainbench_leaderboard.site.live import LiveSite
    from brainbench_leaderboard.site.server import SiteServer, alone

    path = existing(results_file(db or context.obj))
    with (
        _stopped_alike(),
        LiveSite(path, Cards.of(installed()), _warn) as site,
        SiteServer(site.folder, host, port, site.refresh) as server,
    ):
        if not alone(host):
            _warn("Whoever reaches this address can read the page, and where datasette runs all results.")
        serving = threading.Thread(target=server.serve_forever, daemon=True)
        serving.start()
        try:
            click.echo(plain(f"Page       {server.address}"))
            with beside(path, host, port and server.server_port + 1, site.place / "datasette"):
                while serving.is_alive():  # with a limit, so that Ctrl-C is heard on every system
                    serving.join(1)
        finally:
            server.shutdown()


@contextlib.contextmanager
def beside(path: Path, host: str, port: int, folder: Path) -> Iterator[None]:
    """With datasette where it is installed; why not, where it is not or does not start."""
    from brainbench.errors import StoreError
    from brainbench_leaderboard.explore import datasette

    with contextlib.ExitStack() as stack:
        if not datasette.installed():
            click.echo(_EXTRA, err=True)
        else:
            try:
                address = stack.enter_context(datasette.opened(path, host, port, folder))
            except StoreError as error:
                _warn(f"{error.message} {error.hint}")
            else:
                click.echo(plain(f"datasette  {address}"))
        yield


@contextlib.contextmanager
def _stopped_alike() -> Iterator[None]:
    """Being told to end is like Ctrl-C: what was begun is ended, too."""

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _warn(sentence: str) -> None:
    click.secho(f"warning: {plain(sentence)}", fg="yellow", err=True)
