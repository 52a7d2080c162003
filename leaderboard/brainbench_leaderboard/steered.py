"""What a steering or training did to a model's answers: beside the same model as it is, and the best control.

A pair has one question (task, version, limit, and how it is asked), one model of one revision, dtype and
seed, and the same items. What a control is, `controls` says. The best control is picked by its accuracy on
the very items that are compared, which is hard on the brain's row: the best of several is a little lucky.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from brainbench.errors import ShapeError
from brainbench.plan import NOTHING
from brainbench.task_pairs import Answers, PairedTask, compare_all
from brainbench_leaderboard.controls import Row, arms_of, is_control_of, unranked_because
from brainbench_leaderboard.tuned import base_of, over_seeds

_ALIKE = ("question", "model", "revision", "dtype", "seed")


def with_comparisons(
    rows: Sequence[Row],
    answers_of: Callable[[str], Answers],
    sources: Mapping[str, str],
    only: Collection[str] | None = None,
) -> list[Row]:
    """The rows (`only` these fingerprints) with `unranked`, `against_base`, `against_control`, `over_seeds`.

    unranked: list of reasons. over_seeds: None, or of a fine-tuned model what `tuned.over_seeds` says of all
    trainings of its arm. The other two are None where there is nothing to compare with, or dictionaries:
    fingerprint and accuracy of the other row; difference with the limits low and high of its interval (95 %,
    problems resampled); gain and harm, shares of items turned right and wrong; mcnemar_p; problems_p, of the
    sign-flip test over problems, None where nothing changed. against_control also has `control`, its name,
    and `controls`, of how many it is the best. `sources`: by fingerprint, what a row was learnt from.
    """
    scored = [row for row in rows if row["outcome"] == "scores"]
    alike: dict[tuple[Any, ...], list[Row]] = {}
    for row in scored:
        alike.setdefault(tuple(row[name] for name in _ALIKE), []).append(row)
    wanted = [row for row in scored if only is None or row["fingerprint"] in only]
    asked: dict[str, list[Row]] = {}  # by question
    for row in wanted:
        if row["intervention"] != NOTHING:
            asked.setdefault(row["question"], []).append(row)
    found: dict[str, Row] = {}
    for changed in asked.values():  # one question at a time: the items of all of them may not fit in memory
        for fingerprint, name, told in _told_of(changed, alike, sources, _reader(answers_of)):
            found.setdefault(fingerprint, {})[name] = told
    nothing = {"against_base": None, "against_control": None, "over_seeds": None}
    return [
        {**row, "unranked": unranked_because(row), **nothing, **found.get(row["fingerprint"], {})}
        for row in rows
        if only is None or row["fingerprint"] in only
    ]


def _told_of(
    changed: Sequence[Row],
    alike: Mapping[tuple[Any, ...], Sequence[Row]],
    sources: Mapping[str, str],
    read: Callable[[str], Answers],
) -> Iterable[tuple[str, str, Row]]:
    """What comes of comparing the changed rows of one question: of which row, under what name, and what."""
    models: dict[tuple[Any, ...], list[Row]] = {}
    for row in changed:
        models.setdefault(tuple(row[name] for name in _ALIKE), []).append(row)
    pairs = [
        pair for own, rows in models.items() for row in rows for pair in _pairs(row, alike[own], sources)
    ]
    for name, row, told in _compared(pairs, read):
        yield row["fingerprint"], name, told
    for own, rows in models.items():
        arms = {row["arm"] for row in rows if row["tuned"]}
        pooled = dict(over_seeds(arms, alike[own], sources, read))
        for row in rows:
            if row["arm"] in pooled:
                yield row["fingerprint"], "over_seeds", pooled[row["arm"]]


def _pairs(
    row: Row, others: Iterable[Row], sources: Mapping[str, str]
) -> Iterable[tuple[str, Row, Row, Row]]:
    """What a changed row is compared with."""
    if base := base_of(others):
        yield "against_base", base, row, {}
    if row["role"] != "brain":
        return
    arms = arms_of(others)
    controls = [other for other in others if is_control_of(row, other, sources, arms)]
    if controls:
        best = min(controls, key=lambda other: (-other["accuracy"], other["intervention"], other["started"]))
        yield "against_control", best, row, {"control": best["intervention"], "controls": len(controls)}


def _reader(answers_of: Callable[[str], Answers]) -> Callable[[str], Answers]:
    """The same, reading each once; the names of items are shared where they are equal."""
    loaded: dict[str, Answers] = {}

    def read(fingerprint: str) -> Answers:
        if fingerprint not in loaded:
            loaded[fingerprint] = _shared(answers_of(fingerprint), loaded)
        return loaded[fingerprint]

    return read


def _compared(
    pairs: Sequence[tuple[str, Row, Row, Row]], read: Callable[[str], Answers]
) -> Iterable[tuple[str, Row, Row]]:
    """What is compared (key), the row after, and what is told of it; pairs of other items are left out."""
    kept, asked = [], []
    for pair in pairs:
        before, after = (read(side["fingerprint"]) for side in pair[1:3])
        try:
            after.in_order_of(before)
        except ShapeError:
            continue
        kept.append(pair)
        asked.append((before, after))
    for (key, before_row, after_row, more), paired in zip(kept, compare_all(asked), strict=True):
        yield key, after_row, {**_told(before_row, paired), **more}


def _shared(answers: Answers, loaded: Mapping[str, Answers]) -> Answers:
    """The same with the names of the first one, where they are equal."""
    first = next(iter(loaded.values()), answers)
    if (first.ids, first.groups, first.expected) != (answers.ids, answers.groups, answers.expected):
        return answers
    return replace(first, correct=answers.correct)


def _told(before: Row, paired: PairedTask) -> Row:
    return {
        "fingerprint": before["fingerprint"],
        "accuracy": before["accuracy"],
        "difference": paired.difference,
        "low": paired.interval.low,
        "high": paired.interval.high,
        "gain": paired.gain,
        "harm": paired.harm,
        "mcnemar_p": paired.items.p,
        "problems_p": paired.over_problems.p if paired.over_problems else None,
    }
