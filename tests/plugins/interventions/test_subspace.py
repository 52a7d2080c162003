"""The joint structure against other people's code, and the subspaces made of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.linalg import eigh, subspace_angles
from sklearn.cross_decomposition import CCA, PLSSVD
from sklearn.decomposition import PCA

from brainbench.progress import SilentReporter
from brainbench.steering import Gain, Steering
from brainbench_interventions.joint_structure import RIDGE, cca, components, pls
from brainbench_interventions.material import Material, gather
from brainbench_interventions.subspace import SubspaceSteering, built_in, stacked

QUIET = SilentReporter()
SITES = ("attention.1", "attention.2")


def fit(made: Any, model: Any, dataset: Any) -> dict[str, Gain]:
    found = made.fit(model, dataset, QUIET)
    assert isinstance(found, Steering), found
    assert tuple(found.changes) == SITES
    return {site: change for site, change in found.changes.items() if isinstance(change, Gain)}


def centred(items: int = 20, width: int = 30, voxels: int = 9, seed: int = 4) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(items, width)) * rng.uniform(0.2, 3, width)
    Y = X[:, :2] @ rng.normal(size=(2, voxels)) + rng.normal(size=(items, voxels))
    return X - X.mean(0), Y - Y.mean(0)


def test_pls_is_scikit_learns() -> None:
    X, Y = centred()
    theirs = PLSSVD(n_components=4, scale=False).fit(X, Y)
    left, right = pls(X, Y, 4)
    np.testing.assert_allclose(left @ left.T, np.eye(4), atol=1e-12)
    np.testing.assert_allclose(np.abs((left * theirs.x_weights_.T).sum(1)), 1, atol=1e-9)
    np.testing.assert_allclose(np.abs((right * theirs.y_weights_.T).sum(1)), 1, atol=1e-9)


def test_without_a_ridge_cca_is_scikit_learns() -> None:
    X, Y = centred(items=60, width=6, voxels=5)
    theirs = CCA(n_components=3, scale=False, max_iter=5000, tol=1e-12).fit(X, Y)
    left, right = cca(X, Y, 3, ridge=0.0)
    for ours, x in zip((X @ left.T, Y @ right.T), theirs.transform(X, Y), strict=True):
        np.testing.assert_allclose(np.linalg.norm(ours, axis=0), 1)
        np.testing.assert_allclose(np.abs((ours * x).sum(0)) / np.linalg.norm(x, axis=0), 1, atol=1e-6)


@pytest.mark.parametrize("shape", [(20, 30, 9), (20, 8, 40), (40, 6, 5)])
def test_regularised_cca_solves_the_generalised_eigenproblem(shape: tuple[int, int, int]) -> None:
    X, Y = centred(*shape)
    inner = [v.T @ v for v in (X, Y)]
    Kx, Ky = (g + RIDGE * np.trace(g) / np.linalg.matrix_rank(g) * np.eye(len(g)) for g in inner)
    cross = X.T @ Y
    between = np.block([[0 * Kx, cross], [cross.T, 0 * Ky]])
    within = np.block([[Kx, 0 * cross], [0 * cross.T, Ky]])
    values, pairs = eigh(between, within)
    left, right = cca(X, Y, 3)
    np.testing.assert_allclose(np.diag(left @ cross @ right.T), values[::-1][:3], atol=1e-9)
    np.testing.assert_allclose(left @ Kx @ left.T, np.eye(3), atol=1e-9)
    np.testing.assert_allclose(right @ Ky @ right.T, np.eye(3), atol=1e-9)
    theirs = pairs[: X.shape[1], ::-1][:, :3]
    assert np.rad2deg(subspace_angles(left.T, theirs)).max() < 1e-4


@pytest.mark.parametrize("pairs", [pls, cca])
def test_as_many_components_are_chosen_as_were_planted(pairs: Any) -> None:
    rng = np.random.default_rng(6)
    shared = rng.normal(size=(80, 2))
    X = shared @ rng.normal(size=(2, 20)) * 2 + 0.3 * rng.normal(size=(80, 20))
    Y = shared @ rng.normal(size=(2, 15)) + 0.3 * rng.normal(size=(80, 15))
    assert components(X, Y, ("a", "b") * 40, 8, 0, pairs=pairs) in {2, 3}
    assert 1 <= components(rng.normal(size=(80, 20)), Y, ("a", "b") * 40, 8, 0, pairs=pairs) <= 8


@pytest.mark.parametrize("made", built_in(), ids=lambda made: made.name)
def test_all_have_the_rank_of_what_is_shared(made: Any, arithmetic: Any, brains: Any) -> None:
    dataset = brains(absent=3)
    own = fit(SubspaceSteering(name="s", method=made.method), arithmetic(), dataset)
    found = fit(replace(made, strength=0.5), arithmetic(), dataset)
    for site, change in found.items():
        assert change.gain == 1.5
        assert change.basis.shape == own[site].basis.shape
        angle = subspace_angles(change.basis.T, own[site].basis.T).max()
        assert (angle > 0.1) == (made.source != "own")
    steering = made.fit(arithmetic(), dataset, QUIET)
    assert not steering.oracle
    assert steering.looks_at == ("responses",)
    assert steering.facts["dimensions"] == {site: len(change.basis) for site, change in own.items()}


def test_the_models_own_components_are_those_within_types(arithmetic: Any, brains: Any) -> None:
    whole = gather(arithmetic(), brains(), QUIET)
    assert isinstance(whole, Material)
    shifted = {s: x + 50.0 * (np.array(whole.types) == "two")[:, None] for s, x in whole.states.items()}
    made = next(m for m in built_in() if m.source == "model-components")
    steering = made.steer_with(replace(whole, states=shifted), None)
    assert isinstance(steering, Steering)
    for site, change in steering.changes.items():
        assert isinstance(change, Gain)
        x = whole.states[site].copy()
        for rows in map(whole.of_type, whole.kinds):
            x[rows] -= x[rows].mean(0)
        theirs = PCA(len(change.basis)).fit(x).components_
        assert subspace_angles(change.basis.T, theirs.T).max() < 1e-3


@pytest.mark.parametrize("gain", [0.0, 3.0])
def test_canonical_variates_are_multiplied_by_the_gain(gain: float, arithmetic: Any, brains: Any) -> None:
    whole = gather(arithmetic(), brains(), QUIET)
    assert isinstance(whole, Material)
    responses = stacked(whole)
    assert responses is not None
    made = SubspaceSteering(name="s", method="cca", strength=gain - 1)
    for site, change in fit(made, arithmetic(), brains()).items():
        x, y = whole.states[site].copy(), responses.copy()
        for rows in map(whole.of_type, whole.kinds):
            x[rows] -= x[rows].mean(0)
            y[rows] -= y[rows].mean(0)
        weights, _ = cca(x, y, len(change.basis))
        away = whole.states[site] - whole.states[site].mean(0)
        assert change.mean is not None  # what stays where it is: the mean of all items
        np.testing.assert_allclose(change.mean, whole.states[site].mean(0), atol=1e-6)
        after = away + (change.gain - 1) * away @ change.basis.T @ change.basis
        np.testing.assert_allclose(after @ weights.T, gain * away @ weights.T, atol=1e-4)
