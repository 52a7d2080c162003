"""A model of arithmetic alone: fixed states, which steering moves, and an answer read off them linearly."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from brainbench.arrays import Behaviour, Features, Participant, Recording
from brainbench.nouns import DatasetCard, Identity
from brainbench.steering import Addition, Steering, names_of
from brainbench.stimuli import ALL_ITEMS, ItemSet, Message, Stimulus

ITEMS, WIDTH, VOXELS, PEOPLE = 24, 10, 7, 3


def _stimuli() -> tuple[Stimulus, ...]:
    made = []
    for i in range(ITEMS):
        told: dict[str, Any] = {"type": ("one", "two")[i % 2], "label": i % 3 > 0}
        made.append(Stimulus(f"i{i}", (Message("user", f"item {i}"),), f"item {i}", f"item {i}", told))
    return tuple(made)


CARD = DatasetCard("made up", "CC0", "nobody", ("this test",))


@dataclass(frozen=True)
class Brains:
    """Responses are random maps of a hidden quantity that says the right answer, and of the states."""

    name: str = "brains"
    version: int = 1
    regions: tuple[str, ...] = ("left", "right")
    item_sets: tuple[ItemSet, ...] = (ALL_ITEMS,)
    simulated: bool = True
    card: DatasetCard = CARD
    absent: int = 0  # items that the last person lacks
    labelled: bool = True

    def identity(self, region: str) -> Identity:
        return Identity({"name": self.name, "region": region})

    def stimuli(self, reporter: Any) -> tuple[Stimulus, ...]:
        if self.labelled:
            return _stimuli()
        return tuple(Stimulus(s.id, s.messages, s.text, s.content, {"type": "one"}) for s in _stimuli())

    def recording(self, region: str, reporter: Any) -> Recording:
        rng = np.random.default_rng(len(region))
        x = states()["attention.1"]
        people = []
        for p in range(PEOPLE):
            y = (
                x @ rng.normal(size=(WIDTH, VOXELS))
                + rng.normal(size=(ITEMS, VOXELS))
                + rng.normal(size=VOXELS)
            )
            present = np.arange(ITEMS - (self.absent if p == PEOPLE - 1 else 0))
            people.append(Participant(f"p{p}", y[present], present))
        kinds = tuple(str(s.conditions["type"]) for s in self.stimuli(reporter))
        return Recording(region, tuple(s.id for s in _stimuli()), tuple(people), kinds)

    def behaviour(self, reporter: Any) -> Behaviour:
        right = np.random.default_rng(8).random((PEOPLE, ITEMS)) < 0.9
        ids = tuple(s.id for s in _stimuli())
        return Behaviour(tuple(f"p{p}" for p in range(PEOPLE)), ids, right, np.ones((PEOPLE, ITEMS)))


def states() -> dict[str, Any]:
    rng = np.random.default_rng(1)
    return {
        f"{kind}.{i}": rng.normal(size=(ITEMS, WIDTH)) for kind in ("attention", "layer") for i in range(4)
    }


READOUT = np.random.default_rng(2).normal(size=WIDTH)


@dataclass
class Arithmetic:
    """Steerable, and answers True where what stands at attention.1 lies on one side of a plane."""

    has_head: bool = True
    active: list[Steering] = field(default_factory=list)
    asked: int = 0

    def features(self, stimuli: Sequence[Stimulus], reporter: Any) -> Features:
        rows = [int(stimulus.id[1:]) for stimulus in stimuli]
        found = {site: x[rows].copy() for site, x in states().items()}
        for steering in self.active:
            for site, change in steering.changes.items():
                for row, stimulus in enumerate(stimuli):
                    found[site][row] = _changed(steering, change, stimulus, found[site][row])
        return Features(found)

    @contextmanager
    def steered(self, steering: Steering) -> Iterator[Arithmetic]:
        self.active.append(steering)
        try:
            yield self
        finally:
            self.active.remove(steering)

    def log_odds(self, stimuli: Sequence[Stimulus], words: Sequence[str], reporter: Any) -> Any:
        self.asked += 1
        odds = self.features(stimuli, reporter).layers["attention.1"] @ READOUT
        return np.stack([odds, -odds], axis=1)

    def facts(self) -> Mapping[str, Any]:
        return {}


def _changed(steering: Steering, change: Any, stimulus: Stimulus, x: Any) -> Any:
    if not isinstance(change, Addition):
        mean = 0 if change.mean is None else change.mean
        return x + (change.gain - 1) * (x - mean) @ change.basis.T @ change.basis
    if change.vector.ndim == 1:
        return x + change.strength * change.vector
    row = steering.row(names_of(stimulus))
    return x if row is None else x + change.strength * change.vector[row]


@pytest.fixture
def brains() -> Callable[..., Brains]:
    return Brains


@pytest.fixture
def arithmetic() -> Callable[..., Arithmetic]:
    return Arithmetic
