"""What steering and fine-tuning changed, brain-guided and controls: gains with paired intervals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from brainbench.plan import NOTHING
from brainbench.text import plain
from brainbench_leaderboard.controls import OUTDATED
from brainbench_leaderboard.sheet_groups import Group, heading, source
from brainbench_leaderboard.values import Row

KINDS = ("brain-guided", "control", "not ranked", "oracle")
_KIND = {"brain-guided": KINDS[0], "controls": KINDS[1], "not ranked": KINDS[2], "oracles": KINDS[3]}


@dataclass(frozen=True, slots=True)
class Gain:
    """Change of accuracy against the same model as it is; of a fine-tuning, the mean over its trainings.

    own: the model exactly as it was run, without the change. question: what was asked. source: the dataset
    that the change was learnt from; simulated: whether that is.
    """

    model: str
    own: tuple[Any, ...]
    name: str
    kind: str
    gain: float
    low: float | None
    high: float | None
    why: str
    task: str
    question: str
    source: str
    simulated: bool
    tuned: bool


def gains(rows: Iterable[Row]) -> list[Gain]:
    """Of all changed models that can be compared with themselves unchanged; an arm of trainings once."""
    made: dict[tuple[Any, ...], Gain] = {}
    known = [row for row in rows if _counts(row)]
    strengths = Counter((_own(row), row["question"], row["intervention"], source(row)) for row in known)
    for row in sorted(known, key=lambda row: str(row["started"])):
        told = (row["over_seeds"] or {}).get("against_base") if row["tuned"] else row["against_base"]
        if told is None:
            continue
        name = str(row["intervention"])
        several = strengths[_own(row), row["question"], name, source(row)] > 1
        if several and not row["tuned"] and row["strength"] is not None:
            name = f"{name}, strength {row['strength']:g}"
        which = row["arm"] if row["tuned"] else name
        made[_own(row), row["question"], source(row), heading(row), which] = Gain(
            str(row["model"]),
            _own(row),
            plain(name),
            _KIND[heading(row)],
            float(told["difference"]),
            told["low"],
            told["high"],
            plain("; ".join(row["unranked"])),
            plain(row["task"]),
            str(row["question"]),
            str(source(row) or ""),
            bool(Group((row,), "").simulated),
            bool(row["tuned"]),
        )
    return list(made.values())


def _counts(row: Row) -> bool:
    """Whether it is a scored, pinned down result of a changed model for which there is no newer one."""
    return bool(
        row["outcome"] == "scores"
        and row["resolved"]
        and row["intervention"] != NOTHING
        and OUTDATED not in row["unranked"]
    )


def _own(row: Row) -> tuple[Any, ...]:
    return row["model"], row["revision"], row["seed"], row["dtype"]
