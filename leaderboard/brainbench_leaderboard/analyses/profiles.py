"""Scores by relative depth: the layers of a part of a model, people's scores at each, and where they peak."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from brainbench.statistics import Interval, percentile_interval
from brainbench_leaderboard.analyses.paired import SEED
from brainbench_leaderboard.stored_scores import LayerScores

Array = NDArray[np.float64]
BINS = 10
DRAWS = 2_000
_LAYER = re.compile(r"(.+)\.(\d+)")


@dataclass(frozen=True, slots=True, eq=False)
class Profile:
    """A part of a model ("layer", "attention"): depths (layers,) in (0, 1] and scores (layers x people)."""

    part: str
    people: tuple[str, ...]
    depths: Array
    scores: Array

    def median(self) -> Array:
        """Over people (layers,)."""
        return np.asarray(np.median(self.scores, axis=1))

    def bins(self) -> dict[int, tuple[float, int]]:
        """By bin of depth, the median over people of each one's mean over its layers; and how many layers."""
        places = bins_of(self.depths)
        return {
            int(at): (float(np.median(self.in_bin(int(at)))), int(np.count_nonzero(places == at)))
            for at in np.unique(places)
        }

    def in_bin(self, at: int) -> Array:
        """Each person's mean over the layers in a bin (people,)."""
        return np.asarray(self.scores[bins_of(self.depths) == at].mean(axis=0))

    def peak(self) -> float:
        """Depth of the layer with the highest median."""
        return float(self.depths[self.median().argmax()])

    def peaks_without(self) -> list[float]:
        """The same when each person is left out in turn."""
        people = range(len(self.people))
        return [replace(self, scores=np.delete(self.scores, person, axis=1)).peak() for person in people]

    def peak_interval(self) -> Interval:
        """Of the peak, over people."""

        def peaks(drawn: NDArray[np.float64], /, *, axis: int) -> Array:
            del axis  # always the last
            people = drawn.astype(np.intp)
            medians = np.stack([np.median(layer[people], axis=-1) for layer in self.scores])
            return np.asarray(self.depths[medians.argmax(axis=0)])

        return percentile_interval(np.arange(float(len(self.people))), peaks, seed=SEED, draws=DRAWS)


def bins_of(depths: Array) -> NDArray[np.intp]:
    """The bin of each depth in (0, 1]: 0.1 is in the first, all above up to 0.2 in the second."""
    found: NDArray[np.intp] = np.clip(np.ceil(np.round(depths * BINS, 9)) - 1, 0, BINS - 1).astype(np.intp)
    return found


def profiles(found: LayerScores, depth: int | None) -> list[Profile]:
    """The parts of a model whose layers are numbered, each where two layers or more were scored.

    depth: how many layers the model has; where that is not known, up to the highest number. Layer i, counted
    from 0, is at depth (i + 1) / depth. What stands for several layers has no depth and is left out.
    """
    parts: dict[str, dict[int, Array]] = {}
    deepest = 0
    for name, row in zip(found.layers, found.per_person, strict=True):
        if (match := _LAYER.fullmatch(name)) is not None:
            deepest = max(deepest, int(match[2]) + 1)
            if np.isfinite(row).all():
                parts.setdefault(match[1], {})[int(match[2])] = row
    count = max(depth or 0, deepest)
    made = []
    for part, rows in parts.items():
        if len(rows) > 1:
            places = sorted(rows)
            depths = np.array([(at + 1) / count for at in places])
            made.append(Profile(part, found.people, depths, np.stack([rows[at] for at in places])))
    return made
