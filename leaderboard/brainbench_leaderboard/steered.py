"""What a steering did to a model's answers: beside the same model unsteered, and beside the best control.

A pair has one question (task, version, limit, and how it is asked), one model of one revision, dtype and
seed, and the same items. Controls must also be learnt from the same data, and be of the brain-guided row's
kind: what was told the right answers only stands beside what was told them too, and a strength chosen on the
test set beside strengths chosen so. The best control is picked by its accuracy on the very items that are
compared, which is hard on the brain's row: the best of several is a little lucky.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from brainbench.errors import ShapeError
from brainbench.plan import NOTHING
from brainbench.task_pairs import Answers, PairedTask, compare_all

Row = dict[str, Any]
_ALIKE = ("question", "model", "revision", "dtype", "seed")
_ORACLE, _PAPER = "oracle", "strength chosen on the test set"
_SEEN, _UNKNOWN = "fitted on these items", "not known what it has seen"


def unranked_because(row: Mapping[str, Any]) -> list[str]:
    """Why a steered row has no rank, in words; none for one that may be ranked or is not steered."""
    if row["intervention"] == NOTHING or row["outcome"] != "scores":
        return []
    if row["oracle"] is None or row["protocol"] is None or row["seen"] is None:
        return [_UNKNOWN]
    told = {_ORACLE: row["oracle"], _PAPER: row["protocol"] == "paper", _SEEN: row["seen"] > 0}
    return [words for words, holds in told.items() if holds]


def with_comparisons(
    rows: Sequence[Row],
    answers_of: Callable[[str], Answers],
    sources: Mapping[str, str],
    only: Collection[str] | None = None,
) -> list[Row]:
    """The rows (`only` these fingerprints) with `unranked`, `against_base` and `against_control`.

    unranked: list of reasons. The other two are None where there is nothing to compare with, or dictionaries:
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
    pairs: dict[str, list[tuple[str, Row, Row, Row]]] = {}  # by question: key, before, after, more to tell
    for row in wanted:
        if row["intervention"] != NOTHING:
            others = alike[tuple(row[name] for name in _ALIKE)]
            pairs.setdefault(row["question"], []).extend(_pairs(row, others, sources))
    found: dict[str, Row] = {}
    for asked in pairs.values():  # one question at a time: the items of all of them may not fit in memory
        for key, row, told in _compared(asked, answers_of):
            found.setdefault(row["fingerprint"], {})[key] = told
    nothing = {"against_base": None, "against_control": None}
    return [
        {**row, "unranked": unranked_because(row), **nothing, **found.get(row["fingerprint"], {})}
        for row in rows
        if only is None or row["fingerprint"] in only
    ]


def _pairs(
    row: Row, others: Iterable[Row], sources: Mapping[str, str]
) -> Iterable[tuple[str, Row, Row, Row]]:
    """What a steered row is compared with."""
    bases = [other for other in others if other["intervention"] == NOTHING and other["resolved"]]
    if bases:
        base = max(bases, key=lambda other: str(other["started"]))
        yield "against_base", base, row, {}
    if row["role"] != "brain":
        return
    controls = [other for other in others if _is_control_of(row, other, sources)]
    if controls:
        best = min(controls, key=lambda other: (-other["accuracy"], other["intervention"], other["started"]))
        yield "against_control", best, row, {"control": best["intervention"], "controls": len(controls)}


def _is_control_of(row: Row, other: Row, sources: Mapping[str, str]) -> bool:
    if other["role"] != "control" or not other["resolved"]:
        return False
    if other["learnt_from"] != row["learnt_from"]:
        return False
    if sources.get(other["fingerprint"]) != sources.get(row["fingerprint"]):  # the same name, other data
        return False
    mine, its = (set(unranked_because(one)) for one in (row, other))
    return mine - {_SEEN} == its - {_SEEN} and (_SEEN in mine or _SEEN not in its)


def _compared(
    pairs: Sequence[tuple[str, Row, Row, Row]], answers_of: Callable[[str], Answers]
) -> Iterable[tuple[str, Row, Row]]:
    """What is compared (key), the row after, and what is told of it; pairs of other items are left out."""
    loaded: dict[str, Answers] = {}
    for _, *sides, _ in pairs:
        for side in sides:
            if side["fingerprint"] not in loaded:
                loaded[side["fingerprint"]] = _shared(answers_of(side["fingerprint"]), loaded)
    kept, asked = [], []
    for pair in pairs:
        before, after = (loaded[side["fingerprint"]] for side in pair[1:3])
        try:
            after.in_order_of(before)
        except ShapeError:
            continue
        kept.append(pair)
        asked.append((before, after))
    for (key, before_row, after_row, more), paired in zip(kept, compare_all(asked), strict=True):
        yield key, after_row, {**_told(before_row, paired), **more}


def _shared(answers: Answers, loaded: Mapping[str, Answers]) -> Answers:
    """The same with the names of the first one, where they are equal: thirty runs need them once."""
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
