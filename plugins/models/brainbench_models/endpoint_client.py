"""Chat completions over HTTP, with patience; whatever goes wrong is one sentence, and the key is in none."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from urllib3.exceptions import HTTPError, ReadTimeoutError
from urllib3.util.retry import Retry

from brainbench.errors import ModelError
from brainbench.text import sound

KEY, OPENAI_KEY = "BRAINBENCH_API_KEY", "OPENAI_API_KEY"
KEYS = (KEY, OPENAI_KEY)
_OPENAI = "https://api.openai.com"  # the one server that is shown its key unasked
TIMEOUT = (10.0, 300.0)  # seconds to connect, and for an answer, which a small machine writes slowly
LARGEST, LONGEST = 2**24, 300.0  # bytes of an answer, unpacked, and seconds from its first to its last
RETRIES, BACKOFF, LONGEST_WAIT = 5, 0.5, 30
BUSY = (408, 425, 429, 500, 502, 503, 504)
_SERVER_HINT = "Check that the server runs, and that the address ends where /chat/completions begins."


def key_for(url: str) -> str:
    """The key for whatever server was named; OpenAI's, which others also keep set, for OpenAI alone."""
    theirs = OPENAI_KEY if f"{url}/".startswith(f"{_OPENAI}/") else KEY
    return next((key for name in (KEY, theirs) if (key := os.environ.get(name, "").strip())), "")


class _Bearer(AuthBase):
    """The key as a header; without one nothing is sent, not even what lies in a .netrc."""

    def __init__(self, key: str) -> None:
        self._key = key

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._key:
            request.headers["Authorization"] = f"Bearer {self._key}"
        return request


class _Patience(Retry):
    """Waits as long as a busy server asks for, within reason."""

    def get_retry_after(self, response: Any) -> float | None:
        """Seconds, or None where it does not say."""
        asked = super().get_retry_after(response)
        return None if asked is None else min(asked, LONGEST_WAIT)


class Client:
    """One server. Busy servers and broken connections are tried again, with growing pauses."""

    def __init__(self, url: str, name: str, *, connections: int = 4) -> None:
        self._url, self._name = f"{url}/chat/completions", name
        self._host = urlsplit(url).netloc
        self._key = key_for(url)
        retry = _Patience(
            total=RETRIES,
            backoff_factor=BACKOFF,
            status_forcelist=BUSY,
            allowed_methods=None,  # a question may be asked twice
            raise_on_status=False,
            redirect=0,
        )
        self._session = requests.Session()
        self._session.auth = _Bearer(self._key)
        adapter = HTTPAdapter(pool_maxsize=connections, max_retries=retry)
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, adapter)

    def complete(self, asked: Mapping[str, Any]) -> str:
        """The text of the first choice, "" where there is none in it. Raises ModelError."""
        try:
            with self._session.post(
                self._url, json=dict(asked), timeout=TIMEOUT, allow_redirects=False, stream=True
            ) as answer:
                code, body = answer.status_code, self._body(answer)
        except (requests.RequestException, HTTPError, UnicodeError) as error:
            raise ModelError(
                f"{self._name} cannot be asked: {self._host} is unreachable ({_reason(error)}).",
                hint=_SERVER_HINT,
            ) from None  # its words may hold what was sent
        if code != 200:
            raise self._refused(code, body)
        try:
            content = json.loads(body)["choices"][0]["message"]["content"]
        except (ValueError, KeyError, IndexError, TypeError, RecursionError):
            raise self._malformed("is no chat completion") from None
        if not isinstance(content, str | None):
            raise self._malformed("has something else than text in it")
        return sound(content or "")

    def _body(self, answer: requests.Response) -> bytes:
        """All of an answer that comes to an end; the timeout is of one packet alone."""
        found, until = bytearray(), time.monotonic() + LONGEST
        while part := answer.raw.read1(2**16, decode_content=True):
            found += part
            if len(found) > LARGEST or time.monotonic() > until:
                raise self._malformed("does not end")
        return bytes(found)

    def close(self) -> None:
        """Let go of the connections."""
        self._session.close()

    def _malformed(self, what: str) -> ModelError:
        return ModelError(f"What {self._host} answered for {self._name} {what}.", hint=_SERVER_HINT)

    def _refused(self, code: int, body: bytes) -> ModelError:
        if code in (401, 403):
            told = "it refused the key" if self._key else "it wants a key"
            return ModelError(
                f"{self._name} cannot be asked: {told} ({code}).", hint=f"Put a valid key into {KEY}."
            )
        if code in BUSY:
            return ModelError(
                f"{self._name} cannot be asked: {self._host} was still busy or ill after {RETRIES} more "
                f"tries ({code}).",
                hint="Try again later, or with a smaller --batch-size: fewer requests at once.",
            )
        return ModelError(
            f"{self._name} cannot be asked: {self._host} answered {code}{self._words(body)}.",
            hint=_SERVER_HINT,
        )

    def _words(self, body: bytes) -> str:
        """What the server says of it, on one line and without the key."""
        try:
            said = str(json.loads(body)["error"]["message"])
        except (ValueError, KeyError, TypeError, RecursionError):
            return ""
        line = " ".join((said.replace(self._key, "***") if self._key else said).split())
        return f": {line[:200].rstrip('.')}"


def _reason(error: Exception) -> str:
    if isinstance(error, requests.exceptions.SSLError):
        return "its certificate was not accepted"
    if isinstance(error, requests.Timeout | ReadTimeoutError):
        return "it did not answer in time"
    if isinstance(error, requests.ConnectionError | HTTPError):
        return "no connection"
    return type(error).__name__
