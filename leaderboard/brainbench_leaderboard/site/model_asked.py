"""What was asked of a model, as commands that ask it again: as few as compute that and no other question."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from brainbench_leaderboard.origins import sampling_options
from brainbench_leaderboard.site.board import Board
from brainbench_leaderboard.site.model_rows import Everyone, Own, facts_of, sampling_of, within
from brainbench_leaderboard.values import Row

_MOST_TRAININGS = 100
_DTYPES = ("bfloat16", "float16")


@dataclass(frozen=True, slots=True)
class Asked:
    """All combinations of what stands in its fields. No regions or items: all of the datasets.

    setup: options that say how the model is run and its texts are drawn. trainings: how often a fine-tuning
    is trained. datasets: also what a change is learnt from before tasks are asked. scorers: each with its
    helper and that one's revision.
    """

    kind: str
    revision: str
    setup: tuple[str, ...]
    datasets: frozenset[str] = frozenset()
    metrics: frozenset[str] = frozenset()
    tasks: frozenset[str] = frozenset()
    scorers: frozenset[tuple[str, str, str]] = frozenset()
    limit: int | None = None
    protocol: str = ""
    regions: frozenset[str] = frozenset()
    items: frozenset[str] = frozenset()
    interventions: frozenset[str] = frozenset()
    trainings: int = 1


Questions = dict[Asked, list[Row]]


def asked(board: Board, everyone: Everyone, own: Own) -> Questions:
    """What a model was asked, each with its rows, in the order of the first row of each."""
    single: Questions = {}
    for kind, row in own.rows:
        single.setdefault(_single(board, kind, row), []).append(row)
    single = _with_all_trainings(single)
    for axis in ("regions", "items"):
        single = _merged(single, axis)
    single = _without_all(single, everyone)
    for axis in ("metrics", "tasks", "scorers", "interventions"):
        single = _merged(single, axis)
    return _absorbed(_merged(single, "datasets", only=lambda one: one.kind != "ideas"))


def _single(board: Board, kind: str, row: Row) -> Asked:
    facts = facts_of(board, row)
    setup = (*_setup(row, facts), *sampling_options(sampling_of(row)))
    one = Asked(kind, str(row["revision"] or ""), setup, interventions=frozenset([str(row["intervention"])]))
    if kind == "score":
        return replace(
            one,
            datasets=frozenset([str(row["dataset"])]),
            metrics=frozenset([f"{row['metric']}/{row['protocol']}"]),
            regions=frozenset([str(row["region"])]),
            items=frozenset([str(row["item_set"])]),
            trainings=_trainings(within(facts, "intervention", "parameters", "seed")),
        )
    if kind == "task":
        return replace(
            one,
            datasets=_named(row["learnt_from"]),
            tasks=frozenset([str(row["task"])]),
            limit=row["problem_limit"],
            protocol="paper" if within(facts, "strength", "protocol") == "paper" else "",
            trainings=_trainings(row["training_seed"]) if row["tuned"] else 1,
        )
    revision = within(facts, "scorer", "helper", "revision")
    scorer = str(row["scorer"]), str(row["helper"]), revision if isinstance(revision, str) else ""
    return replace(
        one,
        datasets=_named(row["dataset"] or row["learnt_from"]),
        scorers=frozenset([scorer]),
    )


def _named(name: Any) -> frozenset[str]:
    return frozenset([str(name)]) if name else frozenset()


def _setup(row: Row, facts: Mapping[str, Any]) -> Iterator[str]:
    """Options of `run` for how a model is run, as far as it is not the usual way."""
    known = within(facts, "model") or {}
    told = {**(within(known, "options") or {}), **known}  # options: of what could not be identified
    dtype = told.get("dtype", row["dtype"])
    if dtype in _DTYPES:
        yield from ("--dtype", str(dtype))
    if told.get("pooling") == "mean":
        yield from ("--pooling", "mean")
    if row["seed"]:
        yield from ("--seed", str(row["seed"]))
    if told.get("trust_remote_code") is True:
        yield "--trust-remote-code"


def _trainings(seed: Any) -> int:
    """How often to train so that this seed is among those that are used."""
    return seed + 1 if type(seed) is int and 0 <= seed < _MOST_TRAININGS else 1


def _with_all_trainings(single: Questions) -> Questions:
    """Trainings that differ in the seed alone are one question: as many as the last of them needs."""
    most: dict[Asked, int] = {}
    for one in single:
        key = replace(one, trainings=1)
        most[key] = max(most.get(key, 1), one.trainings)
    found: Questions = {}
    for one, rows in single.items():
        key = replace(one, trainings=1)
        found.setdefault(replace(key, trainings=most[key]), []).extend(rows)
    return found


def _merged(questions: Questions, axis: str, only: Any = lambda one: True) -> Questions:
    """Questions that differ on one axis alone as one: their product is what they are together."""
    groups: dict[Any, tuple[frozenset[Any], list[Row]]] = {}
    for at, (one, rows) in enumerate(questions.items()):
        nothing: dict[str, Any] = {axis: frozenset()}
        key = (replace(one, **nothing), -1 if only(one) and getattr(one, axis) else at)
        values, found = groups.get(key, (frozenset(), []))
        groups[key] = values | getattr(one, axis), [*found, *rows] if found else list(rows)
    merged: Questions = {}
    for (one, _), (values, rows) in groups.items():
        changed: dict[str, Any] = {axis: values}
        merged[replace(one, **changed)] = rows
    return merged


def _absorbed(questions: Questions) -> Questions:
    """Tasks asked of what was learnt from nothing go with those asked of what was learnt from a dataset."""

    def without_source(one: Asked) -> Asked:
        return replace(one, datasets=frozenset(), interventions=frozenset(), protocol="", trainings=1)

    hosts: dict[Asked, Asked] = {}
    for one in questions:
        if one.kind == "task" and one.datasets:
            hosts.setdefault(without_source(one), one)
    found: Questions = {}
    for one, rows in questions.items():
        host = hosts.get(without_source(one)) if one.kind == "task" and not one.datasets else None
        found.setdefault(host or one, []).extend(rows)
    return {
        replace(one, interventions=frozenset(str(row["intervention"]) for row in rows)): rows
        for one, rows in found.items()
    }


def _without_all(questions: Questions, everyone: Everyone) -> Questions:
    """Without regions and items where these are all that the board knows of the dataset."""
    found: Questions = {}
    for one, rows in questions.items():
        (name,) = one.datasets or ("",)
        changes: dict[str, Any] = {}
        if one.regions == everyone.regions.get(name):
            changes["regions"] = frozenset()
        if one.items == everyone.items.get(name):
            changes["items"] = frozenset()
        found[replace(one, **changes)] = rows
    return found


def places_of(rows: Iterable[Row], what: str) -> tuple[str, ...]:
    """Regions or sets of items, in the dataset's order."""
    ordered = sorted(rows, key=lambda row: int(row[f"{what}_position"]))
    return tuple(dict.fromkeys(str(row[what]) for row in ordered))
