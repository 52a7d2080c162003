"""What interventions are fitted on: a model's states at chosen places, people's responses to the items."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainbench.arrays import FloatArray, IntArray
from brainbench.nouns import BrainDataset, OpenModel, Reporter
from brainbench.records import Skip
from brainbench.steering import SITE, Steerable
from brainbench.stimuli import Stimulus
from brainbench_interventions.descent import spread
from brainbench_interventions.ridge_map import Array

LABEL = "label"  # the condition of a stimulus that holds the right answer, True or False
TYPE = "type"  # the one that holds its type of problem, a name that tasks' documents have, too


@dataclass(frozen=True, slots=True, eq=False)
class Person:
    """One person's responses (items that the person has x voxels), and where the answer was right.

    present: positions of those items among the material's, ascending. right (all items), or None where
    nothing is known of the answers.
    """

    id: str
    responses: FloatArray
    present: IntArray
    right: NDArray[np.bool_] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Material:
    """Items, their types (all alike where a dataset has none), right answers, states and people.

    key: the condition of stimuli and documents that holds their type, or "" where types are the dataset's
    strata, which no other problem has. labels (items) or None. states: place -> (items x width), float64.
    sigma: place -> the spread of states around the mean of their type, over all items.
    """

    items: tuple[str, ...]
    types: tuple[str, ...]
    labels: NDArray[np.bool_] | None
    states: Mapping[str, Array]
    people: tuple[Person, ...]
    facts: Mapping[str, Any]
    key: str = ""

    def select(self, rows: IntArray) -> Material:
        """The same of the items at these ascending positions; who has none of them is left out."""
        people = []
        for person in self.people:
            kept = np.isin(person.present, rows)
            if kept.any():
                present = np.searchsorted(rows, person.present[kept])
                right = None if person.right is None else person.right[rows]
                people.append(Person(person.id, person.responses[kept], present, right))
        return replace(
            self,
            items=tuple(self.items[row] for row in rows),
            types=tuple(self.types[row] for row in rows),
            labels=None if self.labels is None else self.labels[rows],
            states={site: states[rows] for site, states in self.states.items()},
            people=tuple(people),
        )

    def of_type(self, kind: str) -> IntArray:
        """Positions of a type's items."""
        return np.flatnonzero(np.array(self.types) == kind)

    @property
    def kinds(self) -> tuple[str, ...]:
        """The types, in the order in which they occur."""
        return tuple(dict.fromkeys(self.types))

    def sigma(self, site: str) -> float:
        """The spread of states around the mean of their type, over types: a root mean square."""
        squares = [spread(self.states[site][rows]) ** 2 * len(rows) for rows in map(self.of_type, self.kinds)]
        return float(np.sqrt(sum(squares) / len(self.items)))


def middle_half(sites: Sequence[str], module: str) -> tuple[str, ...]:
    """The places of one module ("attention" or "layer") in layers L/4 up to 3L/4, rounded down; at least one.

    Xiao, Du & Lin (2026) change attention in these.
    """
    found = [site for site in sites if (match := SITE.fullmatch(site)) and match[1] == module]
    start = len(found) // 4
    return tuple(found[start : max(3 * len(found) // 4, start + 1)])


def gather(  # noqa: PLR0913
    model: OpenModel,
    dataset: BrainDataset,
    reporter: Reporter,
    *,
    region: str = "",
    module: str = "attention",
    every_layer: bool = False,
) -> Material | Skip:
    """Read what a fit needs, or say why there is nothing to fit; region "" is the dataset's first."""
    if not isinstance(model, Steerable):
        return Skip("The model gives no access to what it computes, so that nothing in it can be steered.")
    region = region or dataset.regions[0]
    if region not in dataset.regions:
        known = ", ".join(dataset.regions)
        return Skip(f"Dataset {dataset.name} has no region or type of problem {region!r}; regions: {known}.")
    stimuli = tuple(dataset.stimuli(reporter))
    features = model.features(stimuli, reporter)
    sites = [site for site in features.layers if site.startswith(f"{module}.")]
    sites = sites if every_layer else list(middle_half(sites, module))
    if not sites:
        return Skip(f"The model has no {module} outputs that could be steered.")
    recording = dataset.recording(region, reporter)
    types = _types(stimuli)
    facts = {"dataset": dataset.name, "dataset_version": dataset.version, "region": region}
    return Material(
        items=recording.items,
        types=types or recording.strata or ("",) * len(recording.items),
        labels=_labels(stimuli),
        states={site: features.layers[site].astype(np.float64) for site in sites},
        people=_people(dataset, region, reporter),
        facts={**facts, "simulated": dataset.simulated, "features": dict(features.made)},
        key=TYPE if types else "",
    )


def _people(dataset: BrainDataset, region: str, reporter: Reporter) -> tuple[Person, ...]:
    behaviour = dataset.behaviour(reporter)
    right: dict[str, NDArray[np.bool_]] = {}
    if behaviour is not None and behaviour.correct is not None:
        right = dict(zip(behaviour.participants, behaviour.correct, strict=True))
    return tuple(
        Person(found.id, found.responses, found.present, right.get(found.id))
        for found in dataset.recording(region, reporter).participants
    )


def _types(stimuli: Sequence[Stimulus]) -> tuple[str, ...]:
    found = tuple(stimulus.conditions.get(TYPE) for stimulus in stimuli)
    return tuple(str(kind) for kind in found) if all(isinstance(kind, str) for kind in found) else ()


def _labels(stimuli: Sequence[Stimulus]) -> NDArray[np.bool_] | None:
    found = [stimulus.conditions.get(LABEL) for stimulus in stimuli]
    return np.array(found) if all(isinstance(label, bool) for label in found) else None
