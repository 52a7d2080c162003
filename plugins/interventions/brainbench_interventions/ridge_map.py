"""Maps from a model's states to a person's responses, and how alike what they predict is to a pattern.

Xiao, Du & Lin (2026), "Model representations" and "NARI": W is a ridge regression of responses on states
(RidgeCV, one penalty for all voxels, least leave-one-out error), and Sim(Wx, y) is climbed in x. The
intercept is left out of Wx there on purpose; taking it in is one of their ablations.

W = A'X with X the centred states (items x width) and A (items x voxels): whatever depends on voxels is an
inner product over them, taken once. A gradient then costs items x width, whatever the number of voxels:
with u = Xx, G = AA' and c = Ay,  <Wx, y> = u.c  and  |Wx|^2 = u'Gu. Everything is float64.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from brainbench.arrays import FloatArray

Array = NDArray[np.float64]
Similarity = Literal["cosine", "mse", "pearson"]

ALPHAS = (1e-3, 1e-2, 1e-1, 1.0, 1e1, 1e2, 1e3)


@dataclass(frozen=True, slots=True, eq=False)
class RidgeMap:
    """W = coefficients' states: from a state x (width) to responses (voxels).

    states (items x width) are centred on `centre` (width); coefficients (items x voxels);
    intercept (voxels) is what is to be added to Wx for a prediction; loo (items x voxels) predicts each
    item's responses by the regression without that item, at the chosen penalty `alpha`.
    """

    states: Array
    centre: Array
    coefficients: Array
    intercept: Array
    loo: Array
    alpha: float

    @classmethod
    def fit(cls, states: FloatArray, responses: FloatArray, alphas: tuple[float, ...] = ALPHAS) -> RidgeMap:
        """From states (items x width) and responses (items x voxels), at least three items."""
        X, Y = states.astype(np.float64), responses.astype(np.float64)
        centre, mean = X.mean(axis=0), Y.mean(axis=0)
        X, Y = X - centre, Y - mean
        gram = X @ X.T
        total = float(np.trace(gram))
        # Raised above all others, the constant vector's eigenvalue (zero after centring) is the last one and
        # is left out: the intercept is not penalised.
        values, vectors = np.linalg.eigh(gram + (2 * total or 1.0) / len(X))
        values, vectors = np.maximum(values[:-1], 0.0), vectors[:, :-1]
        tried = []
        for alpha in alphas:
            inverse = (vectors / (values + alpha)) @ vectors.T
            dual = inverse @ Y
            errors = dual / np.diagonal(inverse)[:, None]
            tried.append((float((errors**2).sum()), alpha, dual, errors))
        _, alpha, dual, errors = min(tried, key=lambda attempt: attempt[0])
        return cls(X, centre, dual, mean - (X @ centre) @ dual, Y + mean - errors, alpha)

    def predict(self, states: Array, *, intercept: bool = True) -> Array:
        """Responses (rows x voxels) to states (rows x width), with or without the intercept."""
        predicted: Array = (states @ self.states.T) @ self.coefficients
        return predicted + self.intercept if intercept else predicted


@dataclass(frozen=True, slots=True, eq=False)
class Objective:
    """Sim(Wx, y) for T targets y, each with its own x: values (T) and gradients (T x width) in closed form.

    With p = Wx (+ b):  cosine  p.y / (|p| |y|);  pearson  the same after taking each pattern's mean over
    voxels away;  mse  -|p - y|^2 / voxels. Where p or y is nothing at all, cosine and pearson are 0 and
    their gradients, too.
    states X (items x width), gram G = AA', along (T x items) rows Ay, shift (items) Ab, and the inner
    products bias_target (T) b.y, bias_square b.b, target_square (T) y.y; all b are 0 without intercept.
    """

    kind: Similarity
    states: Array
    gram: Array
    along: Array
    shift: Array
    bias_target: Array
    bias_square: float
    target_square: Array
    voxels: int

    @classmethod
    def of(
        cls, ridge: RidgeMap, targets: FloatArray, kind: Similarity = "cosine", *, intercept: bool = False
    ) -> Objective:
        """For targets (T x voxels)."""
        A, Y = ridge.coefficients, targets.astype(np.float64)
        b = ridge.intercept if intercept else np.zeros_like(ridge.intercept)
        if kind == "pearson":
            A, Y, b = A - A.mean(axis=1, keepdims=True), Y - Y.mean(axis=1, keepdims=True), b - b.mean()
        return cls(
            kind, ridge.states, A @ A.T, Y @ A.T, A @ b, Y @ b, float(b @ b), (Y**2).sum(axis=1), Y.shape[1]
        )

    def select(self, rows: NDArray[np.intp]) -> Objective:
        """The same for the targets at these positions."""
        along, bias, square = self.along[rows], self.bias_target[rows], self.target_square[rows]
        return replace(self, along=along, bias_target=bias, target_square=square)

    def value(self, x: Array) -> Array:
        """Sim (T) at states x (T x width)."""
        _, _, product, square = self._inner(x)
        if self.kind == "mse":
            return -(square - 2 * product + self.target_square) / self.voxels
        scale = np.sqrt(square * self.target_square)
        return np.divide(product, scale, out=np.zeros_like(product), where=scale > 0)

    def gradient(self, x: Array) -> Array:
        """dSim/dx (T x width) at states x (T x width)."""
        _, turned, product, square = self._inner(x)
        if self.kind == "mse":
            return (self.along - turned) @ self.states * (2 / self.voxels)
        scale = np.sqrt(square * self.target_square)
        some = scale > 0
        first = np.divide(1.0, scale, out=np.zeros_like(scale), where=some)
        second = np.divide(product, scale * square, out=np.zeros_like(scale), where=some)
        return (first[:, None] * self.along - second[:, None] * turned) @ self.states

    def _inner(self, x: Array) -> tuple[Array, Array, Array, Array]:
        """U = Xx (T x items), Gu + Ab (T x items), p.y (T) and |p|^2 (T), never below zero."""
        u = x @ self.states.T
        turned = u @ self.gram + self.shift
        product = (u * self.along).sum(axis=1) + self.bias_target
        square = (u * (turned + self.shift)).sum(axis=1) + self.bias_square
        return u, turned, product, np.maximum(square, 0.0)
