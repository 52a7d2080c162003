"""How like people's responses a model's states are, before training and after.

Xiao, Du & Lin (2026) look at cos(W a, y) with W fitted on the states before training. That W has seen the
very items; here stands beside it what maps reach that were fitted on other items.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from brainbench.arrays import FloatArray
from brainbench_interventions.directions import folds
from brainbench_interventions.material import Material
from brainbench_interventions.objective import Objective
from brainbench_interventions.repair import FEWEST
from brainbench_interventions.ridge_map import Array, RidgeMap

FOLDS = 5


def likeness(material: Material, states: Mapping[str, Array]) -> dict[str, float]:
    """The mean cosine over items, of which the median over people, types and layers.

    material: what it was before training, on which W is fitted; states: place -> (items x width) now.
    "cosine": each item with a W that was fitted on it, too; "cosine_heldout": with one that was not.
    """
    found: dict[str, list[float]] = {"cosine": [], "cosine_heldout": []}
    for seen, unseen in _cosines(material, states):
        found["cosine"].append(seen)
        found["cosine_heldout"].append(unseen)
    return {name: float(np.median(values)) for name, values in found.items() if values}


def _cosines(material: Material, states: Mapping[str, Array]) -> Iterator[tuple[float, float]]:
    for kind in material.kinds:
        rows = material.of_type(kind)
        part = material.select(rows)
        for person in part.people:
            if len(person.present) < max(FEWEST, FOLDS) + 1:
                continue
            fold = folds(tuple(part.types[at] for at in person.present), FOLDS, 0)
            for site, before in part.states.items():
                x, now = before[person.present], states[site][rows][person.present]
                seen = _cosine(x, person.responses, now, person.responses)
                parts = [(fold != at, fold == at) for at in range(FOLDS)]
                y = person.responses
                unseen = [_cosine(x[other], y[other], now[own], y[own]) for other, own in parts]
                yield float(seen.mean()), float(np.concatenate(unseen).mean())


def _cosine(x: Array, responses: FloatArray, now: Array, targets: FloatArray) -> Array:
    return Objective.of(RidgeMap.fit(x, responses), targets).value(now)
