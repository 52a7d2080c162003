"""A simulated dataset of few items, some of which brainbench/tiny gets wrong: for trainings of seconds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from brainbench.arrays import Behaviour, Participant, Recording
from brainbench.nouns import DatasetCard, Identity
from brainbench.stimuli import ALL_ITEMS, ItemSet, Stimulus
from brainbench_tasks.simulated import SimulatedDeduction

# The model gets 10, 12, 15, 16, 27 and 30 wrong; from 36 on problems are transitive.
ROWS = (0, 1, 2, 10, 12, 15, 16, 27, 30, 36, 37, 40, 44, 50)


@dataclass(frozen=True)
class FewProblems:
    """Some problems of `simulated-deduction-guide`, for the first three of its people."""

    name: str = "few-problems"
    version: int = 1
    item_sets: tuple[ItemSet, ...] = (ALL_ITEMS,)
    simulated: bool = True
    whole: SimulatedDeduction = field(default_factory=lambda: SimulatedDeduction("guide"))

    @property
    def regions(self) -> tuple[str, ...]:
        return self.whole.regions

    @property
    def card(self) -> DatasetCard:
        return self.whole.card

    def identity(self, region: str) -> Identity:
        return Identity({"few": list(ROWS), **self.whole.identity(region).facts})

    def _rows(self) -> Any:
        return np.array(ROWS)

    def stimuli(self, reporter: Any) -> tuple[Stimulus, ...]:
        return tuple(self.whole.stimuli(reporter)[row] for row in self._rows())

    def recording(self, region: str, reporter: Any) -> Recording:
        rows, whole = self._rows(), self.whole.recording(region, reporter)
        people = []
        for person in whole.participants[:3]:
            there = np.isin(person.present, rows)
            present = np.searchsorted(rows, person.present[there])
            people.append(Participant(person.id, person.responses[there], present))
        items = tuple(whole.items[row] for row in rows)
        return Recording(region, items, tuple(people), tuple(whole.strata[row] for row in rows))

    def behaviour(self, reporter: Any) -> Behaviour:
        rows, whole = self._rows(), self.whole.behaviour(reporter)
        right = None if whole.correct is None else whole.correct[:3, rows]
        times = whole.response_time[:3, rows]
        return Behaviour(whole.participants[:3], tuple(whole.items[row] for row in rows), right, times)
