"""What a board knows of a dataset: its card, people, files, and what comes without a trained model."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from brainbench.cards import DatasetCard
from brainbench.text import plain
from brainbench_leaderboard.analyses.entries import base_of
from brainbench_leaderboard.site import table_places
from brainbench_leaderboard.site.board import Board
from brainbench_leaderboard.ties import is_changed
from brainbench_leaderboard.values import Row, Value, short_name
from brainbench_leaderboard.view import Entry, Section, Table, tables

BEST = 10  # models in a short ranking


@dataclass(frozen=True, slots=True)
class Limits:
    """For one set of items, by region: what people reach, what dull predictors do, who is above these.

    ceilings, dull: a name and a value a region. best: of each region the best dull predictor's name. above:
    of each region how many models as they are stand above it, and with how many of them the interval does.
    """

    items: str
    ceilings: tuple[tuple[str, tuple[Value, ...]], ...]
    dull: tuple[tuple[str, tuple[Value, ...]], ...]
    best: tuple[str, ...]
    above: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Question:
    """A metric on the dataset: where its table is, its ceilings, dull predictors and best models.

    choices: how the ceilings were taken. ranking: of all items in the first region.
    """

    path: str
    table: Table
    metric: str
    choices: tuple[str, ...]
    limits: tuple[Limits, ...]
    ranking: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Dataset:
    """What its page shows. files: version, region and what decides the data there, as far as it was told."""

    name: str
    base: str
    card: DatasetCard | None
    simulated: bool
    people: str
    regions: tuple[str, ...]
    item_sets: tuple[str, ...]
    models: int
    files: tuple[tuple[int, str, str], ...]
    questions: tuple[Question, ...]
    ideas: tuple[tuple[str, str], ...]


def datasets(board: Board) -> list[Dataset]:
    """All that there are results of, by name."""
    return [_dataset(board, name) for name in board.datasets]


def is_address(source: str) -> bool:
    """Whether a source may be a link: nothing but an https address is."""
    parts = urlsplit(source)
    return parts.scheme == "https" and bool(parts.netloc) and source.isprintable() and " " not in source


def _dataset(board: Board, name: str) -> Dataset:
    rows = [row for row in board.scores if row["dataset"] == name]
    ideas = [row for row in board.ideas if row["dataset"] == name]
    card = board.cards.datasets.get(name) or board.cards.datasets.get(base_of(name))
    scored = [row for row in rows if row["participants"] is not None]
    by_models = [row for row in scored if not row["baseline"]]  # a dull predictor may lack some people
    people = sorted({row["participants"] for row in by_models or scored})
    scorers = {table_places.idea_table(row): f"{row['scorer']} with {row['helper']}" for row in ideas}
    return Dataset(
        name,
        base_of(name),
        card if isinstance(card, DatasetCard) else None,
        any(row["simulated"] for row in (*rows, *ideas)),
        "" if not people else str(people[0]) if len(people) == 1 else f"{people[0]} to {people[-1]}",
        _ordered(rows, "region"),
        _ordered(rows, "item_set"),
        len({row["model"] for row in (*rows, *ideas) if not row["baseline"]}),
        _files(board, rows),
        tuple(map(_question, tables(rows))),
        tuple(scorers.items()),
    )


def _ordered(rows: Sequence[Row], column: str) -> tuple[str, ...]:
    ordered = sorted(rows, key=lambda row: int(row[f"{column}_position"]))
    return tuple(dict.fromkeys(plain(row[column]) for row in ordered))


def _files(board: Board, rows: Iterable[Row]) -> tuple[tuple[int, str, str], ...]:
    """Facts of a submission may be anything: what is no text is left out."""
    found: dict[tuple[int, str, str], None] = {}
    for row in rows:
        facts = board.sources.get(row["fingerprint"], {}).get("facts", {})
        told = facts.get("dataset") if isinstance(facts, dict) else None
        data = told.get("data") if isinstance(told, dict) else None
        if isinstance(data, str):
            found[row["dataset_version"], plain(row["region"]), plain(data)] = None
    return tuple(sorted(found))


def _question(table: Table) -> Question:
    rows = [row for section in table.sections for entry in section.lines for row in entry.rows]
    choices = dict.fromkeys(plain(row["ceiling_choice"]) for row in rows if row["ceiling_choice"])
    first = table.sections[0]
    return Question(
        table_places.score_table(rows[0]),
        table,
        f"{rows[0]['metric']}/{rows[0]['protocol']}",
        tuple(choices),
        tuple(_limits(section, table.regions) for section in table.sections),
        tuple(entry for entry in first.entries if entry.rank != "-")[:BEST],
    )


def _limits(section: Section, regions: Sequence[str]) -> Limits:
    """All dull predictors that every run has, and of random weights those that are best somewhere."""
    best = tuple(value.beside for value in section.best_dull)
    dull = [
        (name, entry.values)
        for entry in section.baselines
        if (name := short_name(entry.rows[0]["model"])) in best or entry.rows[0]["model_kind"] == "baseline"
    ]
    rows = [row for entry in section.entries for row in entry.rows if not is_changed(row)]
    above = tuple(_above([row for row in rows if plain(row["region"]) == region]) for region in regions)
    return Limits(section.items, tuple(section.ceilings.items()), tuple(dull), best, above)


def _above(rows: Sequence[Row]) -> str:
    known = [row for row in rows if row["above_by"] is not None]
    if not known:
        return "not known"
    above = sum(row["above_by"] > 0 for row in known)
    sure = sum(row["above_low"] is not None and row["above_low"] > 0 for row in known)
    return f"{above} of {len(known)}" + (f", {sure} by their interval" if above else "")
