"""Ridge regression of many responses on many stacks of features, through items x items matrices only.

Features enter ridge regression only through their inner products, so one eigendecomposition of a training
fold's Gram matrix serves all voxels, all people and all penalties. The leave-one-out error of a penalty is
a quadratic form of the responses, y'My, so that its sum over a person's voxels is <M, YY'>: the choice of
one penalty a person costs items x items whatever the number of voxels. Everything is float64.

Same numbers as scikit-learn's RidgeCV (one penalty for all responses, intercept, leave-one-out error after
Rifkin and Lippert 2007, "Notes on regularized least squares").
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brainbench.arrays import FloatArray, IntArray
from brainbench.products import product
from brainbench_metrics.folds import Fold

Array = NDArray[np.float64]

# Relative size below which a difference between numbers is taken for what rounding leaves of zero. Far
# above float64's rounding of the matrices here (1e-15), far below anything that was measured.
NOTHING = 1e-12
_STACK_NUMBERS = 1 << 21  # numbers in the criteria of a stack: 16 MiB
_MOST_IN_STACK = 16  # what is done once a stack gets rarer, but there are fewer parts to share out
_BLOCK_NUMBERS = 1 << 18  # numbers in a block of predictions: 2 MiB, about what a core's cache holds


def gram(features: FloatArray) -> Array:
    """Inner products (items x items) of features (items x width), centred in float64 beforehand.

    Centring first matters: dimensions with a large offset would otherwise eat the digits of the others.
    """
    centred = features.astype(np.float64)
    centred -= centred.mean(axis=0)
    return product(centred, centred.T)


def stack_size(n_items: int, n_alphas: int) -> int:
    """How many Gram matrices to treat at once: bounds the memory, and does not depend on the machine."""
    return int(np.clip(_STACK_NUMBERS // (n_alphas * n_items**2), 1, _MOST_IN_STACK))


@dataclass(frozen=True, slots=True, eq=False)
class Basis:
    """What a fold needs of a stack of S Gram matrices.

    values (S x k) and vectors (S x train x k): eigenpairs of the centred training Gram matrix without the
    constant vector, which is what leaves the intercept unpenalised. cross (S x test x k): inner products
    of test and training items in that basis, less their mean over the test items, since a correlation
    sees only deviations. flat (S): no response whatever could make a prediction vary over the test items.
    """

    values: Array
    vectors: Array
    cross: Array
    flat: NDArray[np.bool_]

    @classmethod
    def of(cls, grams: Array, fold: Fold) -> Basis:
        """The basis of grams (S x items x items), which need not be centred on the fold's items."""
        n_train = len(fold.train)
        inside = grams[:, fold.train[:, None], fold.train]
        means = inside.mean(axis=2)
        mean = means.mean(axis=1)[:, None, None]
        inside = inside - means[:, :, None] - means[:, None, :] + mean
        total = np.trace(inside, axis1=1, axis2=2)
        # Raising the constant vector's eigenvalue, zero after centring, above all others makes it the last.
        shift = np.where(total > 0, 2 * total, 1.0) / n_train
        values, vectors = np.linalg.eigh(inside + shift[:, None, None])
        values, vectors = values[:, :-1], vectors[:, :, :-1]

        across = grams[:, fold.test[:, None], fold.train]
        across = across - across.mean(axis=2, keepdims=True) - means[:, None, :] + mean
        across -= across.mean(axis=1, keepdims=True)
        scale = np.trace(grams, axis1=1, axis2=2)
        flat = np.linalg.norm(across, axis=(1, 2)) <= NOTHING * scale

        # Directions in which the training features do not vary carry no prediction, only rounding.
        empty = values <= n_train * np.finfo(np.float64).eps * total[:, None]
        keep = ~(empty | flat[:, None])
        return cls(np.where(empty, 0.0, values), vectors, (across @ vectors) * keep[:, None, :], flat)

    def criteria(self, alphas: Array) -> Array:
        """Matrices M (S x alphas x train x train): y'My is the leave-one-out sum of squared errors.

        With G = Q diag(1 / (values + alpha)) Q' the error of item i is (Gy)_i / G_ii.
        """
        weights = 1 / np.sqrt(self.values[:, None, :] + alphas[:, None])
        half = self.vectors[:, None] * weights[:, :, None, :]
        inverse = half @ half.transpose(0, 1, 3, 2)
        inverse /= np.diagonal(inverse, axis1=2, axis2=3)[:, :, None, :].copy()
        return inverse @ inverse.transpose(0, 1, 3, 2)

    def choose(self, alphas: Array, outers: Array) -> IntArray:
        """Position of the best alpha (S x people); the first of those that tie exactly, as in RidgeCV.

        outers (people x train x train): each person's responses multiplied out over voxels, YY'.
        """
        matrices = self.criteria(alphas)
        n_stack, n_alphas, n_train, _ = matrices.shape
        errors = matrices.reshape(-1, n_train**2) @ outers.reshape(len(outers), -1).T
        best: IntArray = errors.reshape(n_stack, n_alphas, len(outers)).argmin(axis=1)
        return best

    def operators(self, alphas: Array, rows: IntArray) -> Array:
        """Matrices (rows x test x train) which turn training responses into predictions.

        One alpha for each of the `rows` of the stack. The predictions lack their mean over the test items.
        """
        scaled = self.cross[rows] / (self.values[rows] + alphas[:, None])[:, None, :]
        return scaled @ self.vectors[rows].transpose(0, 2, 1)


