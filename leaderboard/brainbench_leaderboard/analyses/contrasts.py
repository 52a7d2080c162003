"""What is compared with what within models: stages, regions, tasks and ratings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from brainbench_leaderboard.analyses.entries import Entry

Couple = tuple[Entry, Entry]


@dataclass(frozen=True)
class Contrast:
    """A comparison of two places in which all else is the same.

    first, second: what they are called, a place's own words for None. same: the fields in which two places
    may differ. couples: of one model's entries, which are compared.
    """

    name: str
    question: str
    cannot: str
    first: str
    second: str
    same: tuple[str, ...]
    couples: Callable[[Sequence[Entry]], Iterable[Couple]]
    leaving: tuple[str, ...]


def _by(**sides: tuple[Any, Any]) -> Callable[[Sequence[Entry]], Iterable[Couple]]:
    """Couples of which one has the first value of a field, and the other the second."""
    ((field, (one, other)),) = sides.items()

    def couples(found: Sequence[Entry]) -> Iterable[Couple]:
        first = [entry for entry in found if getattr(entry.place, field) == one]
        second = [entry for entry in found if getattr(entry.place, field) == other]
        return [(a, b) for a in first for b in second]

    return couples


def _against_first_region(found: Sequence[Entry]) -> Iterable[Couple]:
    first = [entry for entry in found if entry.place.region_position == 0]
    return [(a, b) for a in first for b in found if b.place.region_position > 0]


SAME_SCALE = (
    "A difference of scores is no difference of what a region or task holds: what is measured "
    "with less noise has room for higher scores (see the ceilings on the board)."
)
STAGE = Contrast(
    "stage",
    "Is a model closer to people's brains when it has read what was asked than with its own response to it?",
    "The response stage has the model's own text, of whatever length: metrics control for the length of what "
    "was asked, not of responses. The difference does not say what of it matters, and it is no early or late "
    "part of people's thinking: both sides are held to the same responses.",
    "prompt alone",
    "prompt and response",
    ("stage",),
    _by(stage=("prompt", "response")),
    ("stage",),
)
NETWORK = Contrast(
    "network",
    "Is the first region's alignment above that of the others?",
    SAME_SCALE,
    "first region",
    "other region",
    ("region", "region_position"),
    _against_first_region,
    ("region",),
)
TASK_CONTROL = Contrast(
    "task-control",
    "Is alignment higher where people think of uses than where they describe the same objects?",
    SAME_SCALE,
    "create items",
    "object items",
    ("item_set",),
    _by(item_set=("create", "object")),
    ("items",),
)
HIGH_LOW = Contrast(
    "high-low",
    "Is a model closer to people's brains where their ideas were rated original than where not?",
    "Each person's items differ between the sides, and people with few of one kind are in neither: what "
    "separates the items (their objects, how long people took) separates the scores, too.",
    "rated high",
    "rated low",
    ("rated",),
    _by(rated=("high", "low")),
    ("rated",),
)
