"""The RDMs of people and of layers, and who and what has none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainbench.arrays import Features, FloatArray, IntArray, Participant, Recording
from brainbench.errors import ShapeError
from brainbench.records import Skip
from brainbench.statistics import pairs_of
from brainbench_metrics.layers import constant_layers
from brainbench_metrics.rdm import Array, Distance, rdm_of_defined, varies, without_distance

MIN_ITEMS = 4  # six distances; three items have three, of which any order is as good as another


@dataclass(frozen=True, slots=True, eq=False)
class Brain:
    """One person's RDM (pairs of the person's items,) in one region.

    items: positions of those items in the recording, ascending. patterns (items x voxels): what the RDM was
    made of. flat: how many items were left out since their pattern is constant over voxels.
    """

    id: str
    items: IntArray
    patterns: FloatArray
    vector: Array
    flat: int


@dataclass(frozen=True, slots=True, eq=False)
class Layers:
    """RDMs of the layers that have one (layers x pairs of all items), their names, the others' reasons."""

    names: tuple[str, ...]
    vectors: Array
    unscored: dict[str, str]

    def without(self, reasons: dict[str, str]) -> Layers:
        """The layers without those that have a reason here."""
        kept = [at for at, name in enumerate(self.names) if name not in reasons]
        return Layers(tuple(self.names[at] for at in kept), self.vectors[kept], {**self.unscored, **reasons})


def prepare_brains(
    recording: Recording, distance: Distance, least: int = MIN_ITEMS
) -> tuple[list[Brain], dict[str, str]]:
    """People with an RDM of at least `least` items, in the recording's order; for the others the reason."""
    made = {person.id: _brain(person, distance, least) for person in recording.participants}
    brains = [brain for brain in made.values() if isinstance(brain, Brain)]
    return brains, {name: brain.reason for name, brain in made.items() if isinstance(brain, Skip)}


def _brain(person: Participant, distance: Distance, least: int) -> Brain | Skip:
    if person.responses.shape[1] == 0:
        return Skip("There are no voxels.")
    flat = without_distance(person.responses, distance)
    count = len(flat) - int(np.count_nonzero(flat))
    if count < least:
        constant = " with a pattern that varies over voxels" if flat.any() else ""
        return Skip(f"Has {count} items{constant}; RSA needs {least}.")
    patterns = person.responses[~flat] if flat.any() else person.responses
    vector = rdm_of_defined(patterns, distance)
    if not varies(vector, distance):
        return Skip("All items are equally far from each other.")
    return Brain(person.id, person.present[~flat], patterns, vector, len(flat) - count)


def prepare_layers(features: Features, recording: Recording, distance: Distance) -> Layers:
    """The layers' RDMs. Raises ShapeError when features and recording hold different numbers of items."""
    if features.n_items != len(recording.items):
        raise ShapeError(
            f"Features have {features.n_items} items, the recording of {recording.region} "
            f"{len(recording.items)}.",
            hint="Select the same items from both.",
        )
    unscored, vectors = constant_layers(features), {}
    for name, array in features.layers.items():
        if name in unscored:
            continue
        if (flat := without_distance(array, distance)).any():
            item = recording.items[int(flat.argmax())]
            unscored[name] = f"Item {item} has no {distance} distance: its features are all alike."
            continue
        vector = rdm_of_defined(array, distance)
        if varies(vector, distance):
            vectors[name] = vector
        else:
            unscored[name] = "All items are equally far from each other, beyond rounding."
    count = len(recording.items) * (len(recording.items) - 1) // 2
    return Layers(tuple(vectors), np.array(list(vectors.values())).reshape(-1, count), unscored)


def by_items(brains: Sequence[Brain]) -> Iterator[tuple[IntArray, IntArray]]:
    """For each set of items that people have: the items, and the positions of those people."""
    members: dict[bytes, list[int]] = {}
    for at, brain in enumerate(brains):
        members.setdefault(brain.items.tobytes(), []).append(at)
    for those in members.values():
        yield brains[those[0]].items, np.array(those, dtype=np.intp)


def within(brain: Brain, chosen: IntArray) -> IntArray:
    """Columns of a person's RDM that are pairs of two of the chosen items (positions in the recording)."""
    return pairs_of(np.flatnonzero(np.isin(brain.items, chosen)), len(brain.items))


def stratum_rdm(strata: Sequence[str]) -> NDArray[np.float64] | None:
    """1 for each pair of items of different strata, 0 for others (pairs,); None where that is constant."""
    labels = np.unique(np.asarray(strata), return_inverse=True)[1] if strata else np.zeros(0)
    first, second = np.triu_indices(len(labels), k=1)
    differ = (labels[first] != labels[second]).astype(np.float64)
    return differ if len(differ) and np.ptp(differ) > 0 else None


def no_layer(layers: Layers) -> Skip:
    """Why no layer can be scored: the first one's reason."""
    name, reason = next(iter(layers.unscored.items()))
    return Skip(f"No layer has an RDM that says anything; {name}: {reason}")


def brain_facts(brains: Sequence[Brain], left_out: dict[str, str]) -> dict[str, Any]:
    """What a reader should know of the people behind a score, as plain JSON."""
    return {
        "items_per_person": {brain.id: len(brain.items) for brain in brains},
        "voxels_per_person": {brain.id: brain.patterns.shape[1] for brain in brains},
        "items_with_constant_pattern": sum(brain.flat for brain in brains),
        "people_left_out": left_out,
    }
