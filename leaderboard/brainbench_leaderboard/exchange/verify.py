"""Some of the records, computed again here and compared down to each layer, person and answer."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from brainbench.nouns import Reporter
from brainbench.plan import AnyCell, Plan
from brainbench.records import Failure, Record
from brainbench.runner import run
from brainbench_leaderboard.exchange import rows, sources, writing
from brainbench_leaderboard.exchange.agreement import TOLERANCE, differences, values_of
from brainbench_leaderboard.exchange.cells import Cells
from brainbench_leaderboard.exchange.checking import require_agreement
from brainbench_leaderboard.exchange.diff import by_fingerprint, headline, names_of
from brainbench_leaderboard.exchange.format import Document
from brainbench_leaderboard.exchange.outcomes import outcome_of
from brainbench_leaderboard.exchange.plain_json import Refused
from brainbench_leaderboard.exchange.reading import Found
from brainbench_leaderboard.store import Leaderboard


@dataclass(frozen=True)
class Verdict:
    """What came of one record: `said` and `found` are headlines, `values` how many values were compared.

    reason: of what differs the first value and by how much; of what was not computed again, why.
    """

    names: dict[str, Any]
    outcome: Literal["agrees", "differs", "not computed"]
    said: float | str | None = None
    found: float | str | None = None
    values: int = 0
    largest: float = 0.0
    reason: str = ""


def verify(  # noqa: PLR0913 - what is drawn, and how it is compared
    path: Path,
    cells: Cells,
    reporter: Reporter,
    *,
    sample: int | None = None,
    seed: int = 0,
    tolerance: float = TOLERANCE,
    against: Path | None = None,
) -> Iterator[Verdict]:
    """Compute records of a folder or database again, all or a random `sample` of them.

    First those that cannot be, then each as it is finished. `against`: another source, whose records are
    left out where they say the very same. Raises StoreError for what is no such source.
    """
    held = {} if against is None else by_fingerprint(sources.read(against).records)
    chosen = _sample([one for one in sources.read(path).records if not _in(held, one)], sample, seed)
    again: list[tuple[AnyCell, Document]] = []
    for document in chosen:
        try:
            require_agreement(document)
            if document["kind"] != "validity":
                outcome_of(document)
            again.append((cells.of(document), document))
        except Refused as refused:
            where = f"{refused.where}: " if refused.where else ""
            yield Verdict(names_of(document), "not computed", reason=f"{where}{refused.reason}")
    asked = {document["fingerprint"]: document for _, document in again}
    with tempfile.TemporaryDirectory() as folder, Leaderboard(Path(folder) / "again.db") as store:
        for result in run(Plan(tuple(cell for cell, _ in again)), reporter=reporter):
            if isinstance(result, Record):
                said = asked.get(result.fingerprint)
                if said is not None:
                    yield _verdict(said, result, store, tolerance)


def _in(held: dict[str, Document], found: Found) -> bool:
    """Whether it stands there with the same values."""
    there = held.get(found.document["fingerprint"])
    return there is not None and not differences(there, found.document, 0.0)


def _sample(records: list[Found], sample: int | None, seed: int) -> list[Document]:
    """Those drawn, one model's behind each other: each is opened once."""
    known = sorted((found.document for found in records), key=lambda one: str(one["fingerprint"]))
    if sample is not None and sample < len(known):
        known = random.Random(seed).sample(known, sample)
    return sorted(known, key=lambda one: (str(one.get("model", "")), str(one["fingerprint"])))


def _verdict(said: Document, result: Record, store: Leaderboard, tolerance: float) -> Verdict:
    names = names_of(said)
    if isinstance(result.outcome, Failure):
        return Verdict(names, "not computed", reason=f"it failed here: {result.outcome.message.rstrip('.')}")
    store.add(result)
    found = rows.document(store.db, writing.TABLES[said["kind"]], result.fingerprint)
    if found is None:
        return Verdict(names, "not computed", reason="it is another record here")
    one, other = values_of(said), values_of(found)
    apart = [abs(a - b) for name, a in one.items() if _both(a, b := other.get(name))]  # type: ignore[operator]
    heads = (headline(said), headline(found))
    if differing := differences(said, found, tolerance):
        which, theirs, ours = differing[0]
        reason = f"{len(differing)} values, first {which}: {ours!r:.60} instead of {theirs!r:.60}"
        return Verdict(names, "differs", *heads, len(one), max(apart, default=0.0), reason)
    return Verdict(names, "agrees", *heads, len(one), max(apart, default=0.0))


def _both(one: object, other: object) -> bool:
    return isinstance(one, int | float) and isinstance(other, int | float)
