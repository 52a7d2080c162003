"""Single-trial betas of many voxels at once, by least squares all or separate, with white or AR(1) noise.

The numbers are nilearn's: a first fit by ordinary least squares, an AR(1) coefficient of each voxel from the
residuals (Yule-Walker), cut to hundredths, and a second fit after whitening. A fit is linear in the data, so
that each model is one small matrix (trials x volumes) for each coefficient that occurs.

Least squares separate (Mumford et al. 2012) needs no loop over trials either: with what is not of interest
projected out (Frisch-Waugh), each trial's model has two regressors, the trial and the sum of all others,
which is the sum of all minus the trial.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brainbench.errors import DataError

Array = NDArray[np.float64]
BINS = 100  # of AR coefficients in 1, as nilearn has them
BLOCK, NARROW = 4096, 512  # voxels at a time
_ESTIMABLE = 1e-10


def single_trial_betas(data: Array, trials: Array, others: Array, *, method: str, noise: str) -> Array:
    """Betas (trials x voxels) of one run.

    data (volumes x voxels), trials (volumes x trials): the regressor of each trial, others (volumes x k): the
    remaining columns of the design, a constant among them. method "lsa" or "lss", noise "ar1" or "ols".
    Raises DataError where trials cannot be told apart.
    """
    if trials.shape[1] == 1:
        method = "lsa"  # there is nothing to separate from
    require_estimable(trials, others)
    matrix = _lss_matrix if method == "lss" else _lsa_matrix
    if noise == "ols":
        return np.asarray(matrix(trials, others) @ data)
    bins = _lss_bins(data, trials, others) if method == "lss" else _lsa_bins(data, trials, others)
    return _refit(data, bins, _Whitened(matrix, trials, others), trials.shape[1])


def require_estimable(trials: Array, others: Array) -> None:
    """Raise DataError that names the first trial (from 1) whose regressor the remaining ones explain."""
    kept = _projected(trials, _basis(others))
    before, after = (trials**2).sum(axis=0), (kept**2).sum(axis=0)
    lost = np.flatnonzero((before <= _ESTIMABLE * before.max()) | (after <= _ESTIMABLE * before))
    if not len(lost):
        values, vectors = np.linalg.eigh(kept.T @ kept / np.sqrt(np.outer(after, after)))
        if values[0] <= _ESTIMABLE:
            lost = np.flatnonzero(np.abs(vectors[:, 0]) >= np.abs(vectors[:, 0]).max() / 2)
    if len(lost):
        raise DataError(
            f"trial {lost[0] + 1} of {trials.shape[1]} cannot be told apart from the rest of the model",
            hint="Look at its onset and duration, and at the number of confounds.",
        )


@dataclass(frozen=True, slots=True)
class _Whitened:
    """Makes the matrix (trials x volumes) that gives betas for an AR coefficient of so many hundredths."""

    matrix: Callable[[Array, Array], Array]
    trials: Array
    others: Array

    def __call__(self, hundredths: int) -> Array:
        rho = hundredths / BINS
        plain = self.matrix(_whiten(self.trials, rho), _whiten(self.others, rho))
        folded = plain.copy()  # what whitens the design whitens the data: fold it into the matrix
        folded[:, :-1] -= rho * plain[:, 1:]
        return folded


def _whiten(columns: Array, rho: float) -> Array:
    white = columns.copy()
    white[1:] -= rho * columns[:-1]
    return white


def _basis(columns: Array) -> Array:
    """An orthonormal basis of what the columns span; some may repeat others, or hold nothing."""
    lengths = np.linalg.norm(columns, axis=0)
    scaled = columns[:, lengths > 0] / lengths[lengths > 0]
    if not scaled.shape[1]:
        return np.zeros((len(columns), 0))
    left, values, _ = np.linalg.svd(scaled, full_matrices=False)
    return np.asarray(left[:, values > values[0] * max(scaled.shape) * np.finfo(np.float64).eps])


def _projected(columns: Array, basis: Array) -> Array:
    """What of the columns the basis does not span."""
    return np.asarray(columns - basis @ (basis.T @ columns))


def _lsa_matrix(trials: Array, others: Array) -> Array:
    """All trials in one model: betas = matrix @ data."""
    return np.asarray(np.linalg.pinv(_projected(trials, _basis(others))))


@dataclass(frozen=True, slots=True)
class _Pairs:
    """Of each trial's model the trial and the sum of its others, what is not of interest projected out.

    x (volumes x trials), total (volumes,): their sum; the inner products tt, to and oo of trial and others.
    """

    x: Array
    total: Array
    tt: Array
    to: Array
    oo: Array

    @classmethod
    def of(cls, x: Array) -> _Pairs:
        """From the trials' projected regressors."""
        total = x.sum(axis=1)
        tt, with_total = (x**2).sum(axis=0), x.T @ total
        return cls(x, total, tt, with_total - tt, total @ total - 2 * with_total + tt)

    @property
    def determinant(self) -> Array:
        """Of each trial's two normal equations."""
        return self.tt * self.oo - self.to**2


