"""The head of a model's page: what the model is, and where it stands."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from brainbench.plan import NOTHING
from brainbench.text import plain
from brainbench_leaderboard.site.board import Board
from brainbench_leaderboard.site.model_rows import (
    UNTRAINED,
    Everyone,
    Own,
    facts_of,
    kind_of,
    made_of,
    within,
)
from brainbench_leaderboard.values import Row

_COMMIT = re.compile(r"[0-9a-f]{40}")
_HUB = re.compile(r"[\w.-]+/[\w.-]+", re.ASCII)
_FAMILY = re.compile(r"(?:For[A-Z]\w*|LMHeadModel|Model)$")


@dataclass(frozen=True, slots=True)
class Revision:
    """A revision in full, where it can be looked at ("" where nowhere), and what else is to be said of it."""

    name: str
    link: str
    note: str


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a model stands on one question, and of what it is."""

    dataset: str
    simulated: bool
    metric: str
    where: str
    rank: str


@dataclass(frozen=True, slots=True)
class Head:
    """What stands on top; facts are (label, words). about: what it says of itself. dull: no model at all."""

    name: str
    kind: str
    about: str
    dull: bool
    twin: str
    facts: tuple[tuple[str, str], ...]
    revisions: tuple[Revision, ...]
    standings: tuple[Standing, ...]


def head(board: Board, everyone: Everyone, own: Own) -> Head:
    """Of one model."""
    made = [made_of(board, row) for _, row in own.rows]
    architectures = _each(told.get("architecture") for told in made)
    told = {
        "family": "; ".join(dict.fromkeys(_FAMILY.sub("", name) or name for name in architectures)),
        "architecture": "; ".join(architectures),
        "parameters": _parameters(made),
        "layers": _numbers(told.get("layers") for told in made),
        "width": _numbers(told.get("width") for told in made),
        "context": _numbers((told.get("context") for told in made), "tokens"),
        "run as": "; ".join(_each(_how(board, row) for _, row in own.rows)),
        "computed": _dates(own),
        "brainbench": "; ".join(_each(told.get("brainbench") for told in made)),
    }
    return Head(
        plain(own.name),
        kind_of(board, own),
        board.cards.models.get(own.name, ""),
        bool(own.scores) and all(row["baseline"] for row in own.scores),
        twin(everyone, own.name),
        tuple((label, words) for label, words in told.items() if words),
        tuple(revision(own.name, name) for name in _each(row["revision"] for _, row in own.rows)),
        standings(everyone, own),
    )


def twin(everyone: Everyone, name: str) -> str:
    """The untrained twin of a model, or the model that a twin is of, if the board has it; else nothing."""
    other = name.removeprefix(UNTRAINED) if name.startswith(UNTRAINED) else f"{UNTRAINED}{name}"
    return other if other in everyone.models else ""


def revision(model: str, name: str) -> Revision:
    """With a link only where a commit of the hub can be meant, and nothing else."""
    bare = model.removeprefix(UNTRAINED)
    if name.startswith("sha256:"):
        return Revision(name, "", "a hash of the model's files")
    named = _HUB.fullmatch(bare) and not any(set(part) <= {"."} for part in bare.split("/"))
    if named and _COMMIT.fullmatch(name):
        return Revision(name, f"https://huggingface.co/{bare}/tree/{name}", "a commit")
    return Revision(name, "", "")


def standings(everyone: Everyone, own: Own) -> tuple[Standing, ...]:
    """The best rank of the model as it is, in each robust metric's first region and set of items."""
    found: dict[tuple[Any, ...], Row] = {}
    for row in own.scores:
        if row["protocol"] != "robust" or row["rank"] is None or row["intervention"] != NOTHING:
            continue
        key = (row["dataset"], row["dataset_version"], row["metric"], row["metric_version"])
        if key not in found or _place(row) < _place(found[key]):
            found[key] = row
    return tuple(
        Standing(
            str(row["dataset"]),
            bool(row["simulated"]),
            f"{row['metric']}/{row['protocol']}",
            plain(f"{row['region']}, {row['item_set']} items"),
            f"rank {', '.join(everyone.rank(row))}",
        )
        for row in found.values()
    )


def _place(row: Row) -> tuple[int, int, int]:
    return row["item_set_position"], row["region_position"], row["rank"]


def _how(board: Board, row: Row) -> str:
    """Precision and pooling; nothing where neither is known."""
    pooling = within(facts_of(board, row), "model", "pooling")
    words = [str(row["dtype"] or ""), f"{pooling} pooling" if isinstance(pooling, str) else ""]
    return ", ".join(filter(None, words))


def _parameters(made: Iterable[Any]) -> str:
    with_head = {(told.get("parameters"), told.get("parameters_with_head")): None for told in made}
    return "; ".join(
        _grouped(bare) + (f" ({_grouped(full)} with its head)" if isinstance(full, int) else "")
        for bare, full in with_head
        if isinstance(bare, int)
    )


def _numbers(values: Iterable[Any], unit: str = "") -> str:
    found = dict.fromkeys(value for value in values if isinstance(value, int))
    return "; ".join(f"{_grouped(value)} {unit}".strip() for value in found)


_grouped: Callable[[int], str] = "{:,}".format


def _each(values: Iterable[Any]) -> tuple[str, ...]:
    """Each once, as text, without what is not known."""
    return tuple(dict.fromkeys(plain(value) for value in values if value not in (None, "")))


def _dates(own: Own) -> str:
    days = sorted({str(row["started"]).partition("T")[0] for _, row in own.rows if row["started"]})
    return plain(days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}") if days else ""
