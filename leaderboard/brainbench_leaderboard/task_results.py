"""Records of tasks in the database: rows in, rows out. The caller holds the transaction."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from sqlite_utils import Database

from brainbench.identity import fingerprint
from brainbench.plan import TaskCell
from brainbench.records import Failure, Outcome, Record, Skip
from brainbench.task_pairs import Answers
from brainbench.task_scores import TaskItem, TaskScores
from brainbench.tuning import Tunes
from brainbench_leaderboard.columns import insert_row, made_columns, why_not

_ORDER = (
    "task, task_version, problem_limit, rank IS NULL, baseline, rank, accuracy DESC, model, started, "
    "fingerprint"
)


def insert(db: Database, record: Record) -> None:
    """Add a task's record and its items."""
    insert_with_items(db, {**_columns(record), **outcome_columns(record.outcome)}, record.outcome)


def insert_with_items(db: Database, row: Mapping[str, Any], outcome: Outcome) -> None:
    """Add a row and the items of its outcome."""
    inserted = insert_row(db, "task_records", row)
    if isinstance(outcome, TaskScores):
        rows = [(inserted, *_item_row(at, item)) for at, item in enumerate(outcome.items)]
        db.conn.executemany(f"INSERT INTO task_items VALUES ({', '.join('?' * 11)})", rows)


def standings(db: Database, task: str | None = None) -> Iterator[dict[str, Any]]:
    """All rows of `task_standings` (or of one task), best first within a task, JSON read."""
    chosen, values = ("", []) if task is None else ("WHERE task = ?", [task])
    for row in db.query(f"SELECT * FROM task_standings {chosen} ORDER BY {_ORDER}", values):
        read = {name: json.loads(row[name] or "{}") for name in ("by_condition", "details")}
        yield {**row, **read, "arm_settings": json.loads(row["arm_settings"] or "null")}


def answers(db: Database, found: str) -> Answers:
    """Which items of a scored task's record are right; much less than `items`, and much faster."""
    query = (
        "SELECT t.item, t.problem, t.expected, t.correct FROM task_items t"
        " JOIN task_records r ON r.id = t.record_id WHERE r.fingerprint = ? ORDER BY t.position"
    )
    ids, problems, expected, correct = zip(*db.execute(query, [found]), strict=True)
    return Answers(ids, problems, expected, np.array(correct, dtype=np.bool_))


def right_by_problem(db: Database, fingerprints: Sequence[str]) -> dict[str, dict[str, float]]:
    """Of many records, by problem in how many of its forms they are right.

    A problem goes by its name and the number of its forms: with other forms it is another.
    """
    query = (
        "SELECT r.fingerprint, t.problem || ' ' || count(*), sum(t.correct) FROM json_each(?) asked"
        " JOIN task_records r ON r.fingerprint = asked.value JOIN task_items t ON t.record_id = r.id"
        " GROUP BY r.id, t.problem"
    )
    found: dict[str, dict[str, float]] = {}
    for record, problem, right in db.execute(query, [json.dumps(list(fingerprints))]):
        found.setdefault(record, {})[problem] = float(right)
    return found


def sources(db: Database) -> dict[str, str]:
    """By fingerprint, from which dataset, version and provider it was learnt; empty where from none.

    Of one that was kept before, the dataset that it says. Not from which region: another is a control, too.
    """
    parts = ", ".join(
        f"json_extract(facts, '$.learnt_from.{part}')" for part in ("name", "version", "provider")
    )
    kept = (f"json_extract(details, '$.{change}.fitted.dataset')" for change in ("tuning", "steering"))
    said = f"coalesce({', '.join(kept)})"
    query = (
        f"SELECT fingerprint, CASE WHEN learnt_from IS NULL THEN {said} ELSE json_array({parts}) END"
        " AS source FROM task_records WHERE source IS NOT NULL"
    )
    return dict(db.execute(query).fetchall())


def items(db: Database, found: str) -> tuple[TaskItem, ...]:
    """The items of a task's record, in their order; none for an unknown fingerprint."""
    query = "SELECT t.* FROM task_items t JOIN task_records r ON r.id = t.record_id WHERE r.fingerprint = ?"
    return tuple(
        TaskItem(
            id=row["item"],
            group=row["problem"],
            correct=bool(row["correct"]),
            answer=row["answer"],
            expected=row["expected"],
            prompt_hash=row["prompt_hash"],
            choices=tuple(json.loads(row["choices"] or "[]")),
            log_likelihoods=tuple(json.loads(row["log_likelihoods"] or "[]")),
            greedy=row["greedy"],
        )
        for row in db.query(f"{query} ORDER BY t.position", [found])
    )


def _columns(record: Record) -> dict[str, Any]:
    cell, made, facts = record.cell, record.provenance, record.facts
    assert isinstance(cell, TaskCell)
    return {
        "fingerprint": record.fingerprint,
        "question": question(facts),
        "resolved": int(record.resolved),
        "model": cell.model.name,
        "intervention": cell.intervention.name,
        "learnt_from": cell.dataset.name if cell.dataset else None,
        "seed": cell.options.seed,
        "baseline": int(cell.baseline),
        **_training(cell),
        "task": cell.task.name,
        "task_version": cell.task.version,
        "problem_limit": cell.limit,
        **made_columns(facts, made),
    }


def question(facts: Mapping[str, Any]) -> str:
    """The fingerprint of what is asked, whoever is asked."""
    return fingerprint({name: facts.get(name) for name in ("task", "limit", "asked")})


def _training(cell: TaskCell) -> dict[str, Any]:
    """Whether the cell's model is trained, and from which seed."""
    change: object = cell.intervention
    if not isinstance(change, Tunes):
        return {"trained": 0}
    seed: object = change.seed
    fits = isinstance(seed, int) and abs(seed) < 2**63
    return {"trained": 1, "training_seed": seed if fits else None}


def outcome_columns(scores: Outcome) -> dict[str, Any]:
    """What came of it."""
    if isinstance(scores, Skip | Failure):
        return why_not(scores)
    assert isinstance(scores, TaskScores)
    answer, share = scores.constant
    return {
        "outcome": "scores",
        "accuracy": scores.accuracy,
        "low": scores.interval.low,
        "high": scores.interval.high,
        "interval_level": scores.interval.level,
        "interval_method": scores.interval.method,
        "items": len(scores.items),
        "problems": scores.groups,
        "chance": scores.chance,
        "constant_answer": answer,
        "constant_accuracy": share,
        "greedy_accuracy": scores.greedy_accuracy,
        "people_accuracy": scores.details.get("accuracy") if "people" in scores.details else None,
        "by_condition": json.dumps({name: dict(values) for name, values in scores.by.items()}),
        "details": json.dumps(dict(scores.details), allow_nan=False),
    }


def _item_row(position: int, item: TaskItem) -> tuple[Any, ...]:
    chosen = bool(item.choices)
    return (
        position,
        item.id,
        item.group,
        int(item.correct),
        item.answer,
        item.expected,
        item.greedy,
        json.dumps(item.choices) if chosen else None,
        json.dumps(item.log_likelihoods) if chosen else None,
        item.prompt_hash,
    )
