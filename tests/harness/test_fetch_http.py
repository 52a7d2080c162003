import functools
import hashlib
import http.server
import os
import re
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest
import requests

from brainbench import fetch_http
from brainbench.errors import DataError
from brainbench.fetch import Repository, RepositoryFile, fetch
from brainbench.progress import SilentReporter

REPOSITORY = Repository("some-one/data", "0123456789" * 4)
CONTENT = hashlib.sha256(b"seed").digest() * 10_000
CUT = len(CONTENT) // 2  # where transfers break off
BREAKING = {"ranges", "no-ranges", "wrong-range", "unsatisfiable"}


class Handler(http.server.BaseHTTPRequestHandler):
    """Behaves as the file's name says: "ranges", "no-ranges", "busy-once", ..."""

    protocol_version = "HTTP/1.1"

    def __init__(self, *args: object, asked: list[tuple[str, str]], **kwargs: object) -> None:
        self.asked = asked
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]

    def log_message(self, *args: object) -> None:
        pass

    def answer(self, status: int, body: bytes = b"", length: int | None = None, **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)
        if length is not None and length > len(body):
            self.close_connection = True

    def do_GET(self) -> None:
        wanted = self.headers.get("Range", "")
        self.asked.append((self.path, wanted))
        first = [path for path, _ in self.asked].count(self.path) == 1
        self.respond(unquote(self.path).rsplit("/", 1)[-1], int(wanted[6:-1]) if wanted else 0, first)

    def respond(self, behaviour: str, start: int, first: bool) -> None:
        statuses = {"missing": 404, "forbidden": 403, "always-busy": 500}
        if behaviour in statuses:
            self.answer(statuses[behaviour], b"some page")
        elif behaviour == "loop":
            self.answer(302, Location=self.path)
        elif behaviour == "always-truncated" or (first and behaviour in BREAKING):
            self.answer(200, CONTENT[:CUT], length=len(CONTENT))
        elif behaviour == "corrupt" or (first and behaviour == "corrupt-once"):
            self.answer(200, b"x" + CONTENT[1:])
        elif first and behaviour == "busy-once":
            self.answer(500, b"busy")
        elif first and behaviour == "asks-to-wait":
            self.answer(429, Retry_After="1")
        elif start and behaviour == "unsatisfiable":
            self.answer(416)
        elif start and behaviour in {"ranges", "wrong-range"}:
            start -= behaviour == "wrong-range"
            self.answer(
                206, CONTENT[start:], Content_Range=f"bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}"
            )
        else:
            self.answer(200, CONTENT)


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, str]]]:
    """A running server as the mirror; yields what it was asked: (path, Range header)."""
    heard: list[tuple[str, str]] = []
    handler = functools.partial(Handler, asked=heard)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        monkeypatch.setenv("BRAINBENCH_MIRROR", f"http://127.0.0.1:{server.server_port}/a/mirror/")
        monkeypatch.setenv("BRAINBENCH_CACHE", str(tmp_path))
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        monkeypatch.setattr(fetch_http, "WAITS", (0.01, 0.01, 0.02))
        yield heard
        server.shutdown()
        thread.join()


def get(behaviour: str) -> bytes:
    file = RepositoryFile(REPOSITORY, f"top-10%/{behaviour}", hashlib.sha256(CONTENT).hexdigest())
    return fetch([file], SilentReporter())[0].read_bytes()


def refusal(behaviour: str, cache: Path) -> str:
    with pytest.raises(DataError) as caught:
        get(behaviour)
    assert "\n" not in caught.value.message
    assert caught.value.message.endswith(".")
    assert caught.value.hint.endswith(".")
    assert [path for path in cache.rglob("*") if path.is_file()] == []
    return caught.value.message


def start_of(asked: tuple[str, str]) -> int:
    found = re.fullmatch(r"bytes=(\d+)-", asked[1])
    assert found
    return int(found[1])


def test_a_file_is_asked_for_once_with_every_part_quoted(asked: list[tuple[str, str]]) -> None:
    assert get("a file, 5%41 & more?#") == CONTENT
    assert get("a file, 5%41 & more?#") == CONTENT
    quoted = "top-10%25/a%20file%2C%205%2541%20%26%20more%3F%23"
    assert asked == [(f"/a/mirror/some-one/data/{REPOSITORY.commit}/{quoted}", "")]


