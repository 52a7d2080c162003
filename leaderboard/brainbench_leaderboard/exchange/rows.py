"""Records of a database as documents: all that a file holds of them, and nothing of a machine."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from sqlite_utils import Database

from brainbench_leaderboard.exchange.format import Document
from brainbench_leaderboard.exchange.plain_json import Refused, parsed
from brainbench_leaderboard.exchange.told_outcomes import Provenance, Run

Row = dict[str, Any]
TABLES = ("records", "task_records", "idea_records")
_FINISHED = "resolved AND outcome != 'failure'"
_MODEL = ("fingerprint", "model", "revision", "intervention", "seed")
_METRIC = (
    *("dataset", "dataset_version", "region", "region_position", "item_set", "item_set_position"),
    *("metric", "protocol", "metric_version"),
)
_TASK = ("learnt_from", "training_seed", "task", "task_version", "problem_limit")
_IDEAS = (
    *("learnt_from", "dataset", "dataset_version", "scorer", "helper", "scorer_version"),
    *("scale_low", "scale_high"),
)


def keys(db: Database) -> Iterator[tuple[str, str]]:
    """Table and fingerprint of every finished record whose identity is known, and of every validity."""
    for table in TABLES:
        query = f"SELECT fingerprint FROM {table} WHERE {_FINISHED} ORDER BY fingerprint"
        yield from [(table, found) for (found,) in db.execute(query).fetchall()]
    for (found,) in db.execute("SELECT fingerprint FROM validities ORDER BY fingerprint").fetchall():
        yield "validities", found


def unfinished(db: Database) -> tuple[int, int]:
    """How many failures there are, and how many other records of which not all could be identified."""
    counts = [0, 0]
    for table in TABLES:
        query = f"SELECT outcome = 'failure', count(*) FROM {table} WHERE NOT ({_FINISHED}) GROUP BY 1"
        for failed, count in db.execute(query):
            counts[0 if failed else 1] += count
    return counts[0], counts[1]


def document(db: Database, table: str, fingerprint: str) -> Document | None:
    """One finished record or validity; None where there is none. Raises Refused for rows that do not fit."""
    finished = "" if table == "validities" else f" AND {_FINISHED}"
    query = f"SELECT * FROM {table} WHERE fingerprint = ?{finished}"
    try:
        for row in db.query(query, [fingerprint]):
            return {"records": _score, "task_records": _task, "idea_records": _ideas}.get(table, _validity)(
                db, row
            )
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise Refused("its rows do not fit together", table) from error
    return None


def _read(row: Row, column: str) -> Any:
    try:
        return parsed(row[column].encode("utf-8", "surrogatepass"))
    except (Refused, AttributeError) as error:
        raise Refused(f"its {column} are no plain JSON", row["fingerprint"]) from error


def _base(row: Row, names: tuple[str, ...], kind: str) -> Document:
    return {
        **{name: row[name] for name in names},
        "kind": kind,
        "facts": _read(row, "facts"),
        "provenance": _provenance(_read(row, "provenance"), row),
    }


def _provenance(made: Any, row: Row) -> Document:
    """What the format knows of it; the columns of a row say how it was run, whatever the rest."""
    columns = ("device", "dtype", "brainbench", "git_commit", "started", "seconds")
    said = {name: row[name] for name in columns if row.get(name) is not None}
    known = _fields({**made, **said}, Provenance)
    if isinstance(known.get("helper"), dict):
        known["helper"] = _fields(known["helper"], Run)
    return known


def _fields(made: Any, model: type[Run]) -> Document:
    return {name: made[name] for name in model.model_fields if name in made and made[name] is not None}


def _skip(row: Row) -> Document:
    return {"type": "skip", "reason": row["reason"]}


def _score(db: Database, row: Row) -> Document:
    kind = row["kind"]
    names = (*_MODEL, *_METRIC) if kind == "score" else ("fingerprint", *_METRIC)
    made = {**_base(row, names, kind), "simulated": bool(row["simulated"])}
    return {**made, "outcome": _skip(row) if row["outcome"] == "skip" else _scored(db, row)}


def _scored(db: Database, row: Row) -> Document:
    query = "SELECT position, layer, score, spread, unscored FROM layer_scores WHERE record_id = ? ORDER BY 1"
    layers = db.execute(query, [row["id"]]).fetchall()
    query = "SELECT position, participant, score FROM participant_scores WHERE record_id = ? ORDER BY rowid"
    people: dict[int, dict[str, float]] = {}
    for position, person, score in db.execute(query, [row["id"]]):
        people.setdefault(position, {})[person] = score
    best = next((at for at, layer, *_ in layers if layer == row["best_layer"]), None)
    names = list(people.get(best, {})) if best is not None else []
    per_item = json.loads(row["per_item"]) if row["per_item"] else None
    return {
        "type": "scores",
        **{name: row[name] for name in ("score", "best_layer", "choice", "spread_kind", "like_for_like")},
        "people": names,
        "layers": [
            {"layer": layer, "score": score, "spread": spread, "people": [people[at][n] for n in names]}
            for at, layer, score, spread, unscored in layers
            if unscored is None
        ],
        "unscored": {layer: unscored for _, layer, _, _, unscored in layers if unscored is not None},
        "per_item": per_item and {name: per_item[name] for name in ("items", "scores")},
        "details": _read(row, "details"),
    }


def _task(db: Database, row: Row) -> Document:
    made = {
        **_base(row, (*_MODEL, *_TASK), "task"),
        **{name: bool(row[name]) for name in ("baseline", "trained")},
    }
    return {**made, "outcome": _skip(row) if row["outcome"] == "skip" else _answered(db, row)}


def _answered(db: Database, row: Row) -> Document:
    found = db.query("SELECT * FROM task_items WHERE record_id = ? ORDER BY position", [row["id"]])
    own = ("answer", "expected", "prompt_hash", "greedy")
    return {
        "type": "scores",
        "accuracy": row["accuracy"],
        "items": [
            {
                "id": item["item"],
                "group": item["problem"],
                "correct": bool(item["correct"]),
                **{name: item[name] for name in own},
                "choices": json.loads(item["choices"] or "[]"),
                "log_likelihoods": json.loads(item["log_likelihoods"] or "[]"),
            }
            for item in found
        ],
        "by": json.loads(row["by_condition"] or "{}"),
        "details": _read(row, "details"),
    }


def _ideas(db: Database, row: Row) -> Document:
    made = {
        **_base(row, (*_MODEL, *_IDEAS), "ideas"),
        **{name: bool(row[name]) for name in ("baseline", "simulated")},
    }
    return {**made, "outcome": _skip(row) if row["outcome"] == "skip" else _judged(db, row)}


def _judged(db: Database, row: Row) -> Document:
    query = "SELECT item, about, draw, seed, text, score FROM ideas WHERE record_id = ? ORDER BY position"
    return {
        "type": "scores",
        "score": row["score"],
        "texts": list(db.query(query, [row["id"]])),
        "details": _read(row, "details"),
    }


def _validity(db: Database, row: Row) -> Document:
    del db
    names = ("fingerprint", "scorer", "helper", "scorer_version")
    return {**_base(row, names, "validity"), "outcome": _read(row, "details")}