def _lss_matrix(trials: Array, others: Array) -> Array:
    """A model for each trial: betas = matrix @ data."""
    pairs = _Pairs.of(_projected(trials, _basis(others)))
    on_trial = (pairs.oo + pairs.to) / pairs.determinant
    on_total = pairs.to / pairs.determinant
    return np.asarray(on_trial[:, None] * pairs.x.T - on_total[:, None] * pairs.total)


def _in_hundredths(lag0: Array, lag1: Array, volumes: int) -> NDArray[np.int16]:
    """AR coefficients from sums of products of residuals, cut towards zero."""
    with np.errstate(divide="ignore", invalid="ignore"):
        rho = (lag1 / (volumes - 1)) / (lag0 / volumes)
    return np.asarray(np.nan_to_num(rho * BINS, posinf=0, neginf=0)).astype(np.int16)


def _lsa_bins(data: Array, trials: Array, others: Array) -> NDArray[np.int16]:
    """Each voxel's AR coefficient, the same for all trials (1 x voxels)."""
    basis = _basis(np.concatenate([_projected(trials, _basis(others)), others], axis=1))
    found = np.empty((1, data.shape[1]), dtype=np.int16)
    for start in range(0, data.shape[1], BLOCK):
        residual = _projected(data[:, start : start + BLOCK], basis)
        lag0 = np.einsum("nv,nv->v", residual, residual)
        lag1 = np.einsum("nv,nv->v", residual[1:], residual[:-1])
        found[0, start : start + BLOCK] = _in_hundredths(lag0, lag1, len(data))
    return found


def _lss_bins(data: Array, trials: Array, others: Array) -> NDArray[np.int16]:
    """Each voxel's AR coefficient in each trial's model (trials x voxels), without making residuals.

    With the trial x and the others o, the residual is e = y - b x - g o, so that its products with itself and
    with itself a volume later follow from those of y, x and o.
    """
    basis = _basis(others)
    pairs = _Pairs.of(_projected(trials, basis))
    x, o = pairs.x, pairs.total[:, None] - pairs.x
    late_x, late_o = _neighbours(x), _neighbours(o)
    xx, xo, oo = (np.einsum("nt,nt->t", a, b)[:, None] for a, b in ((x, late_x), (x, late_o), (o, late_o)))
    tt, to, det = pairs.tt[:, None], pairs.to[:, None], pairs.determinant[:, None]
    total, late_total = pairs.total, _neighbours(pairs.total[:, None])[:, 0]
    found = np.empty((trials.shape[1], data.shape[1]), dtype=np.int16)
    for start in range(0, data.shape[1], BLOCK):
        y = _projected(data[:, start : start + BLOCK], basis)
        xy, late_xy = x.T @ y, late_x.T @ y
        oy, late_oy = total @ y - xy, late_total @ y - late_xy
        b = (pairs.oo[:, None] * xy - to * oy) / det
        g = (tt * oy - to * xy) / det
        lag0 = np.einsum("nv,nv->v", y, y) - b * xy - g * oy
        lag1 = np.einsum("nv,nv->v", y[1:], y[:-1]) - 2 * (b * late_xy + g * late_oy)
        lag1 += b * b * xx + 2 * b * g * xo + g * g * oo
        found[:, start : start + BLOCK] = _in_hundredths(lag0, lag1, len(data))
    return found


def _neighbours(columns: Array) -> Array:
    """The mean of the volumes before and after, 0 beyond the ends; a symmetric operator."""
    padded = np.pad(columns, ((1, 1), (0, 0)))
    return np.asarray((padded[2:] + padded[:-2]) / 2)


def _refit(data: Array, bins: NDArray[np.int16], matrix_of: Callable[[int], Array], trials: int) -> Array:
    """Betas (trials x voxels), each from the matrix of its AR coefficient; bins (trials or 1 x voxels)."""
    lowest, highest = bins.min(axis=0), bins.max(axis=0)
    order = np.argsort(lowest, kind="stable")  # few coefficients in each block of voxels
    matrices: dict[int, Array] = {}
    betas = np.empty((trials, data.shape[1]))
    for start in range(0, data.shape[1], NARROW):
        voxels = order[start : start + NARROW]
        for hundredths in np.unique(bins[:, voxels]).tolist():
            used = voxels[(lowest[voxels] <= hundredths) & (highest[voxels] >= hundredths)]
            if hundredths not in matrices:
                matrices[hundredths] = matrix_of(hundredths)
            fitted = matrices[hundredths] @ data[:, used]
            betas[:, used] = np.where(bins[:, used] == hundredths, fitted, betas[:, used])
    return betas
