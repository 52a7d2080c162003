"""Representational dissimilarity matrices (RDMs): how unlike each pair of items is represented.

An RDM is kept as its upper triangle without the diagonal, row by row (pairs,), as scipy's pdist has it.
Everything is float64: float32 makes and breaks ties between near-equal distances.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from brainbench.arrays import FloatArray, IntArray
from brainbench.errors import ShapeError, UsageError
from brainbench.products import product

Array = NDArray[np.float64]
Distance = Literal["correlation", "euclidean", "cosine"]
DISTANCES: tuple[Distance, ...] = ("correlation", "euclidean", "cosine")

# Far above float64's rounding of a distance (1e-15 of its scale), far below any difference that was measured.
NOTHING = 1e-12


@lru_cache(maxsize=32)
def pairs(items: int) -> tuple[IntArray, IntArray]:
    """First and second item of each pair, in the order of an RDM's entries: two arrays (pairs,)."""
    first, second = np.triu_indices(items, k=1)
    for array in (first, second):
        array.setflags(write=False)  # made once, and handed out often
    return first, second


def square(vectors: Array, items: int) -> Array:
    """RDMs (..., pairs) as symmetric matrices (..., items, items) with a zero diagonal."""
    first, second = pairs(items)
    if vectors.shape[-1] != len(first):
        raise ShapeError(f"{items} items have {len(first)} pairs; got {vectors.shape[-1]} distances.")
    full = np.zeros((*vectors.shape[:-1], items, items))
    full[..., first, second] = vectors
    full[..., second, first] = vectors
    return full


def rdm(patterns: FloatArray, distance: Distance = "correlation") -> Array:
    """The RDM (pairs,) of patterns (items x units).

    correlation: 1 - Pearson's r over units. cosine: 1 - cosine. euclidean: length of the difference. Raises
    ShapeError for a pattern to which the distance is not defined (see `without_distance`), and UsageError
    for another distance.
    """
    if distance not in DISTANCES:
        raise UsageError(f"There is no distance {distance!r}.", hint=f"Give one of {', '.join(DISTANCES)}.")
    if undefined := int(np.count_nonzero(without_distance(patterns, distance))):
        raise ShapeError(
            f"{undefined} of {len(patterns)} patterns have no {distance} distance: their units are alike.",
            hint="Leave such items out.",
        )
    return rdm_of_defined(patterns, distance)


def rdm_of_defined(patterns: FloatArray, distance: Distance) -> Array:
    """The same for patterns that are known to have a distance."""
    rows = patterns.astype(np.float64)
    if distance == "euclidean":
        return _lengths(rows)
    if distance == "correlation":
        rows -= rows.mean(axis=1, keepdims=True)
    products = product(rows, rows.T)
    length = np.sqrt(np.diagonal(products))
    first, second = pairs(len(rows))
    alike = products[first, second] / (length[first] * length[second])
    return np.asarray(1.0 - np.clip(alike, -1.0, 1.0))


def rdm_of_quantities(columns: FloatArray) -> Array:
    """Euclidean distances (pairs,) of items by named quantities (items x columns), each column standardised.

    A correlation over one or three named columns is undefined or says nothing; a distance needs a common
    scale, so each column is divided by its standard deviation over the items. A constant column adds
    nothing. With one column this is |x_i - x_j|, but for a factor.
    """
    first, second = pairs(len(columns))
    squares = np.zeros(len(first))
    for column in columns[:, ~without_distance(columns.T, "correlation")].astype(np.float64).T:
        # Differences first: equal steps of a whole number stay ties, which products would break.
        squares += ((column[first] - column[second]) / column.std()) ** 2
    return np.sqrt(squares)


