"""Several people's results in one database: all of it is checked before any of it is written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sqlite_utils import Database

from brainbench.text import plain
from brainbench_leaderboard.exchange import rows, sources, writing
from brainbench_leaderboard.exchange.agreement import age, differences
from brainbench_leaderboard.exchange.checking import require_agreement
from brainbench_leaderboard.exchange.diff import headline
from brainbench_leaderboard.exchange.format import Document
from brainbench_leaderboard.exchange.known import Known
from brainbench_leaderboard.exchange.outcomes import outcome_of
from brainbench_leaderboard.exchange.plain_json import Refused
from brainbench_leaderboard.exchange.private import without_places
from brainbench_leaderboard.exchange.reading import Found, refusal
from brainbench_leaderboard.store import Leaderboard
from brainbench_leaderboard.store_file import explained

HERE = "the database"


@dataclass
class Merged:
    """How many records were new, were there, and replaced what was there.

    refused, changed: sentences, one for each record refused, and for each that replaced another score.
    """

    added: int = 0
    there: int = 0
    replaced: int = 0
    refused: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    left_out: sources.Reasons = field(default_factory=Counter)


def merge(paths: Sequence[Path], path: Path, known: Known) -> Merged:
    """Merge folders and databases into a results file, which is made if there is none.

    What has one fingerprint and agrees is one record: the oldest of them is kept, whatever the order. Scores
    are kept rather than a skip. What contradicts the record in the database is refused, and so are records
    of several sources that contradict each other. Raises StoreError, with nothing written, for whatever is
    not as it should be.
    """
    made = Merged()
    groups: dict[tuple[str, str], list[Found]] = {}
    for one in dict.fromkeys(paths):
        source = checked(one, known)
        made.left_out += source.left_out
        for record in source.records:
            key = (writing.TABLES[record.document["kind"]], record.document["fingerprint"])
            groups.setdefault(key, []).append(record)
    with Leaderboard(path) as store, explained(path), store.writing():
        for (table, fingerprint), found in sorted(groups.items()):
            _take(store.db, _existing(store.db, table, fingerprint), found, made)
    return made


def checked(path: Path, known: Known) -> sources.Source:
    """A source whose every record holds what it says; raises StoreError."""
    source = sources.read(path)
    seen: dict[str, Found] = {}
    for found in source.records:
        try:
            check(found.document, known)
            if (first := seen.setdefault(found.document["fingerprint"], found)) is not found:
                raise Refused(f"the same record stands in {first.where}", "fingerprint")
        except Refused as refused:
            raise refusal(found.where, refused) from refused
    return source


def check(document: Document, known: Known) -> None:
    """Raise Refused unless a record of the format agrees with its facts, its values and what is known."""
    require_agreement(document)
    known.require(document)
    if document["kind"] != "validity":
        outcome_of(document)


def _existing(db: Database, table: str, fingerprint: str) -> Found | None:
    """What the database has, as it would be sent."""
    if (held := rows.document(db, table, fingerprint)) is None:
        return None
    try:
        return Found(HERE, without_places(held))
    except Refused:  # a place in its facts: it is compared as it is
        return Found(HERE, held)


def _take(db: Database, existing: Found | None, found: list[Found], made: Merged) -> None:
    """Write what is to be kept of the records with one fingerprint."""
    best, refused = chosen(existing, found)
    made.refused += refused
    if best is None:
        return
    if best is existing or (existing and best.document == existing.document):
        made.there += len(refused) < len(found)  # of those, some agree with it
        return
    writing.remove(db, best.document)
    writing.insert(db, best.document)
    if existing:
        made.replaced += 1
        was, now = headline(existing.document), headline(best.document)
        if was != now:  # each within the tolerance, many of them would lead anywhere unseen
            made.changed.append(plain(f"{best.where}: {_short(was)} is now {_short(now)}."))
    else:
        made.added += 1


def chosen(existing: Found | None, found: Sequence[Found]) -> tuple[Found | None, list[str]]:
    """The record to keep, and a sentence for each that is refused; the same for every order of `found`."""
    several = [*([existing] if existing else []), *sorted(found, key=lambda one: age(one.document))]
    weightiest = max(_weight(one.document) for one in several)
    pool = [one for one in several if _weight(one.document) == weightiest]
    first, others = pool[0], pool[1:]
    contradicting = [one for one in others if differences(first.document, one.document)]
    sentences = [_contradiction(first, one) for one in contradicting]
    if contradicting and first is not existing:  # nobody can tell which of the sources is right
        return existing, sentences
    agreeing = [one for one in pool if one not in contradicting]
    return min(agreeing, key=lambda one: age(one.document)), sentences


def _weight(document: Document) -> int:
    """Scores tell more than a skip; a validity of more responses more than one of fewer."""
    told = document["outcome"]
    if document["kind"] == "validity":
        return int(told["responses"])
    return int(told["type"] == "scores")


def _contradiction(first: Found, other: Found) -> str:
    where, one, two = differences(first.document, other.document)[0]
    kept = "the database's is kept" if first.where == HERE else "neither is taken"
    return plain(
        f"{other.where} contradicts {first.where}: {where} is {_short(two)} instead of {_short(one)}; {kept}."
    )


def _short(value: float | str | None) -> str:
    return f"{value:.6g}" if isinstance(value, float) else repr(value)[:60]
