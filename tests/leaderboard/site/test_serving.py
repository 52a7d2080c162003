"""The page on this machine: what it shows, what it refuses, and that it keeps up with the results file."""

from __future__ import annotations

import http.client
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from brainbench.cli import main
from brainbench.errors import StoreError
from brainbench.records import Record
from brainbench_leaderboard.site.board import Cards
from brainbench_leaderboard.site.live import LiveSite
from brainbench_leaderboard.site.server import SiteServer, address, means
from brainbench_leaderboard.store import Leaderboard

Ask = Callable[..., tuple[int, http.client.HTTPMessage, bytes]]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A results file that a test may add to; it holds nothing yet."""
    path = tmp_path_factory.mktemp("serving") / "b.db"
    Leaderboard(path).close()
    return path


@pytest.fixture(scope="module")
def served(results: Path) -> Iterator[tuple[LiveSite, SiteServer, list[str]]]:
    """The site at a free port, and what it warned of."""
    said: list[str] = []
    with (
        LiveSite(results, Cards(), said.append) as site,
        SiteServer(site.folder, "127.0.0.1", 0, lambda: site.refresh(patience=60)) as server,
    ):
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield site, server, said
        server.shutdown()
        thread.join()
    assert not site.folder.exists()


@pytest.fixture
def ask(served: tuple[LiveSite, SiteServer, list[str]]) -> Ask:
    """Asks for a path as it is typed: no client makes it harmless first."""

    def ask(path: str, method: str = "GET") -> tuple[int, http.client.HTTPMessage, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", served[1].server_port, timeout=20)
        connection.putrequest(method, path, skip_accept_encoding=True)
        connection.endheaders()
        answer = connection.getresponse()
        found = answer.status, answer.headers, answer.read()
        connection.close()
        return found

    return ask


def test_pages_come_with_what_a_browser_is_to_hold_them_to(ask: Ask, served: tuple[LiveSite, ...]) -> None:
    for path in ("/", "/index.html", "/index.html?sort=x#y"):
        status, headers, content = ask(path)
        assert (status, content) == (200, (served[0].folder / "index.html").read_bytes())
        assert headers["Content-Type"] == "text/html; charset=utf-8"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        policy = headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'")
        assert "frame-ancestors 'none'" in policy
        assert headers["Server"].strip() == "brainbench"  # no version of anything
    assert ask("/assets/data.js")[1]["Content-Type"].startswith("text/javascript")
    status, headers, content = ask("/", "HEAD")
    assert (status, content) == (200, b"")
    assert int(headers["Content-Length"]) == (served[0].folder / "index.html").stat().st_size


@pytest.mark.parametrize(
    "path",
    [
        *("/../b.db", "/../../../../etc/hostname", "/assets/../../b.db", "/%2e%2e/%2e%2e/etc/hostname"),
        *("/..%2f..%2fetc/hostname", "/..%5c..%5cetc", "//etc/hostname", "/assets", "/assets/", "/models/"),
        *("/.brainbench-site.json", "/index.html%00.png", "/nowhere.html", "/%ff%fe", "/index.html/"),
    ],
)
def test_nothing_but_files_of_the_site_is_shown(ask: Ask, path: str) -> None:
    status, headers, content = ask(path)
    if status == 301:  # a folder's name gets its slash, on this very site, and is refused then
        assert headers["Location"] == f"{path}/"
        status, headers, content = ask(f"{path}/")
    assert status == 404
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert b"root:" not in content


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "X"])
def test_nothing_can_be_sent(ask: Ask, method: str) -> None:
    assert ask("/index.html", method)[0] in (405, 501)


def test_it_shows_what_has_come_in_and_survives_a_damaged_file(
    served: tuple[LiveSite, SiteServer, list[str]], results: Path, ask: Ask, made: Callable[..., Record]
) -> None:
    site, _, said = served
    first = (site.folder / "index.html").stat().st_mtime_ns
    ask("/")
    assert (site.folder / "index.html").stat().st_mtime_ns == first  # nothing new, nothing written
    with Leaderboard(results) as store:
        store.add(made("none", [[1, 0], [1, 1]], model="org/newcomer"))
        before = ask("/")[2]
    second = (site.folder / "index.html").stat().st_mtime_ns
    assert second > first
    assert before == (site.folder / "index.html").read_bytes()
    kept = results.read_bytes()
    results.write_bytes(b"no database" * 99)
    assert ask("/")[0] == 200
    (sentence,) = said
    assert "is not an SQLite database" in sentence
    results.write_bytes(kept)
    assert ask("/")[0] == 200
    assert len(said) == 1


@pytest.mark.parametrize(
    ("named", "host", "means_it"),
    [
        *(("127.0.0.1:8000", "127.0.0.1", True), ("LOCALHOST", "127.0.0.1", True), ("[::1]:1", "::1", True)),
        *(("evil.example:8000", "127.0.0.1", False), ("127.0.0.1.evil.example", "127.0.0.1", False)),
        *(("", "localhost", False), ("[", "::1", False), ("a@evil.example", "localhost", False)),
        *(("this-machine:8000", "0.0.0.0", True), ("192.168.0.7", "192.168.0.7", True)),
    ],
)
def test_no_name_from_elsewhere_leads_here(named: str, host: str, means_it: bool) -> None:
    assert means(named, host) == means_it


def test_a_request_for_somebody_else_is_not_answered(served: tuple[LiveSite, SiteServer, list[str]]) -> None:
    for named, status in (("evil.example", 421), ("localhost:80", 200)):
        connection = http.client.HTTPConnection("127.0.0.1", served[1].server_port, timeout=20)
        connection.request("GET", "/", headers={"Host": named})
        assert connection.getresponse().status == status
        connection.close()


def test_addresses_can_be_typed() -> None:
    assert address("127.0.0.1", 80) == "http://127.0.0.1:80/"
    assert address("::1", 8000) == "http://[::1]:8000/"


def test_a_file_that_cannot_be_read_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "b.db").write_text("These are no results, but words.")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(StoreError, match="not an SQLite database"):
        LiveSite(tmp_path / "b.db", Cards(), print)
    assert [path.name for path in tmp_path.iterdir()] == ["b.db"]


def test_what_cannot_be_had_is_a_sentence(results: Path, tmp_path: Path) -> None:
    def said(*arguments: str | int | Path) -> tuple[int, str]:
        done = CliRunner().invoke(main, ["board", "serve", *map(str, arguments)])
        return done.exit_code, " ".join(done.output.split())

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        code, words = said("--db", results, "--port", taken.getsockname()[1])
    assert (code, "Address already in use. Name another --port" in words) == (2, True), words
    code, words = said("--db", results, "--host", "203.0.113.7", "--port", 0)
    assert (code, "Nothing can be served at 203.0.113.7" in words) == (2, True), words
    code, words = said("--db", tmp_path / "none.db")
    assert (code, "There are no results in" in words) == (1, True), words


@pytest.mark.skipif(sys.platform == "win32", reason="signals are another thing there")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_the_command_serves_until_it_is_stopped(results: Path, tmp_path: Path, how: signal.Signals) -> None:
    copy = Path(shutil.copy(results, tmp_path / "b.db"))
    command = [sys.executable, "-m", "brainbench", "board", "--db", str(copy), "serve", "--port", "0"]
    environment = {**os.environ, "TMPDIR": str(tmp_path), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdout is not None
        found = re.fullmatch(r"Page +http://127\.0\.0\.1:(\d+)/\n", process.stdout.readline())
        assert found
        connection = http.client.HTTPConnection("127.0.0.1", int(found[1]), timeout=20)
        connection.request("GET", "/")
        assert connection.getresponse().status == 200
        connection.close()
        process.send_signal(how)
        _, said = process.communicate(timeout=60)
    assert (process.returncode, said.splitlines()[-1]) == (130, "Stopped.")
    assert not list(tmp_path.glob("brainbench-*"))  # nor is datasette's folder left
