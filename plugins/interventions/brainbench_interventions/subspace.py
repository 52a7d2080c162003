"""Amplify what a model's states share with people's responses: a subspace by partial least squares.

Ours, no paper's. All people's responses stand beside each other, each person's of the same total variance,
states and responses centred within types; the subspace is spanned by the left singular vectors of their
cross-covariance (PLS-SVD). How many of them is chosen by how well they carry over to items left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from brainbench import hookimpl
from brainbench.answers import Answers
from brainbench.hookspecs import Register
from brainbench.nouns import Intervention
from brainbench.records import Skip
from brainbench.steering import Change, Gain, Steering
from brainbench_interventions.directions import folds, stream
from brainbench_interventions.fitted import Fitted
from brainbench_interventions.material import Material
from brainbench_interventions.ridge_map import Array

_NOTHING = 1e-10  # relative size of singular values taken for what rounding leaves of zero


def pls(states: Array, responses: Array, most: int) -> tuple[Array, Array]:
    """Left and right singular vectors of X'Y, rows (k x width) and (k x voxels), largest first, k <= most.

    From centred states X (items x width) and responses Y (items x voxels), through items x items matrices
    only: with X = Q S P', X'Y = P (S Q'Y) and S Q'Y has as many rows as there are items.
    """
    Q, scale, P = np.linalg.svd(states, full_matrices=False)
    inner, values, right = np.linalg.svd((scale[:, None] * Q.T) @ responses, full_matrices=False)
    count = min(most, int((values > _NOTHING * max(values[0], 1e-300)).sum()))
    return inner[:, :count].T @ P, right[:count]


def components(states: Array, responses: Array, types: Sequence[str], most: int, seed: int) -> int:
    """How many components carry over: the number with the largest summed covariance in items left out.

    Five folds, dealt within types. For each component the covariance of states and responses, projected on
    vectors fitted without them, is summed over folds; a component that does not carry over adds nothing or
    less. At least one.
    """
    fold = folds(tuple(types), min(5, len(types)), seed)
    gains = np.zeros(most)
    for number in np.unique(fold):
        out = fold == number
        X, Y = _centre(states[~out], types, ~out), _centre(responses[~out], types, ~out)
        left, right = pls(X, Y, most)
        x, y = _centre(states[out], types, out) @ left.T, _centre(responses[out], types, out) @ right.T
        gains[: len(left)] += (x * y).sum(axis=0)
    return 1 + int(np.cumsum(gains).argmax())


def stacked(material: Material, rng: np.random.Generator | None = None) -> Array | None:
    """All people's responses (items x their voxels), of total variance 1 each; of those who have all items.

    With random numbers each person's responses are given to other items of the same type.
    """
    parts = []
    for person in material.people:
        if len(person.present) < len(material.items):
            continue
        responses = person.responses.astype(np.float64)
        if rng is not None:
            for rows in map(material.of_type, material.kinds):
                responses[rows] = responses[rng.permutation(rows)]
        centred = _centre(responses, material.types, np.ones(len(responses), dtype=np.bool_))
        length = np.linalg.norm(centred)
        if length > 0:
            parts.append(responses / length)
    return np.hstack(parts) if parts else None


def _centre(values: Array, types: Sequence[str], rows: NDArray[np.bool_]) -> Array:
    """Less the mean of each type; `values` are those of `rows` only."""
    kinds = np.array(types)[rows]
    centred = values.astype(np.float64)
    for kind in np.unique(kinds):
        centred[kinds == kind] -= centred[kinds == kind].mean(axis=0)
    return centred


@dataclass(frozen=True, kw_only=True)
class SubspaceSteering(Fitted):
    """Multiplies by 1 + strength what states have in the subspace, around their mean.

    source: "own" responses, "shuffled-items" within types, or a "random" subspace of as many dimensions as
    the person's own has. most: the largest number of dimensions tried.
    """

    source: Literal["own", "shuffled-items", "random"] = "own"
    most: int = 8

    def steer_with(self, material: Material, answers: Answers | None) -> Steering | Skip:
        """Fit each place's subspace; answers of the model are not needed."""
        del answers
        rng = stream(self.seed, "shuffled-items") if self.source == "shuffled-items" else None
        responses = stacked(material, rng)
        if responses is None or len(material.items) < 2 * len(material.kinds) + 5:
            return Skip("Too few items, or nobody has responses to all of them.")
        changes: dict[str, Change] = {}
        for site, states in material.states.items():
            basis = self._basis(site, states, responses, material)
            if len(basis):
                changes[site] = Gain(basis, 1 + self.strength, states.mean(axis=0))
        if not changes:
            return Skip("States and responses share nothing at any place.")
        sizes = {site: change.basis.shape[0] for site, change in changes.items() if isinstance(change, Gain)}
        sights = () if self.source == "random" else ("responses",)
        return Steering(changes, self.where, (), sights, self.facts(material, dimensions=sizes))

    def _basis(self, site: str, states: Array, responses: Array, material: Material) -> Array:
        whole = np.ones(len(states), dtype=np.bool_)
        count = components(states, responses, material.types, self.most, self.seed)
        left, _ = pls(
            _centre(states, material.types, whole), _centre(responses, material.types, whole), count
        )
        if self.source == "random":
            drawn = stream(self.seed, "random-subspace", site).normal(size=left.shape[::-1])
            left = np.linalg.qr(drawn)[0].T
        return left


@hookimpl
def register_interventions(register: Register[Intervention]) -> None:
    """Offer the subspace and its controls."""
    register(SubspaceSteering(name="brain-subspace"))
    register(SubspaceSteering(name="shuffled-subspace", source="shuffled-items"))
    register(SubspaceSteering(name="random-subspace", source="random"))
