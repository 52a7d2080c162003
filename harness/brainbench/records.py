"""What becomes of a cell: scores, a skip with its reason, or a failure; with fingerprint and provenance."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from brainbench.arrays import FloatArray
from brainbench.errors import ShapeError
from brainbench.ideas import IdeaScores
from brainbench.plan import AnyCell
from brainbench.protocols import require_plain
from brainbench.task_scores import TaskScores


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """The scores of one cell, down to each layer and participant; always finite.

    per_participant: (layers x participants). per_layer: (layers,), the aggregate over participants.
    spread: (layers,), the dispersion over participants that `spread_kind` names. `best` is the
    headline's position among the layers and `choice` says how it was chosen. `unscored` maps layers
    for which no score exists to the reason. `details` is plain JSON: what else a reader needs to judge
    the number. For a ceiling, `like_for_like` is its value on the scale of the scores, where that differs
    from the headline. `per_item` (participants x items), for the headline and where a metric can tell: values
    whose mean over a participant's items is the participant's score and whose differences say how much the
    score owes to each item, so that resampling items is resampling these; NaN where the participant lacks the
    item. `items` are their ids. Raises ShapeError on a wrong shape, a repeated name, a value that is not
    finite, or details that are no plain JSON.
    """

    layers: tuple[str, ...]
    participants: tuple[str, ...]
    per_participant: FloatArray
    per_layer: FloatArray
    spread: FloatArray
    best: int
    choice: str
    spread_kind: str = "MAD"
    unscored: Mapping[str, str] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)
    like_for_like: float | None = None
    items: tuple[str, ...] = ()
    per_item: FloatArray | None = None

    def __post_init__(self) -> None:
        self._check_names()
        self._check_arrays()
        if not isinstance(self.best, int | np.integer) or not 0 <= self.best < len(self.layers):
            raise ShapeError(f"Scores: best layer {self.best!r} of {len(self.layers)} does not exist.")
        object.__setattr__(self, "best", int(self.best))
        if not all(isinstance(text, str) and text for text in (self.choice, self.spread_kind)):
            raise ShapeError("Scores: choice and spread_kind must say in words what they are.")
        if self.like_for_like is not None and not math.isfinite(self.like_for_like):
            raise ShapeError("Scores: like_for_like is not finite.")
        self._check_items()
        require_plain(self.details, "Scores: details")

    def _check_arrays(self) -> None:
        shapes = {
            "per_participant": (len(self.layers), len(self.participants)),
            "per_layer": (len(self.layers),),
            "spread": (len(self.layers),),
        }
        for name, shape in shapes.items():
            array = np.asarray(getattr(self, name))
            if array.shape != shape or array.dtype.kind not in "fiu":
                raise ShapeError(f"Scores: {name} is {array.dtype} {array.shape}, expected numbers {shape}.")
            if not np.isfinite(array).all():
                raise ShapeError(f"Scores: {name} holds a value that is not finite.")
            object.__setattr__(self, name, array)

    def _check_items(self) -> None:
        if self.per_item is None:
            return
        table, shape = np.asarray(self.per_item), (len(self.participants), len(self.items))
        if table.shape != shape or table.dtype.kind != "f" or np.isinf(table).any():
            raise ShapeError(f"Scores: per_item is {table.dtype} {table.shape}, expected numbers {shape}.")
        if np.isnan(table).all(axis=1).any():
            raise ShapeError("Scores: per_item has no item for a participant who has a score.")
        if not np.allclose(np.nanmean(table, axis=1), self.per_participant[self.best], atol=1e-6):
            raise ShapeError("Scores: the means of per_item over items are not the participants' scores.")

    def _check_names(self) -> None:
        for names, what in (
            ((*self.layers, *self.unscored), "layers"),
            (self.participants, "participants"),
            (self.items, "items"),
        ):
            if not all(isinstance(name, str) and name for name in names) or len(set(names)) != len(names):
                raise ShapeError(f"Scores: {what} must be different strings; got {names}.")
        if not self.participants:
            raise ShapeError("Scores: there is no participant.")
        if not all(isinstance(reason, str) and reason for reason in self.unscored.values()):
            raise ShapeError("Scores: each unscored layer needs its reason.")

    @property
    def headline(self) -> float:
        """The score shown on the board."""
        return float(self.per_layer[self.best])


@dataclass(frozen=True, slots=True)
class Skip:
    """A cell that does not apply, and why: shown as such, never as a zero."""

    reason: str

    def __post_init__(self) -> None:
        if not isinstance(self.reason, str) or not self.reason:
            raise ShapeError(f"A skip needs its reason in words; got {self.reason!r}.")


@dataclass(frozen=True, slots=True)
class Failure:
    """A cell that went wrong: in which phase, with which exception, and what can be done."""

    phase: str
    exception: str
    message: str
    hint: str = ""


Outcome = Scores | TaskScores | IdeaScores | Skip | Failure


@dataclass(frozen=True, slots=True, eq=False)
class Record:
    """One finished cell.

    `facts` is all that went into the fingerprint. `resolved` is False when part of the identity could
    not be pinned down: such a record is kept, but never reused.
    """

    cell: AnyCell
    fingerprint: str
    facts: Mapping[str, Any]
    resolved: bool
    outcome: Outcome
    provenance: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Reused:
    """A cell that was finished before, by this fingerprint; nothing was computed."""

    cell: AnyCell
    fingerprint: str
