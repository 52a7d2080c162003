"""The generative model of the simulated brains: made-up responses in which the truth is known.

For person p, region, item i and voxel v, in units of a voxel's own spread:

    y = sqrt(s) z_i . t_pv  +  sqrt(m) n_pi . u_pv  +  sqrt(1 - s - m) e_piv

z: the planted features, uncorrelated and of variance 1 over the items (of each stratum). n: task type, text
length and the person's own response time (a trial without an answer of `deduction` counts as its time limit),
made uncorrelated in this order. t and u: each person's own
voxel tunings, of length 1, so that s and m are exact shares of variance; random otherwise, and alike in
neighbouring voxels. e: Gaussian noise of variance 1, alike in neighbouring voxels of a 3-D grid (as smoothing
makes it) and independent between items: noise that successive trials share would be predicted by whatever
differs between runs, task type above all, and `null` would not be null. An item that carries no signal has
noise in its place. A voxel then gets a mean and a spread of its own, like betas in % signal change.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brainbench.arrays import Behaviour, FloatArray
from brainbench.stimuli import Stimulus

Array = NDArray[np.float64]
Grid = tuple[int, int, int]

NUISANCES = ("task type", "text length", "response time")
SMOOTHNESS = 0.8  # SD, in voxels, of the Gaussian that would smooth white noise to this spatial correlation
MEAN, MEAN_SPREAD, LOG_SPREAD = 0.5, 0.4, 0.3  # of a voxel's betas, in % signal change
DIGITS = 4  # betas are rounded here, so that every machine makes the same ones


@dataclass(frozen=True, slots=True)
class Shares:
    """Shares of a voxel's variance: of the planted features (s) and of the nuisances (m)."""

    signal: float = 0.0
    nuisance: float = 0.0


NOTHING = (Shares(),) * 3  # in the three regions of the preset `null`
TRAP = (Shares(nuisance=0.25), Shares(nuisance=0.20), Shares(nuisance=0.15))  # and of `nuisance`


@dataclass(frozen=True, slots=True, eq=False)
class Design:
    """What is the same in all regions: items, what may be planted in them, and what people did.

    strata: one label per item. features (items x k): the planted ones, k may be 0; carries
    (items,): which items have them. nuisances (people x items x 3): NUISANCES, uncorrelated over the
    person's items. present (people x items): which trials there are.
    """

    stimuli: tuple[Stimulus, ...]
    strata: tuple[str, ...]
    names: tuple[str, ...]
    features: Array
    carries: NDArray[np.bool_]
    nuisances: Array
    present: NDArray[np.bool_]
    behaviour: Behaviour

    def __post_init__(self) -> None:
        known = self.behaviour
        own = (self.features, self.carries, self.nuisances, self.present)
        for array in (*own, known.correct, known.response_time, known.rating):
            if array is not None:
                array.setflags(write=False)  # a design is made once and handed out often


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """What is planted in a region's responses to a set of items. SIMULATED: no brain was measured.

    values (items x k): the planted features, named by `names`. share: of the variance over these items.
    nuisances (people x items x 3), of share nuisance_share over all items of the dataset. ceiling: of the
    planted features alone, sqrt(share): the largest correlation with a voxel's responses that anything shared
    by people beyond type, length and time can reach, had it the voxel's tuning without error. It is 0 in
    `nuisance`, where people do share type and length, and either one by itself can score.
    expected_score: what the planted features themselves score under `predictivity`, see expected_score.
    """

    names: tuple[str, ...]
    values: Array
    share: float
    nuisance_names: tuple[str, ...]
    nuisances: Array
    nuisance_share: float
    ceiling: float
    expected_score: float


def stream(*labels: object) -> np.random.Generator:
    """Random numbers of their own for each sequence of labels."""
    digest = hashlib.sha256("|".join(map(str, labels)).encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:16], "big"))


def constants() -> tuple[object, ...]:
    """The numbers that decide how responses are made in every dataset; for identities."""
    return NUISANCES, SMOOTHNESS, MEAN, MEAN_SPREAD, LOG_SPREAD, DIGITS


def decorrelated(features: Array, strata: Sequence[str], against: Array | None = None) -> Array:
    """Uncorrelated features of mean 0 and variance 1 within each stratum, each as close as can be to its own.

    features (items x k), against (items x j): what they are to be uncorrelated with as well. Within a
    stratum the k features must not depend on each other or on `against`.
    """
    made = np.zeros(features.shape)
    for stratum in sorted(set(strata)):
        rows = np.array([label == stratum for label in strata])
        inside = features[rows] - features[rows].mean(axis=0)
        if against is not None:
            known = against[rows] - against[rows].mean(axis=0)
            inside = inside - known @ np.linalg.lstsq(known, inside, rcond=None)[0]
        left, _, right = np.linalg.svd(inside / inside.std(axis=0), full_matrices=False)
        made[rows] = left @ right * np.sqrt(rows.sum())
    return made


def in_turn(columns: Array) -> Array:
    """Columns (items x j) of mean 0 and variance 1, each without what the ones before it explain."""
    made: list[Array] = []
    for column in columns.T:
        rest = column - column.mean()
        for other in made:
            rest = rest - other * (other @ rest) / len(rest)
        made.append(rest / rest.std())
    return np.stack(made, axis=1)


def responses(
    design: Design, person: int, shares: Shares, grid: Grid, rng: np.random.Generator
) -> FloatArray:
    """A person's betas (items x voxels) for all items, present or not: the formula above, as float32."""
    signal, nuisance = design.features, design.nuisances[person]
    made = np.sqrt(shares.signal) * _product(signal, _tunings(rng, signal.shape[1], grid))
    made += np.sqrt(shares.nuisance) * _product(nuisance, _tunings(rng, nuisance.shape[1], grid))
    rest = 1 - shares.nuisance - shares.signal * design.carries
    made += np.sqrt(rest)[:, None] * _smooth(rng.standard_normal((len(signal), *grid)))
    voxels = made.shape[1]
    spread = np.exp(LOG_SPREAD * rng.standard_normal(voxels))
    betas = MEAN + MEAN_SPREAD * rng.standard_normal(voxels) + spread * made
    rounded: FloatArray = betas.round(DIGITS).astype(np.float32)
    return rounded


def _tunings(rng: np.random.Generator, features: int, grid: Grid) -> Array:
    """Unit-length tunings (features x voxels)."""
    if not features:
        return np.zeros((0, int(np.prod(grid))))
    made = _smooth(rng.standard_normal((features, *grid)))
    unit: Array = made / np.sqrt((made**2).sum(axis=0))
    return unit


def _smooth(white: Array) -> Array:
    """White noise (rows x grid) made to correlate by exp(-(d / 2 SMOOTHNESS)^2) at a distance d.

    Returns (rows x voxels). It is what a Gaussian filter does, but without an edge.
    """
    for axis, size in enumerate(white.shape[1:], start=1):
        place = np.arange(size)
        root = np.linalg.cholesky(np.exp(-(((place[:, None] - place) / (2 * SMOOTHNESS)) ** 2)))
        white = np.moveaxis(_product(np.moveaxis(white, axis, -1), root.T), -1, axis)
    return white.reshape(len(white), -1)


def _product(left: Array, right: Array) -> Array:
    """A matrix product summed in the same order whatever the number of threads."""
    product: Array = np.einsum("...k,kv->...v", left, right, optimize=False)
    return product


def person_names(people: int) -> tuple[str, ...]:
    """Ids of made-up people."""
    return tuple(f"sim-{person:02d}" for person in range(1, people + 1))
