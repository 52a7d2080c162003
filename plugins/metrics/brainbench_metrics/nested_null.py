"""The null of the whole estimator: items shuffled within strata, penalties and layers chosen anew each time.

The regressions stay as they are and the responses change places, which is the same as shuffling the features
with their folds. Products of the forms with shuffled S are all that it takes; S is symmetric, so that its
upper triangle is enough.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from brainbench.arrays import IntArray
from brainbench_metrics.folds import Fold
from brainbench_metrics.nested_people import shuffled_orders
from brainbench_metrics.nested_ridge import NestedRidge
from brainbench_metrics.nested_scores import Problem, choose, correlation
from brainbench_metrics.parallel import in_order

Array = NDArray[np.float64]
_NUMBERS = 1 << 25  # numbers in the shuffled S of all people at once: 256 MiB
_BLOCK = 256  # shuffled S whose forms are gathered at once, so that they stay in the cache


def null_scores(
    problem: Problem, draws: int, seed: int, advance: Callable[[int], None] = lambda steps: None
) -> Array | None:
    """The nested score, mean over people, of each shuffle (draws,); None where nothing can be shuffled.

    `advance` counts shuffles.
    """
    items = [problem.people.members[members[0]].items for members, _ in problem.sets]
    orders = shuffled_orders(seed, draws, problem.strata, problem.groups, items)
    if orders is None:
        return None
    found = []
    for part in _parts(draws, len(problem.people.members), len(problem.strata)):
        found.append(shuffled_scores(problem, [order[part] for order in orders]))
        advance(part.stop - part.start)
    null: Array = np.concatenate(found).mean(axis=1)
    return null


def shuffled_scores(problem: Problem, orders: list[IntArray]) -> Array:
    """Nested scores (shuffles x people); orders (shuffles x items), one array for each of the sets."""
    upper = np.triu_indices(len(problem.strata))
    packed = []
    for (members, _), order in zip(problem.sets, orders, strict=True):
        # In C order: a row of pairs is read again and again.
        places = np.ascontiguousarray(order[:, upper[0]] * order.shape[1] + order[:, upper[1]])
        shuffled = np.empty((len(members), *places.shape))
        for row, member in zip(shuffled, members, strict=True):
            np.take(problem.people.members[member].outer.ravel(), places, out=row, mode="clip")
        packed.append(shuffled)
    total = np.zeros((len(orders[0]), len(problem.people.members)))
    for r in in_order(lambda fold: _fold_scores(problem, fold, packed), problem.folds):
        total += r
    return total / len(problem.folds)


def _fold_scores(problem: Problem, fold: Fold, packed: list[Array]) -> Array:
    """Scores (shuffles x people) of one fold; packed: shuffled S (people x shuffles x pairs) for each set."""
    ridges, n_items = problem.ridges(fold), len(problem.strata)
    losses = [_losses(ridge, shuffled, n_items) for (_, ridge), shuffled in zip(ridges, packed, strict=True)]
    layer, penalties = choose(losses)
    r = np.zeros((packed[0].shape[1], len(problem.people.members)))
    for (members, ridge), shuffled, best in zip(ridges, packed, penalties, strict=True):
        along, predicted, measured = _forms(ridge, n_items)
        for place, member in enumerate(members):
            penalty = np.take_along_axis(best[place], layer[:, None], axis=1)[:, 0]
            form = layer * len(problem.alphas) + penalty
            energy = shuffled[place] @ measured
            for start in range(0, len(form), _BLOCK):
                part = slice(start, start + _BLOCK)
                product, square = (
                    np.einsum("kq,kq->k", forms[form[part]], shuffled[place, part])
                    for forms in (along, predicted)
                )
                r[part, member] = correlation(product, square, energy[part])
    return r


def _losses(ridge: NestedRidge, shuffled: Array, n_items: int) -> Array:
    """Errors left out (people x shuffles x L x A)."""
    forms = pack(ridge.error, ridge.train, ridge.train, n_items)
    people, draws, pairs = shuffled.shape
    products = shuffled.reshape(-1, pairs) @ forms.reshape(-1, pairs).T
    return products.reshape(people, draws, *forms.shape[:2])


def _forms(ridge: NestedRidge, n_items: int) -> tuple[Array, Array, Array]:
    """Forms whose products with S are the sums of `moments`: (L A x pairs) twice, and (pairs,)."""
    predict = ridge.predict.reshape(-1, *ridge.predict.shape[2:])
    return (
        pack(predict, ridge.test, ridge.train, n_items),
        pack(predict.transpose(0, 2, 1) @ predict, ridge.train, ridge.train, n_items),
        pack(ridge.centre, ridge.test, ridge.test, n_items),
    )


def pack(forms: Array, rows: IntArray, columns: IntArray, n_items: int) -> Array:
    """Forms (... x rows x columns) at these positions, as vectors (... x pairs).

    Their product with the upper triangle of a symmetric S (items x items) is <form, S[rows, columns]>.
    """
    whole = np.zeros((*forms.shape[:-2], n_items, n_items))
    whole[..., rows[:, None], columns] = forms
    first, second = np.triu_indices(n_items)
    packed: Array = whole[..., first, second] + np.where(first == second, 0.0, whole[..., second, first])
    return packed


def _parts(draws: int, people: int, items: int) -> Iterator[slice]:
    height = max(1, _NUMBERS // (people * items * (items + 1) // 2))
    for start in range(0, draws, height):
        yield slice(start, min(draws, start + height))
