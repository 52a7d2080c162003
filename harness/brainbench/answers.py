"""Whether a model gets items right while it is steered: what fits that need answers ask for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from brainbench.arrays import FloatArray
from brainbench.errors import ShapeError
from brainbench.nouns import Reporter
from brainbench.progress import SilentReporter
from brainbench.steering import Steerable, Steering
from brainbench.stimuli import Stimulus

WORDS = ("True", "False")


class Answers(Protocol):
    """Asks a model; what an item's right answer is, is its affair."""

    def __call__(
        self, steering: Steering, items: Sequence[str], rows: Sequence[str] = (), /
    ) -> NDArray[np.bool_]:
        """Whether the steered model gets each of these items right, in their order.

        rows: for each item, what the steering's `items` call the row that it is steered by, where that is no
        condition of the item. So the same item can be asked many times at once, each time changed otherwise.
        """
        ...


@runtime_checkable
class Chooses(Protocol):
    """An open model that may say how likely each of a few words comes next."""

    @property
    def has_head(self) -> bool:
        """Whether it can: a model may have been opened without its head."""
        ...

    def log_odds(
        self, stimuli: Sequence[Stimulus], words: Sequence[str], reporter: Reporter, /
    ) -> FloatArray:
        """(stimuli x words): each word's log-probability, up to what is the same for all words."""
        ...


@dataclass(frozen=True)
class WordAnswers:
    """Answers by the likelier of two words for "the label is True" and "it is False"; an equal one is wrong.

    `model` has to be Steerable and Chooses; labels are the stimuli's conditions of that name.
    """

    model: object
    stimuli: tuple[Stimulus, ...]
    words: tuple[str, str] = WORDS
    label: str = "label"

    @classmethod
    def of(cls, model: object, stimuli: Sequence[Stimulus], **more: str) -> WordAnswers | None:
        """None where the model has no head, cannot be steered, or the stimuli have no such label."""
        found = cls(model, tuple(stimuli), **more)  # type: ignore[arg-type]
        labelled = all(isinstance(s.conditions.get(found.label), bool) for s in stimuli)
        fits = isinstance(model, Chooses) and model.has_head and isinstance(model, Steerable)
        return found if fits and labelled else None

    def __call__(
        self, steering: Steering, items: Sequence[str], rows: Sequence[str] = (), /
    ) -> NDArray[np.bool_]:
        """Whether the steered model gets each of these items right, steered by `rows`; ShapeError."""
        assert isinstance(self.model, Steerable)
        known = {stimulus.id: stimulus for stimulus in self.stimuli}
        asked = [known[item] for item in items]
        label = np.array([bool(stimulus.conditions[self.label]) for stimulus in asked])
        if rows:
            asked = _called(asked, steering.key, rows)
        with self.model.steered(steering) as steered:
            assert isinstance(steered, Chooses)
            odds = steered.log_odds(asked, self.words, SilentReporter())
        right: NDArray[np.bool_] = np.where(label, odds[:, 0] > odds[:, 1], odds[:, 1] > odds[:, 0])
        return right


def _called(stimuli: list[Stimulus], key: str, rows: Sequence[str]) -> list[Stimulus]:
    """The same stimuli, each known by its row of a steering with this key."""
    if not key or len(rows) != len(stimuli):
        raise ShapeError("Rows are named for each item, and of a steering that has a key for them.")
    return [
        replace(stimulus, conditions={**stimulus.conditions, key: row})
        for stimulus, row in zip(stimuli, rows, strict=True)
    ]
