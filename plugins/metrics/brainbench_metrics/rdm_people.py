"""The RDMs of people and of layers, and who and what has none."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from brainbench.arrays import (
    AnyFeatures,
    Features,
    FloatArray,
    IntArray,
    Participant,
    PersonalFeatures,
    Recording,
)
from brainbench.errors import ShapeError
from brainbench.records import Skip
from brainbench.statistics import pairs_of
from brainbench_metrics.layers import constant_layers
from brainbench_metrics.rdm import (
    Array,
    Distance,
    rdm_of_defined,
    rdm_of_quantities,
    varies,
    without_distance,
)

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
    """RDMs of the layers that have one, their names, the others' reasons.

    vectors (layers x pairs of all items) are everyone's. Where features differ between people, `personal` has
    each person's (layers x pairs) by id, vectors are empty, and `left_out` says who has none and why.
    distance: which one, in words.
    """

    names: tuple[str, ...]
    vectors: Array
    unscored: dict[str, str]
    distance: str
    personal: Mapping[str, Array] | None = None
    left_out: Mapping[str, str] = field(default_factory=dict)

    def of(self, person: str) -> Array:
        """What this person's RDM is compared with (layers x pairs)."""
        return self.vectors if self.personal is None else self.personal[person]

    def without(self, reasons: dict[str, str]) -> Layers:
        """The layers without those that have a reason here."""
        kept = [at for at, name in enumerate(self.names) if name not in reasons]
        return replace(
            self,
            names=tuple(self.names[at] for at in kept),
            vectors=self.vectors[kept] if self.personal is None else self.vectors,
            unscored={**self.unscored, **reasons},
            personal=self.personal and {person: own[kept] for person, own in self.personal.items()},
        )


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


def prepare_layers(features: AnyFeatures, recording: Recording, distance: Distance) -> Layers:
    """The layers' RDMs, for everyone or for each person.

    Features that are quantities have the Euclidean distance of columns standardised over the recording's
    items, whatever `distance` is. A layer that has an RDM for nobody is unscored; a person who has none of
    one of the others is left out. Raises ShapeError when features and recording hold different numbers of
    items.
    """
    if features.n_items != len(recording.items):
        raise ShapeError(
            f"Features have {features.n_items} items, the recording of {recording.region} "
            f"{len(recording.items)}.",
            hint="Select the same items from both.",
        )
    words = "Euclidean, of standardised columns" if features.quantities else distance
    if isinstance(features, Features):
        vectors, unscored = _vectors(features, recording.items, distance)
        return Layers(tuple(vectors), _stacked(vectors, vectors, recording), unscored, words)
    return _personal_layers(features, recording, distance, words)


def _personal_layers(
    features: PersonalFeatures, recording: Recording, distance: Distance, words: str
) -> Layers:
    found, reasons, left_out = {}, dict.fromkeys(features.layers, "Nobody here has these features."), {}
    for person in recording.participants:
        own = features.of(person.id)
        if own is None:
            left_out[person.id] = "Has no features, where these differ between people."
            continue
        found[person.id], lacking = _vectors(own, recording.items, distance)
        reasons |= lacking
    names = [name for name in features.layers if any(name in vectors for vectors in found.values())]
    for person_id, vectors in found.items():
        if without := next((name for name in names if name not in vectors), None):
            left_out[person_id] = f"Has no RDM of {without}: {reasons[without]}"
    personal = {
        person_id: _stacked(vectors, names, recording)
        for person_id, vectors in found.items()
        if person_id not in left_out
    }
    unscored = {name: reason for name, reason in reasons.items() if name not in names}
    return Layers(tuple(names), _stacked({}, (), recording), unscored, words, personal, left_out)


def _vectors(
    features: Features, items: Sequence[str], distance: Distance
) -> tuple[dict[str, Array], dict[str, str]]:
    """RDMs (pairs,) of the layers that have one, and the others' reasons."""
    doubtful = {name: array for name, array in features.layers.items() if not _plainly_varies(array)}
    unscored = constant_layers(replace(features, layers=doubtful)) if doubtful else {}
    vectors = {}
    for name, array in features.layers.items():
        if name in unscored:
            continue
        if features.quantities:
            vector = rdm_of_quantities(array)
        elif (flat := without_distance(array, distance)).any():
            item = items[int(flat.argmax())]
            unscored[name] = f"Item {item} has no {distance} distance: its features are all alike."
            continue
        else:
            vector = rdm_of_defined(array, distance)
        if varies(vector, "euclidean" if features.quantities else distance):
            vectors[name] = vector
        else:
            unscored[name] = "All items are equally far from each other, beyond rounding."
    return vectors, unscored


def _plainly_varies(array: FloatArray) -> bool:
    """Whether the first columns differ between items far beyond the rounding of the largest value.

    A look at a few columns spares most layers a slower one at all of them.
    """
    few = array[:, :16]
    largest = max(abs(float(array.max())), abs(float(array.min())))
    precision = float(np.finfo(np.result_type(array.dtype, np.float16)).eps)
    return float((few.max(axis=0) - few.min(axis=0)).max()) > 1000 * precision * largest


def _stacked(vectors: Mapping[str, Array], names: Iterable[str], recording: Recording) -> Array:
    count = len(recording.items) * (len(recording.items) - 1) // 2
    return np.array([vectors[name] for name in names]).reshape(-1, count)


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
