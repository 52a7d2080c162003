"""A network in training on fixed prompts: what comes out of it, and gradients of any loss of that."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from brainbench.arrays import FloatArray
from brainbench.errors import ModelError, ShapeError
from brainbench.nouns import OpenModel
from brainbench.tuning import Cost, Loss, Outputs
from brainbench_models import devices
from brainbench_models.batching import Batching
from brainbench_models.memory import SHARE, Estimate
from brainbench_models.passes import Passes
from brainbench_models.quiet import quiet

if TYPE_CHECKING:
    from torch import Tensor, nn

_Found = TypeVar("_Found")


class HuggingFaceTrainee:
    """A brainbench.tuning.Trainee.

    The network computes in the number type that it was opened in, and its dropouts stay off; what is trained
    is float32. Prompts go through it in the order of their lengths, so many at once.
    """

    def __init__(
        self,
        model: OpenModel,
        passes: Passes,
        parameters: Mapping[str, nn.Parameter],
        estimate: Estimate,
        batch: int,
    ) -> None:
        self._model, self._passes, self._estimate = model, passes, estimate
        self._parameters = dict(parameters)
        self._batch = batch or self._fitting(range(len(passes.lengths)))

    @property
    def parameters(self) -> Mapping[str, nn.Parameter]:
        """What is trained, in float32, by an Adapter's names."""
        return self._parameters

    @property
    def sites(self) -> tuple[str, ...]:
        """The places whose states are given."""
        return self._passes.sites

    @property
    def model(self) -> OpenModel:
        """The model as it is now, to be asked."""
        return self._model

    @property
    def batch(self) -> int:
        """How many prompts it takes at once."""
        return self._batch

    def cost(self, rows: Sequence[int], /) -> Cost:
        """What to expect of these prompts, by memory.Estimate and one timed pass; changes nothing.

        Fewer prompts at once are chosen where the estimate says so. Raises ModelError, which says what would
        fit, where memory does not suffice.
        """
        order = self._by_length(rows)
        lengths = self._passes.lengths
        longest = lengths[order[0]]
        free = devices.free_memory(self._passes.device)
        most = self._estimate.most(longest, free, len(order))
        if not most:
            raise self._will_not_fit(longest, free)
        self._batch = min(self._batch, most)
        seconds = self._try(order)
        parts = [order[at : at + self._batch] for at in range(0, len(order), self._batch)]
        tokens = [len(part) * lengths[part[0]] for part in parts]
        return Cost(
            trained=self._estimate.trained,
            needed=self._estimate.needed(min(self._batch, len(order)), longest),
            free=free,
            batch=self._batch,
            pass_seconds=seconds * sum(tokens) / tokens[0],
        )

    def outputs(self, rows: Sequence[int], /) -> Outputs:
        """Without gradients, in the rows' order."""
        import torch

        def read() -> Outputs:
            order = sorted(range(len(rows)), key=lambda at: -self._passes.lengths[rows[at]])
            back = torch.tensor(order).argsort()
            with torch.no_grad():
                found = [
                    self._passes.forward([rows[at] for at in order[start : start + self._batch]])
                    for start in range(0, len(order), self._batch)
                ]
            likely = torch.cat([one.log_likelihoods for one in found])
            states = {site: torch.cat([one.states[site] for one in found]) for site in self.sites}
            return Outputs(likely[back], {site: array[back] for site, array in states.items()})

        with quiet():
            return self._within_memory(read, rows)

    def gradients(self, rows: Sequence[int], loss: Loss, /, *, scale: float = 1.0) -> float:
        """Put into each parameter's `grad` that of scale * loss over these rows, nothing else; that value.

        When memory runs out, fewer prompts at once are tried. Raises ModelError when one is too many.
        """

        def add_up() -> float:
            import torch

            self._drop()
            total, order = 0.0, self._by_length(rows)
            for start in range(0, len(order), self._batch):
                part = order[start : start + self._batch]
                value: Any = scale * loss(part, self._passes.forward(part))
                if value.requires_grad:
                    value.backward()
                total += float(value.detach())
            for weights in self._parameters.values():
                if weights.grad is None:  # a loss that does not reach it
                    weights.grad = torch.zeros_like(weights)
            return total

        with quiet():
            return self._within_memory(add_up, rows)

    def weights(self) -> dict[str, FloatArray]:
        """Copies of the parameters, float32."""
        return {name: weights.detach().cpu().numpy().copy() for name, weights in self._parameters.items()}

    def load(self, weights: Mapping[str, FloatArray], batch: int = 0, /) -> None:
        """Set the parameters, and how many prompts are taken at once unless 0; ShapeError."""
        import torch

        if set(weights) != set(self._parameters):
            other = sorted(set(weights) ^ set(self._parameters))[0]
            raise ShapeError(f"The weights to be set are not those that are trained: {other}.")
        for name, array in weights.items():
            if array.shape != tuple(self._parameters[name].shape) or not np.isfinite(array).all():
                raise ShapeError(
                    f"{name} is to be finite and of the shape {tuple(self._parameters[name].shape)}, "
                    f"not {array.shape}."
                )
        with torch.no_grad():
            for name, array in weights.items():
                self._parameters[name].copy_(torch.tensor(array))
        self._batch = batch or self._batch

    def _within_memory(self, attempt: Callable[[], _Found], rows: Sequence[int]) -> _Found:
        """The attempt, whole, with half as many prompts at once as often as memory runs out."""
        while True:
            try:
                return attempt()
            except (RuntimeError, MemoryError) as error:
                if not devices.out_of_memory(error):
                    raise
                self._drop()
                size = min(self._batch, len(rows))
                if size <= 1:
                    raise self._will_not_fit(max(self._passes.lengths[row] for row in rows)) from error
            self._batch = size // 2  # only here, when the exception no longer holds the batch's tensors
            devices.release()

    def _try(self, order: Sequence[int]) -> float:
        """Seconds for the longest prompts at once, forwards and backwards."""
        size = 0
        while size != self._batch:  # memory may run out on the way
            size, started = self._batch, time.perf_counter()
            self.gradients(order[:size], _everything)
            seconds = time.perf_counter() - started
        self._drop()
        return seconds

    def _will_not_fit(self, longest: int, free: int | None = None) -> ModelError:
        estimate = self._estimate
        needed, each = _size(estimate.needed(1, longest)), estimate.bytes_each
        there = "" if free is None else f" ({_size(free)}, of which {SHARE:.0%} are used)"
        would = [] if estimate.recompute else ["compute activations again (recompute)"]
        would += ["use --dtype bfloat16"] * (each > 2) + ["train a smaller rank or model"]
        return ModelError(
            f"Training on one prompt of {longest} tokens takes about {needed} beside the model, and does not "
            f"fit into the free memory of {self._passes.device}{there}.",
            hint=f"To need less: {', '.join(would)}.",
        )

    def _fitting(self, rows: Sequence[int]) -> int:
        longest = max(self._passes.lengths[row] for row in rows)
        limit = min(len(rows), Batching.start(None, self._passes.device).take(longest))
        return max(1, self._estimate.most(longest, devices.free_memory(self._passes.device), limit))

    def _by_length(self, rows: Sequence[int]) -> list[int]:
        if not len(rows):
            raise ModelError("There are no prompts to train on.", hint="Choose at least one item.")
        return sorted(rows, key=lambda row: -self._passes.lengths[row])

    def _drop(self) -> None:
        for weights in self._parameters.values():
            weights.grad = None


def _everything(rows: Sequence[int], outputs: Outputs) -> Tensor:
    """Any loss that reaches all outputs, to time a pass."""
    del rows
    total = outputs.log_likelihoods.mean()
    for states in outputs.states.values():
        total = total + states.mean()
    return total


def _size(count: int) -> str:
    return f"{count / 2**30:.2g} GiB" if count >= 2**30 else f"{count / 2**20:.2g} MiB"
