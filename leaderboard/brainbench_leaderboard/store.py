"""The leaderboard's database: one transaction a record, safe for several processes at once."""

from __future__ import annotations

import functools
import json
import sqlite3
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from sqlite_utils import Database

from brainbench.errors import StoreError
from brainbench.identity import unidentified
from brainbench.plan import TaskCell
from brainbench.records import Failure, Record, Scores
from brainbench.task_scores import TaskItem
from brainbench_leaderboard import task_results
from brainbench_leaderboard.columns import cell_columns, outcome_columns
from brainbench_leaderboard.margins import Cells, with_margins
from brainbench_leaderboard.schema import migrations
from brainbench_leaderboard.steered import with_comparisons

BUSY_SECONDS = 60
_TABLES = ("records", "task_records")


class Leaderboard:
    """Records of finished cells in an SQLite file (write-ahead log, foreign keys).

    Raises StoreError when the file is no database of ours, is newer than this brainbench, or cannot be
    written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with _explained(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            self.db = Database(sqlite3.connect(path, timeout=BUSY_SECONDS), execute_plugins=False)
            _refuse_strangers(self.db, path)  # before anything is written to the file
            _enable_wal(self.db)
            self.db.conn.execute("PRAGMA foreign_keys = ON")
            with self._writing():  # two first starts at once: the second waits, then finds nothing to do
                migrations.apply(self.db)

    @classmethod
    def reading(cls, path: Path) -> Leaderboard:
        """The file for reading alone, also where it may not be written; brought up to date if it may be."""
        board = cls.__new__(cls)
        board.path = path
        with _explained(path):
            board.db = Database(_connect_for_reading(path), execute_plugins=False)
            _refuse_strangers(board.db, path)
            outdated = bool(migrations.pending(board.db))
        if outdated:
            board.close()
            return cls(path)
        return board

    def close(self) -> None:
        """Close the file."""
        self.db.close()

    def __enter__(self) -> Leaderboard:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def has(self, fingerprint: str) -> bool:
        """Whether this very cell is finished: scored, or skipped for a reason that stays; never a failure."""
        done = "SELECT 1 FROM {} WHERE fingerprint = ? AND resolved AND outcome != 'failure'"
        query = " UNION ".join(done.format(table) for table in _TABLES)
        with _explained(self.path):
            return self.db.execute(query, [fingerprint] * len(_TABLES)).fetchone() is not None

    def add(self, record: Record) -> None:
        """Keep a record, whole or not at all; it replaces an older one of the same fingerprint.

        A failure never replaces scores. A failure from before the cell's identity was known goes.
        """
        with _explained(self.path), self._writing():
            if isinstance(record.outcome, Failure) and self.has(record.fingerprint):
                return
            for table in _TABLES:
                for old in {record.fingerprint, unidentified(record.cell).fingerprint}:
                    self.db.execute(f"DELETE FROM {table} WHERE fingerprint = ?", [old])
            if isinstance(record.cell, TaskCell):
                task_results.insert(self.db, record)
                return
            row = {**cell_columns(record), **outcome_columns(record.outcome)}
            names = ", ".join(row)
            marks = ", ".join("?" * len(row))
            inserted = self.db.execute(f"INSERT INTO records ({names}) VALUES ({marks})", list(row.values()))
            if isinstance(record.outcome, Scores):
                self._add_scores(inserted.lastrowid, record.outcome)

    def standings(self) -> list[dict[str, Any]]:
        """All rows of the `standings` view, best first within what may be compared, baselines last.

        Each with its margin above the best dull predictor: see `with_margins`.
        """
        question = "dataset, dataset_version, metric, protocol, metric_version, item_set_position"
        order = f"{question}, region_position, rank IS NULL, rank, score DESC, model, started"
        with _explained(self.path):
            rows = list(self.db.query(f"SELECT * FROM standings ORDER BY {order}"))
            return with_margins(rows, functools.cache(self._cells))

    def task_standings(
        self, task: str | None = None, only: Collection[str] | None = None
    ) -> list[dict[str, Any]]:
        """Accuracies of all models on all tasks, best first within a task, baselines last.

        Steered ones with what the steering did: see `with_comparisons`. `task`: of this one alone; `only`:
        these fingerprints, compared also with rows that are not among them.
        """
        with _explained(self.path):
            rows = list(task_results.standings(self.db, task))
            answers = functools.partial(task_results.answers, self.db)
            return with_comparisons(rows, answers, task_results.sources(self.db), only)

    def task_names(self) -> set[str]:
        """The tasks that there are results of."""
        with _explained(self.path):
            return {name for (name,) in self.db.execute("SELECT DISTINCT task FROM task_records")}

    def task_items(self, fingerprint: str) -> tuple[TaskItem, ...]:
        """Every item of a task's record, as the model answered it."""
        with _explained(self.path):
            return task_results.items(self.db, fingerprint)

    def _cells(self, fingerprint: str) -> Cells:
        """The headline's scores of a scored cell, by participant and where known by item."""
        scores = self.db.execute(
            "SELECT p.participant, p.score FROM records r JOIN layer_scores l"
            " ON l.record_id = r.id AND l.layer = r.best_layer JOIN participant_scores p"
            " ON p.record_id = r.id AND p.position = l.position WHERE r.fingerprint = ? ORDER BY p.rowid",
            [fingerprint],
        ).fetchall()
        people, values = tuple(name for name, _ in scores), np.array([value for _, value in scores])
        found = self.db.execute(
            "SELECT per_item FROM records WHERE fingerprint = ?", [fingerprint]
        ).fetchone()
        if found is None or found[0] is None:
            return Cells(people, values)
        kept = json.loads(found[0])
        table = np.array(kept["scores"], dtype=np.float64)  # null becomes NaN
        return Cells(people, values, tuple(kept["items"]), table)  # rows were written in the same order

    def sources(self) -> dict[str, dict[str, Any]]:
        """By fingerprint, what a score was made from and with: its `facts` and `provenance`."""
        with _explained(self.path):
            found = self.db.query("SELECT fingerprint, facts, provenance FROM records WHERE kind = 'score'")
            return {
                row["fingerprint"]: {name: json.loads(row[name]) for name in ("facts", "provenance")}
                for row in found
            }

    def _add_scores(self, record_id: int | None, scores: Scores) -> None:
        each = zip(scores.layers, scores.per_layer.tolist(), scores.spread.tolist(), strict=True)
        layers: list[tuple[Any, ...]] = [
            (record_id, position, layer, float(score), float(spread), None)
            for position, (layer, score, spread) in enumerate(each)
        ]
        layers += [
            (record_id, len(scores.layers) + extra, layer, None, None, reason)
            for extra, (layer, reason) in enumerate(scores.unscored.items())
        ]
        people = [
            (record_id, position, person, float(scores.per_participant[position, column]))
            for position in range(len(scores.layers))
            for column, person in enumerate(scores.participants)
        ]
        self.db.conn.executemany("INSERT INTO layer_scores VALUES (?, ?, ?, ?, ?, ?)", layers)
        self.db.conn.executemany("INSERT INTO participant_scores VALUES (?, ?, ?, ?)", people)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        # BEGIN IMMEDIATE takes the write lock before anything is read: a deferred transaction that reads
        # first cannot wait for another writer and fails at once.
        self.db.conn.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self.db.conn.rollback()
            raise
        self.db.conn.commit()


def _connect_for_reading(path: Path) -> sqlite3.Connection:
    """A connection that needs no right to write, not even for SQLite's own files beside the database."""
    address = path.absolute().as_uri()
    connection = sqlite3.connect(f"{address}?mode=ro", uri=True, timeout=BUSY_SECONDS)
    try:
        connection.execute("SELECT 1 FROM sqlite_master").fetchone()
    except sqlite3.OperationalError:  # a write-ahead log cannot be opened where nothing can be written
        connection.close()
        connection = sqlite3.connect(f"{address}?mode=ro&immutable=1", uri=True)
    return connection


def _refuse_strangers(db: Database, path: Path) -> None:
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


def _enable_wal(db: Database) -> None:
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
def _explained(path: Path) -> Iterator[None]:
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
    except OSError as error:
        raise StoreError(
            f"{path} cannot be used: {error.strerror}.", hint="Name another file with --db."
        ) from error
