"""The permutation null of the whole robust estimator: items of the model shuffled, the layer chosen anew.

Shuffling items moves the entries of a model's RDM and so of its ranks: nothing is ranked again. And since the
test statistic is linear in people's vectors, these are summed over people first. Each permutation is then a
gather and each block of permutations one matrix product.

That needs a statistic a hair's breadth from the score: a layer's ranks and their length are those over all
pairs, where the score ranks within a half; and the mean over people is of r and not of z. The observed value
is computed in the same way, so that the test is exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brainbench.arrays import IntArray
from brainbench.statistics import Block, LayerTests, MaxStatistic, blocks
from brainbench_metrics.parallel import in_order
from brainbench_metrics.rdm import Array, pairs, square
from brainbench_metrics.rsa_crossvalidation import Part

Single = NDArray[np.float32]
_AT_ONCE = 1 << 18  # numbers in a gathered block: 1 MiB, about what a core's cache holds


@dataclass(frozen=True, slots=True, eq=False)
class Statistic:
    """Models (layers x pairs), of length 1, and what people's vectors sum to (columns x pairs).

    The columns are those of splits x halves x folds of people, then one of everybody over all pairs.
    """

    models: Array
    columns: Array
    shape: tuple[int, int]

    @classmethod
    def of(
        cls, models: Array, parts: Sequence[Sequence[Part]], whole: Sequence[Part], fold_of: IntArray
    ) -> Statistic:
        """From the parts of each half of each split and those of all items; fold_of (splits x people)."""
        splits, people = fold_of.shape
        folds, pairs = int(fold_of.max()) + 1, models.shape[1]
        columns = np.zeros((splits, 2, folds, pairs))
        for at, block in enumerate(parts):
            split, half = divmod(at, 2)
            for part in block:
                scale = np.sqrt(pairs / part.columns.size) / (people * 2 * splits)
                for fold in range(folds):
                    inside = fold_of[split, part.members] == fold
                    columns[split, half, fold, part.columns] += scale * part.brain[inside].sum(axis=0)
        everybody = np.zeros((1, pairs))
        for part in whole:
            everybody[0, part.columns] += part.brain.sum(axis=0) * np.sqrt(pairs / part.columns.size) / people
        return cls(models, np.concatenate([columns.reshape(-1, pairs), everybody]), (splits, folds))

    def values(self, products: Array) -> tuple[Array, Array]:
        """Cross-validated (draws,) and each layer's (draws x layers); products (draws x layers x columns)."""
        draws, layers, _ = products.shape
        tested = products[:, :, :-1].reshape(draws, layers, self.shape[0], 2, self.shape[1])
        trained = tested.sum(axis=4, keepdims=True) - tested  # everybody but the fold
        chosen = trained.argmax(axis=1)[:, None, :, ::-1, :]  # scored on the half that did not choose
        return np.take_along_axis(tested, chosen, axis=1).sum(axis=(1, 2, 3, 4)), products[:, :, -1]


def permutation_tests(
    statistic: Statistic, items: int, labels: Sequence[str], *, seed: int, draws: int
) -> tuple[float, LayerTests, LayerTests]:
    """The statistic observed, its test, and that of every layer with the maximum over layers.

    labels: within which items are shuffled, one per item, or empty. The same bits on any number of threads.
    """
    gather = _Gather.of(statistic, items)
    observed = statistic.values(gather.products(np.arange(items)[None]))
    whole, layers = MaxStatistic(observed[0]), MaxStatistic(observed[1][0])

    def draw(block: Block) -> tuple[Array, Array]:
        return statistic.values(gather.products(block.permutations(items, labels)))

    for values, of_layers in in_order(draw, list(blocks(seed, draws))):
        whole.update(values[:, None])
        layers.update(of_layers)
    return float(observed[0][0]), whole.result(), layers.result()


@dataclass(frozen=True, slots=True, eq=False)
class _Gather:
    """Products of permuted with fixed vectors; whichever side has fewer vectors is the one permuted.

    To permute one side by p is to permute the other by the inverse of p, which is as random.
    moving (items^2 x m) are square matrices, entry by entry; fixed (f x pairs).
    """

    moving: Single
    fixed: Single
    items: int
    models_move: bool

    @classmethod
    def of(cls, statistic: Statistic, items: int) -> _Gather:
        sides = statistic.models, statistic.columns
        models_move = len(sides[0]) <= len(sides[1])
        moving, fixed = sides if models_move else sides[::-1]
        full = square(moving, items).reshape(len(moving), -1).T
        return cls(
            np.ascontiguousarray(full, np.float32),
            np.ascontiguousarray(fixed, np.float32),
            items,
            models_move,
        )

    def products(self, permutations: IntArray) -> Array:
        """Products (draws x layers x columns) for permutations (draws x items)."""
        first, second = pairs(self.items)
        width = self.moving.shape[1]
        step = max(1, _AT_ONCE // (len(first) * width))
        made = np.empty((len(self.fixed), len(permutations), width), np.float32)
        room = np.empty((len(first) * step, width), np.float32)  # fresh memory would cost more than the work
        for start in range(0, len(permutations), step):
            drawn = np.ascontiguousarray(permutations[start : start + step].T)
            index = (drawn[first] * self.items + drawn[second]).ravel()  # pairs x draws
            moved = self.moving.take(index, axis=0, out=room[: len(index)], mode="clip")
            part = self.fixed @ moved.reshape(len(first), -1)
            made[:, start : start + step] = part.reshape(len(self.fixed), -1, width)
        products = made.astype(np.float64)  # fixed x draws x moving
        return products.transpose(1, 2, 0) if self.models_move else products.transpose(1, 0, 2)
