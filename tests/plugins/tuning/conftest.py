"""A trainee of arithmetic alone, and a simulated dataset of few items: for trainings of seconds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from brainbench.arrays import Behaviour, Participant, Recording
from brainbench.nouns import DatasetCard, Identity
from brainbench.stimuli import ALL_ITEMS, ItemSet, Stimulus
from brainbench.tuning import Cost, Loss, Outputs
from brainbench_tasks.simulated import SimulatedDeduction

# The model gets 10, 12, 15, 16, 27 and 30 wrong; from 36 on problems are transitive.
ROWS = (0, 1, 2, 10, 12, 15, 16, 27, 30, 36, 37, 40, 44, 50)


class Line:
    """States are inputs (items x 3) times weights (3 x 2); words' log-likelihoods follow from these."""

    sites = ("attention.0",)
    batch = 4

    def __init__(self, items: int = 10) -> None:
        import torch

        rng = np.random.default_rng(3)
        self.inputs = torch.tensor(rng.normal(size=(items, 3)), dtype=torch.float32)
        self.parameters = {"w": torch.nn.Parameter(torch.zeros(3, 2))}
        self.model = self
        self.calls: list[list[int]] = []

    def outputs(self, rows: Sequence[int]) -> Outputs:
        import torch

        with torch.no_grad():
            return self._forward(rows)

    def _forward(self, rows: Sequence[int]) -> Outputs:
        states = self.inputs[list(rows)] @ self.parameters["w"]
        return Outputs(states.log_softmax(dim=1), {"attention.0": states})

    def gradients(self, rows: Sequence[int], loss: Loss, *, scale: float = 1.0) -> float:
        self.calls.append(list(rows))
        for parameter in self.parameters.values():
            parameter.grad = None
        total = 0.0
        for start in range(0, len(rows), self.batch):
            part = rows[start : start + self.batch]
            value = scale * loss(part, self._forward(part))
            value.backward()  # type: ignore[no-untyped-call]
            total += value.item()
        return total

    def cost(self, rows: Sequence[int]) -> Cost:
        return Cost(6, 100, 1000, self.batch, 0.01)

    def weights(self) -> dict[str, Any]:
        return {n: p.detach().numpy().copy() for n, p in self.parameters.items()}

    def load(self, weights: Mapping[str, Any], batch: int = 0) -> None:
        import torch

        self.batch = batch or self.batch
        with torch.no_grad():
            for name, array in weights.items():
                self.parameters[name].copy_(torch.tensor(array))


@pytest.fixture
def line() -> Line:
    return Line()


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


@pytest.fixture(scope="module")
def few() -> FewProblems:
    return FewProblems()
