"""The file of the leaderboard: opened for reading or writing, and what may be wrong with it."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlite_utils import Database

from brainbench.errors import StoreError
from brainbench_leaderboard.schema import migrations

BUSY_SECONDS = 60


def connect_for_reading(path: Path) -> sqlite3.Connection:
    """A connection that needs no right to write, not even for SQLite's own files beside the database."""
    address = path.absolute().as_uri()
    connection = sqlite3.connect(f"{address}?mode=ro", uri=True, timeout=BUSY_SECONDS)
    try:
        connection.execute("SELECT 1 FROM sqlite_master").fetchone()
    except sqlite3.OperationalError as error:
        connection.close()
        if "locked" in str(error):  # somebody writes: what would be read is half of something
            raise
        # a write-ahead log cannot be opened where nothing can be written
        connection = sqlite3.connect(f"{address}?mode=ro&immutable=1", uri=True)
    return connection


def refuse_strangers(db: Database, path: Path) -> None:
    """Raise StoreError for a database of something else, or of a newer brainbench."""
    applied = {done.name for done in migrations.applied(db)}
    if db.table_names() and not applied:
        raise StoreError(f"{path} is a database of something else.", hint="Name another file with --db.")
    known = {migration.name for migration in migrations.pending(Database(memory=True, execute_plugins=False))}
    if newer := applied - known:
        raise StoreError(
            f"{path} was written by a newer brainbench (it has {', '.join(sorted(newer))}).",
            hint="Update brainbench, or name another file with --db.",
        )


def enable_wal(db: Database) -> None:
    """Switch on the write-ahead log; SQLite does not wait for others here, so we do."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            return db.enable_wal()
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.05)


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Say in one sentence what SQLite or the file system object to."""
    try:
        yield
    except sqlite3.IntegrityError:
        raise
    except sqlite3.DatabaseError as error:
        if "not a database" in str(error):
            raise StoreError(
                f"{path} is not an SQLite database.", hint="Name another file with --db."
            ) from error
        raise StoreError(f"{path} cannot be used: {error}.", hint="Check the file, or use --db.") from error
    except UnicodeDecodeError as error:  # by SQLite itself, of what a damaged schema says
        raise StoreError(f"{path} is damaged: it holds no text.", hint="Use --db, or a copy.") from error
    except OSError as error:
        raise StoreError(
            f"{path} cannot be used: {error.strerror}.", hint="Name another file with --db."
        ) from error
