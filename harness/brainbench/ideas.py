"""What models think up when they are asked to, as plain values: their texts, and the scores of these."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from brainbench.errors import ShapeError
from brainbench.protocols import require_plain

if TYPE_CHECKING:
    from brainbench.nouns import Reporter
    from brainbench.statistics import Interval
    from brainbench.stimuli import ItemSet, Stimulus


OBJECT = "object"  # the condition that says what a stimulus's texts are about


@dataclass(frozen=True, slots=True)
class Idea:
    """One text that a model wrote. item: the id of what was asked; draw: the how manieth to it, from 0.

    seed: what its words were drawn by.
    """

    item: str
    draw: int
    seed: int
    text: str


@dataclass(frozen=True, slots=True)
class Response:
    """A text to be scored, and the object that it is about ("" where it is about none)."""

    about: str
    text: str


@dataclass(frozen=True, slots=True)
class Rated:
    """A person's response and the mean of what human raters thought of it."""

    response: Response
    rating: float


@dataclass(frozen=True, eq=False)
class IdeaScores:
    """A model's texts and what a scorer gave each; None for one that it could not score.

    The score is the mean over items of the mean over an item's scored texts; items of which no text was
    scored are left out and counted. `about`: the object of each item. Raises ShapeError where texts and
    scores do not fit, where nothing was scored, and for details that are no plain JSON.
    """

    ideas: tuple[Idea, ...]
    scores: tuple[float | None, ...]
    about: Mapping[str, str] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if len(self.ideas) != len(self.scores):
            raise ShapeError(f"IdeaScores: {len(self.scores)} scores for {len(self.ideas)} texts.")
        if len({(idea.item, idea.draw) for idea in self.ideas}) != len(self.ideas):
            raise ShapeError("IdeaScores: an item has two texts of the same draw.")
        known = [score for score in self.scores if score is not None]
        if not known:
            raise ShapeError("IdeaScores: no text could be scored.")
        if not all(math.isfinite(score) for score in known):
            raise ShapeError("IdeaScores: a score is not finite.")
        require_plain(self.details, "IdeaScores: details")

    @cached_property
    def by_item(self) -> dict[str, float]:
        """The mean over the scored texts of each item that has any."""
        found: dict[str, list[float]] = {}
        for idea, score in zip(self.ideas, self.scores, strict=True):
            if score is not None:
                found.setdefault(idea.item, []).append(score)
        return {item: math.fsum(scores) / len(scores) for item, scores in found.items()}

    @property
    def score(self) -> float:
        """The mean over items."""
        return math.fsum(self.by_item.values()) / len(self.by_item)

    @cached_property
    def interval(self) -> Interval:
        """For other items like these: items are resampled, each with all its texts.

        See `interval_over_items`; it stays within the details' "scale".
        """
        least, most = self.details.get("scale", (-math.inf, math.inf))
        return interval_over_items(list(self.by_item.values()), least=least, most=most)

    @property
    def unscored(self) -> int:
        """How many texts have no score."""
        return sum(score is None for score in self.scores)


def interval_over_items(means: Sequence[float], *, least: float, most: float) -> Interval:
    """Of the mean of items' means, for other items like these: an expanded bootstrap (95 %).

    Of two or three items that differ Student's interval, kept between `least` and `most`. Where items are
    alike, the mean alone or, of fewer than four, all from `least` to `most`.
    """
    import numpy as np

    from brainbench.statistics import expanded_interval
    from brainbench.task_scores import DRAWS, FEWEST, LEVEL, interval_of_few, no_interval

    values = np.array(means)
    mean = math.fsum(means) / len(means)
    if len(values) > 1 and np.ptp(values) > 0:
        if len(values) < FEWEST:
            return interval_of_few(values, mean, least=least, most=most)
        return expanded_interval(values, seed=0, draws=DRAWS, level=LEVEL)
    return no_interval(mean, len(values), least=least, most=most)


@runtime_checkable
class AsksForIdeas(Protocol):
    """What a BrainDataset has beyond its own when models can be asked what its people were asked.

    stage: "prompt" where models read only what was asked, "response" where they read it with what they said
    to it: then the harness asks `questions` and gives each stimulus a `response`. creative: the items whose
    texts can be scored for their originality; their stimuli have a condition "object", which says what the
    texts are about.
    """

    @property
    def stage(self) -> str:
        """Either "prompt" or "response"."""
        ...

    @property
    def creative(self) -> ItemSet:
        """The items that ask for something original."""
        ...

    def questions(self, reporter: Reporter, /) -> tuple[Stimulus, ...]:
        """What models are asked in words, one for each of `stimuli` and with its id, in their order."""
        ...