def test_a_cut_transfer_goes_on_where_it_stopped(asked: list[tuple[str, str]]) -> None:
    assert get("ranges") == CONTENT
    assert len(asked) == 2
    assert CUT - 8192 < start_of(asked[1]) <= CUT


@pytest.mark.parametrize("behaviour", ["no-ranges", "wrong-range", "unsatisfiable"])
def test_a_cut_transfer_starts_again_where_the_server_cannot_go_on(
    asked: list[tuple[str, str]], tmp_path: Path, behaviour: str
) -> None:
    # Below pooch, which would mend a wrong mixture of parts by fetching all of it a second time.
    with requests.Session() as session:
        url = f"{os.environ['BRAINBENCH_MIRROR']}{behaviour}"
        fetch_http.download(url, tmp_path / "output", session, what="it")
    assert (tmp_path / "output").read_bytes() == CONTENT
    assert start_of(asked[1]) > 0


def test_a_transfer_that_keeps_breaking_off_says_how_far_it_came(
    asked: list[tuple[str, str]], tmp_path: Path
) -> None:
    message = refusal("always-truncated", tmp_path)
    assert "truncated" in message
    assert re.search(rf"\b1[56]\d{{4}} of {len(CONTENT)} bytes", message)
    assert len(asked) == 4


def test_a_missing_file_is_said_at_once(asked: list[tuple[str, str]], tmp_path: Path) -> None:
    message = refusal("missing", tmp_path)
    assert re.search(
        r"top-10%/missing of some-one/data does not exist at http://\S+ \(404 Not Found\)", message
    )
    assert len(asked) == 1


def test_a_refused_file_is_said_at_once(asked: list[tuple[str, str]], tmp_path: Path) -> None:
    assert "403 Forbidden" in refusal("forbidden", tmp_path)
    assert len(asked) == 1


def test_a_redirection_without_end_is_no_crash(asked: list[tuple[str, str]], tmp_path: Path) -> None:
    assert "TooManyRedirects" in refusal("loop", tmp_path)


@pytest.mark.parametrize("behaviour", ["busy-once", "corrupt-once"])
def test_what_passes_is_tried_again(asked: list[tuple[str, str]], behaviour: str) -> None:
    assert get(behaviour) == CONTENT
    assert len(asked) == 2


def test_a_server_may_ask_for_patience(asked: list[tuple[str, str]]) -> None:
    before = time.monotonic()
    assert get("asks-to-wait") == CONTENT
    assert time.monotonic() - before >= 1


def test_a_server_that_stays_busy(asked: list[tuple[str, str]], tmp_path: Path) -> None:
    assert "500 Internal Server Error" in refusal("always-busy", tmp_path)
    assert len(asked) == 4


def test_bytes_that_stay_wrong(asked: list[tuple[str, str]], tmp_path: Path) -> None:
    message = refusal("corrupt", tmp_path)
    assert hashlib.sha256(b"x" + CONTENT[1:]).hexdigest()[:12] in message
    assert hashlib.sha256(CONTENT).hexdigest()[:12] in message


def test_a_host_that_does_not_answer(
    asked: list[tuple[str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as taken:  # bound but not listening: connections are refused
        taken.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{taken.getsockname()[1]}"
        monkeypatch.setenv("BRAINBENCH_MIRROR", f"http://{host}")
        assert f"{host} is unreachable (no connection)" in refusal("anything", tmp_path)


def test_a_host_that_does_not_exist(
    asked: list[tuple[str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setenv("BRAINBENCH_MIRROR", "http://no-such-host.invalid")
    assert "no-such-host.invalid is unreachable" in refusal("anything", tmp_path)


def test_a_silent_host_is_given_up(
    asked: list[tuple[str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetch_http, "TIMEOUT", (0.1, 0.1))
    with socket.create_server(("127.0.0.1", 0)) as silent:  # accepts, but never says a word
        monkeypatch.setenv("BRAINBENCH_MIRROR", f"http://127.0.0.1:{silent.getsockname()[1]}")
        assert "did not answer in time" in refusal("anything", tmp_path)
