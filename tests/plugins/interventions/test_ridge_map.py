"""Closed forms against other people's: RidgeCV, autograd, finite differences and torch's AdamW."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge, RidgeCV

from brainbench_interventions.descent import Place, climb, spread
from brainbench_interventions.objective import Objective, Similarity
from brainbench_interventions.ridge_map import ALPHAS, RidgeMap

KINDS: tuple[Similarity, ...] = ("cosine", "mse", "pearson")
EXACT = 1e-9  # relative, where both sides are float64


def data(items: int = 14, width: int = 30, voxels: int = 11, seed: int = 0) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(items, width)) * rng.uniform(0.1, 3, width) + rng.normal(size=width)
    Y = X[:, :3] @ rng.normal(size=(3, voxels)) + rng.normal(size=(items, voxels)) + rng.normal(size=voxels)
    return X, Y


def close(ours: Any, theirs: Any, tolerance: float = EXACT) -> None:
    theirs = np.asarray(theirs)
    np.testing.assert_allclose(ours, theirs, atol=tolerance * max(np.abs(theirs).max(), 1e-12), rtol=0)


@pytest.mark.parametrize("items", [5, 14, 40])
@pytest.mark.parametrize("seed", range(3))
def test_the_map_is_scikit_learns_ridgecv(items: int, seed: int) -> None:
    X, Y = data(items=items, seed=seed)
    ours = RidgeMap.fit(X, Y)
    theirs = RidgeCV(alphas=ALPHAS).fit(X, Y)
    assert ours.alpha == theirs.alpha_
    close(ours.coefficients.T @ ours.states, theirs.coef_)
    close(ours.intercept, theirs.intercept_)
    new = np.random.default_rng(9).normal(size=(4, X.shape[1]))
    close(ours.predict(new), theirs.predict(new))
    close(ours.predict(new, intercept=False), new @ theirs.coef_.T)


def test_leave_one_out_predictions_are_those_of_regressions_without_the_item() -> None:
    X, Y = data()
    ours = RidgeMap.fit(X, Y)
    for item in range(len(X)):
        rest = np.arange(len(X)) != item
        theirs = Ridge(ours.alpha).fit(X[rest], Y[rest])
        close(ours.loo[item], theirs.predict(X[item : item + 1])[0])


def torch_similarity(kind: str, W: Any, b: Any, x: Any, y: Any) -> Any:
    p = x @ W.T + b
    if kind == "mse":
        return -((p - y) ** 2).mean(1)
    if kind == "pearson":
        p, y = p - p.mean(1, keepdim=True), y - y.mean(1, keepdim=True)
    return torch.nn.functional.cosine_similarity(p, y, dim=1)


@pytest.mark.parametrize("intercept", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_values_and_gradients_are_those_of_autograd(kind: Similarity, intercept: bool) -> None:
    X, Y = data(seed=4)
    theirs = RidgeCV(alphas=ALPHAS).fit(X, Y)
    W, b = torch.tensor(theirs.coef_), torch.tensor(theirs.intercept_ if intercept else np.zeros(Y.shape[1]))
    x = torch.tensor(X[:6] + 0.3, requires_grad=True)
    value = torch_similarity(kind, W, b, x, torch.tensor(Y[:6]))
    value.sum().backward()
    objective = Objective.of(RidgeMap.fit(X, Y), Y[:6], kind, intercept=intercept)
    close(objective.value(X[:6] + 0.3), value.detach().numpy())
    assert x.grad is not None
    close(objective.gradient(X[:6] + 0.3), x.grad.numpy())


@pytest.mark.parametrize("intercept", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_gradients_are_finite_differences(kind: Similarity, intercept: bool) -> None:
    X, Y = data(width=5, seed=5)
    objective = Objective.of(RidgeMap.fit(X, Y), Y[:3], kind, intercept=intercept)
    x, h = X[:3] - 0.2, 1e-5
    estimated = np.empty_like(x)
    for k in range(5):
        step = np.zeros(5)
        step[k] = h
        estimated[:, k] = (objective.value(x + step) - objective.value(x - step)) / (2 * h)
    close(objective.gradient(x), estimated, 1e-7)


def test_the_papers_formula_of_the_gradient() -> None:
    """W'y / (|Wx| |y|) - <Wx, y> W'Wx / (|Wx|^3 |y|)."""
    X, Y = data(seed=6)
    W = RidgeCV(alphas=ALPHAS).fit(X, Y).coef_
    for x, y, ours in zip(X, Y, Objective.of(RidgeMap.fit(X, Y), Y).gradient(X), strict=True):
        p = W @ x
        lengths = np.linalg.norm(p), np.linalg.norm(y)
        close(
            ours, W.T @ y / (lengths[0] * lengths[1]) - (p @ y) * (W.T @ p) / (lengths[0] ** 3 * lengths[1])
        )


@pytest.mark.parametrize("intercept", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_many_maps_together_are_each_alone(kind: Similarity, intercept: bool) -> None:
    """Of people with other items, voxels and numbers of targets, one of them without any row left."""
    X, _ = data()
    x, parts, alone = [], [], []
    people = ((11, np.arange(14), 5), (4, np.arange(3, 14), 1), (9, np.arange(0, 14, 2), 3))
    for seed, (voxels, known, count) in enumerate(people):
        Y = data(voxels=voxels, seed=seed)[1]
        x.append(X[:count] + 0.1 * seed)
        ridge = RidgeMap.fit(X[known], Y[known])
        alone.append(Objective.of(ridge, Y[:count], kind, intercept=intercept))
        parts.append((ridge, Y[:count]))
    common = X - X.mean(axis=0) + 2.0
    widened = [r.within(common, known) for (r, _), (_, known, _) in zip(parts, people, strict=True)]
    for ridge, wide in zip((r for r, _ in parts), widened, strict=True):
        close(wide.predict(X), ridge.predict(X))
        close(wide.predict(X, intercept=False), ridge.predict(X, intercept=False))
    together = Objective.joined(
        [Objective.of(w, y, kind, intercept=intercept) for w, (_, y) in zip(widened, parts, strict=True)]
    )
    values = np.concatenate([one.value(r) for one, r in zip(alone, x, strict=True)])
    slopes = np.vstack([one.gradient(r) for one, r in zip(alone, x, strict=True)])
    close(together.value(np.vstack(x)), values)
    close(together.gradient(np.vstack(x)), slopes)
    for rows in (np.array([0, 2, 3, 6, 8]), np.array([7]), np.array([5, 7])):
        some = together.select(rows)
        close(some.value(np.vstack(x)[rows]), values[rows])
        close(some.gradient(np.vstack(x)[rows]), slopes[rows])
        close(some.select(np.array([0])).gradient(np.vstack(x)[rows[:1]]), slopes[rows[:1]])


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_to_climb_is_no_error(kind: Similarity) -> None:
    X, Y = data()
    flat = Objective.of(RidgeMap.fit(X, np.ones_like(Y)), np.zeros_like(Y[:2]), kind)
    assert np.isfinite(flat.value(X[:2])).all()
    np.testing.assert_allclose(flat.gradient(X[:2]), 0, atol=1e-12)
    still = Objective.of(RidgeMap.fit(np.ones_like(X), Y), Y[:2], kind)
    assert np.isfinite(still.gradient(X[:2])).all()


def place(kind: Similarity = "cosine", radius: float = 1e9) -> tuple[Place, Any, Any]:
    X, Y = data(seed=7)
    ridge = RidgeMap.fit(X, Y)
    rate = 0.1 * float(np.abs(X).mean())
    return Place(Objective.of(ridge, Y[:4], kind), X[:4], rate, radius, np.full(4, len(X))), ridge, Y[:4]


@pytest.mark.parametrize("radius", [1e9, 1.5])
@pytest.mark.parametrize("kind", KINDS)
def test_steps_are_those_of_torchs_adamw(kind: Similarity, radius: float) -> None:
    ours, ridge, targets = place(kind, radius)
    W = torch.tensor(ridge.coefficients.T @ ridge.states)
    r, y = torch.tensor(ours.states), torch.tensor(targets)
    delta = torch.zeros_like(r, requires_grad=True)
    adam = torch.optim.AdamW([delta], lr=ours.rate, weight_decay=0.01)
    for _ in range(30):
        adam.zero_grad()
        (-torch_similarity(kind, W, 0.0, r + delta, y).sum() / 14).backward()
        adam.step()
        with torch.no_grad():
            length = delta.norm(dim=1, keepdim=True)
            delta.mul_(torch.clamp(length, max=radius) / length)
    found = climb({"layer.0": ours}, steps=30)
    close(found.changes["layer.0"], delta.detach().numpy(), 1e-6)
    assert (np.linalg.norm(found.changes["layer.0"], axis=1) <= radius * (1 + 1e-12)).all()
    assert found.steps.tolist() == [30] * 4
    before, after = (ours.objective.value(ours.states + d) for d in (0.0, found.changes["layer.0"]))
    assert (after > before).all()


def test_a_row_stops_when_it_is_right_and_is_asked_every_five_steps() -> None:
    ours, _, _ = place()
    asked: list[list[int]] = []

    def check(changes: Any, rows: Any) -> Any:
        asked.append(rows.tolist())
        assert changes["layer.0"].shape == (len(rows), ours.states.shape[1])
        return np.array([row == 2 or (row == 0 and len(asked) == 3) for row in rows])

    found = climb({"layer.0": ours}, steps=18, check=check)
    assert asked == [[0, 1, 2, 3], [0, 1, 3], [0, 1, 3], [1, 3]]
    assert found.steps.tolist() == [15, 18, 5, 18]
    assert found.right.tolist() == [True, False, True, False]
    alone = climb({"layer.0": ours}, steps=5)
    np.testing.assert_array_equal(found.changes["layer.0"][2], alone.changes["layer.0"][2])
    assert climb({"layer.0": ours}, steps=50, check=lambda c, rows: np.ones(len(rows), bool)).steps.max() == 5


def test_spread_is_the_papers_sigma() -> None:
    X, _ = data()
    assert spread(X) == pytest.approx(np.sqrt(np.mean(np.linalg.norm(X - X.mean(0), axis=1) ** 2)))
