"""What becomes of a cell: scores, a skip with its reason, or a failure; with fingerprint and provenance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from brainbench.arrays import FloatArray
from brainbench.errors import ShapeError
from brainbench.plan import Cell


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """The scores of one cell, down to each layer and participant; always finite.

    per_participant: (layers x participants). per_layer: (layers,), the aggregate over participants.
    spread: (layers,), the dispersion over participants that `spread_kind` names. `best` is the
    headline's position among the layers and `choice` says how it was chosen. `unscored` maps layers
    for which no score exists to the reason. `details` is plain JSON: what else a reader needs to judge
    the number. Raises ShapeError on a wrong shape or a value that is not finite.
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

    def __post_init__(self) -> None:
        shapes = {
            "per_participant": (len(self.layers), len(self.participants)),
            "per_layer": (len(self.layers),),
            "spread": (len(self.layers),),
        }
        for name, shape in shapes.items():
            array = np.asarray(getattr(self, name))
            if array.shape != shape:
                raise ShapeError(f"Scores: {name} is {array.shape}, expected {shape}.")
            if not np.isfinite(array).all():
                raise ShapeError(f"Scores: {name} holds a value that is not finite.")
        if not self.layers or not 0 <= self.best < len(self.layers):
            raise ShapeError(f"Scores: best layer {self.best} of {len(self.layers)} does not exist.")

    @property
    def headline(self) -> float:
        """The score shown on the board."""
        return float(self.per_layer[self.best])


@dataclass(frozen=True, slots=True)
class Skip:
    """A cell that does not apply, and why: shown as such, never as a zero."""

    reason: str


@dataclass(frozen=True, slots=True)
class Failure:
    """A cell that went wrong: in which phase, with which exception, and what can be done."""

    phase: str
    exception: str
    message: str
    hint: str = ""


Outcome = Scores | Skip | Failure


@dataclass(frozen=True, slots=True, eq=False)
class Record:
    """One finished cell.

    `facts` is all that went into the fingerprint. `resolved` is False when part of the identity could
    not be pinned down: such a record is kept, but never reused.
    """

    cell: Cell
    fingerprint: str
    facts: Mapping[str, Any]
    resolved: bool
    outcome: Outcome
    provenance: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Reused:
    """A cell that was finished before, by this fingerprint; nothing was computed."""

    cell: Cell
    fingerprint: str
