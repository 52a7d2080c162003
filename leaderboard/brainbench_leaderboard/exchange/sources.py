"""What is merged or compared: folders of exported files, and databases, which are read and never written."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from sqlite_utils import Database

from brainbench.errors import StoreError
from brainbench.text import plain
from brainbench_leaderboard.exchange import rows
from brainbench_leaderboard.exchange.format import Document
from brainbench_leaderboard.exchange.plain_json import Refused
from brainbench_leaderboard.exchange.private import without_places
from brainbench_leaderboard.exchange.reading import (
    FIX,
    LARGEST,
    Found,
    records_of,
    refusal,
    require_record,
)
from brainbench_leaderboard.schema import migrations
from brainbench_leaderboard.store_file import connect_for_reading, explained, refuse_strangers

LARGEST_DATABASE = 4 * 2**30
FAILED = "failed, which is no result"
UNRESOLVED = "not all that decides the number could be pinned down"
Reasons = Counter[str]


@dataclass
class Source:
    """A folder or database: its records, and how many of a database are left out, by the reason."""

    path: Path
    records: list[Found]
    left_out: Reasons = field(default_factory=Counter)


def read(path: Path) -> Source:
    """All records of a source, each of the format. Raises StoreError."""
    if path.is_dir():
        if not (held := list(records_of(path))):
            raise StoreError(f"There are no results in {plain(path)}.", hint=FIX)
        return Source(path, held)
    if not path.exists():
        raise StoreError(f"There is no {plain(path)}.", hint="Name an exported folder, or a results file.")
    left: Reasons = Counter()
    with closing(_copy(path)) as db, explained(path):
        found = list(shareable(db, left))
    return Source(path, [Found(f"{path.name}, {_called(one)}", one) for one in found], left)


def shareable(db: Database, left_out: Reasons) -> Iterator[Document]:
    """The records of a database that may go into a file, without what is of one machine; counts the rest."""
    failures, unresolved = rows.unfinished(db)
    left_out[FAILED] += failures
    left_out[UNRESOLVED] += unresolved
    for table, fingerprint in rows.keys(db):
        called = f"{table} {fingerprint[:8]}"
        try:
            document = rows.document(db, table, fingerprint)
            if document is None:  # removed meanwhile
                continue
            called = _called(document)
            made = without_places(document)
            require_record(made)
        except Refused as refused:
            where = f"{refused.where}: " if refused.where else ""
            left_out[plain(f"{called}: {where}{refused.reason}")] += 1
        else:
            yield made


def _called(document: Document) -> str:
    """A record, as people would find it again."""
    names = ("model", "dataset", "region", "metric", "protocol", "task", "scorer")
    said = " ".join(str(document[name]) for name in names if document.get(name))
    return plain(f"{document['kind']} {said} {document['fingerprint'][:8]}")


def _copy(path: Path) -> Database:
    """A copy in memory, brought up to date there. Raises StoreError for what is no results file."""
    db = Database(sqlite3.connect(":memory:"), execute_plugins=False)
    try:
        with explained(path):
            if not path.is_file():  # a pipe would be waited for
                raise refusal(path.name, Refused("it is no plain file"))
            if path.stat().st_size > LARGEST_DATABASE:
                raise refusal(path.name, Refused(f"it is larger than {LARGEST_DATABASE // 2**30} GB"))
            db.conn.execute("PRAGMA trusted_schema = OFF")
            db.conn.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LARGEST)  # of a value or row
            with closing(connect_for_reading(path)) as opened:
                opened.backup(db.conn)
            refuse_strangers(db, path)
            if not db.table_names():
                raise StoreError(f"There are no results in {plain(path)}.", hint=FIX)
            _require_tables(db, path, applied=False)
            migrations.apply(db)
            _require_tables(db, path, applied=True)
    except BaseException:
        db.close()
        raise
    return db


def _require_tables(db: Database, path: Path, *, applied: bool) -> None:
    """That tables and views are ours, and nothing in the file acts by itself."""
    query = r"SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite\_%' ESCAPE '\'"
    found = set(db.execute(query).fetchall())
    if any(kind == "trigger" for kind, *_ in found):
        raise refusal(path.name, Refused("its database has triggers"))
    if applied:
        fresh = Database(memory=True, execute_plugins=False)
        migrations.apply(fresh)
        if set(fresh.execute(query).fetchall()) - found:
            raise StoreError(f"The tables of {plain(path)} are not those of a results file.", hint=FIX)
