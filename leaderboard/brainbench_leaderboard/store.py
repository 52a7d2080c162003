"""The leaderboard's database: one transaction a record, safe for several processes at once."""

from __future__ import annotations

import functools
import json
import sqlite3
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlite_utils import Database

from brainbench.ideas import Idea
from brainbench.identity import unidentified
from brainbench.plan import ScorerCell, TaskCell
from brainbench.records import Failure, Record
from brainbench.task_scores import TaskItem
from brainbench_leaderboard import idea_results, stored_scores, task_results
from brainbench_leaderboard.columns import cell_columns, outcome_columns
from brainbench_leaderboard.idea_gains import with_gains
from brainbench_leaderboard.margins import Cells, with_margins
from brainbench_leaderboard.schema import migrations
from brainbench_leaderboard.steered import with_comparisons
from brainbench_leaderboard.store_file import (
    BUSY_SECONDS,
    connect_for_reading,
    enable_wal,
    explained,
    refuse_strangers,
)
from brainbench_leaderboard.stored_scores import LayerScores
from brainbench_leaderboard.ties import as_they_are, with_ties

if TYPE_CHECKING:
    from brainbench.validity import Validity

_TABLES = ("records", "task_records", "idea_records")


class Leaderboard:
    """Records of finished cells in an SQLite file (write-ahead log, foreign keys).

    Raises StoreError when the file is no database of ours, is newer than this brainbench, or cannot be
    written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with explained(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            self.db = Database(sqlite3.connect(path, timeout=BUSY_SECONDS), execute_plugins=False)
            refuse_strangers(self.db, path)  # before anything is written to the file
            enable_wal(self.db)
            self.db.conn.execute("PRAGMA foreign_keys = ON")
            with self.writing():  # two first starts at once: the second waits, then finds nothing to do
                migrations.apply(self.db)

    @classmethod
    def reading(cls, path: Path) -> Leaderboard:
        """The file for reading alone, also where it may not be written; brought up to date if it may be."""
        board = cls.__new__(cls)
        board.path = path
        with explained(path):
            board.db = Database(connect_for_reading(path), execute_plugins=False)
            refuse_strangers(board.db, path)
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
        with explained(self.path):
            return self.db.execute(query, [fingerprint] * len(_TABLES)).fetchone() is not None

    def add(self, record: Record) -> None:
        """Keep a record, whole or not at all; it replaces an older one of the same fingerprint.

        A failure never replaces scores. A failure from before the cell's identity was known goes.
        """
        with explained(self.path), self.writing():
            if isinstance(record.outcome, Failure) and self.has(record.fingerprint):
                return
            for table in _TABLES:
                for old in {record.fingerprint, unidentified(record.cell).fingerprint}:
                    self.db.execute(f"DELETE FROM {table} WHERE fingerprint = ?", [old])
            if isinstance(record.cell, TaskCell):
                task_results.insert(self.db, record)
                return
            if isinstance(record.cell, ScorerCell):
                idea_results.insert(self.db, record)
                return
            row = {**cell_columns(record), **outcome_columns(record.outcome)}
            stored_scores.insert(self.db, row, record.outcome)

    def standings(self, only: Collection[str] | None = None) -> list[dict[str, Any]]:
        """All rows of the `standings` view, best first within what may be compared, baselines last.

        Each with its margin above the best dull predictor, and ranks that ties share: see `with_margins` and
        `with_ties`. `only`: these fingerprints, compared also with rows that are not among them.
        """
        question = "dataset, dataset_version, metric, protocol, metric_version, item_set_position"
        order = f"{question}, region_position, rank IS NULL, rank, score DESC, model, started, fingerprint"
        with explained(self.path):
            rows = list(self.db.query(f"SELECT * FROM standings ORDER BY {order}"))
            people = functools.partial(stored_scores.by_person, self.db)
            rows = with_ties(as_they_are(rows), people, score="score", units="people", only=only)
            rows = with_margins(rows, functools.cache(self.cells))
            return [row for row in rows if only is None or row["fingerprint"] in only]

    def task_standings(
        self, task: str | None = None, only: Collection[str] | None = None
    ) -> list[dict[str, Any]]:
        """Accuracies of all models on all tasks, best first within a task, baselines last.

        Steered ones with what the steering did: see `with_comparisons`; ranks that ties share: `with_ties`.
        `task`: of this one alone; `only`: these fingerprints, compared also with rows that are not among
        them.
        """
        with explained(self.path):
            rows = list(task_results.standings(self.db, task))
            right = functools.partial(task_results.right_by_problem, self.db)
            rows = with_ties(rows, right, score="accuracy", units="problems", only=only)
            answers = functools.partial(task_results.answers, self.db)
            return with_comparisons(rows, answers, task_results.sources(self.db), only)

    def task_names(self) -> set[str]:
        """The tasks that there are results of."""
        with explained(self.path):
            return {name for (name,) in self.db.execute("SELECT DISTINCT task FROM task_records")}

    def task_items(self, fingerprint: str) -> tuple[TaskItem, ...]:
        """Every item of a task's record, as the model answered it."""
        with explained(self.path):
            return task_results.items(self.db, fingerprint)

    def idea_standings(self, only: Collection[str] | None = None) -> list[dict[str, Any]]:
        """What scorers gave all models' texts, best first for a dataset and scorer.

        `only`: these fingerprints. Each with the validity of its scorer, None where that is not known, and
        with what a change did and ranks that ties share: see `with_gains` and `with_ties`.
        """
        with explained(self.path):
            rows, means = (
                list(idea_results.standings(self.db)),
                functools.partial(idea_results.means_by_item, self.db),
            )
            rows = with_ties(rows, means, score="score", units="objects", only=only)
            rows = with_gains(rows, self._mean_by_item)
            return [row for row in rows if only is None or row["fingerprint"] in only]

    def _mean_by_item(self, fingerprint: str) -> dict[str, float]:
        return idea_results.mean_by_item(self.db, fingerprint)

    def ideas(self, fingerprint: str) -> tuple[tuple[Idea, str, float | None], ...]:
        """Every text of a record of ideas, what it is about, and its score (None: could not be scored)."""
        with explained(self.path):
            return idea_results.ideas(self.db, fingerprint)

    def add_validity(
        self, validity: Validity, helper: str, facts: Mapping[str, Any], provenance: Mapping[str, Any]
    ) -> bool:
        """Keep how far a scorer, of these facts (`identify_scorer`), agrees with people; whether it is kept.

        It replaces an older one of no more responses.
        """
        with explained(self.path), self.writing():
            return idea_results.insert_validity(self.db, validity, helper, facts, provenance)

    def validity(self, fingerprint: str) -> dict[str, Any] | None:
        """What is known of how far a scorer agrees with people, by the fingerprint of its facts."""
        with explained(self.path):
            return idea_results.validity_of(self.db, fingerprint)

    def cells(self, fingerprint: str) -> Cells:
        """The headline's scores of a scored record, by participant and where known by item."""
        with explained(self.path):
            return stored_scores.cells(self.db, fingerprint)

    def layer_scores(self, fingerprint: str) -> LayerScores:
        """The scores of every layer of a scored record, for each participant."""
        with explained(self.path):
            return stored_scores.layer_scores(self.db, fingerprint)

    def sources(self) -> dict[str, dict[str, Any]]:
        """By fingerprint, what a record was made from and with: its `facts` and `provenance`."""
        each = "SELECT fingerprint, facts, provenance FROM {}"
        query = " UNION ALL ".join(each.format(table) for table in _TABLES) + " ORDER BY fingerprint"
        with explained(self.path):
            return {
                row["fingerprint"]: {name: json.loads(row[name]) for name in ("facts", "provenance")}
                for row in self.db.query(query)
            }

    @contextmanager
    def writing(self) -> Iterator[None]:
        """One transaction: all that is written within is kept, or nothing of it."""
        # BEGIN IMMEDIATE takes the write lock before anything is read: a deferred transaction that reads
        # first cannot wait for another writer and fails at once.
        self.db.conn.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self.db.conn.rollback()
            raise
        self.db.conn.commit()
