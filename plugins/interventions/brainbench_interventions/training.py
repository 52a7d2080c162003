"""The one way in which every arm is trained: they differ in the loss alone.

AdamW without weight decay; steps over all items of an epoch, or over so many at once, the last of an epoch
over what is left; after an epoch, or so many, the validation set, by which the best epoch is kept, the model
as it was included (Xiao, Du & Lin 2026, "NARF", who stop early in one arm only; their steps cross epochs).
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from brainbench.arrays import FloatArray
from brainbench.checkpoints import Checkpoint
from brainbench.errors import ModelError
from brainbench.nouns import Reporter
from brainbench.progress import relabel
from brainbench.tuning import Loss, Trainee
from brainbench_interventions.directions import stream

if TYPE_CHECKING:
    import torch

Weights = Mapping[str, FloatArray]
_MOMENTS = ("exp_avg", "exp_avg_sq")


@dataclass(frozen=True, kw_only=True)
class Course:
    """How long and how fast.

    epochs: at most. rate: of AdamW. accumulate: items in a step, 0 for all of an epoch. every: epochs from
    one validation to the next. patience: validations in a row that bring nothing better, then it ends.
    """

    epochs: int = 100
    rate: float = 1e-4
    accumulate: int = 0
    every: int = 1
    patience: int = 10
    seed: int = 0


@dataclass(frozen=True)
class Progress:
    """How far a training came: epochs done, what each lost, what validations reached, and the best epoch.

    losses: mean over items, before each epoch's steps. accuracies: on the validation set, the first before
    any step; empty without such a set. waited: validations since the best one. seconds: of training, the
    pauses left out.
    """

    epoch: int = 0
    losses: tuple[float, ...] = ()
    accuracies: tuple[float, ...] = ()
    best: int = 0
    waited: int = 0
    seconds: float = 0.0
    batch: int = 0

    @classmethod
    def read(cls, note: Mapping[str, Any]) -> Progress:
        """From what `note` made; raises ValueError for anything else."""
        wanted = set(cls.__dataclass_fields__)
        listed = {name: note.get(name) for name in ("losses", "accuracies")}
        counts = [note.get(name) for name in ("epoch", "best", "waited", "batch")]
        if (
            set(note) != wanted
            or any(type(count) is not int or count < 0 for count in counts)
            or any(not isinstance(every, list) for every in listed.values())
            or any(not isinstance(one, float) for every in listed.values() for one in every or ())
            or not isinstance(note["seconds"], int | float)
            or len(listed["losses"] or ()) != note["epoch"]
            or note["waited"] > max(0, len(listed["accuracies"] or ()) - 1)
        ):
            raise ValueError("This is not how far a training came.")
        return cls(**{**note, **{name: tuple(every or ()) for name, every in listed.items()}})

    def note(self) -> dict[str, Any]:
        """Plain JSON."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    def over(self, course: Course) -> bool:
        """Whether there is nothing left to do."""
        return self.epoch >= course.epochs or self.waited >= course.patience

    @property
    def reached(self) -> float:
        """The best accuracy on the validation set."""
        return self.accuracies[-1 - self.waited]


