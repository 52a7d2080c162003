"""A document as rows of the database. What can be computed from it is computed here, never taken from it."""

from __future__ import annotations

from typing import Any

from sqlite_utils import Database

from brainbench.identity import fingerprint
from brainbench_leaderboard import columns, idea_results, stored_scores, task_results
from brainbench_leaderboard.exchange.format import Document
from brainbench_leaderboard.exchange.outcomes import outcome_of

Row = dict[str, Any]
TABLES = {
    "score": "records",
    "ceiling": "records",
    "task": "task_records",
    "ideas": "idea_records",
    "validity": "validities",
}
_MODEL = ("model", "intervention", "seed")
_METRIC = (
    *("dataset", "dataset_version", "region", "region_position", "item_set", "item_set_position"),
    *("metric", "protocol", "metric_version"),
)
_TASK = ("learnt_from", "training_seed", "task", "task_version", "problem_limit")
_IDEAS = (
    *("learnt_from", "dataset", "dataset_version", "scorer", "helper", "scorer_version"),
    *("scale_low", "scale_high"),
)


def remove(db: Database, document: Document) -> None:
    """Delete what has the record's fingerprint, with all that hangs on it."""
    table = TABLES[document["kind"]]
    db.execute(f"DELETE FROM {table} WHERE fingerprint = ?", [document["fingerprint"]])


def insert(db: Database, document: Document) -> None:
    """Add a record that has passed all checks. The caller holds the transaction."""
    {"task": _task, "ideas": _ideas, "validity": _validity}.get(document["kind"], _score)(db, document)


def _row(document: Document, names: tuple[str, ...], flags: tuple[str, ...]) -> Row:
    return {
        "fingerprint": document["fingerprint"],
        "resolved": 1,
        **{name: document[name] for name in names},
        **{name: int(document[name]) for name in flags},
        **columns.made_columns(document["facts"], document["provenance"]),
    }


def _score(db: Database, document: Document) -> None:
    outcome = outcome_of(document)
    names = (*_METRIC, *_MODEL) if document["kind"] == "score" else _METRIC
    row = {
        **_row(document, ("kind", *names), ("simulated",)),
        **columns.questions(document["facts"]),
        **columns.outcome_columns(outcome),
    }
    if held := document["outcome"].get("per_item"):
        row["per_item"] = columns.per_item_text(held["items"], document["outcome"]["people"], held["scores"])
    stored_scores.insert(db, row, outcome)


def _task(db: Database, document: Document) -> None:
    outcome = outcome_of(document)
    row = {
        **_row(document, (*_MODEL, *_TASK), ("baseline", "trained")),
        "question": task_results.question(document["facts"]),
        **task_results.outcome_columns(outcome),
    }
    task_results.insert_with_items(db, row, outcome)


def _ideas(db: Database, document: Document) -> None:
    outcome, facts = outcome_of(document), document["facts"]
    row = {
        **_row(document, (*_MODEL, *_IDEAS), ("baseline", "simulated")),
        "question": idea_results.question(facts),
        "scorer_fingerprint": fingerprint(facts["scorer"]),
        **idea_results.outcome_columns(outcome),
    }
    idea_results.insert_with_texts(db, row, outcome)


def _validity(db: Database, document: Document) -> None:
    told = idea_results.told_columns(document["outcome"], document["facts"], document["provenance"])
    names = ("fingerprint", "helper")
    columns.insert_row(db, "validities", {**{name: document[name] for name in names}, **told})
