"""Files of results, opened as what strangers sent: no link is followed, nothing else is read."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from brainbench.errors import StoreError
from brainbench.text import plain
from brainbench_leaderboard.exchange.format import Document, ResultFile
from brainbench_leaderboard.exchange.plain_json import Refused, parsed, require_plain

LARGEST = 50 * 2**20  # bytes of one file
LARGEST_FOLDER = 2**30  # bytes of all files of one merge
MOST_FILES = 100_000
DEEPEST_FOLDER = 8
LONGEST_REASON = 600
FIX = "Nothing was written."


@dataclass(frozen=True, slots=True)
class Found:
    """A record of a source: where it stands, in words, and what it says, of the format's own types."""

    where: str
    document: Document


def refusal(where: str, refused: Refused) -> StoreError:
    """The sentence that names file, field and reason."""
    field = f", field {_short(refused.where)}" if refused.where else ""
    return StoreError(f"{plain(where)}{field}: {_short(refused.reason, LONGEST_REASON)}.", hint=FIX)


def records_of(folder: Path) -> Iterator[Found]:
    """Every record of the folder's .json files, in the order of their names; raises StoreError.

    Hidden files and folders, and files of other kinds, are left alone.
    """
    total = files = 0
    for path in _files(folder, folder, 0):
        where = _where(path, folder)
        try:
            content = _content(path)
            total, files = total + len(content), files + 1
            if total > LARGEST_FOLDER or files > MOST_FILES:
                raise Refused("with this file there is too much to merge at once: give parts of the folder")
            for number, document in enumerate(documents(parsed(content))):
                yield Found(f"{where}, record {number}", document)
        except Refused as refused:
            raise refusal(where, refused) from refused


def documents(found: Any) -> list[Document]:
    """The records of a file's value; raises Refused where they are not of the format."""
    if isinstance(found, dict) and type(version := found.get("schema_version")) is int and version > 1:
        raise Refused(f"it is of format {version}, newer than this brainbench knows", "schema_version")
    if not isinstance(found, dict):
        raise Refused("it is no object with a schema and records")
    try:
        ResultFile.model_validate(found)
    except ValidationError as error:
        raise as_refused(error) from error
    held: list[Document] = found["records"]
    return held


def require_record(document: Document) -> None:
    """Raise Refused unless a file may hold this record."""
    require_plain(document)
    try:
        ResultFile.model_validate(
            {"schema": "brainbench-results", "schema_version": 1, "records": [document]}
        )
    except ValidationError as error:
        raise as_refused(error) from error


def as_refused(error: ValidationError) -> Refused:
    """The first thing that is wrong."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    reason = first["msg"][:300].rstrip(".")
    return Refused(reason[0].lower() + reason[1:], ".".join(str(step) for step in first["loc"]))


def _short(words: str, longest: int = 160) -> str:
    """Beginning and end of what is too long to be read."""
    return plain(words if len(words) <= longest else f"{words[: longest - 60]}...{words[-50:]}")


def _where(path: Path, top: Path) -> str:
    """A path of the folder, with the folder's own name."""
    return path.relative_to(top.parent).as_posix() if top.name else path.as_posix()


def _files(folder: Path, top: Path, depth: int) -> Iterator[Path]:
    """The .json files below a folder."""
    try:
        with os.scandir(folder) as entries:
            held = sorted((entry for entry in entries), key=lambda entry: entry.name)
    except OSError as error:
        raise StoreError(f"{plain(folder)} cannot be read: {error.strerror}.", hint=FIX) from error
    for entry in held:
        path = folder / entry.name
        where = _where(path, top)
        if entry.name.startswith("."):
            continue
        if entry.is_symlink():
            raise refusal(where, Refused("it is a link, which is not followed"))
        if entry.is_dir(follow_symlinks=False):
            if depth == DEEPEST_FOLDER:
                raise refusal(where, Refused(f"it lies more than {DEEPEST_FOLDER} folders deep"))
            yield from _files(path, top, depth + 1)
        elif entry.name.endswith(".json"):
            yield path


def _content(path: Path) -> bytes:
    """What a file holds; raises Refused for what is no plain file, or too large."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        handle = os.open(path, flags | getattr(os, "O_BINARY", 0))
    except OSError as error:
        raise Refused(f"it cannot be read ({error.strerror})") from error
    with os.fdopen(handle, "rb") as stream:
        known = os.fstat(handle)
        if not stat.S_ISREG(known.st_mode):
            raise Refused("it is no plain file")
        content = stream.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise Refused(f"it is larger than {LARGEST // 2**20} MB")
    return content
