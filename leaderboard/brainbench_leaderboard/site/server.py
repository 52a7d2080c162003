"""The site's folder over HTTP: its files and nothing else, for reading alone."""

from __future__ import annotations

import io
import ipaddress
import os
import socket
import socketserver
import sys
from collections.abc import Callable
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import unquote, urlsplit

from brainbench.errors import UsageError
from brainbench_leaderboard.site.rendering import POLICY

HEADERS = {
    "Content-Security-Policy": f"{POLICY}; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",  # a page may be published anew at any time
}


class SiteServer(ThreadingHTTPServer):
    """Serves a folder at an address; `before` is called before each page. Use `serve_forever`.

    port: 0 for any that is free. Raises UsageError when the address cannot be had.
    """

    allow_reuse_address = os.name != "nt"  # there it would share the port of another program

    def __init__(self, folder: Path, host: str, port: int, before: Callable[[], None]) -> None:
        self.folder, self.before, self.host = folder, before, host
        try:
            self.address_family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
            super().__init__((host, port), _Handler)
        except (OSError, OverflowError, UnicodeError) as error:
            raise UsageError(
                f"Nothing can be served at {host}, port {port}: {getattr(error, 'strerror', None) or error}.",
                hint="Name another --port (0: any that is free), or another --host.",
            ) from error

    def server_bind(self) -> None:
        """Without asking the network for the machine's name, which may take long."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]  # type: ignore[assignment] # of the socket

    @property
    def address(self) -> str:
        """Where the first page is."""
        return address(self.host, self.server_port)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A visitor who leaves early is no error."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


def address(host: str, port: int) -> str:
    """As one types it into a browser."""
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/"


def alone(host: str) -> bool:
    """Whether nobody else can reach what is served at this host."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def means(named: str, host: str) -> bool:
    """Whether a request that names a host (`Host: named`) can mean what is served at `host`.

    A page from elsewhere may make its own name lead to this machine, to read what only this machine is shown:
    there, no other name is answered than this machine's own.
    """
    try:
        name = urlsplit(f"//{named}").hostname or ""
    except ValueError:
        return False
    if not alone(host) or name in (host.lower(), "localhost"):
        return True
    return alone(name)


class _Handler(SimpleHTTPRequestHandler):
    server: SiteServer
    server_version, sys_version = "brainbench", ""
    extensions_map = {  # noqa: RUF012 - as the parent has it
        "": "application/octet-stream",
        ".html": "text/html; charset=utf-8",
        ".js": "text/javascript; charset=utf-8",
        ".css": "text/css; charset=utf-8",
        ".json": "application/json",
        ".csv": "text/csv; charset=utf-8",
        ".svg": "image/svg+xml",
        ".png": "image/png",
        ".txt": "text/plain; charset=utf-8",
    }
    timeout = 30  # seconds that a silent visitor may hold a connection

    def __init__(self, request: Any, client_address: Any, server: SiteServer) -> None:
        super().__init__(request, client_address, server, directory=str(server.folder))

    def send_head(self) -> io.BytesIO | BinaryIO | None:
        """Refuse hidden files, ways upwards and what is no name before anything is opened."""
        if not means(self.headers.get("Host", self.server.host), self.server.host):
            self.send_error(HTTPStatus.MISDIRECTED_REQUEST)
            return None
        path = unquote(self.path.partition("?")[0].partition("#")[0])
        if any(character in path for character in "\0\\") or any(
            part.startswith(".") for part in path.split("/")
        ):
            self.send_error(HTTPStatus.NOT_FOUND)
            return None
        if path.endswith(("/", ".html")):
            self.server.before()
        return super().send_head()

    def list_directory(self, path: Any) -> None:
        """No folder shows what is in it."""
        self.send_error(HTTPStatus.NOT_FOUND)

    def end_headers(self) -> None:
        """With what a browser is to hold the site to."""
        for name, value in HEADERS.items():
            self.send_header(name, value)
        super().end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the parent's name
        """Nothing: the terminal is for what goes wrong."""
