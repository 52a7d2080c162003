"""One file over HTTP, with patience: broken transfers are taken up where they stopped, then given up."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import urlsplit

from brainbench.errors import DataError

if TYPE_CHECKING:
    import requests

WAITS = (0.5, 1.0, 2.0, 4.0)  # seconds before each further try
TIMEOUT = (10.0, 30.0)  # seconds to connect, and between two pieces of an answer
_PIECE = 8192  # bytes; what of a piece had arrived when a transfer broke off is asked for again
_LONGEST_WAIT = 30.0  # what a server may ask for by Retry-After
_BUSY = frozenset({408, 425, 429, 500, 502, 503, 504})
_OFFLINE_HINT = (
    "Check the network, or set BRAINBENCH_MIRROR to a folder or URL that has the files below "
    "owner/name/commit/."
)


class _TransientError(Exception):
    """A try that may go better next time; `trouble` is what to raise when it never does."""

    def __init__(self, trouble: DataError, wait: float = 0.0) -> None:
        super().__init__(trouble.message)
        self.trouble = trouble
        self.wait = wait


def download(url: str, output: Path, session: requests.Session, *, what: str) -> None:
    """Write the file at `url` to `output`; `what` names it in errors.

    A try that breaks off is followed by another that asks for the missing bytes only (HTTP Range); a
    server that cannot do this sends all again. Raises DataError when the file is not there, the host
    cannot be reached or the transfer keeps breaking off, and OSError when `output` cannot be written.
    """
    with output.open("w+b") as sink:
        for wait in (*WAITS, None):
            try:
                _try_once(url, sink, session, what)
                return
            except _TransientError as broken:
                if wait is None:
                    raise broken.trouble from broken.__cause__
                time.sleep(max(wait, broken.wait))


def _try_once(url: str, sink: BinaryIO, session: requests.Session, what: str) -> None:
    """Ask for what `sink` lacks and append it; raises _TransientError when another try is worth it."""
    import requests

    have = sink.seek(0, os.SEEK_END)
    headers = {"Accept-Encoding": "identity"}  # a part of a compressed answer could not be taken up
    if have:
        headers["Range"] = f"bytes={have}-"
    try:
        answer = session.get(url, headers=headers, stream=True, timeout=TIMEOUT)
    except (requests.ConnectionError, requests.Timeout) as error:
        raise _TransientError(_unreachable(url, what, error)) from error
    except requests.RequestException as error:
        raise DataError(
            f"{what} cannot be fetched from {url} ({type(error).__name__}).", hint=_OFFLINE_HINT
        ) from error
    with answer:
        unfit = answer.status_code == 206 and _range_start(answer) != have
        if unfit or answer.status_code == 416:  # not what was asked for, or nothing after what we have
            sink.truncate(0)
            raise _TransientError(_broken_off(url, what, have, None))
        _check_status(answer, url, what)
        if answer.status_code == 200:
            have = sink.truncate(0)
            sink.seek(0)
        total = _content_length(answer, have)
        try:
            for piece in answer.iter_content(_PIECE):
                sink.write(piece)
        except requests.RequestException as error:
            raise _TransientError(_broken_off(url, what, sink.tell(), total)) from error


def _check_status(answer: requests.Response, url: str, what: str) -> None:
    code, status = answer.status_code, f"{answer.status_code} {answer.reason}".strip()
    if code in {200, 206}:
        return
    if code in {404, 410}:
        raise DataError(
            f"{what} does not exist at {url} ({status}).",
            hint="A mirror must hold files at owner/name/commit/path; without one, check BRAINBENCH_MIRROR "
            "is unset and look for a newer brainbench.",
        )
    refused = DataError(f"{what} was refused by the server at {url} ({status}).", hint=_OFFLINE_HINT)
    if code in _BUSY:
        raise _TransientError(refused, _retry_after(answer))
    raise refused


def _retry_after(answer: requests.Response) -> float:
    asked = answer.headers.get("Retry-After", "")
    return min(float(asked), _LONGEST_WAIT) if asked.isdecimal() else 0.0


def _range_start(answer: requests.Response) -> int:
    found = re.match(r"bytes (\d+)-", answer.headers.get("Content-Range", ""))
    return int(found[1]) if found else -1


def _content_length(answer: requests.Response, have: int) -> int | None:
    length = answer.headers.get("Content-Length", "")
    return have + int(length) if length.isdecimal() else None


def _unreachable(url: str, what: str, error: Exception) -> DataError:
    import requests

    reasons: tuple[tuple[type[Exception], str], ...] = (
        (requests.exceptions.SSLError, "its certificate was not accepted"),
        (requests.exceptions.ProxyError, "the proxy gave no connection"),
        (requests.Timeout, "it did not answer in time"),
        (Exception, "no connection"),
    )
    reason = next(words for kind, words in reasons if isinstance(error, kind))
    host = urlsplit(url).netloc.rpartition("@")[2]
    return DataError(f"{what} cannot be fetched: {host} is unreachable ({reason}).", hint=_OFFLINE_HINT)


def _broken_off(url: str, what: str, have: int, total: int | None) -> DataError:
    amount = f"{have} of {total} bytes" if total is not None else f"{have} bytes"
    return DataError(f"{what} arrived truncated from {url}: {amount}.", hint=f"Try again. {_OFFLINE_HINT}")
