"""The exact commands that compute a model's results again, and what these were made with."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from brainbench.plan import NOTHING
from brainbench.text import plain
from brainbench_leaderboard.origins import dataset_spec, model_spec
from brainbench_leaderboard.site.board import Board
from brainbench_leaderboard.site.model_asked import Asked, asked, places_of
from brainbench_leaderboard.site.model_rows import BASELINE, Everyone, Own, made_of
from brainbench_leaderboard.values import Row

_KEPT = ("steering:", "adapter:")  # named by what they hold, found by where they lie
_MOST = 6  # different values of one fact that are told
_NO_METRIC = ("--metric", "none")


@dataclass(frozen=True, slots=True)
class Command:
    """A command, what it computes, what has to be known before it is given, and how its rows were made.

    words: as they are typed, quoted where need be, with nothing in them that a terminal would act on.
    """

    title: str
    words: tuple[str, ...]
    notes: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]


def commands(board: Board, everyone: Everyone, own: Own) -> tuple[Command, ...]:
    """As few as compute all of a model's results and ask nothing else."""
    found = []
    for one, rows in asked(board, everyone, own).items():
        words = tuple(_words(own.name, one, rows))
        typed = tuple(plain(shlex.quote(word)) for word in words)
        notes, facts = tuple(_notes(own, one, words)), made_with(board, rows)
        found.append(Command(_title(one, rows), typed, notes, facts))
    return tuple(_told_apart(found))


def _told_apart(found: list[Command]) -> Iterable[Command]:
    """With a number in headings that would else be the same, and could not be told apart when read aloud."""
    titles = Counter(command.title for command in found)
    seen: Counter[str] = Counter()
    for command in found:
        seen[command.title] += 1
        number = f" ({seen[command.title]})" if titles[command.title] > 1 else ""
        yield replace(command, title=command.title + number)


def _words(model: str, one: Asked, rows: list[Row]) -> Iterable[str]:
    yield from ("brainbench", "run", "--model", model_spec(model, one.revision))
    yield from _each("--dataset", map(dataset_spec, sorted(one.datasets)))
    yield from _each("--metric", sorted(one.metrics))
    if one.datasets and one.kind != "score":  # from these a change is learnt, or by these questions are asked
        yield from _NO_METRIC
    yield from _each("--task", sorted(one.tasks))
    scorers = (f"{name}@{model_spec(helper, its)}" for name, helper, its in sorted(one.scorers))
    yield from _each("--scorer", scorers)
    yield from _each("--region", places_of(rows, "region") if one.regions else ())
    yield from _each("--items", places_of(rows, "item_set") if one.items else ())
    if one.limit is not None:
        yield from ("--limit", str(one.limit))
    if one.interventions != {NOTHING}:
        yield from _each("--intervention", map(_change, sorted(one.interventions, key=_nothing_first)))
    if one.trainings > 1:
        yield from ("--trainings", str(one.trainings))
    if one.protocol:
        yield from ("--protocol", one.protocol)
    yield from one.setup
    if model.startswith(BASELINE):
        yield "--no-baselines"


def _each(option: str, values: Iterable[str]) -> Iterable[str]:
    for value in values:
        yield from (option, value)


def _nothing_first(name: str) -> tuple[bool, str]:
    return name != NOTHING, name


def _change(name: str) -> str:
    """What to give to --intervention: what was kept is found by its folder, wherever that is."""
    for prefix in _KEPT:
        if name.startswith(prefix):
            return f"{prefix}path/to/{name.removeprefix(prefix).partition('@')[0]}"
    return name


def _title(one: Asked, rows: list[Row]) -> str:
    what = {"score": "Brain alignment", "task": "Tasks", "ideas": "Ideas"}[one.kind]
    by = sorted(name for name, *_ in one.scorers)
    scorers = f" by {', '.join(by)}" if by else ""
    changed = ", changed" if NOTHING not in one.interventions else ""
    revision = f", revision {one.revision[:14]}" if one.revision else ""
    count = f"{len(rows)} result{'' if len(rows) == 1 else 's'}"
    return plain(f"{what}{scorers}{changed}{revision}: {count}")


def _notes(own: Own, one: Asked, words: tuple[str, ...]) -> Iterable[str]:
    if any("path/to/" in word for word in words):
        yield "path/to stands for where the folder lies on your machine; what is in it decides the result."
    if one.kind == "score" and not own.name.startswith(BASELINE):
        yield "It also scores the dull predictors, and says how well people predict people."
    if one.trainings > 1:
        yield f"Trained {one.trainings} times, with the seeds 0 to {one.trainings - 1}."


def made_with(board: Board, rows: list[Row]) -> tuple[tuple[str, str], ...]:
    """What is known of how rows were made, as (label, words); where they differ, every value up to a few."""
    found: dict[str, dict[str, None]] = {}
    for row in rows:
        for label, value in _made(board, row):
            if value not in (None, ""):
                found.setdefault(label, {})[str(value)] = None
    told = {label: plain(_some(values)) for label, values in found.items()}
    days = sorted({str(row["started"]).partition("T")[0] for row in rows if row["started"]})
    if days:
        told["computed"] = plain(days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}")
    seconds = [float(row["seconds"]) for row in rows if row["seconds"] is not None]
    if seconds:
        told["took"] = f"{sum(seconds):,.1f} seconds together"
    return tuple(told.items())


def _made(board: Board, row: Row) -> Iterable[tuple[str, Any]]:
    made = made_of(board, row)
    features = made.get("features")
    yield "device", made.get("device")
    yield "weights and activations", row["dtype"]
    yield "batch size", made.get("batch_size")
    yield "read at", features.get("token") if isinstance(features, dict) else None
    yield "prompt", made.get("prompt")
    yield "brainbench", made.get("brainbench")
    yield "git commit", made.get("git_commit")
    yield "plugins", _versions(made.get("plugins"))
    yield "versions", _versions(made.get("libraries"))
    yield "Python", made.get("python")
    yield "platform", made.get("platform")


def _versions(told: Any) -> str:
    return ", ".join(f"{name} {version}" for name, version in told.items()) if isinstance(told, dict) else ""


def _some(values: Iterable[str]) -> str:
    every = list(values)
    more = f"; and {len(every) - _MOST} more" if len(every) > _MOST else ""
    return "; ".join(every[:_MOST]) + more
