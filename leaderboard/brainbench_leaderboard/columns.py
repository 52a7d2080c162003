"""A record as columns of the table `records`."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from sqlite_utils import Database

from brainbench.identity import fingerprint
from brainbench.plan import Cell
from brainbench.records import Failure, Outcome, Record, Scores, Skip


def cell_columns(record: Record) -> dict[str, Any]:
    """What was asked, of whom and how it was run."""
    cell, made = record.cell, record.provenance
    assert isinstance(cell, Cell)
    return {
        "fingerprint": record.fingerprint,
        **questions(record.facts),
        "resolved": int(record.resolved),
        "kind": cell.kind,
        "model": cell.model.name if cell.model else None,
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
        **made_columns(record.facts, made),
    }


def made_columns(facts: Mapping[str, Any], made: Mapping[str, Any]) -> dict[str, Any]:
    """Of which revision a record is, and how, when and by what it was made: the same in every table."""
    model = facts.get("model") or {}
    return {
        "revision": _text(model.get("revision")),
        "device": _text(made.get("device")),
        "dtype": _text(made.get("dtype", model.get("dtype"))),
        **{name: made.get(name) for name in ("brainbench", "git_commit", "started", "seconds")},
        "facts": json.dumps(facts, allow_nan=False, sort_keys=True),
        "provenance": json.dumps(made, allow_nan=False, default=str),
    }


def questions(facts: Mapping[str, Any]) -> dict[str, str]:
    """Fingerprints of what is asked in a cell of scores, and in that of its ceiling."""
    return {
        "question": _question(facts, *(("ideas",) if "ideas" in facts else ())),
        "ceiling_question": _question(facts),
    }


def insert_row(db: Database, table: str, row: Mapping[str, Any]) -> int | None:
    """Add a row; its id. The caller holds the transaction."""
    names, marks = ", ".join(row), ", ".join("?" * len(row))
    return db.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", list(row.values())).lastrowid


def _text(fact: Any) -> str | None:
    return None if fact is None else str(fact)


def _question(facts: Mapping[str, Any], *more: str) -> str:
    """What is asked, whoever is asked: only answers to one question may be ranked together."""
    asked = ("dataset", "region", "item_set", "metric", *more)
    return fingerprint({name: facts[name] for name in asked})


def outcome_columns(outcome: Outcome) -> dict[str, Any]:
    """What came of it."""
    if isinstance(outcome, Skip | Failure):
        return why_not(outcome)
    assert isinstance(outcome, Scores)
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
        "per_item": _per_item(outcome),
    }


def why_not(outcome: Skip | Failure) -> dict[str, Any]:
    """Why there are no scores."""
    if isinstance(outcome, Skip):
        return {"outcome": "skip", "reason": outcome.reason, "details": "{}"}
    return {
        "outcome": "failure",
        "reason": outcome.message,
        "phase": outcome.phase,
        "exception": outcome.exception,
        "hint": outcome.hint,
        "details": "{}",
    }


def _per_item(scores: Scores) -> str | None:
    """What each item adds to each person's score, as JSON: null where a person lacks the item."""
    if scores.per_item is None:
        return None
    rows = [[None if math.isnan(x) else float(f"{x:.6g}") for x in row] for row in scores.per_item.tolist()]
    return per_item_text(scores.items, scores.participants, rows)


def per_item_text(
    items: Sequence[str], participants: Sequence[str], rows: Sequence[Sequence[float | None]]
) -> str:
    """The column `per_item`."""
    return json.dumps({"items": items, "participants": participants, "scores": rows})
