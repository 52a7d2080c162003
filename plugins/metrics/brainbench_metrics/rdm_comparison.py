"""How alike two RDMs are: rank correlations, correlations and cosines, many with many at once.

All but Kendall's are inner products of vectors that are made ready once (`ready`): ranked, or not; freed of a
constant, of categories of pairs and of nuisance RDMs; of length 1. So every comparison of many RDMs is one
matrix product.
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from brainbench.arrays import IntArray
from brainbench.errors import ShapeError, UsageError
from brainbench_metrics.rdm import NOTHING, square

Array = NDArray[np.float64]
Comparator = Literal["spearman", "pearson", "kendall", "cosine", "whitened cosine"]
_BLOCK = 1 << 21  # signs in memory at once: 16 MiB
_CACHED = 1 << 14  # distances ranked at once: 128 KiB, and a few times that on the way


def require_comparator(comparator: str) -> None:
    """Raise UsageError unless there is such a comparator."""
    if comparator not in get_args(Comparator):
        raise UsageError(
            f"There is no comparator {comparator!r}.", hint=f"Give one of {', '.join(get_args(Comparator))}."
        )


def compare(a: Array, b: Array, comparator: Comparator = "spearman") -> Array:
    """Each of a (A x pairs) with each of b (B x pairs): (A x B), between -1 and 1.

    spearman and kendall (tau-a, whose ties count for nothing) see ranks only; pearson; cosine, which
    needs a meaningful zero; whitened cosine, see `whiten`. Raises ShapeError where a comparison has no
    value since an RDM does not vary (or is zero, for cosines), and for numbers of pairs that differ.
    """
    require_comparator(comparator)
    if a.shape[-1] != b.shape[-1]:
        raise ShapeError(f"RDMs of {a.shape[-1]} and of {b.shape[-1]} pairs cannot be compared.")
    if comparator == "kendall":
        return kendall_tau_a(a, b)
    (first, fine), (second, good) = ready(a, comparator), ready(b, comparator)
    if not (fine.all() and good.all()):
        raise ShapeError("An RDM that does not vary between pairs cannot be compared with others.")
    return np.clip(first @ second.T, -1.0, 1.0)


def ready(
    vectors: Array,
    comparator: Comparator,
    controls: Array | None = None,
    categories: IntArray | None = None,
) -> tuple[Array, NDArray[np.bool_]]:
    """Vectors (n x pairs) whose inner products are the comparison, and which of them have one.

    controls (c x pairs) are projected out, ranked where the comparator ranks: inner products are then partial
    correlations, which correlate what a regression on the controls leaves of both sides. So are categories
    (pairs,), numbers that say of which kind a pair is: each loses its mean, and a cosine its zero. Vectors of
    which nothing is left are zero, and False in the second result. Kendall's gets the vectors of Spearman's.
    """
    return unit(*levelled(vectors, comparator), span(comparator, controls, categories))


def levelled(vectors: Array, comparator: Comparator) -> tuple[Array, Array]:
    """Vectors (n x pairs) ranked, whitened or centred, as the comparator has it, and their sizes (n,)."""
    made = ranks(vectors) if comparator in ("spearman", "kendall") else vectors.astype(np.float64)
    size = np.linalg.norm(made, axis=1)
    if comparator == "whitened cosine":
        made = whiten(made)
    elif comparator != "cosine":
        made = made - made.mean(axis=1, keepdims=True)
    return made, size


def unit(made: Array, size: Array, held: Array | None = None) -> tuple[Array, NDArray[np.bool_]]:
    """Levelled vectors without what the orthonormal rows `held` span, of length 1; and which have one."""
    if held is not None and len(held):
        made = made - (made @ held.T) @ held
    length = np.linalg.norm(made, axis=1)
    defined: NDArray[np.bool_] = length > NOTHING * np.maximum(size, np.finfo(np.float64).tiny)
    made = np.where(defined[:, None], made, 0.0)
    return made / np.where(defined, length, 1.0)[:, None], defined


def span(
    comparator: Comparator, controls: Array | None = None, categories: IntArray | None = None
) -> Array | None:
    """Orthonormal rows that span controls (c x pairs), once these are made ready, and categories (pairs,)."""
    if controls is None and categories is None:
        return None
    made = [] if controls is None else [ready(controls, comparator)[0]]
    if categories is not None:
        kinds = (np.unique(categories)[:, None] == categories).astype(np.float64)
        kinds = whiten(kinds) if comparator == "whitened cosine" else kinds
        made.append(kinds / np.linalg.norm(kinds, axis=1, keepdims=True))
    _, sizes, rows = np.linalg.svd(np.vstack(made), full_matrices=False)
    kept: Array = rows[sizes > NOTHING * max(1.0, float(sizes.max(initial=0.0)))]
    return kept


def ranks(vectors: Array) -> Array:
    """Ranks from 1 along each row of (n x pairs); ties share the mean of theirs.

    Neighbours closer than 1e-12 of the row's largest magnitude are ties: pairs of items that are the same but
    for rounding would otherwise be put in an order that means nothing.
    """
    made = np.empty(vectors.shape)
    step = max(1, _CACHED // max(1, vectors.shape[1]))
    for start in range(0, len(vectors), step):
        _rank(vectors[start : start + step], made[start : start + step])
    return made


def _rank(vectors: Array, made: Array) -> None:
    if vectors.size == 0:
        return
    count, length = vectors.shape
    order = vectors.argsort(axis=1)
    order += np.arange(0, count * length, length)[:, None]  # places in the flat array, faster than by rows
    ascending = vectors.take(order)
    least = NOTHING * np.abs(ascending[:, [0, -1]]).max(axis=1, keepdims=True)
    apart = ascending[:, 1:] - ascending[:, :-1] > least
    place = np.broadcast_to(np.arange(1.0, length + 1), vectors.shape)
    if apart.all():
        shared = place
    else:
        places, edge = np.arange(length), np.ones((count, 1), dtype=np.bool_)
        first = np.maximum.accumulate(np.where(np.hstack([edge, apart]), places, 0), axis=1)
        after = np.where(np.hstack([apart, edge]), places, length - 1)
        last = np.minimum.accumulate(after[:, ::-1], axis=1)[:, ::-1]
        shared = (first + last) / 2 + 1
    made.put(order, shared)


def kendall_tau_a(a: Array, b: Array) -> Array:
    """Kendall's tau-a (A x B): concordant less discordant pairs of entries, over all pairs of entries.

    Unlike tau-b and Spearman's it does not favour models that tie many distances (Nili et al. 2014, PLoS
    Computational Biology 10:e1003553). Costs pairs squared. Raises ShapeError for fewer than two entries.
    """
    length = a.shape[1]
    if length < 2:
        raise ShapeError("Kendall's tau needs at least two distances.")
    first, second = ranks(a), ranks(b)  # ties within rounding become exact
    total = np.zeros((len(a), len(b)))
    step = max(1, _BLOCK // (length * max(len(a), len(b))))
    for start in range(0, length, step):
        part = slice(start, start + step)
        signs = [np.sign(x[:, part, None] - x[:, None, :]).reshape(len(x), -1) for x in (first, second)]
        total += signs[0] @ signs[1].T
    return np.asarray(total / (length * (length - 1)))


def kendall_within(a: Array, b: Array, categories: IntArray | None) -> Array:
    """Tau-a (A x B) within each category of entries (entries,), averaged by the numbers of entries.

    Entries of different categories are not compared, and a category of one entry does not count. Without
    categories, tau-a.
    """
    if categories is None:
        return kendall_tau_a(a, b)
    total, count = np.zeros((len(a), len(b))), 0
    for kind, size in zip(*np.unique(categories, return_counts=True), strict=True):
        if size > 1:
            those = categories == kind
            total += size * kendall_tau_a(a[:, those], b[:, those])
            count += int(size)
    return np.asarray(total / max(1, count))


def whiten(vectors: Array) -> Array:
    """RDMs (n x pairs) of squared distances with their entries made about equally noisy and independent.

    Two distances that share an item have correlated errors. With white noise of the patterns and no true
    difference their covariance is, but for a factor, 4 for a distance itself, 1 for two that share an item
    and 0 else; vectors are multiplied by its inverse root (Diedrichsen et al. 2021, Neurons, Behavior, Data
    analysis and Theory 5:3). With n items it has three eigenvalues, so that nothing is inverted: 2n on the
    constant, n on what only items' levels explain, and 2 on the rest.
    """
    pair_count = vectors.shape[1]
    items = round((1 + np.sqrt(1 + 8 * pair_count)) / 2)
    full = square(vectors, items)
    first, second = np.triu_indices(items, k=1)
    constant = vectors.mean(axis=1, keepdims=True)
    sums = full.sum(axis=2) - (items - 1) * constant  # of an item's distances, less their mean
    by_item = (sums[:, first] + sums[:, second]) / (items - 2) if items > 2 else np.zeros_like(vectors)
    rest = vectors - constant - by_item
    made: Array = constant / np.sqrt(2 * items) + by_item / np.sqrt(items) + rest / np.sqrt(2.0)
    return made
