"""What datasette is held to beside its settings: a plugin of it, loaded in its own process alone."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Awaitable, Callable
from typing import Any

from datasette import hookimpl

from brainbench_leaderboard.site.server import means

HOST = "EXPLORE_SERVED_AT"  # the variable that says at which host
LARGEST = 20_000_000  # bytes of a value: a short query can make one that fills the memory
App = Callable[[Any, Any, Any], Awaitable[None]]


@hookimpl  # type: ignore[untyped-decorator]
def prepare_connection(conn: sqlite3.Connection) -> None:
    """No query makes a value of more than LARGEST bytes."""
    conn.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LARGEST)


@hookimpl  # type: ignore[untyped-decorator]
def asgi_wrapper() -> Callable[[App], App]:
    """No page from elsewhere reads it under a name that it has made to lead here."""
    return lambda app: _guarded(app, os.environ[HOST])


def _guarded(app: App, host: str) -> App:
    async def guarded(scope: Any, receive: Any, send: Any) -> None:
        named = dict(scope.get("headers") or ()).get(b"host")
        if scope["type"] != "http" or named is None or means(named.decode("latin-1"), host):
            await app(scope, receive, send)
            return
        await send({"type": "http.response.start", "status": 421, "headers": []})
        await send({"type": "http.response.body", "body": b"Misdirected request.\n"})

    return guarded
