"""Ranks that models share which cannot be told apart: among all that SQL ranks on one question.

A rank is 1 + the number of models that are known to be better: `brainbench.statistics.tie_ranks`, which flips
the signs of people's scores (of a task: of problems, all forms of one together; of ideas: of objects). So a
rank holds for other people (problems, objects) and these items, and says nothing of other layers or seeds.

- Compared are means: where the score of the board is another figure of people's scores, as the medians of
  `paper` protocols are, a model is better only if it is the higher by both.
- Rows stay in the order of their scores. Of two models the higher one has the better rank or the same, but
  where one of them is much noisier: less is known of it, and fewer are known to be better.
- A model that lacks more than a quarter of the people whom half of the models have or more is compared with
  none and has no rank, and `rank_note` says why. Others are compared pair by pair, on the people of both.
- Trainings of one arm are one thing: their mean for each problem is compared.
- Models as they are have their ranks among themselves: nothing that a steering or training did moves them.
  What was changed is ranked among all on a task, and else not at all: it may have learnt from these people.

The ranks hang on what is stored alone, not on the order in which it came.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainbench.plan import NOTHING
from brainbench.statistics import smallest_p, tie_ranks
from brainbench_leaderboard.margins import MOST_PEOPLE

Row = dict[str, Any]
ByUnit = Mapping[str, float]  # scores by the name of a person, problem or object
Read = Callable[[Sequence[str]], Mapping[str, ByUnit]]  # of records, by fingerprint
ALPHA = 0.05
DIGITS = 6  # of a score; what differs beyond is arithmetic of machines
LARGEST = 1e60  # whatever is larger is no score, and its square no number
_UNKNOWN = {"tied": None, "rank_units": None}
_CHANGED = "no rank: what changed a model may have learnt from these very people"


@dataclass(frozen=True, slots=True)
class _Entrant:
    """What has one rank: a row, or all trainings of an arm."""

    rows: tuple[Row, ...]
    shown: float
    units: ByUnit


def with_ties(
    rows: Sequence[Row], read: Read, *, score: str, units: str, only: Collection[str] | None = None
) -> list[Row]:
    """The rows with ranks that ties share in `rank`, and `tied`, `rank_units` and `rank_note`.

    rank: None where it was, too; so are then the others. tied: how many share it, itself among them.
    rank_units: of how many people (`units` names them) those are that the models of the question are compared
    on. rank_note: why a row that might be ranked is not, else empty. `score`: the column that SQL ranks by.
    `only`: for questions of these fingerprints; other rows come back without ranks.
    """
    asked: dict[str, list[Row]] = {}
    for row in rows:
        if row["rank"] is not None:
            asked.setdefault(row["question"], []).append(row)
    found: dict[str, Row] = {}
    for ranked in asked.values():
        if only is None or any(row["fingerprint"] in only for row in ranked):
            as_they_are = [row for row in ranked if not is_changed(row)]
            found.update(_ranked(ranked, read, score, units))
            if 0 < len(as_they_are) < len(ranked):
                found.update(_ranked(as_they_are, read, score, units))
    nothing = {"rank": None, "rank_note": "", **_UNKNOWN}
    return [{**nothing, **row, "rank": None, **found.get(row["fingerprint"], {})} for row in rows]


def as_they_are(rows: Sequence[Row]) -> list[Row]:
    """The rows, those of changed models without their rank, and with a `rank_note` of why."""
    return [
        {**row, "rank": None, "rank_note": _CHANGED} if row["rank"] is not None and is_changed(row) else row
        for row in rows
    ]


def is_changed(row: Mapping[str, Any]) -> bool:
    """Whether a steering or training changed the model."""
    return row.get("intervention") not in (None, NOTHING)


def nothing_to_tell(row: Mapping[str, Any]) -> bool:
    """Whether its question has too few people for any two models to be told apart."""
    return row["tied"] is not None and row["tied"] > 1 and smallest_p(row["rank_units"]) > ALPHA


def _ranked(rows: Sequence[Row], read: Read, score: str, units: str) -> dict[str, Row]:
    """By fingerprint, what is told of the rows of one question."""
    arms: dict[str, list[Row]] = {}
    for row in sorted(rows, key=lambda row: str(row["fingerprint"])):
        arms.setdefault(row.get("arm") or row["fingerprint"], []).append(row)
    if len(arms) == 1:  # first and last: nothing has to be read
        return {row["fingerprint"]: {"rank": 1, "tied": 1} for row in rows}
    scores = read([row["fingerprint"] for row in rows])
    entrants = [_entrant(arm, scores, score) for arm in arms.values()]
    usual = _usual([one.units for one in entrants])
    fit = [one for one in entrants if _has_most(one.units, usual)]
    told: dict[str, Row] = {}
    if fit:
        ties = tie_ranks(_table(fit, usual), np.array([one.shown for one in fit]), seed=0, alpha=ALPHA)
        for one, rank, tied in zip(fit, ties.ranks.tolist(), ties.tied.tolist(), strict=True):
            told |= {row["fingerprint"]: {"rank": rank, "tied": tied} for row in one.rows}
    note = {"rank_note": f"no rank: on too few of the {units} that other models are scored on"}
    return {
        row["fingerprint"]: {**told.get(row["fingerprint"], note), "rank_units": len(usual)} for row in rows
    }


def _entrant(arm: Sequence[Row], scores: Mapping[str, ByUnit], score: str) -> _Entrant:
    each = [scores.get(row["fingerprint"], {}) for row in arm]
    shared = [name for name in each[0] if all(name in one for one in each)]
    means = {name: sum(one[name] for one in each) / len(each) for name in shared}
    shown = sum(float(row[score]) for row in arm) / len(arm)
    return _Entrant(tuple(arm), round(shown, DIGITS), means)


def _usual(each: Sequence[ByUnit]) -> list[str]:
    """The people that half of the models have or more."""
    counts = Counter(name for one in each for name in one)
    return sorted(name for name, count in counts.items() if 2 * count >= len(each))


def _has_most(one: ByUnit, usual: Sequence[str]) -> bool:
    return bool(usual) and sum(name in one for name in usual) >= MOST_PEOPLE * len(usual)


def _table(entrants: Sequence[_Entrant], usual: Sequence[str]) -> NDArray[np.float64]:
    """Scores (models x people), NaN where one is missing."""
    missing = float("nan")
    table = np.array([[one.units.get(name, missing) for name in usual] for one in entrants])
    rounded: NDArray[np.float64] = table.clip(-LARGEST, LARGEST).round(DIGITS)
    return rounded
