"""The arms of docs/fine-tuning.md: cells that differ in the seed of their training alone, put together."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from statistics import mean, stdev
from typing import Any

import numpy as np

from brainbench.task_pairs import Answers, compare_all
from brainbench.task_scores import TaskItem, TaskScores

TYPES = ("syllogism", "transitive")
Row = Mapping[str, Any]
Told = dict[str, Any]
Read = Callable[[Row], Answers]


def over_trainings(pairs: Sequence[tuple[Answers, Answers]]) -> Told:
    """What a change did in several trainings (before, after): their mean, and its interval over problems.

    A problem's items count together in all trainings, so that the interval says nothing of other seeds: to
    be replaced by brainbench.seeded_pairs.compare_over_seeds, which resamples these, too.
    """
    (found,) = compare_all([(_together([was for was, _ in pairs]), _together([now for _, now in pairs]))])
    by_seed = [float(now.in_order_of(was).mean() - was.correct.mean()) for was, now in pairs]
    return {
        "seeds": len(pairs),
        "difference": found.difference,
        "low": found.interval.low,
        "high": found.interval.high,
        "by_seed": by_seed,
    }


def _together(several: Sequence[Answers]) -> Answers:
    """All trainings' answers as items of the same problems."""
    return Answers(
        tuple(f"{at} {item}" for at, one in enumerate(several) for item in one.ids),
        tuple(group for one in several for group in one.groups),
        tuple(right for one in several for right in one.expected),
        np.concatenate([one.correct for one in several]),
    )


def arms_of(rows: Sequence[Row], items_of: Callable[[str], tuple[TaskItem, ...]]) -> list[Told]:
    """Each arm on each task: see `_told`; best first within model, dataset and task."""
    kept: dict[str, Answers] = {}

    def read(row: Row) -> Answers:
        found = row["fingerprint"]
        if found not in kept:
            kept[found] = Answers.of(TaskScores(items_of(found)))
        return kept[found]

    scored = [row for row in rows if row["outcome"] == "scores"]
    told = []
    for asked in _by(scored, ("model", "task", "problem_limit")):
        kept.clear()  # the answers of all tasks may not fit in memory
        bases = [row for row in asked if row["intervention"] == "none"]
        trained = [row for row in asked if row["details"].get("tuning")]
        for fitted in _by(trained, ("learnt_from",)):
            arms = [_by_seed(own) for own in _by(fitted, ("intervention", "role"))]
            found = [_told(arm, bases[:1], arms, read) for arm in arms]
            told += sorted(found, key=lambda one: -float(one["accuracy"]))
    return told


def _told(arm: Sequence[Row], bases: Sequence[Row], arms: Iterable[Sequence[Row]], read: Read) -> Told:
    """One arm on one task, as plain JSON.

    accuracy: mean over trainings, sd their standard deviation; change, label_only, control: what
    `over_trainings` says of it beside the model as it was, the same training on answers alone, and the best
    of its controls, None where there is none; change_by_type the first for each type of problem; the rest
    are means over trainings, cosines [before, after].
    """
    controls = [other for other in arms if other[0]["role"] == "control" and _comparable(arm, other)]
    alone = [other for other in controls if other[0]["intervention"].partition("@")[0] == "label-only"]
    best = sorted(controls, key=lambda other: -_accuracy(other))[:1] if arm[0]["role"] == "brain" else []
    accuracies = [float(row["accuracy"]) for row in arm]
    change = [(read(base), read(row)) for base in bases for row in arm]
    return {
        **{name: arm[0][name] for name in ("model", "intervention", "learnt_from", "role", "task")},
        "problem_limit": arm[0]["problem_limit"],
        **{name: arm[0]["details"]["tuning"][name] for name in ("seen", "protocol")},
        "seeds": [row["details"]["tuning"]["seed"] for row in arm],
        "accuracy": mean(accuracies),
        "sd": stdev(accuracies) if len(accuracies) > 1 else None,
        "change": over_trainings(change) if change else None,
        "change_by_type": {
            kind: over_trainings(own)
            for kind in TYPES
            if (own := [(_of(kind, was), _of(kind, now)) for was, now in change]) and len(own[0][0].ids)
        },
        "label_only": _beside(arm, alone, read),
        "control": _beside(arm, best, read),
        **_training(arm),
    }


def _training(arm: Sequence[Row]) -> Told:
    """Means over trainings of what each says of itself; None where one says nothing."""
    tuned = [row["details"]["tuning"] for row in arm]
    brains = [one["brain"] for one in tuned]
    known = all(brains)
    return {
        **{
            name: mean(float(one["training"][name]) for one in tuned)
            for name in ("epochs", "best_epoch", "seconds")
        },
        **{
            name: [mean(float(one[name][at]) for one in brains) for at in (0, 1)] if known else None
            for name in ("cosine", "cosine_heldout")
        },
    }


def _beside(arm: Sequence[Row], others: Sequence[Sequence[Row]], read: Read) -> Told | None:
    """The arm beside another, training by training of the same seed."""
    if not others:
        return None
    seeds = {row["details"]["tuning"]["seed"]: row for row in others[0]}
    pairs = [(seeds[seed], row) for row in arm if (seed := row["details"]["tuning"]["seed"]) in seeds]
    if not pairs:
        return None
    name = {"name": others[0][0]["intervention"]}
    return {**name, **over_trainings([(read(was), read(now)) for was, now in pairs])}


def _comparable(arm: Sequence[Row], other: Sequence[Row]) -> bool:
    """Another arm with the same settings."""
    mine, its = (one[0]["details"]["tuning"]["settings"] for one in (arm, other))
    return bool(arm[0]["intervention"] != other[0]["intervention"] and mine == its)


def _accuracy(arm: Sequence[Row]) -> float:
    return mean(float(row["accuracy"]) for row in arm)


def _by_seed(arm: Sequence[Row]) -> list[Row]:
    """One cell of each seed, in their order; of several the newest."""
    newest = {
        row["details"]["tuning"]["seed"]: row for row in sorted(arm, key=lambda row: str(row["started"]))
    }
    return [newest[seed] for seed in sorted(newest)]


def _by(rows: Iterable[Row], names: Sequence[str]) -> list[list[Row]]:
    """Rows that have these in common, in their order."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(json.dumps([row[name] for name in names]), []).append(row)
    return list(found.values())


def _of(kind: str, answers: Answers) -> Answers:
    """Those to problems of one type, which the problems' names begin with."""
    at = [place for place, group in enumerate(answers.groups) if group.startswith(kind)]
    ids, groups, expected = (
        tuple(column[i] for i in at) for column in (answers.ids, answers.groups, answers.expected)
    )
    return replace(answers, ids=ids, groups=groups, expected=expected, correct=answers.correct[at])
