"""Ridge regression within strata, from items x items matrices alone: penalties and layers chosen inside.

For a fold, let Z be a layer's features, standardised over the training items within their strata, K = Z Z'
scaled so that a training item has squared length 1 on average, and S = Y Y' a person's responses multiplied
out over its voxels. Let C take the means of the training items' strata away, C K C = Q diag(values) Q' but
for the directions of those means, and G = Q diag(1 / (values + alpha)) Q': the means stay unpenalised. Then

    left out       G_gg^+ (G Y)_g   is the error at group g when the regression is fitted without it; a group
                                    is one item unless folds are to keep groups together (leave-one-out)
    predictions    P Y              with P = C_test K G: of test items, less their stratum's mean in the fold

and the sum of squared errors <M, S>, the product of predicted and measured <N, S> and both sums of squares
are linear in S. So nothing here depends on the number of voxels, and what a shuffle of the items does to the
whole estimator costs some products with a shuffled S. Everything is float64.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brainbench.arrays import IntArray
from brainbench.products import product
from brainbench_metrics.ridge import NOTHING
from brainbench_metrics.within_strata import centring, indicator, without_means

Array = NDArray[np.float64]


def kernel(features: Array, strata: IntArray, train: IntArray) -> Array:
    """Inner products (items x items) of features (items x width) as `scaled` makes them."""
    made = scaled(features, strata, train)
    inner: Array = product(made, made.T)
    return inner


def scaled(features: Array, strata: IntArray, train: IntArray) -> Array:
    """Features (items x width) standardised within strata over the training items.

    Each column loses its stratum's training mean and is divided by the standard deviation that is left over
    the training items; a column that does not vary there drops out.
    """
    centred = without_means(features, strata, train)
    deviation = np.sqrt((centred[train] ** 2).mean(axis=0))
    varies = deviation > NOTHING * np.abs(features).max(axis=0)
    made: Array = centred[:, varies] / deviation[varies]
    return made


@dataclass(frozen=True, slots=True, eq=False)
class NestedRidge:
    """A fold's regressions for L kernels and A penalties, for all people who have the same items.

    train, test: positions of the items. error (L x A x train x train): M, whose product with S is the sum of
    squared errors of what was left out. predict (L x A x test x train): P. centre (test x test): takes the
    strata's means over the test items away. flat (L,): nothing whatever is predicted to vary.
    """

    train: IntArray
    test: IntArray
    error: Array
    predict: Array
    centre: Array
    flat: NDArray[np.bool_]

    @classmethod
    def fit(
        cls,
        kernels: Array,
        train: IntArray,
        test: IntArray,
        labels: tuple[IntArray, IntArray],
        alphas: Sequence[float],
    ) -> NestedRidge:
        """Fit on kernels (L x items x items); labels: strata and groups (items,) each."""
        strata, groups = labels
        inside = kernels[:, train[:, None], train]
        total = np.trace(inside, axis1=1, axis2=2)
        scale = np.where(total > 0, len(train) / np.where(total > 0, total, 1.0), 1.0)[:, None, None]
        values, vectors = _eigen(inside * scale, strata[train])
        weights = 1 / (values[:, None, :] + np.asarray(alphas)[:, None])
        inverse = (vectors[:, None] * weights[:, :, None, :]) @ vectors[:, None].transpose(0, 1, 3, 2)
        centre = centring(strata[test])
        across = centre @ (kernels[:, test[:, None], train] * scale)
        projected = across @ vectors
        flat = np.linalg.norm(projected, axis=(1, 2)) <= NOTHING * len(train)
        projected[flat] = 0.0
        empty = values <= len(train) ** 2 * np.finfo(np.float64).eps
        projected = np.where(empty[:, None, :], 0.0, projected)  # only rounding is left there
        half = projected[:, None] * weights[:, :, None, :]
        predict = half @ vectors[:, None].transpose(0, 1, 3, 2)
        return cls(train, test, _left_out(inverse, groups[train]), predict, centre, flat)

    def losses(self, outers: Array) -> Array:
        """Sums of squared errors left out (people x L x A), from S of people (people x items x items)."""
        inside = outers[:, self.train[:, None], self.train]
        n_people, n_layers = len(outers), len(self.error)
        flat = self.error.reshape(-1, inside[0].size)
        return (inside.reshape(n_people, -1) @ flat.T).reshape(n_people, n_layers, -1)

    def moments(self, outer: Array, layer: int, alpha: int) -> tuple[Array, Array, Array]:
        """Products of predicted and measured, squares of predicted, and of measured: (test items,) each.

        Summed over voxels, all without the stratum's mean over the fold's test items. outer: S of a person.
        """
        operator = self.predict[layer, alpha]
        onto = operator @ outer[np.ix_(self.train, self.train)]
        along = ((operator @ outer[np.ix_(self.train, self.test)]) * self.centre).sum(axis=1)
        measured = (self.centre @ outer[np.ix_(self.test, self.test)] * self.centre).sum(axis=1)
        return along, (onto * operator).sum(axis=1), measured


def _eigen(inside: Array, strata: IntArray) -> tuple[Array, Array]:
    """Eigenpairs (L x k), (L x train x k) of the kernels less strata means, without those directions."""
    dummies = indicator(strata)
    means = (dummies / dummies.sum(axis=0)) @ dummies.T
    centre = np.eye(len(strata)) - means
    centred = centre @ inside @ centre
    # Raising the means' eigenvalues, zero after centring, above all others makes them the last.
    top = np.trace(centred, axis1=1, axis2=2)[:, None, None] + 1.0
    values, vectors = np.linalg.eigh((centred + centred.transpose(0, 2, 1)) / 2 + top * means)
    kept = len(strata) - dummies.shape[1]
    return np.maximum(values[:, :kept], 0.0), vectors[:, :, :kept]


def _left_out(inverse: Array, groups: IntArray) -> Array:
    """M = E'E with E_g = G_gg^+ G_g, from G (L x A x train x train).

    The pseudo-inverse: a group that is all of its stratum has no mean without itself, and is judged by the
    differences within it.
    """
    names, counts = np.unique(groups, return_counts=True)
    if (counts == 1).all():
        own = np.diagonal(inverse, axis1=2, axis2=3)[..., None]
        errors = np.divide(inverse, own, out=np.zeros_like(inverse), where=own > NOTHING * own.max())
    else:
        errors = np.empty_like(inverse)
        for name in names:
            rows = np.flatnonzero(groups == name)
            block = np.linalg.pinv(inverse[:, :, rows[:, None], rows], rcond=1e-10, hermitian=True)
            errors[:, :, rows] = block @ inverse[:, :, rows]
    return errors.transpose(0, 1, 3, 2) @ errors
