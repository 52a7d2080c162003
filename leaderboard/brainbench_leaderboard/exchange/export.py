"""A database's results as files: the same database gives the same bytes, each file whole or not at all."""

from __future__ import annotations

import json
import os
import tempfile
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from brainbench.errors import StoreError
from brainbench.identity import fingerprint
from brainbench.text import plain
from brainbench_leaderboard.exchange.format import SCHEMA, SCHEMA_VERSION, Document
from brainbench_leaderboard.exchange.places import place_of
from brainbench_leaderboard.exchange.reading import LARGEST
from brainbench_leaderboard.exchange.sources import Reasons, shareable
from brainbench_leaderboard.store import Leaderboard
from brainbench_leaderboard.store_file import explained

HEAD = '{\n"records": [\n'
TAIL = f'\n],\n"schema": {json.dumps(SCHEMA)},\n"schema_version": {SCHEMA_VERSION}\n}}\n'


@dataclass
class Exported:
    """How many records went into each file, in order; and how many were left out, by the reason."""

    files: dict[Path, int] = field(default_factory=dict)
    left_out: Reasons = field(default_factory=Counter)


def export(
    store: Leaderboard, folder: Path, models: Collection[str] = (), datasets: Collection[str] = ()
) -> Exported:
    """Write the records (of these models, and of these datasets or tasks) below a folder.

    With the records go the ceilings of their datasets and the validities of their scorers. Other files of
    the folder stay. Raises StoreError where it cannot be written.
    """
    made = Exported()
    with explained(store.path):
        documents = wanted(list(shareable(store.db, made.left_out)), models, datasets)
    sets: dict[tuple[str, ...], list[Document]] = {}
    for document in documents:
        sets.setdefault(place_of(document), []).append(document)
    for place, held in sorted(sets.items()):
        for path, text, count in _files(folder.joinpath(*place), held):
            try:
                _write(folder, path, text)
            except OSError as error:
                raise StoreError(
                    f"{plain(path)} cannot be written: {error.strerror}.",
                    hint="Check the folder, or name another.",
                ) from error
            made.files[path] = count
    return made


def wanted(
    documents: Iterable[Document], models: Collection[str], datasets: Collection[str]
) -> list[Document]:
    """Those of the models and of the datasets or tasks, and the ceilings and validities that go with them."""
    found = list(documents)
    own = [
        one
        for one in found
        if one["kind"] not in ("ceiling", "validity")
        and (not models or one["model"] in models)
        and (not datasets or one.get("dataset") in datasets or one.get("task") in datasets)
    ]
    if not models and not datasets:
        return found
    limits = datasets or {one["dataset"] for one in own if one["kind"] == "score"}
    scorers = {fingerprint(one["facts"]["scorer"]) for one in own if one["kind"] == "ideas"}
    return own + [
        one
        for one in found
        if (one["kind"] == "ceiling" and one["dataset"] in limits)
        or (one["kind"] == "validity" and one["fingerprint"] in scorers)
    ]


def _files(stem: Path, documents: list[Document]) -> Iterator[tuple[Path, str, int]]:
    """Path, text and number of records of each file of a set: one, or several where it would be too large."""
    lines = [
        # keys as they were kept, which is how conditions of a task are shown
        json.dumps(one, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
        for one in sorted(documents, key=lambda one: str(one["fingerprint"]))
    ]
    parts: list[list[str]] = [[]]
    size = 0
    for line in lines:
        size += len(line.encode()) + 2
        if parts[-1] and size > LARGEST - len(HEAD) - len(TAIL):
            parts.append([])
            size = len(line.encode()) + 2
        parts[-1].append(line)
    for number, part in enumerate(parts, start=1):
        name = f"{stem.name}.json" if number == 1 else f"{stem.name}.{number}.json"
        yield stem.with_name(name), HEAD + ",\n".join(part) + TAIL, len(part)


def _write(folder: Path, path: Path, text: str) -> None:
    """Write beside the file and move over it, inside the folder alone."""
    if not path.parent.resolve().is_relative_to(folder.resolve()):
        raise StoreError(f"{plain(path.parent)} leads out of the folder by a link.", hint="Remove the link.")
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".results-")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(text.encode())
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(name, 0o666 & ~mask)  # mkstemp's files are for nobody else
        os.replace(name, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(name)
        raise
