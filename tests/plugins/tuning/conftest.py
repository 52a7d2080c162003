"""A trainee of arithmetic alone: one weight for each item, and what is asked of it in closed form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from brainbench.tuning import Cost, Loss, Outputs


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
