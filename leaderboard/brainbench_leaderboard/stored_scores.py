"""What a scored record keeps beneath its headline: scores by person, by item and by layer."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlite_utils import Database

from brainbench.records import Outcome, Scores
from brainbench_leaderboard.columns import insert_row
from brainbench_leaderboard.margins import Cells

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class LayerScores:
    """Scores (layers x people) of each layer; NaN in the rows of layers that could not be scored.

    `scores` (layers,): each layer's score over people, as the metric takes it; NaN as above.
    """

    layers: tuple[str, ...]
    people: tuple[str, ...]
    per_person: Array
    scores: Array


def cells(db: Database, fingerprint: str) -> Cells:
    """The headline's scores by participant and, where the metric knows, by item."""
    scores = db.execute(
        "SELECT p.participant, p.score FROM records r JOIN layer_scores l"
        " ON l.record_id = r.id AND l.layer = r.best_layer JOIN participant_scores p"
        " ON p.record_id = r.id AND p.position = l.position WHERE r.fingerprint = ? ORDER BY p.rowid",
        [fingerprint],
    ).fetchall()
    people, values = tuple(name for name, _ in scores), np.array([value for _, value in scores])
    found = db.execute("SELECT per_item FROM records WHERE fingerprint = ?", [fingerprint]).fetchone()
    if found is None or found[0] is None:
        return Cells(people, values)
    kept = json.loads(found[0])
    table = np.array(kept["scores"], dtype=np.float64)  # null becomes NaN
    return Cells(people, values, tuple(kept["items"]), table)  # rows were written in the same order


def by_person(db: Database, fingerprints: Sequence[str]) -> dict[str, dict[str, float]]:
    """The headline's scores of many records by participant, as in `cells`; none for one without scores."""
    query = (
        "SELECT r.fingerprint, p.participant, p.score FROM json_each(?) asked"
        " JOIN records r ON r.fingerprint = asked.value"
        " JOIN layer_scores l ON l.record_id = r.id AND l.layer = r.best_layer"
        " JOIN participant_scores p ON p.record_id = r.id AND p.position = l.position"
    )
    found: dict[str, dict[str, float]] = {}
    for fingerprint, person, score in db.execute(query, [json.dumps(list(fingerprints))]):
        found.setdefault(fingerprint, {})[person] = score
    return found


def layer_scores(db: Database, fingerprint: str) -> LayerScores:
    """Every layer of a record, in the order in which they are shown; people in the order of their scores."""
    layers = db.execute(
        "SELECT l.position, l.layer, l.score FROM records r JOIN layer_scores l ON l.record_id = r.id"
        " WHERE r.fingerprint = ? ORDER BY l.position",
        [fingerprint],
    ).fetchall()
    rows = db.execute(
        "SELECT p.position, p.participant, p.score FROM records r JOIN participant_scores p"
        " ON p.record_id = r.id WHERE r.fingerprint = ? ORDER BY p.rowid",
        [fingerprint],
    ).fetchall()
    people = {name: at for at, name in enumerate(dict.fromkeys(name for _, name, _ in rows))}
    place = {position: at for at, (position, _, _) in enumerate(layers)}
    table = np.full((len(layers), len(people)), np.nan)
    for position, name, score in rows:
        table[place[position], people[name]] = score
    scores = np.array([np.nan if score is None else score for _, _, score in layers])
    return LayerScores(tuple(layer for _, layer, _ in layers), tuple(people), table, scores)


def insert(db: Database, row: Mapping[str, Any], outcome: Outcome) -> None:
    """Add a row of `records`, and its layers and people where it has any."""
    record_id = insert_row(db, "records", row)
    if isinstance(outcome, Scores):
        _insert_scores(db, record_id, outcome)


def _insert_scores(db: Database, record_id: int | None, scores: Scores) -> None:
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
    db.conn.executemany("INSERT INTO layer_scores VALUES (?, ?, ?, ?, ?, ?)", layers)
    db.conn.executemany("INSERT INTO participant_scores VALUES (?, ?, ?, ?)", people)
