"""Where files come from: GitHub, or the mirror that BRAINBENCH_MIRROR names (a folder or a URL)."""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.parse import quote, urlsplit
from urllib.request import url2pathname

from brainbench.errors import DataError

if TYPE_CHECKING:
    import requests

GITHUB = "https://raw.githubusercontent.com"
MIRROR_HINT = (
    "Set BRAINBENCH_MIRROR to a folder or to a URL such as https://example.org/mirror, or unset it "
    "to fetch from GitHub."
)

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")  # two letters or more: one is a drive of Windows


class Origin(Protocol):
    """A tree of files, each below the root at owner/name/commit/path."""

    @property
    def may_recover(self) -> bool:
        """Whether asking a second time may give other bytes."""
        ...

    @property
    def advice(self) -> str:
        """What to do when this origin gives the wrong bytes."""
        ...

    def locate(self, parts: tuple[str, ...], /) -> str:
        """The full address of a file, from its parts below the root."""
        ...

    def transfer(self, address: str, output: Path, /, *, what: str) -> None:
        """Copy the file at `address` to `output`; `what` names it in errors. Raises DataError."""
        ...


@dataclass(frozen=True)
class Folder:
    """A mirror in a folder of this machine."""

    root: Path
    may_recover: bool = False
    advice: str = "copy it to the mirror anew, or unset BRAINBENCH_MIRROR."

    def locate(self, parts: tuple[str, ...]) -> str:
        """The path below the root, as it is: nothing is quoted in a folder."""
        return str(self.root.joinpath(*parts))

    def transfer(self, address: str, output: Path, *, what: str) -> None:
        """Copy the file; raises DataError when the mirror or the file in it is missing or unreadable."""
        if not self.root.is_dir():
            raise DataError(f"The mirror {self.root} is not an existing folder.", hint=MIRROR_HINT)
        try:
            source = open(address, "rb")  # noqa: SIM115 - closed below; only opening is the mirror's fault
        except OSError as error:
            raise DataError(
                f"The mirror {self.root} lacks {what}: {error.strerror}.",
                hint=f"Put it at {address}, or unset BRAINBENCH_MIRROR.",
            ) from error
        with source, output.open("wb") as sink:
            shutil.copyfileobj(source, sink)


@dataclass(frozen=True)
class Web:
    """GitHub, or a mirror of it behind a URL; connections are kept open between files."""

    root: str
    may_recover: bool = True
    advice: str = "try again, or set BRAINBENCH_MIRROR to a place that has the right one."

    def locate(self, parts: tuple[str, ...]) -> str:
        """The URL, every part quoted: a folder may be called "top-10%"."""
        return "/".join((self.root, *(quote(part, safe="") for part in parts)))

    def transfer(self, address: str, output: Path, *, what: str) -> None:
        """Download the file; raises DataError when it cannot be had."""
        from brainbench.fetch_http import download

        download(address, output, self._session, what=what)

    @cached_property
    def _session(self) -> requests.Session:
        import requests

        return requests.Session()


def origin_from_environment() -> Origin:
    """GitHub, or what BRAINBENCH_MIRROR names; raises DataError when that is malformed."""
    mirror = os.environ.get("BRAINBENCH_MIRROR", "").strip()
    if not mirror:
        return Web(GITHUB)
    if not _SCHEME.match(mirror):
        return Folder(Path(mirror).expanduser().absolute())
    return _from_url(mirror)


def _from_url(mirror: str) -> Origin:
    malformed = DataError(f"BRAINBENCH_MIRROR is {mirror!r}, which is no usable address.", hint=MIRROR_HINT)
    try:
        url = urlsplit(mirror)
        _ = url.port  # raises ValueError unless it is a number
    except ValueError:
        raise malformed from None
    if url.query or url.fragment or re.search(r"\s", mirror):
        raise malformed
    scheme = url.scheme.lower()
    if scheme == "file" and url.netloc in {"", "localhost"} and url.path.startswith("/"):
        return Folder(Path(url2pathname(url.path)))
    if scheme in {"http", "https"} and url.hostname:
        return Web(mirror.rstrip("/"))
    raise malformed
