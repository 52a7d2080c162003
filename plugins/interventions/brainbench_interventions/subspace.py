"""Amplify or damp what a model's states share with people's responses, and controls of the same rank.

Ours, no paper's. All people's responses stand beside each other, each person's of the same total variance,
states and responses centred within types; see joint_structure for the subspace.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from brainbench import hookimpl
from brainbench.answers import Answers
from brainbench.hookspecs import Register
from brainbench.nouns import Intervention, MethodCard
from brainbench.records import Skip
from brainbench.steering import Change, Gain, Steering
from brainbench_interventions import cards
from brainbench_interventions.directions import stream
from brainbench_interventions.fitted import Fitted
from brainbench_interventions.joint_structure import Pairs, cca, centre, components, pls
from brainbench_interventions.material import Material
from brainbench_interventions.ridge_map import Array

Source = Literal["own", "shuffled-items", "random", "model-components"]
# By what the change may be multiplied, which is to add once what is there: from taking it away to five times
# as much of it. The same number of tries for each kind; nothing comes first.
GAINS = (0.0, -1.0, -0.5, 0.5, 1.0, 2.0, 4.0)
_WHAT: dict[Source, tuple[str, str]] = {
    "own": ("what states share with people's responses", "ours"),
    "shuffled-items": (
        "what states share with responses to other items",
        "a control for which response belongs to which item",
    ),
    "random": ("states in a random subspace", "a control for any subspace of that rank"),
    "model-components": (
        "the largest principal components of states",
        "a control for where states vary without a brain",
    ),
}


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
        centred = centre(responses, material.types)
        length = np.linalg.norm(centred)
        if length > 0:
            parts.append(responses / length)
    return np.hstack(parts) if parts else None


@dataclass(frozen=True, kw_only=True)
class SubspaceSteering(Fitted):
    """Multiplies by 1 + strength what states have in the subspace, around their mean.

    source: "own" responses, "shuffled-items" within types, a "random" subspace or the largest principal
    components of states within types ("model-components"), all of as many dimensions as the person's own.
    most: the largest number of dimensions tried. method: "pls" for covariance, "cca" for correlation; in the
    span of its weights a gain multiplies each canonical variate by that gain.
    """

    source: Source = "own"
    most: int = 8
    method: Literal["pls", "cca"] = "pls"
    strengths: tuple[float, ...] = GAINS

    @property
    def what(self) -> str:
        """What is done, and what that controls for."""
        found, purpose = _WHAT[self.source]
        by = {"pls": "covariance", "cca": "correlation"}[self.method]
        rank = f"by {by}" if self.source in {"own", "shuffled-items"} else f"as many as found by {by}"
        return f"Amplifies or damps {found}, {rank}: {purpose}"

    @property
    def card(self) -> MethodCard:
        """What a reader must know of it."""
        return cards.subspace(self.source, self.method, self.most, self.about)

    @property
    def guided(self) -> bool:
        """Whether it is the method itself."""
        return self.source == "own"

    def steer_with(self, material: Material, answers: Answers | None) -> Steering | Skip:
        """Fit each place's subspace; answers of the model are not needed."""
        del answers
        responses = stacked(material)
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
        facts = self.facts(material, dimensions=sizes)
        # whatever the subspace is of, its rank is that of what is shared with responses
        return Steering(changes, self.where, (), ("responses",), facts)

    def _basis(self, site: str, states: Array, responses: Array, material: Material) -> Array:
        """Orthonormal rows (k x width); k is that of the person's own, whatever the source."""
        pairs: Pairs = pls if self.method == "pls" else cca
        count = components(states, responses, material.types, self.most, self.seed, pairs=pairs)
        within = centre(states, material.types)
        left, _ = pairs(within, centre(responses, material.types), count)
        if self.source == "random":
            left = stream(self.seed, "random-subspace", site).normal(size=left.shape)
        elif self.source == "model-components":
            left = np.linalg.svd(within, full_matrices=False)[2][: len(left)]
        elif self.source == "shuffled-items":
            moved = stacked(material, stream(self.seed, "shuffled-items"))
            assert moved is not None  # as the responses themselves are there
            left, _ = pairs(within, centre(moved, material.types), len(left))
        basis: Array = np.linalg.qr(left.T)[0].T
        return basis


def built_in() -> tuple[SubspaceSteering, ...]:
    """The subspace and its controls, by both methods."""
    own = SubspaceSteering(name="brain-subspace")
    controls = (
        replace(own, name="shuffled-subspace", source="shuffled-items"),
        replace(own, name="random-subspace", source="random"),
        replace(own, name="model-components", source="model-components"),
    )
    by_pls = (own, *controls)
    return (*by_pls, *(replace(made, name=f"{made.name}-cca", method="cca") for made in by_pls))


@hookimpl
def register_interventions(register: Register[Intervention]) -> None:
    """Offer the subspace and its controls."""
    for made in built_in():
        register(made)
