"""Maps from a model's states to a person's responses.

Xiao, Du & Lin (2026), "Model representations": W is a ridge regression of responses on states (RidgeCV, one
penalty for all voxels, least leave-one-out error). Everything is float64.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from brainbench.arrays import FloatArray

Array = NDArray[np.float64]

ALPHAS = (1e-3, 1e-2, 1e-1, 1.0, 1e1, 1e2, 1e3)


@dataclass(frozen=True, slots=True, eq=False)
class RidgeMap:
    """W = coefficients' states: from a state x (width) to responses (voxels).

    states (items x width) are centred, and so are coefficients (items x voxels) over items;
    intercept (voxels) is what is to be added to Wx for a prediction; loo (items x voxels) predicts each
    item's responses by the regression without that item, at the chosen penalty `alpha`.
    """

    states: Array
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
        return cls(X, dual, mean - (X @ centre) @ dual, Y + mean - errors, alpha)

    def predict(self, states: Array, *, intercept: bool = True) -> Array:
        """Responses (rows x voxels) to states (rows x width), with or without the intercept."""
        predicted: Array = (states @ self.states.T) @ self.coefficients
        return predicted + self.intercept if intercept else predicted

    def within(self, states: Array, rows: NDArray[np.intp]) -> RidgeMap:
        """The same W in terms of more states (more items x width), of which `rows` are those it is fitted on.

        Maps of people with different items then share their states, which may be centred on any point: each
        voxel's coefficients sum to 0.
        """
        coefficients = np.zeros((len(states), self.coefficients.shape[1]))
        coefficients[rows] = self.coefficients
        return replace(self, states=states, coefficients=coefficients)
