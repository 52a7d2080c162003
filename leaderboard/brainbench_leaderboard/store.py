"""The leaderboard's database: one transaction a record, safe for several processes at once."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from brainbench.errors import StoreError
from brainbench.identity import fingerprint, unidentified
from brainbench.records import Failure, Record, Scores, Skip
from brainbench_leaderboard.schema import migrations

BUSY_SECONDS = 60


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
        query = "SELECT 1 FROM records WHERE fingerprint = ? AND resolved AND outcome != 'failure'"
        with _explained(self.path):
            return self.db.execute(query, [fingerprint]).fetchone() is not None

    def add(self, record: Record) -> None:
        """Keep a record, whole or not at all; it replaces an older one of the same fingerprint.

        A failure never replaces scores. A failure from before the cell's identity was known goes.
        """
        with _explained(self.path), self._writing():
            if isinstance(record.outcome, Failure) and self.has(record.fingerprint):
                return
            doomed = {record.fingerprint, unidentified(record.cell).fingerprint}
            for old in doomed:
                self.db.execute("DELETE FROM records WHERE fingerprint = ?", [old])
            row = {**_cell_columns(record), **_outcome_columns(record.outcome)}
            names = ", ".join(row)
            marks = ", ".join("?" * len(row))
            inserted = self.db.execute(f"INSERT INTO records ({names}) VALUES ({marks})", list(row.values()))
            if isinstance(record.outcome, Scores):
                self._add_scores(inserted.lastrowid, record.outcome)

    def standings(self) -> list[dict[str, Any]]:
        """All rows of the `standings` view, best first within what may be compared."""
        question = "dataset, dataset_version, metric, protocol, metric_version, item_set_position"
        order = f"{question}, region_position, rank IS NULL, rank, model, started"
        with _explained(self.path):
            return list(self.db.query(f"SELECT * FROM standings ORDER BY {order}"))

    def sources(self) -> dict[str, dict[str, Any]]:
        """By fingerprint, what a score was made from and with: its `facts` and `provenance`."""
        with _explained(self.path):
            found = self.db.query("SELECT fingerprint, facts, provenance FROM records WHERE kind = 'score'")
            return {
                row["fingerprint"]: {name: json.loads(row[name]) for name in ("facts", "provenance")}
                for row in found
            }

    def _add_scores(self, record_id: int | None, scores: Scores) -> None:
        layers: list[tuple[Any, ...]] = [
            (
                record_id,
                position,
                layer,
                float(scores.per_layer[position]),
                float(scores.spread[position]),
                None,
            )
            for position, layer in enumerate(scores.layers)
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


def _cell_columns(record: Record) -> dict[str, Any]:
    cell, made = record.cell, record.provenance
    model = record.facts.get("model") or {}
    return {
        "fingerprint": record.fingerprint,
        "question": _question(record.facts),
        "resolved": int(record.resolved),
        "kind": cell.kind,
        "model": cell.model.name if cell.model else None,
        "revision": _text(model.get("revision")),
        "intervention": cell.intervention.name if cell.intervention else None,
        "seed": cell.options.seed if cell.model else None,
        "dataset": cell.dataset.name,
        "dataset_version": cell.dataset.version,
        "simulated": int(cell.dataset.simulated),
        "region": cell.region,
        "region_position": cell.dataset.regions.index(cell.region),
        "item_set": cell.item_set.name,
        "item_set_position": [item_set.name for item_set in cell.dataset.item_sets].index(cell.item_set.name),
        "metric": cell.metric.name,
        "protocol": cell.metric.protocol,
        "metric_version": cell.metric.version,
        "device": _text(made.get("device")),
        "dtype": _text(made.get("dtype", model.get("dtype"))),
        **{name: made.get(name) for name in ("brainbench", "git_commit", "started", "seconds")},
        "facts": json.dumps(record.facts, allow_nan=False, sort_keys=True),
        "provenance": json.dumps(made, allow_nan=False, default=str),
    }


def _text(fact: Any) -> str | None:
    return None if fact is None else str(fact)


def _question(facts: Mapping[str, Any]) -> str:
    """What is asked, whoever is asked: only answers to one question may be ranked together."""
    asked = ("dataset", "region", "item_set", "metric")
    return fingerprint({name: facts[name] for name in asked})


def _outcome_columns(outcome: Scores | Skip | Failure) -> dict[str, Any]:
    if isinstance(outcome, Skip):
        return {"outcome": "skip", "reason": outcome.reason, "details": "{}"}
    if isinstance(outcome, Failure):
        return {
            "outcome": "failure",
            "reason": outcome.message,
            "phase": outcome.phase,
            "exception": outcome.exception,
            "hint": outcome.hint,
            "details": "{}",
        }
    return {
        "outcome": "scores",
        "score": outcome.headline,
        "like_for_like": outcome.like_for_like,
        "spread": float(outcome.spread[outcome.best]),
        "spread_kind": outcome.spread_kind,
        "best_layer": outcome.layers[outcome.best],
        "choice": outcome.choice,
        "participants": len(outcome.participants),
        "details": json.dumps(dict(outcome.details), allow_nan=False),
    }


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
