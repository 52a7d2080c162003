"""Whether two records of one fingerprint say the same, and where and by how much they differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from brainbench.identity import canonical
from brainbench_leaderboard.exchange.format import Document

TOLERANCE = 1e-3  # what other hardware and library versions do to a number; larger ones: in proportion
Values = dict[str, float | str | None]


def values_of(document: Document) -> Values:
    """Every number and answer of an outcome by what it is of, the headline first."""
    told = document["outcome"]
    if told.get("type") == "skip":
        return {"outcome": "skip"}
    if document["kind"] == "validity":
        names = ("pearson", "spearman", "by_object_mean")
        counts = {name: str(told[name]) for name in ("responses", "held_out")}
        return {**{name: (told[name] or {}).get("r") for name in names}, **counts}
    makes = {"task": _answers, "ideas": _texts}.get(document["kind"], _scores)
    return dict(makes(told))


def _scores(told: Mapping[str, Any]) -> Iterator[tuple[str, float | str | None]]:
    yield "score", told["score"]
    yield "like for like", told["like_for_like"]
    for layer in told["layers"]:
        yield f"layer {layer['layer']}", layer["score"]
        for person, score in zip(told["people"], layer["people"], strict=True):
            yield f"layer {layer['layer']}, {person}", score


def _answers(told: Mapping[str, Any]) -> Iterator[tuple[str, float | str | None]]:
    yield "accuracy", told["accuracy"]
    for item in told["items"]:
        yield f"item {item['id']}", item["answer"]
        yield f"item {item['id']}, right", str(item["correct"])


def _texts(told: Mapping[str, Any]) -> Iterator[tuple[str, float | str | None]]:
    yield "score", told["score"]
    for text in told["texts"]:
        which = f"item {text['item']}, draw {text['draw']}"
        yield which, text["text"]
        yield f"{which}, score", text["score"]


def differences(
    first: Document, second: Document, tolerance: float = TOLERANCE
) -> list[tuple[str, float | str | None, float | str | None]]:
    """What differs beyond the tolerance: of what, the value in the first and in the second."""
    one, other = values_of(first), values_of(second)
    names = [*one, *(name for name in other if name not in one)]
    pairs = [(name, one.get(name), other.get(name)) for name in names]
    return [pair for pair in pairs if not same(pair[1], pair[2], tolerance)]


def same(one: float | str | None, other: float | str | None, tolerance: float) -> bool:
    """Equal words; numbers that are apart by no more than the tolerance, of large ones its share."""
    if isinstance(one, str) or isinstance(other, str) or one is None or other is None:
        return one == other
    return abs(one - other) <= tolerance * max(1.0, abs(one), abs(other))


def age(document: Document) -> tuple[str, str]:
    """By which the older of two records is found, wherever and in whatever order they are met."""
    return document["provenance"]["started"], canonical(document)