@dataclass(frozen=True, slots=True, eq=False)
class RidgeStack:
    """Ridge regressions on a stack of S Gram matrices in every fold, penalties chosen for each person.

    choices (folds x S x people): positions among `alphas`.
    """

    folds: tuple[Fold, ...]
    alphas: Array
    bases: tuple[Basis, ...]
    choices: IntArray

    @classmethod
    def fit(cls, grams: Array, outers: Array, folds: tuple[Fold, ...], alphas: Sequence[float]) -> RidgeStack:
        """Fit on grams (S x items x items) for people with outers (people x items x items)."""
        penalties = np.asarray(alphas, dtype=np.float64)
        bases, choices = [], []
        for fold in folds:
            basis = Basis.of(grams, fold)
            bases.append(basis)
            choices.append(basis.choose(penalties, outers[:, fold.train[:, None], fold.train]))
        return cls(folds, penalties, tuple(bases), np.stack(choices))

    def correlations(self, person: int, responses: Array, rows: IntArray) -> tuple[Array, IntArray]:
        """Pearson's r of predicted and measured responses, the mean over folds; and how many folds had one.

        responses (items x voxels). Both results are (rows x voxels). A fold in which the prediction or the
        measured voxel is constant has no correlation and is left out; without any fold, r is given as 0.
        """
        total = np.zeros((len(rows), responses.shape[1]))
        count = np.zeros(total.shape, dtype=np.intp)
        for fold, basis, choice in zip(self.folds, self.bases, self.choices, strict=True):
            operators = basis.operators(self.alphas[choice[rows, person]], rows)
            for block in _blocks(responses.shape[1], len(rows) * len(fold.test)):
                r, defined = _fold_correlation(operators, responses[:, block], fold)
                total[:, block] += r
                count[:, block] += defined
        return total / np.maximum(count, 1), count

    def chosen(self, person: int, rows: IntArray) -> IntArray:
        """How often each alpha was chosen for a person, over folds and rows in which the choice mattered."""
        mattered = ~np.stack([basis.flat[rows] for basis in self.bases])
        return np.bincount(self.choices[:, rows, person][mattered], minlength=len(self.alphas))


def _blocks(n_voxels: int, height: int) -> Iterator[slice]:
    width = max(64, _BLOCK_NUMBERS // height)
    for start in range(0, n_voxels, width):
        yield slice(start, start + width)


def _fold_correlation(operators: Array, responses: Array, fold: Fold) -> tuple[Array, NDArray[np.bool_]]:
    """Pearson's r (S x voxels) in one fold, 0 where there is none; and where there is one."""
    train, test = responses[fold.train], responses[fold.test]
    varies = (np.ptp(train, axis=0) > 0) & (np.ptp(test, axis=0) > 0)
    train -= train.mean(axis=0)
    test -= test.mean(axis=0)
    test /= np.where(varies, np.linalg.norm(test, axis=0), 1.0)
    n_stack, n_test, n_train = operators.shape
    predicted = (operators.reshape(-1, n_train) @ train).reshape(n_stack, n_test, -1)
    along = np.einsum("stv,tv->sv", predicted, test)
    length = np.sqrt(np.einsum("stv,stv->sv", predicted, predicted))
    largest = np.linalg.norm(operators, axis=(1, 2))[:, None] * np.linalg.norm(train, axis=0)
    defined = varies & (length > NOTHING * largest)
    r = np.divide(along, length, out=np.zeros_like(along), where=defined)
    return np.clip(r, -1.0, 1.0), defined
