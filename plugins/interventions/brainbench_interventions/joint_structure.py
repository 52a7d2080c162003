"""The joint structure of states and responses: linear combinations of both that go together.

Partial least squares takes those of largest covariance, canonical correlation those of largest correlation,
regularised (Vinod 1976), because there are fewer items than units. How many of them there are is chosen by
how well they carry over to items left out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from brainbench_interventions.directions import folds
from brainbench_interventions.ridge_map import Array

_NOTHING = 1e-10  # relative size of singular values taken for what rounding leaves of zero
RIDGE = 0.1  # of canonical correlation, in mean variances of the directions that vary

# From centred states (items x width) and responses (items x voxels): rows (k x width) and (k x voxels) of
# weights, the strongest first, k at most the number asked for.
Pairs = Callable[[Array, Array, int], tuple[Array, Array]]


def pls(states: Array, responses: Array, most: int) -> tuple[Array, Array]:
    """Left and right singular vectors of X'Y, through items x items matrices only.

    From X = Q S P', X'Y = P (S Q'Y) and S Q'Y has as many rows as there are items.
    """
    Q, scale, P = np.linalg.svd(states, full_matrices=False)
    inner, values, right = np.linalg.svd((scale[:, None] * Q.T) @ responses, full_matrices=False)
    count = _count(values, most)
    return inner[:, :count].T @ P, right[:count]


def cca(states: Array, responses: Array, most: int, ridge: float = RIDGE) -> tuple[Array, Array]:
    """Weights a, b of the largest a'X'Yb where a'(X'X + kI)a = b'(Y'Y + lI)b = 1.

    k and l are `ridge` times the mean of what X'X and Y'Y have in the directions in which they vary.
    """
    Q, x, P = _whitened(states, ridge)
    U, y, T = _whitened(responses, ridge)
    left, values, right = np.linalg.svd(x[1][:, None] * (Q.T @ U) * y[1], full_matrices=False)
    count = _count(values, most)
    return (left[:, :count].T * x[0]) @ P, (right[:count] * y[0]) @ T


def _whitened(values: Array, ridge: float) -> tuple[Array, tuple[Array, Array], Array]:
    """Singular vectors, and for each singular value s the factors 1/sqrt(s^2 + k) and s/sqrt(s^2 + k)."""
    left, scale, right = np.linalg.svd(values, full_matrices=False)
    count = max(_count(scale, len(scale)), 1)
    left, scale, right = left[:, :count], scale[:count], right[:count]
    root = np.sqrt(scale**2 + ridge * (scale**2).mean())
    root[root == 0] = 1.0
    return left, (1 / root, scale / root), right


def _count(values: Array, most: int) -> int:
    return min(most, int((values > _NOTHING * max(values[0], 1e-300)).sum()))


def components(  # noqa: PLR0913
    states: Array, responses: Array, types: Sequence[str], most: int, seed: int, *, pairs: Pairs = pls
) -> int:
    """How many pairs carry over: the number with the largest summed covariance in items left out.

    Five folds, dealt within types. For each pair the covariance of states and responses, weighted as fitted
    without them, is summed over folds; a pair that does not carry over adds nothing or less. At least one.
    """
    fold = folds(tuple(types), min(5, len(types)), seed)
    gains = np.zeros(most)
    for number in np.unique(fold):
        out = fold == number
        X, Y = centre(states[~out], types, ~out), centre(responses[~out], types, ~out)
        left, right = pairs(X, Y, most)
        x, y = centre(states[out], types, out) @ left.T, centre(responses[out], types, out) @ right.T
        gains[: len(left)] += (x * y).sum(axis=0)
    return 1 + int(np.cumsum(gains).argmax())


def centre(values: Array, types: Sequence[str], rows: NDArray[np.bool_] | None = None) -> Array:
    """Less the mean of each type; `values` are those of `rows` only."""
    kinds = np.array(types) if rows is None else np.array(types)[rows]
    centred = values.astype(np.float64)
    for kind in np.unique(kinds):
        centred[kinds == kind] -= centred[kinds == kind].mean(axis=0)
    return centred