@dataclass
class Training:
    """One training under way. validate: the accuracy of the model as it is now; None: no early stop.

    `kept` notes each epoch; what was noted under another `course` or loss is of another training, and its
    owner's to keep apart.
    """

    trainee: Trainee
    rows: Sequence[int]
    loss: Loss
    course: Course
    validate: Callable[[], float] | None
    kept: Checkpoint | None = None
    progress: Progress = field(default_factory=Progress)

    def run(self, name: str, reporter: Reporter) -> Progress:
        """Train to the end, from where it stopped; the trainee then has the weights that are kept."""
        optimizer = self._optimizer()
        best = self._resume(optimizer)
        with reporter.task(f"{name}: starting", self.course.epochs) as advance:
            if self.validate is not None and not self.progress.accuracies:
                self.progress = replace(self.progress, accuracies=(self.validate(),))
            advance(self.progress.epoch)
            while not self.progress.over(self.course):
                best = self._epoch(optimizer, best)
                self._keep(optimizer, best)
                relabel(advance, f"{self._said()}: {name}")
                advance(1)
        self.trainee.load(best)
        return self.progress

    def _epoch(self, optimizer: torch.optim.AdamW, best: Weights) -> Weights:
        """One epoch and its validation; the best weights so far."""
        started, before = time.monotonic(), self.progress
        lost = 0.0
        for step in self._steps(before.epoch):
            lost += self.trainee.gradients(step, self.loss, scale=1 / len(step)) * len(step)
            optimizer.step()
        epoch = before.epoch + 1
        self._require_finite(epoch, lost)
        due = epoch % self.course.every == 0 or epoch == self.course.epochs
        found = (self.validate(),) if self.validate is not None and due else ()
        better = self.validate is None or any(one > before.reached for one in found)
        self.progress = Progress(
            epoch,
            (*before.losses, lost / len(self.rows)),
            (*before.accuracies, *found),
            epoch if better else before.best,
            0 if better else before.waited + len(found),
            before.seconds + time.monotonic() - started,
            self.trainee.batch,
        )
        return self.trainee.weights() if better else best

    def _steps(self, epoch: int) -> Iterator[Sequence[int]]:
        size = self.course.accumulate or len(self.rows)
        order = list(self.rows)
        if size < len(order):
            order = [
                order[at] for at in stream(self.course.seed, "order", str(epoch)).permutation(len(order))
            ]
        return (order[start : start + size] for start in range(0, len(order), size))

    def _require_finite(self, epoch: int, lost: float) -> None:
        weights = self.trainee.parameters.values()
        if not (math.isfinite(lost) and all(bool(each.isfinite().all()) for each in weights)):
            raise ModelError(
                f"Training left the finite numbers in epoch {epoch}, with the rate {self.course.rate:g}.",
                hint=f"Choose a smaller one, as in @rate={self.course.rate / 10:g}.",
            )

    def _optimizer(self) -> torch.optim.AdamW:
        import torch

        return torch.optim.AdamW(
            list(self.trainee.parameters.values()), lr=self.course.rate, weight_decay=0.0
        )

    def _keep(self, optimizer: torch.optim.AdamW, best: Weights) -> None:
        if self.kept is None:
            return
        arrays = {f"now/{name}": array for name, array in self.trainee.weights().items()}
        arrays |= {f"best/{name}": array for name, array in best.items()}
        for name, parameter in self.trainee.parameters.items():
            for moment in _MOMENTS:
                arrays[f"{moment}/{name}"] = optimizer.state[parameter][moment].cpu().numpy()
        self.kept.save(arrays, self.progress.note())

    def _resume(self, optimizer: torch.optim.AdamW) -> Weights:
        """Go back to where it stopped; the best weights so far. What does not fit is not gone on from."""
        found = self.kept.load() if self.kept is not None else None
        if found is None or not self._fits(found[0]):
            return self.trainee.weights()
        import torch

        arrays, note = found
        try:
            self.progress = Progress.read(note)
        except ValueError:
            return self.trainee.weights()
        self.trainee.load(_of("now", arrays), self.progress.batch)
        steps = self.progress.epoch * sum(1 for _ in self._steps(0))
        for name, parameter in self.trainee.parameters.items():
            moments = {m: torch.tensor(arrays[f"{m}/{name}"]).to(parameter) for m in _MOMENTS}
            optimizer.state[parameter] = {"step": torch.tensor(float(steps)), **moments}
        return _of("best", arrays)

    def _fits(self, arrays: Weights) -> bool:
        parts, own = ("now", "best", *_MOMENTS), self.trainee.parameters
        shapes = {f"{part}/{name}": tuple(each.shape) for part in parts for name, each in own.items()}
        return {name: array.shape for name, array in arrays.items()} == shapes and all(
            bool(np.isfinite(array).all()) for array in arrays.values()
        )

    def _said(self) -> str:
        done = self.progress
        words = f"loss {done.losses[-1]:.3f}"
        if done.accuracies:
            words += f", validation {done.accuracies[-1]:.3f}, best {done.reached:.3f}"
        return words


def _of(part: str, arrays: Weights) -> dict[str, FloatArray]:
    return {n.removeprefix(f"{part}/"): np.asarray(a) for n, a in arrays.items() if n.startswith(f"{part}/")}
