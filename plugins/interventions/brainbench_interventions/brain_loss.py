"""How far a model's states are from people's responses, as a loss that a model can be trained on.

Xiao, Du & Lin (2026), "NARF+Label": for an item that the model got wrong and the people S who got it right,
the sum over layers of the mean over S of 1 - cos(W a, y), or of the mean squared error. W is the ridge map of
that person, type of problem and layer from the model's states before training, and stays as it is; the
intercept is left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from brainbench_interventions.directions import stream
from brainbench_interventions.material import Material, Person
from brainbench_interventions.objective import Objective, Similarity
from brainbench_interventions.repair import FEWEST
from brainbench_interventions.ridge_map import Array, RidgeMap
from brainbench_interventions.targets import MAKE, Source

if TYPE_CHECKING:
    from torch import Tensor

ONE_HOT = "one-hot"
Patterns = Source | str  # ONE_HOT besides


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Of one type of problem: each person with each item to be drawn towards that person's pattern.

    items (pairs): positions among all items, one person's after the other's. weights (pairs): 1 / how many
    people an item has. objectives: by place, a target for each pair.
    """

    items: NDArray[np.intp]
    weights: Array
    objectives: Mapping[str, Objective]

    def loss(self, states: Mapping[str, Tensor], rows: Sequence[int]) -> Tensor | None:
        """The sum over the items at `rows`, whose states (rows x width) these are; None if there are none."""
        chosen = np.flatnonzero(np.isin(self.items, rows))
        if not len(chosen):
            return None
        where = {item: at for at, item in enumerate(rows)}
        at = [where[int(item)] for item in self.items[chosen]]
        total: Tensor | None = None
        for site, objective in self.objectives.items():
            found = _similarity(objective.select(chosen), states[site][at])
            missed = (1 - found) if objective.kind != "mse" else -found
            part = (missed * found.new_tensor(self.weights[chosen])).sum()
            total = part if total is None else total + part
        return total


def _similarity(objective: Objective, states: Tensor) -> Tensor:
    """Sim (pairs) of states (pairs x width), with its gradient in closed form; float32."""
    import torch

    class Similar(torch.autograd.Function):
        @staticmethod
        def forward(ctx: object, x: Tensor) -> Tensor:
            wide = x.detach().cpu().numpy().astype(np.float64)
            ctx.gradient = torch.from_numpy(objective.gradient(wide))  # type: ignore[attr-defined]
            return torch.from_numpy(objective.value(wide)).to(x)

        @staticmethod
        def backward(ctx: object, *above: Tensor) -> Tensor:
            gradient: Tensor = ctx.gradient  # type: ignore[attr-defined]
            return above[0][:, None] * gradient.to(above[0])

    found: Tensor = Similar.apply(states)  # type: ignore[no-untyped-call]
    return found


def pairs_of(  # noqa: PLR0913
    material: Material,
    wanted: NDArray[np.bool_],
    *,
    source: Patterns,
    similarity: Similarity,
    intercept: bool,
    seed: int,
) -> list[Pairs]:
    """For each type of problem that has any: `wanted` (items) with the people who got them right.

    source: whose patterns (see targets), or "one-hot": the right answer in two dimensions, as of one person.
    """
    found = []
    for kind in material.kinds:
        rows = material.of_type(kind)
        part = material.select(rows)
        people = (_labels(part),) if source == ONE_HOT else part.people
        tried = (_of_person(part, person, wanted[rows], source, seed) for person in people)
        made = [one for one in tried if one is not None]
        if not made:
            continue
        items = np.concatenate([chosen for chosen, *_ in made])
        counts = np.bincount(items, minlength=len(rows))
        centred = {site: states - states.mean(axis=0) for site, states in part.states.items()}
        objectives = {
            site: Objective.joined(
                [
                    Objective.of(
                        RidgeMap.fit(part.states[site][known], responses).within(states, known),
                        targets,
                        similarity,
                        intercept=intercept,
                    )
                    for _, known, responses, targets in made
                ]
            )
            for site, states in centred.items()
        }
        found.append(Pairs(rows[items], 1.0 / counts[items], objectives))
    return found


def _of_person(
    part: Material, person: Person, wanted: NDArray[np.bool_], source: Patterns, seed: int
) -> tuple[NDArray[np.intp], NDArray[np.intp], Array, Array] | None:
    """Items to be drawn (of the type's), those W is fitted on, responses to these, and targets; or None."""
    right = np.ones(len(part.items), dtype=np.bool_) if person.right is None else person.right
    chosen = np.flatnonzero((wanted & right)[person.present])
    if not len(chosen) or len(person.present) < FEWEST:
        return None
    if source == ONE_HOT:
        responses = targets = person.responses.astype(np.float64)
    else:
        made = MAKE[source](part, person, stream(seed, source, person.id, part.types[0]))  # type: ignore[index]
        if made is None:
            return None
        responses, targets = made
    return person.present[chosen], person.present, responses, targets[chosen]


def _labels(part: Material) -> Person:
    """The right answers as the responses of one who knows them all."""
    assert part.labels is not None
    responses = np.stack([part.labels, ~part.labels], axis=1).astype(np.float64)
    return Person("label", responses, np.arange(len(part.items)))
