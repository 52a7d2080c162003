"""How alike what maps predict is to patterns, for many people's maps and items at once.

Xiao, Du & Lin (2026), "NARI": Sim(Wx, y) is climbed in x. The intercept is left out of Wx there on purpose;
taking it in is one of their ablations.

W = A'X with X states (items x width) and A (items x voxels): whatever depends on voxels is an inner product
over them, taken once. A gradient then costs items x width, whatever the number of voxels: with u = Xx,
G = AA' and c = Ay,  <Wx, y> = u.c  and  |Wx|^2 = u'Gu. People share X and differ in G and c, so that a step
for all of them takes two matrix products with X and one batched one with G. Everything is float64.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from brainbench.arrays import FloatArray
from brainbench_interventions.ridge_map import Array, RidgeMap

Similarity = Literal["cosine", "mse", "pearson"]


@dataclass(frozen=True, slots=True, eq=False)
class Objective:
    """Sim(Wx, y) for T targets y, each with its own x: values (T) and gradients (T x width) in closed form.

    With p = Wx (+ b):  cosine  p.y / (|p| |y|);  pearson  the same after taking each pattern's mean over
    voxels away;  mse  -|p - y|^2 / voxels. Where p or y is nothing at all, cosine and pearson are 0 and
    their gradients, too.
    states X (items x width) are those of all M maps; whose (T) says which map a target belongs to, ascending.
    Of each map: gram G = AA' (M x items x items), shift (M x items) Ab, bias_square (M) b.b, voxels (M).
    Of each target: along (T x items) rows Ay, and the inner products bias_target (T) b.y and target_square
    (T) y.y. All b are 0 without intercept.
    """

    kind: Similarity
    states: Array
    whose: NDArray[np.intp]
    gram: Array
    shift: Array
    bias_square: Array
    voxels: Array
    along: Array
    bias_target: Array
    target_square: Array

    @classmethod
    def of(
        cls, ridge: RidgeMap, targets: FloatArray, kind: Similarity = "cosine", *, intercept: bool = False
    ) -> Objective:
        """For one map and its targets (T x voxels)."""
        A, Y = ridge.coefficients, targets.astype(np.float64)
        b = ridge.intercept if intercept else np.zeros_like(ridge.intercept)
        if kind == "pearson":
            A, Y, b = A - A.mean(axis=1, keepdims=True), Y - Y.mean(axis=1, keepdims=True), b - b.mean()
        return cls(
            kind,
            ridge.states,
            whose=np.zeros(len(Y), dtype=np.intp),
            gram=(A @ A.T)[None],
            shift=(A @ b)[None],
            bias_square=np.array([b @ b]),
            voxels=np.array([float(Y.shape[1])]),
            along=Y @ A.T,
            bias_target=Y @ b,
            target_square=(Y**2).sum(axis=1),
        )

    @classmethod
    def joined(cls, found: Sequence[Objective]) -> Objective:
        """All targets of several, in their order; their maps must be in terms of the same states."""
        first = found[0]
        assert all(one.kind == first.kind and one.states is first.states for one in found)
        before = np.cumsum([0, *(len(one.gram) for one in found)])
        every = ("gram", "shift", "bias_square", "voxels", "along", "bias_target", "target_square")
        arrays: dict[str, Any] = {
            name: np.concatenate([getattr(one, name) for one in found]) for name in every
        }
        whose = np.concatenate([one.whose + start for one, start in zip(found, before, strict=False)])
        return replace(first, whose=whose, **arrays)

    def select(self, rows: NDArray[np.intp]) -> Objective:
        """The same for the targets at these ascending positions."""
        along, bias, square = self.along[rows], self.bias_target[rows], self.target_square[rows]
        return replace(self, whose=self.whose[rows], along=along, bias_target=bias, target_square=square)

    def value(self, x: Array) -> Array:
        """Sim (T) at states x (T x width)."""
        _, product, square = self._inner(x)
        if self.kind == "mse":
            return -(square - 2 * product + self.target_square) / self.voxels[self.whose]
        scale = np.sqrt(square * self.target_square)
        return np.divide(product, scale, out=np.zeros_like(product), where=scale > 0)

    def gradient(self, x: Array) -> Array:
        """dSim/dx (T x width) at states x (T x width)."""
        turned, product, square = self._inner(x)
        if self.kind == "mse":
            return ((self.along - turned) * (2 / self.voxels[self.whose])[:, None]) @ self.states
        scale = np.sqrt(square * self.target_square)
        some = scale > 0
        first = np.divide(1.0, scale, out=np.zeros_like(scale), where=some)
        second = np.divide(product, scale * square, out=np.zeros_like(scale), where=some)
        return (first[:, None] * self.along - second[:, None] * turned) @ self.states

    def _inner(self, x: Array) -> tuple[Array, Array, Array]:
        """Gu + Ab (T x items), p.y (T) and |p|^2 (T), never below zero, with u = Xx."""
        u = x @ self.states.T
        shift = self.shift[self.whose]
        turned = self._turned(u) + shift
        product = (u * self.along).sum(axis=1) + self.bias_target
        square = (u * (turned + shift)).sum(axis=1) + self.bias_square[self.whose]
        return turned, product, np.maximum(square, 0.0)

    def _turned(self, u: Array) -> Array:
        """Gu (T x items), each row by its own map's G: maps side by side, padded to the most rows of any."""
        if len(self.gram) == 1:
            turned: Array = u @ self.gram[0]
            return turned
        nth = np.arange(len(u)) - np.searchsorted(self.whose, self.whose)  # among its map's rows
        padded = np.zeros((len(self.gram), int(nth.max(initial=-1)) + 1, u.shape[1]))
        padded[self.whose, nth] = u
        together: Array = (padded @ self.gram)[self.whose, nth]
        return together
