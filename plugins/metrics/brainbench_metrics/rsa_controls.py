"""The RDMs that a partial RSA controls for: what is known of items and answers without any model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from brainbench.arrays import IntArray, Recording
from brainbench_metrics.rdm import Array, Distance
from brainbench_metrics.rdm_comparison import ready
from brainbench_metrics.rdm_people import prepare_layers


@dataclass(frozen=True, slots=True, eq=False)
class Controls:
    """RDMs by name: everyone's (pairs,), or each person's by id where they differ between people."""

    rdms: Mapping[str, Array | Mapping[str, Array]]

    @property
    def names(self) -> tuple[str, ...]:
        """What is controlled for."""
        return tuple(self.rdms)

    @property
    def personal(self) -> bool:
        """Whether any differs between people."""
        return any(not isinstance(found, np.ndarray) for found in self.rdms.values())

    def of(self, person: str) -> Array:
        """Those of one person (controls x pairs); fewer where the person lacks some."""
        own = [found if isinstance(found, np.ndarray) else found.get(person) for found in self.rdms.values()]
        return np.array([vector for vector in own if vector is not None])

    def missing(self, people: Sequence[str]) -> dict[str, list[str]]:
        """Which of the people have no RDM of a control, and are compared without it."""
        lacking = {
            name: [person for person in people if person not in found]
            for name, found in self.rdms.items()
            if not isinstance(found, np.ndarray)
        }
        return {name: without for name, without in lacking.items() if without}


def controls_of(recording: Recording, distance: Distance, categories: IntArray | None) -> Controls:
    """Those of all nuisances of the recording that say more than the categories of pairs (pairs,) do."""
    rdms: dict[str, Array | Mapping[str, Array]] = {}
    for name, features in recording.nuisances.items():
        made = prepare_layers(features, recording, distance)
        for at, layer in enumerate(made.names):
            label = name if len(features.layers) == 1 else f"{name}/{layer}"
            personal = made.personal
            rdms[label] = (
                made.vectors[at] if personal is None else {who: own[at] for who, own in personal.items()}
            )
    return Controls({name: found for name, found in rdms.items() if not _by_category(found, categories)})


def _by_category(found: Array | Mapping[str, Array], categories: IntArray | None) -> bool:
    """Whether an RDM varies between the categories only, as that of "type" does."""
    if categories is None or not isinstance(found, np.ndarray):
        return False
    return not ready(found[None], "pearson", categories=categories)[1].any()
