"""Everything of one model as JSON, for people and their programs: data/models/<slug>.json."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from brainbench_leaderboard.site import places
from brainbench_leaderboard.site.board import Board
from brainbench_leaderboard.site.model_rows import Own, facts_of, made_of
from brainbench_leaderboard.stored_scores import Array
from brainbench_leaderboard.values import Row

SCHEMA = 1
LARGEST = 4_000_000  # characters of a file
_DIGITS = 6  # of scores by layer and person
_ITS_OWN = ("started", "seconds", "features_seconds")  # of one record: these stand in its row
_PARTS = ("ideas", "per_person", "layers", "facts")  # what goes first where a file would be too large
_JSON = ("sampling", "parameters")  # columns of scores that are JSON


def path(name: str) -> str:
    """Where a model's data lie in the site."""
    return f"data/models/{places.slug(name)}.json"


def text(board: Board, own: Own) -> str:
    """The file: one record a line. `left_out` names what would make it too large."""
    made: dict[str, int] = {}
    records = [_record(board, kind, row, made) for kind, row in own.rows]
    head = {
        "schema": SCHEMA,
        "model": own.name,
        "brainbench": board.brainbench,
        "made": board.made,
        "made_with": [json.loads(one) for one in made],
    }
    for dropped in range(len(_PARTS) + 1):
        left_out = list(_PARTS[:dropped])
        lines = [_line(_without(record, left_out)) for record in records]
        if sum(map(len, lines)) <= LARGEST or dropped == len(_PARTS):
            break
    fields = [f"{_line(name)}: {_line(value)}" for name, value in {**head, "left_out": left_out}.items()]
    return "{\n" + ",\n".join([*fields, '"records": [\n' + ",\n".join(lines) + "\n]"]) + "\n}\n"


def _record(board: Board, kind: str, row: Row, made: dict[str, int]) -> dict[str, Any]:
    told = {name: value for name, value in made_of(board, row).items() if name not in _ITS_OWN}
    with_what = made.setdefault(_line(told), len(made))
    record = {**row, "kind": kind, "made_with": with_what, "facts": facts_of(board, row)}
    for name in _JSON:
        if isinstance(record.get(name), str):
            record[name] = json.loads(record[name])
    if row["outcome"] != "scores" or kind == "task":
        return record
    if kind == "ideas":
        texts = board.texts(row["fingerprint"])
        record["ideas"] = [
            {"item": idea.item, "about": about, "draw": idea.draw, "text": idea.text, "score": score}
            for idea, about, score in texts
        ]
        return record
    found = board.layers(row["fingerprint"])
    record["layers"] = {"names": found.layers, "scores": _rounded(found.scores), "people": found.people}
    record["per_person"] = _rounded(found.per_person)
    return record


def _without(record: Mapping[str, Any], parts: list[str]) -> dict[str, Any]:
    return {name: value for name, value in record.items() if name not in parts}


def _rounded(scores: Array) -> Any:
    """As lists; what could not be scored is null."""
    if scores.ndim > 1:
        return [_rounded(row) for row in scores]
    return [float(f"{x:.{_DIGITS}g}") if math.isfinite(x) else None for x in scores.tolist()]


def _finite(value: Any) -> Any:
    """The same with null for numbers that JSON cannot tell."""
    if isinstance(value, Mapping):
        return {str(name): _finite(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _line(value: Any) -> str:
    try:
        return _ENCODER.encode(value)
    except ValueError:  # seldom: what others wrote may hold what JSON cannot tell
        return _ENCODER.encode(_finite(value))


_ENCODER = json.JSONEncoder(allow_nan=False, separators=(", ", ": "))
