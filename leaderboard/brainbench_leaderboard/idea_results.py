"""Records of ideas, and the validity of scorers, in the database: rows in, rows out.

The caller holds the transaction.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sqlite_utils import Database

from brainbench.ideas import Idea, IdeaScores
from brainbench.identity import fingerprint
from brainbench.plan import ScorerCell, needs_dataset
from brainbench.records import Failure, Outcome, Record, Skip
from brainbench_leaderboard.columns import insert_row, made_columns, why_not

if TYPE_CHECKING:
    from brainbench.validity import Validity

Row = dict[str, Any]
_ORDER = (
    "dataset, dataset_version, scorer, helper, scorer_version, sampling, rank IS NULL, "
    "intervention != 'none', rank, score DESC, model, intervention, started, fingerprint"
)
_QUESTION = ("dataset", "questions", "scorer", "helper", "ideas", "asked", "schema")


def insert(db: Database, record: Record) -> None:
    """Add a record of ideas, with every text."""
    insert_with_texts(db, {**_columns(record), **outcome_columns(record.outcome)}, record.outcome)


def insert_with_texts(db: Database, row: Row, scores: Outcome) -> None:
    """Add a row and the texts of its outcome."""
    inserted = insert_row(db, "idea_records", row)
    if isinstance(scores, IdeaScores):
        rows = [
            (inserted, at, idea.item, scores.about.get(idea.item, ""), idea.draw, idea.seed, idea.text, score)
            for at, (idea, score) in enumerate(zip(scores.ideas, scores.scores, strict=True))
        ]
        db.conn.executemany("INSERT INTO ideas VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)


def standings(db: Database) -> Iterator[Row]:
    """All rows of `idea_standings`, best first for a dataset and scorer, JSON read."""
    for row in db.query(f"SELECT * FROM idea_standings ORDER BY {_ORDER}"):
        read = {name: json.loads(row[name] or "{}") for name in ("sampling", "details")}
        yield {**row, **read}


def mean_by_item(db: Database, found: str) -> dict[str, float]:
    """The mean over the scored texts of each item of a record that has any."""
    query = (
        "SELECT i.item, avg(i.score) FROM ideas i JOIN idea_records r ON r.id = i.record_id"
        " WHERE r.fingerprint = ? AND i.score IS NOT NULL GROUP BY i.item ORDER BY min(i.position)"
    )
    return dict(db.execute(query, [found]).fetchall())


def means_by_item(db: Database, fingerprints: Sequence[str]) -> dict[str, dict[str, float]]:
    """The same of many records."""
    query = (
        "SELECT r.fingerprint, i.item, avg(i.score) FROM json_each(?) asked"
        " JOIN idea_records r ON r.fingerprint = asked.value JOIN ideas i ON i.record_id = r.id"
        " WHERE i.score IS NOT NULL GROUP BY r.id, i.item"
    )
    found: dict[str, dict[str, float]] = {}
    for record, item, mean in db.execute(query, [json.dumps(list(fingerprints))]):
        found.setdefault(record, {})[item] = mean
    return found


def ideas(db: Database, found: str) -> tuple[tuple[Idea, str, float | None], ...]:
    """Every text of a record, with what it is about and its score, if it has one."""
    query = (
        "SELECT i.item, i.draw, i.seed, i.text, i.about, i.score FROM ideas i"
        " JOIN idea_records r ON r.id = i.record_id WHERE r.fingerprint = ? ORDER BY i.position"
    )
    return tuple((Idea(*idea), about, score) for *idea, about, score in db.execute(query, [found]))


def insert_validity(
    db: Database, validity: Validity, helper: str, facts: Mapping[str, Any], provenance: Mapping[str, Any]
) -> bool:
    """Keep how valid a scorer of these facts is, unless what is there is of more responses; whether so."""
    key = fingerprint(dict(facts))
    kept = validity_of(db, key)
    if kept is not None and kept["responses"] > validity.responses:
        return False
    db.execute("DELETE FROM validities WHERE fingerprint = ?", [key])
    columns = told_columns(validity.facts(), facts, provenance)
    insert_row(db, "validities", {"fingerprint": key, "helper": helper, **columns})
    return True


def told_columns(told: Mapping[str, Any], facts: Mapping[str, Any], provenance: Mapping[str, Any]) -> Row:
    """The columns of `validities` beside fingerprint and helper; `told`: by `Validity.facts`."""
    nothing = {"r": None, "low": None, "high": None}
    within, over = told["by_object_mean"] or nothing, told["pearson"]
    return {
        "scorer": told["scorer"],
        "scorer_version": told["version"],
        **{name: told[name] for name in ("responses", "held_out", "unscored")},
        "pearson": over["r"],
        "low": over["low"],
        "high": over["high"],
        "interval_level": told["level"],
        "spearman": told["spearman"]["r"],
        "by_object": within["r"],
        "by_object_low": within["low"],
        "by_object_high": within["high"],
        "details": json.dumps(told, allow_nan=False),
        "facts": json.dumps(dict(facts), allow_nan=False, sort_keys=True),
        "provenance": json.dumps(dict(provenance), allow_nan=False, default=str),
    }


def validity_of(db: Database, key: str) -> Row | None:
    """The row of a scorer in `validities`, JSON read; None where it was not validated."""
    for row in db.query("SELECT * FROM validities WHERE fingerprint = ?", [key]):
        return {**row, **{name: json.loads(row[name]) for name in ("details", "facts", "provenance")}}
    return None


def _columns(record: Record) -> Row:
    cell, facts, made = record.cell, record.facts, record.provenance
    assert isinstance(cell, ScorerCell)
    asks = cell.dataset if not cell.scorer.questions else None
    learnt = cell.dataset if needs_dataset(cell.intervention) else None
    return {
        "fingerprint": record.fingerprint,
        "question": question(facts),
        "resolved": int(record.resolved),
        "model": cell.model.name,
        "intervention": cell.intervention.name,
        "learnt_from": learnt.name if learnt else None,
        "seed": cell.options.seed,
        "baseline": int(cell.baseline),
        "dataset": asks.name if asks else None,
        "dataset_version": asks.version if asks else None,
        "simulated": int(asks.simulated) if asks else 0,
        "scorer": cell.scorer.name,
        "helper": cell.helper.name,
        "scorer_version": cell.scorer.version,
        "scorer_fingerprint": None if facts.get("unidentified") else fingerprint(facts["scorer"]),
        "scale_low": float(cell.scorer.scale[0]),
        "scale_high": float(cell.scorer.scale[1]),
        **made_columns(facts, made),
    }


def question(facts: Mapping[str, Any]) -> str:
    """The fingerprint of what is asked and by what it is scored, whoever is asked."""
    return fingerprint({name: facts[name] for name in _QUESTION if name in facts})


def outcome_columns(scores: Outcome) -> Row:
    """What came of it."""
    if isinstance(scores, Skip | Failure):
        return why_not(scores)
    assert isinstance(scores, IdeaScores)
    return {
        "outcome": "scores",
        "score": scores.score,
        "low": scores.interval.low,
        "high": scores.interval.high,
        "interval_level": scores.interval.level,
        "interval_method": scores.interval.method,
        "items": len(scores.by_item),
        "texts": len(scores.ideas),
        "unscored": scores.unscored,
        "details": json.dumps(dict(scores.details), allow_nan=False),
    }
