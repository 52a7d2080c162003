"""The null of the whole estimator: items shuffled within strata, penalties and layers chosen anew each time.

The regressions stay as they are and the responses change places, which is the same as shuffling the features
with their folds. Products of the forms with shuffled S are all that it takes; S is symmetric, so that its
upper triangle is enough.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from brainbench.arrays import IntArray
from brainbench.products import product
from brainbench.records import Skip
from brainbench_metrics.folds import Fold
from brainbench_metrics.nested_null_groups import block_scores, moves_blocks
from brainbench_metrics.nested_people import shuffled_orders
from brainbench_metrics.nested_ridge import NestedRidge
from brainbench_metrics.nested_scores import Problem, choose, correlation
from brainbench_metrics.parallel import in_order

Array = NDArray[np.float64]
_NUMBERS = 1 << 25  # numbers in the shuffled S of all people at once: 256 MiB
_MOST_NUMBERS = 1 << 26  # numbers in the forms of one fold: 512 MiB
_BLOCK = 256  # shuffled S whose forms are gathered at once, so that they stay in the cache


@dataclass(frozen=True, slots=True, eq=False)
class _Forms:
    """A fold's forms as vectors of pairs, for the people `members`: their products with S are what is wanted.

    error: what is left out. along, predicted, measured: the sums of `moments`. (L x A x pairs), but for
    measured (pairs,).
    """

    members: IntArray
    error: Array
    along: Array
    predicted: Array
    measured: Array


def null_scores(
    problem: Problem, draws: int, seed: int, advance: Callable[[int], None] = lambda steps: None
) -> Array | Skip:
    """The nested score, mean over people, of each shuffle (draws,), or the reason why there are none.

    `advance` counts shuffles.
    """
    items = [problem.people.members[members[0]].items for members, _ in problem.sets]
    orders = shuffled_orders(seed, draws, problem.strata, problem.groups, items)
    if orders is None:
        return Skip("No two items, or groups of items, may change places.")
    if moves_blocks(problem, draws):
        return np.asarray(block_scores(problem, orders[0], advance).mean(axis=1))
    n_items = len(problem.strata)
    size = _size(problem)
    if size > _MOST_NUMBERS:
        return Skip(
            f"Shuffles of {n_items} items one by one would take {size >> 27} GiB for so many layers: score "
            "fewer, or let the recording name groups of items, such as runs, that everyone has in full."
        )
    one = len(problem.people.members) * n_items * (n_items + 1) // 2
    if draws * one <= _NUMBERS:
        null = shuffled_scores(problem, orders)
        advance(draws)
    else:  # shuffled S and forms share the memory
        heights = max(1, _NUMBERS // 2 // one), max(1, _NUMBERS // 2 // size)
        null = _in_parts(problem, orders, heights, advance)
    return np.asarray(null.mean(axis=1))


def shuffled_scores(problem: Problem, orders: list[IntArray]) -> Array:
    """Nested scores (shuffles x people); orders (shuffles x items), one array for each of the sets."""
    packed = _packed(problem, orders)
    total = np.zeros((len(orders[0]), len(problem.people.members)))
    for r in in_order(lambda fold: _fold_scores(problem, packed, _fold_forms(problem, fold)), problem.folds):
        total += r
    return total / len(problem.folds)


def _in_parts(
    problem: Problem, orders: list[IntArray], heights: tuple[int, int], advance: Callable[[int], None]
) -> Array:
    """The same for `heights` shuffles and folds at a time: forms are made once, shuffled S anew for folds."""
    draws, folds = len(orders[0]), problem.folds
    total = np.zeros((draws, len(problem.people.members)))
    done = 0
    for first in range(0, len(folds), heights[1]):
        some = folds[first : first + heights[1]]
        forms = list(in_order(lambda fold: _fold_forms(problem, fold), some))
        for start in range(0, draws, heights[0]):
            part = slice(start, start + heights[0])
            packed = _packed(problem, [order[part] for order in orders])
            for r in in_order(partial(_fold_scores, problem, packed), forms):
                total[part] += r
            before, done = done, done + len(some) * len(packed[0][0])
            advance(done // len(folds) - before // len(folds))
    return total / len(folds)


def _packed(problem: Problem, orders: list[IntArray]) -> list[Array]:
    """Shuffled S (people x shuffles x pairs) for each of the sets."""
    upper = np.triu_indices(len(problem.strata))
    packed = []
    for (members, _), order in zip(problem.sets, orders, strict=True):
        # In C order: a row of pairs is read again and again.
        places = np.ascontiguousarray(order[:, upper[0]] * order.shape[1] + order[:, upper[1]])
        shuffled = np.empty((len(members), *places.shape))
        for row, member in zip(shuffled, members, strict=True):
            np.take(problem.people.members[member].outer.ravel(), places, out=row, mode="clip")
        packed.append(shuffled)
    return packed


def _fold_scores(problem: Problem, packed: list[Array], forms: list[_Forms]) -> Array:
    """Scores (shuffles x people) of one fold."""
    losses = [_losses(made.error, shuffled) for made, shuffled in zip(forms, packed, strict=True)]
    layer, penalties = choose(losses)
    r = np.zeros((packed[0].shape[1], len(problem.people.members)))
    for made, shuffled, best in zip(forms, packed, penalties, strict=True):
        along, predicted = (found.reshape(-1, found.shape[2]) for found in (made.along, made.predicted))
        for place, member in enumerate(made.members):
            penalty = np.take_along_axis(best[place], layer[:, None], axis=1)[:, 0]
            form = layer * len(problem.alphas) + penalty
            energy = shuffled[place] @ made.measured
            for start in range(0, len(form), _BLOCK):
                part = slice(start, start + _BLOCK)
                crossed, square = (
                    np.einsum("kq,kq->k", found[form[part]], shuffled[place, part])
                    for found in (along, predicted)
                )
                r[part, member] = correlation(crossed, square, energy[part])
    return r


def _losses(error: Array, shuffled: Array) -> Array:
    """Errors left out (people x shuffles x L x A)."""
    people, draws, pairs = shuffled.shape
    products = product(shuffled.reshape(-1, pairs), error.reshape(-1, pairs).T)
    return products.reshape(people, draws, *error.shape[:2])


def _fold_forms(problem: Problem, fold: Fold) -> list[_Forms]:
    """The forms of each of the sets of people, made of some layers at a time."""
    n_items, made = len(problem.strata), []
    for ridges in problem.streamed(fold):
        made.append([_forms(members, ridge, n_items) for members, ridge in ridges])
    if len(made) == 1:
        return made[0]
    return [
        _Forms(
            parts[0].members,
            np.concatenate([part.error for part in parts]),
            np.concatenate([part.along for part in parts]),
            np.concatenate([part.predicted for part in parts]),
            parts[0].measured,
        )
        for parts in zip(*made, strict=True)
    ]


def _forms(members: IntArray, ridge: NestedRidge, n_items: int) -> _Forms:
    predict = ridge.predict
    return _Forms(
        members,
        pack(ridge.error, ridge.train, ridge.train, n_items),
        pack(predict, ridge.test, ridge.train, n_items),
        pack(predict.transpose(0, 1, 3, 2) @ predict, ridge.train, ridge.train, n_items),
        pack(ridge.centre, ridge.test, ridge.test, n_items),
    )


def _size(problem: Problem) -> int:
    """Numbers in the forms of a fold."""
    n_items = len(problem.strata)
    n_layers = len(problem.kernels[0](problem.folds[0]))
    return 3 * len(problem.sets) * n_layers * len(problem.alphas) * n_items * (n_items + 1) // 2


def pack(forms: Array, rows: IntArray, columns: IntArray, n_items: int) -> Array:
    """Forms (... x rows x columns) at these positions, as vectors (... x pairs).

    Their product with the upper triangle of a symmetric S (items x items) is <form, S[rows, columns]>.
    """
    whole = np.zeros((*forms.shape[:-2], n_items, n_items))
    whole[..., rows[:, None], columns] = forms
    first, second = np.triu_indices(n_items)
    packed: Array = whole[..., first, second] + np.where(first == second, 0.0, whole[..., second, first])
    return packed
