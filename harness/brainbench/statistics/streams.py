"""Random draws that depend on a seed and on nothing else: not on threads, and not on how work is cut up.

Draws come in blocks of a fixed size, and block k of a seed has its own stream of random numbers
(`SeedSequence(seed).spawn`). Whoever takes blocks in another order, on other threads or on other machines
gets the same draws, and the first n draws of a longer series are those of a series of n.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brainbench.arrays import IntArray
from brainbench.errors import ShapeError
from brainbench.statistics.checks import require_draws, require_seed

BLOCK = 100  # draws; changing it changes every result


@dataclass(frozen=True, slots=True)
class Block:
    """Draws `first` to `first + count` of a series, and the block's own place in the seed's streams."""

    seed: int
    index: int
    count: int

    @property
    def first(self) -> int:
        """Position of the block's first draw in the series."""
        return self.index * BLOCK

    def rng(self) -> np.random.Generator:
        """A new generator at the start of the block's stream."""
        return np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=(self.index,)))

    def choices(self, n: int) -> IntArray:
        """Resamples with replacement of n units: positions (count x n)."""
        return _choices(self.rng(), n)[: self.count]

    def choices_of_two(self, people: int, items: int) -> tuple[IntArray, IntArray]:
        """Independent resamples of people (count x people) and of items (count x items)."""
        rng = self.rng()
        return _choices(rng, people)[: self.count], _choices(rng, items)[: self.count]

    def signs(self, n: int) -> NDArray[np.float64]:
        """Random signs of n units: 1 or -1, (count x n)."""
        drawn = self.rng().integers(0, 2, (BLOCK, n))[: self.count]
        return np.where(drawn == 1, 1.0, -1.0)

    def permutations(self, n: int, strata: Sequence[str] = ()) -> IntArray:
        """Shuffled positions of n units (count x n), within strata where each unit is given its own.

        Shuffle within strata when the strata differ for reasons that are not the hypothesis (two types of
        problem in two scanner runs, say): a test over all items would only find that they differ.
        Raises ShapeError when strata do not fit the units, or when none has two of them.
        """
        labels = (
            np.unique(np.asarray(strata), return_inverse=True)[1] if strata else np.zeros(n, dtype=np.intp)
        )
        if len(labels) != n or n < 2 or np.bincount(labels).max() < 2:
            raise ShapeError(
                f"{n} items cannot be shuffled within {len(set(strata)) or 1} strata of {len(labels)} items.",
                hint="Name the stratum of every item, with two items or more in a stratum.",
            )
        rng = self.rng()
        shuffled = np.tile(np.arange(n, dtype=np.intp), (BLOCK, 1))
        for label in range(labels.max() + 1):
            members = np.flatnonzero(labels == label)
            shuffled[:, members] = rng.permuted(shuffled[:, members], axis=1)
        return shuffled[: self.count]


def blocks(seed: int, draws: int) -> Iterator[Block]:
    """The blocks of a series of draws. Raises UsageError for a seed below 0 and for no draws."""
    require_seed(seed)
    require_draws(draws)
    for index, first in enumerate(range(0, draws, BLOCK)):
        yield Block(seed, index, min(BLOCK, draws - first))


def _choices(rng: np.random.Generator, n: int) -> IntArray:
    return rng.integers(0, n, (BLOCK, n), dtype=np.intp)
