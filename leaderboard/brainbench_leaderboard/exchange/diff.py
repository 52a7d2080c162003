"""What one set of results has that another lacks, and whose scores differ."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from brainbench_leaderboard.exchange import sources
from brainbench_leaderboard.exchange.agreement import TOLERANCE, differences, values_of
from brainbench_leaderboard.exchange.format import Document
from brainbench_leaderboard.exchange.reading import Found

_NAMES = (
    *("kind", "model", "revision", "intervention", "dataset", "region", "item_set", "metric", "protocol"),
    *("task", "scorer", "helper", "fingerprint"),
)


@dataclass
class Difference:
    """Records by what they are (`names_of`); `changed` also with `first`, `second`, `values` and `largest`.

    values: how many of a record's numbers and answers differ; largest: what the first of them is of.
    """

    only_first: list[dict[str, Any]]
    only_second: list[dict[str, Any]]
    changed: list[dict[str, Any]]
    same: int


def diff(first: Path, second: Path, tolerance: float = TOLERANCE) -> Difference:
    """Compare two exported folders or databases by fingerprint. Raises StoreError."""
    one, two = (by_fingerprint(sources.read(path).records) for path in (first, second))
    shared = [name for name in one if name in two]
    pairs = [(one[name], two[name], differences(one[name], two[name], tolerance)) for name in shared]
    return Difference(
        [names_of(document) for name, document in one.items() if name not in two],
        [names_of(document) for name, document in two.items() if name not in one],
        [
            {
                **names_of(a),
                "first": headline(a),
                "second": headline(b),
                "values": len(found),
                "largest": found[0][0],
            }
            for a, b, found in pairs
            if found
        ],
        sum(not found for _, _, found in pairs),
    )


def names_of(document: Document) -> dict[str, Any]:
    """What a record is of, without what it has not."""
    return {name: document[name] for name in _NAMES if document.get(name) is not None}


def headline(document: Document) -> float | str | None:
    """The score, or "skip"."""
    return next(iter(values_of(document).values()))


def by_fingerprint(records: list[Found]) -> dict[str, Document]:
    """The last of those with one fingerprint; a folder that was never merged may hold several."""
    return {found.document["fingerprint"]: found.document for found in records}
