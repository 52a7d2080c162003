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
_TOGETHER = 5  # blocks of draws in a piece of work, whatever the number of cores


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

    @property
    def terms(self) -> list[Term]:
        """What products are taken of: one term for all people."""
        return [Term(self.models, self.columns, slice(None))]

    @property
    def width(self) -> int:
        """Number of columns."""
        return len(self.columns)

    def values(self, products: Array) -> tuple[Array, Array]:
        """Cross-validated (draws,) and each layer's (draws x layers); products (draws x layers x columns)."""
        return _values(products, self.shape)


@dataclass(frozen=True, slots=True, eq=False)
class PersonalStatistic:
    """The same where each person has models of their own: a term for each, with the columns it adds to."""

    terms: list[Term]
    width: int
    shape: tuple[int, int]

    @classmethod
    def of(
        cls,
        models: Sequence[Array],
        parts: Sequence[Sequence[Part]],
        whole: Sequence[Part],
        fold_of: IntArray,
    ) -> PersonalStatistic:
        """As `Statistic.of`, from each person's models (layers x pairs); every part is of one person."""
        splits, people = fold_of.shape
        folds, pairs = int(fold_of.max()) + 1, models[0].shape[1]
        own = np.zeros((people, 2 * splits + 1, pairs))
        for at, block in enumerate([*parts, whole]):
            share = people if at == 2 * splits else people * 2 * splits
            for part in block:
                own[part.members[0], at, part.columns] = (
                    np.sqrt(pairs / part.columns.size) / share * part.brain[0]
                )
        halves = np.arange(2 * splits)
        places = [
            np.append(halves * folds + fold_of[halves // 2, who], 2 * splits * folds) for who in range(people)
        ]
        terms = [Term(*those) for those in zip(models, own, places, strict=True)]
        return cls(terms, 2 * splits * folds + 1, (splits, folds))

    def values(self, products: Array) -> tuple[Array, Array]:
        """Cross-validated (draws,) and each layer's (draws x layers); products (draws x layers x columns)."""
        return _values(products, self.shape)


@dataclass(frozen=True, slots=True, eq=False)
class Term:
    """Models (layers x pairs) whose products with vectors (n x pairs) add to these n of the columns."""

    models: Array
    vectors: Array
    place: IntArray | slice


def _values(products: Array, shape: tuple[int, int]) -> tuple[Array, Array]:
    draws, layers, _ = products.shape
    tested = products[:, :, :-1].reshape(draws, layers, shape[0], 2, shape[1])
    trained = tested.sum(axis=4, keepdims=True) - tested  # everybody but the fold
    chosen = trained.argmax(axis=1)[:, None, :, ::-1, :]  # scored on the half that did not choose
    return np.take_along_axis(tested, chosen, axis=1).sum(axis=(1, 2, 3, 4)), products[:, :, -1]


def permutation_tests(
    statistic: Statistic | PersonalStatistic, items: int, labels: Sequence[str], *, seed: int, draws: int
) -> tuple[float, LayerTests, LayerTests]:
    """The statistic observed, its test, and that of every layer with the maximum over layers.

    labels: within which items are shuffled, one per item, or empty. The same bits on any number of threads.
    """
    gather = _Gather.of(statistic, items)
    observed = statistic.values(gather.products([np.arange(items)[None]]))
    whole, layers = MaxStatistic(observed[0]), MaxStatistic(observed[1][0])

    def draw(some: Sequence[Block]) -> tuple[Array, Array]:
        return statistic.values(gather.products([block.permutations(items, labels) for block in some]))

    series = list(blocks(seed, draws))
    work = [series[start : start + _TOGETHER] for start in range(0, len(series), _TOGETHER)]
    for values, of_layers in in_order(draw, work):
        whole.update(values[:, None])
        layers.update(of_layers)
    return float(observed[0][0]), whole.result(), layers.result()


@dataclass(frozen=True, slots=True, eq=False)
class _Gather:
    """Products of permuted with fixed vectors; whichever side has fewer vectors is the one permuted.

    To permute one side by p is to permute the other by the inverse of p, which is as random.
    For each term, moving (items^2 x m) are square matrices, entry by entry; fixed (f x pairs).
    """

    moving: list[Single]
    fixed: list[Single]
    places: list[IntArray | slice]
    items: int
    models_move: bool
    shape: tuple[int, int]

    @classmethod
    def of(cls, statistic: Statistic | PersonalStatistic, items: int) -> _Gather:
        terms = statistic.terms
        models_move = len(terms[0].models) <= len(terms[0].vectors)
        sides = [
            (term.models, term.vectors) if models_move else (term.vectors, term.models) for term in terms
        ]
        return cls(
            [
                np.ascontiguousarray(square(side[0], items).reshape(len(side[0]), -1).T, np.float32)
                for side in sides
            ],
            [np.ascontiguousarray(side[1], np.float32) for side in sides],
            [term.place for term in terms],
            items,
            models_move,
            (len(terms[0].models), statistic.width),
        )

    def products(self, permutations: Sequence[IntArray]) -> Array:
        """Products (draws x layers x columns), summed over terms, for several (draws x items) in a row."""
        first, second = pairs(self.items)
        width = self.moving[0].shape[1]
        most = max(map(len, permutations))
        step = min(most, max(1, _AT_ONCE // (len(first) * width)))
        made = np.zeros((sum(map(len, permutations)), *self.shape))
        # Fresh memory for each step would cost more than the work.
        room = np.empty((len(first) * step, width), np.float32)
        spaces = np.empty((2, len(first) * step), np.intp)
        done = 0
        for drawn in (some[at : at + step].T for some in permutations for at in range(0, len(some), step)):
            count = drawn.shape[1]
            index, column = spaces[:, : len(first) * count]  # pairs x draws
            np.take(drawn * self.items, first, axis=0, out=index.reshape(-1, count), mode="clip")
            np.take(np.ascontiguousarray(drawn), second, axis=0, out=column.reshape(-1, count), mode="clip")
            index += column
            window = made[done : done + count]
            done += count
            for moving, fixed, place in zip(self.moving, self.fixed, self.places, strict=True):
                moved = moving.take(index, axis=0, out=room[: len(index)], mode="clip")
                part = (fixed @ moved.reshape(len(first), -1)).reshape(len(fixed), -1, width)
                window[:, :, place] += (
                    part.transpose(1, 2, 0) if self.models_move else part.transpose(1, 0, 2)
                )
        return made