def without_distance(patterns: FloatArray, distance: Distance) -> NDArray[np.bool_]:
    """Which patterns (items x units) have no distance to others: constant over units, or zero for cosine.

    Constant means within 16 units of rounding of the array's own number format.
    """
    if distance == "euclidean":
        return np.zeros(len(patterns), dtype=np.bool_)
    high, low = patterns.max(axis=1), patterns.min(axis=1)
    largest = np.maximum(np.abs(high), np.abs(low))
    if distance == "cosine":
        return np.asarray(largest == 0)
    precision = np.finfo(np.result_type(patterns.dtype, np.float16)).eps
    constant: NDArray[np.bool_] = high - low <= 16 * precision * largest
    return constant


def varies(vector: Array, distance: Distance) -> bool:
    """Whether the distances of an RDM (pairs,) differ between pairs by more than rounding."""
    scale = float(np.abs(vector).max()) if distance == "euclidean" else 1.0
    return len(vector) > 0 and bool(np.ptp(vector) > NOTHING * scale)


def mahalanobis(patterns: FloatArray, covariance: Array) -> Array:
    """Lengths of differences (pairs,) in units of the noise, whose covariance (units x units) is given.

    sqrt((a - b)' C^-1 (a - b)), as scipy's pdist has it. The noise has to be known from elsewhere:
    residuals of a GLM, or items measured more than once. Raises ShapeError for a covariance that is not
    positive definite or of another shape.
    """
    return _lengths(whitened(patterns, covariance))


def whitened(patterns: FloatArray, covariance: Array) -> Array:
    """Patterns (..., items, units) in a basis in which the noise is white: L^-1 y, with C = LL'."""
    units = patterns.shape[-1]
    if covariance.shape != (units, units):
        raise ShapeError(f"Patterns of {units} units do not fit a covariance of shape {covariance.shape}.")
    try:
        root = np.linalg.cholesky(covariance.astype(np.float64))
    except np.linalg.LinAlgError as error:
        raise ShapeError(
            "The covariance of the noise is not positive definite.",
            hint="Shrink it: with fewer residuals than units an empirical covariance has no inverse.",
        ) from error
    flat = patterns.astype(np.float64).reshape(-1, units)
    return np.asarray(np.linalg.solve(root, flat.T).T.reshape(patterns.shape), dtype=np.float64)


def crossnobis(runs: FloatArray, covariance: Array | None = None) -> Array:
    """Cross-validated squared distances (pairs,), divided by the number of units, from repeated measurements.

    runs (runs x items x units): the same items in each run. For each pair of items the mean, over pairs of
    different runs, of the inner product of both runs' differences. Noise that is independent between runs
    leaves it unbiased, so that it may be negative; zero means no difference. With a covariance of the noise
    (units x units) patterns are whitened before. Walther et al. 2016, NeuroImage 137:188. Raises ShapeError
    for fewer than two runs.

    A brainbench recording holds each item once, so no metric uses this yet.
    """
    if runs.ndim != 3 or len(runs) < 2:
        raise ShapeError(
            f"Cross-validated distances need the same items in two runs or more; got the shape {runs.shape}.",
            hint="Give an array (runs x items x units).",
        )
    clean = runs.astype(np.float64) if covariance is None else whitened(runs, covariance)
    count, items, units = clean.shape
    first, second = pairs(items)
    total = clean.sum(axis=0)
    across = total @ total.T - np.einsum("riu,rju->ij", clean, clean)  # products of different runs only
    level = np.diagonal(across)
    made: Array = (level[first] + level[second] - across[first, second] - across[second, first]) / (
        count * (count - 1) * units
    )
    return made


def _lengths(rows: Array) -> Array:
    """Euclidean distances (pairs,); those below what rounding leaves of equal patterns are zero."""
    largest = float((rows**2).sum(axis=1).max())
    rows = rows - rows.mean(axis=0)
    products = rows @ rows.T
    level = np.diagonal(products)
    first, second = pairs(len(rows))
    squares = level[first] + level[second] - 2 * products[first, second]
    of_products = 16 * np.finfo(np.float64).eps * np.maximum(level[first], level[second])
    noise = np.maximum(of_products, NOTHING**2 * largest)
    return np.sqrt(np.where(squares > noise, squares, 0.0))
