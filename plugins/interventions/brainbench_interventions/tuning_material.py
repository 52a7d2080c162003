"""What a fine-tuning is learnt from: items and people, more problems, and the states to be reached."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from brainbench.answers import WordAnswers
from brainbench.errors import NotApplicable
from brainbench.nouns import BrainDataset, OpenModel, Reporter
from brainbench.progress import SilentReporter
from brainbench.records import Skip
from brainbench.steering import Steering
from brainbench.stimuli import Stimulus
from brainbench.training_data import more_problems_of
from brainbench_interventions.material import TYPE, Material, Person, gather
from brainbench_interventions.steering import OracleSteering

if TYPE_CHECKING:
    from brainbench_interventions.tuning import Tuning


def gather_for(how: Tuning, model: OpenModel, dataset: BrainDataset, reporter: Reporter) -> Material:
    """What is learnt from: items of the chosen types, the chosen people."""
    if how.region == dataset.regions[0]:
        raise NotApplicable(f"{how.region} is the first region of {dataset.name}: leave @{how.region} out.")
    found = gather(model, dataset, reporter, region=how.region, every_layer=how.every_layer)
    if isinstance(found, Skip):
        raise NotApplicable(found.reason)
    if found.labels is None:
        raise NotApplicable("The dataset's items have no right answers of True or False.")
    if unknown := [kind for kind in how.types if kind not in found.kinds]:
        raise NotApplicable(f"Dataset {dataset.name} has no items of the type {unknown[0]!r}.")
    if how.types:
        found = found.select(np.flatnonzero(np.isin(found.types, how.types)))
    return replace(found, people=_people(how.people, found.people))


def stimuli_of(material: Material, dataset: BrainDataset, reporter: Reporter) -> tuple[Stimulus, ...]:
    """The items, in the material's order."""
    known = {stimulus.id: stimulus for stimulus in dataset.stimuli(reporter)}
    return tuple(known[item] for item in material.items)


def extra_for(how: Tuning, dataset: BrainDataset) -> tuple[Stimulus, ...]:
    """More labelled problems of the chosen types, if any are wanted; NotApplicable where there are none."""
    if not how.extra:
        return ()
    kinds = {stimulus.conditions.get(TYPE) for stimulus in dataset.stimuli(SilentReporter())}
    count = how.extra
    if how.types:  # types come in turn, at most one problem apart
        count = -(-count // len(set(how.types))) * len(kinds)
    found = more_problems_of(dataset, count, how.seed)
    if found is None:
        raise NotApplicable(f"Dataset {dataset.name} offers no more problems than its own.")
    fitting = [one for one in found if not how.types or one.conditions[TYPE] in how.types]
    if len(fitting) < how.extra:
        raise NotApplicable(f"Dataset {dataset.name} offers too few more {' and '.join(how.types)} problems.")
    return tuple(fitting[: how.extra])


def _people(wanted: str, people: tuple[Person, ...]) -> tuple[Person, ...]:
    """All; the best or worst so many, by their accuracy on the items; or those of these ids."""
    for end in ("best", "worst"):
        count = wanted.removeprefix(end)
        if wanted.startswith(end) and count.isdigit():
            known = {p.id: float(p.right.mean()) for p in people if p.right is not None}
            if int(count) > len(known):
                raise NotApplicable(f"There are no {wanted} of {len(known)} people whose answers are known.")
            order = sorted(known, key=known.__getitem__, reverse=end == "best")
            return tuple(person for person in people if person.id in order[: int(count)])
    ids = wanted.split("+") if wanted else [person.id for person in people]
    if unknown := sorted(set(ids) - {person.id for person in people}):
        raise NotApplicable(f"There is nobody called {unknown[0]!r}.")
    return tuple(person for person in people if person.id in ids)


def repairs_for(how: Tuning, model: OpenModel, material: Material, stimuli: tuple[Stimulus, ...]) -> Steering:
    """What NARI adds to each item that it repairs, by the nearest person; NotApplicable."""
    answers = WordAnswers.of(model, stimuli)
    oracle = OracleSteering(
        name="nari",
        source=how.source,  # type: ignore[arg-type]
        region=how.region,
        similarity=how.similarity,
        intercept=how.intercept,
        seed=how.seed,
    )
    found = oracle.steer_with(material, answers)
    if isinstance(found, Skip):
        raise NotApplicable(found.reason)
    return found
