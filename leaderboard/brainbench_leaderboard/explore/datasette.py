"""datasette beside the site: another process that reads the results file and can change nothing."""

from __future__ import annotations

import json
import os
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path

from brainbench.errors import StoreError
from brainbench_leaderboard.explore.described import metadata
from brainbench_leaderboard.site.server import address
from brainbench_leaderboard.store_file import connect_for_reading, explained

PATIENCE = 60.0  # seconds until it answers; it imports a good deal
GUARD = "brainbench_leaderboard.explore.guard"
SETTINGS: Mapping[str, str] = {
    "sql_time_limit_ms": "10000",
    "max_returned_rows": "2000",
    "allow_download": "off",
    "suggest_facets": "off",  # each costs a query
    "truncate_cells_html": "500",
}


def installed() -> bool:
    """Whether the extra brainbench[datasette] is there."""
    return find_spec("datasette") is not None


@contextmanager
def opened(database: Path, host: str, port: int, folder: Path) -> Iterator[str]:
    """Run datasette at the first free port from `port` on (0: any), while the context lasts; its address.

    What it reads and says goes into `folder`, which is made, and is the caller's to remove.
    Raises StoreError when it does not start.
    """
    port = free_port(host, port)
    folder.mkdir()
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command(database, host, port, folder),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={**os.environ, "DATASETTE_LOAD_PLUGINS": "", "EXPLORE_SERVED_AT": host},  # ours alone
        )
    try:
        _wait(process, address(host, port), log)
        yield address(host, port)
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(5)
        process.kill()
        process.wait()


def command(database: Path, host: str, port: int, folder: Path) -> list[str]:
    """What is run; writes the metadata that it reads into the folder. Raises StoreError for no such file."""
    described = folder / "metadata.json"
    described.write_text(json.dumps(metadata(database.stem, _columns(database))), "utf-8")
    plugins = folder / "plugins"
    plugins.mkdir(exist_ok=True)
    (plugins / "guard.py").write_text(f"from {GUARD} import asgi_wrapper, prepare_connection\n", "utf-8")
    files = [*([] if _shared(database) else ["--immutable"]), str(database.absolute())]
    settings = [word for name, value in SETTINGS.items() for word in ("--setting", name, value)]
    where = ["--host", host, "--port", str(port), "--metadata", str(described), "--plugins-dir", str(plugins)]
    return [sys.executable, "-m", "datasette", "serve", *files, *where, *settings]


def free_port(host: str, port: int) -> int:
    """The first from this one on that nobody listens at; 0 for any."""
    family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
    for candidate in range(port, min(port + 100, 65_536)) if port else [0]:
        with socket.socket(family) as probe, suppress(OSError):
            probe.bind((host, candidate))
            return int(probe.getsockname()[1])
    raise StoreError(f"No port from {port} on is free for datasette.", hint="Name another --port.")


def _columns(database: Path) -> dict[str, tuple[str, ...]]:
    """The columns of each table and view."""
    query = "SELECT m.name, p.name FROM sqlite_master m, pragma_table_info(m.name) p ORDER BY m.name, p.cid"
    found: dict[str, list[str]] = {}
    with explained(database), closing(connect_for_reading(database)) as connection:
        for table, column in connection.execute(query):
            found.setdefault(table, []).append(column)
    return {table: tuple(held) for table, held in found.items()}


def _shared(database: Path) -> bool:
    """Whether the file can be read while others write to it: not where nothing can be made beside it."""
    with suppress(sqlite3.OperationalError):
        with closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            connection.execute("SELECT 1 FROM sqlite_master").fetchone()
        return True
    return False


def _wait(process: subprocess.Popen[bytes], where: str, log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # a proxy knows nothing of us
    while process.poll() is None and time.monotonic() < deadline:
        with suppress(OSError), direct.open(f"{where}-/versions.json", timeout=2):
            return
        time.sleep(0.1)
    said = log.read_text("utf-8", "replace").strip().splitlines()
    raise StoreError(
        f"datasette does not start: {said[-1] if said else 'it says nothing'}.",
        hint="The page itself is served without it.",
    )
