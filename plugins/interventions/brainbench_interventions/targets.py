"""Patterns that states are drawn towards: a person's own, and those that a fair comparison needs.

Each control keeps everything of the method but one thing, and is fitted again from the start (Xiao, Du &
Lin 2026, "Controls"; mean-pattern, shuffled-items and other-person are ours).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np

from brainbench_interventions.material import Material, Person
from brainbench_interventions.ridge_map import Array, RidgeMap

Source = Literal["own", "random-fmri", "random-fmri-mean", "mean-pattern", "shuffled-items", "other-person"]

# From the items of one type, the person and random numbers: responses to fit W on, and patterns to go for
# (both items x voxels, of the items that the person has), or None where that cannot be made.
# In quotes: numpy.random would be imported as soon as the plugin is.
Make = Callable[[Material, Person, "np.random.Generator"], tuple[Array, Array] | None]


def own(material: Material, person: Person, rng: np.random.Generator) -> tuple[Array, Array]:
    """The person's responses: the method itself."""
    del material, rng
    responses = person.responses.astype(np.float64)
    return responses, responses


def random_fmri(material: Material, person: Person, rng: np.random.Generator) -> tuple[Array, Array]:
    """Noise of mean 0 and variance 1 for all items; W is fitted on it."""
    del material
    noise = rng.normal(size=person.responses.shape)
    return noise, noise


def random_fmri_mean(material: Material, person: Person, rng: np.random.Generator) -> tuple[Array, Array]:
    """The same with each voxel's mean set to the real one."""
    noise, _ = random_fmri(material, person, rng)
    noise += person.responses.astype(np.float64).mean(axis=0) - noise.mean(axis=0)
    return noise, noise


def mean_pattern(material: Material, person: Person, rng: np.random.Generator) -> tuple[Array, Array] | None:
    """The person's mean over the type's other items: nothing of the item itself."""
    del material, rng
    responses = person.responses.astype(np.float64)
    if len(responses) < 2:
        return None
    return responses, (responses.sum(axis=0) - responses) / (len(responses) - 1)


def shuffled_items(
    material: Material, person: Person, rng: np.random.Generator
) -> tuple[Array, Array] | None:
    """The person's responses, each given to another item of the type: W is fitted on those pairs, too."""
    del material
    responses = person.responses.astype(np.float64)
    if len(responses) < 2:
        return None
    order = rng.permutation(len(responses))
    moved = np.empty_like(responses)
    moved[order] = responses[np.roll(order, 1)]  # one cycle through all items: none keeps its own
    return moved, moved


def other_person(material: Material, person: Person, rng: np.random.Generator) -> tuple[Array, Array] | None:
    """What the next person's responses predict of this one's, by ridge regression without the item."""
    del rng
    place = [found.id for found in material.people].index(person.id)
    other = material.people[(place + 1) % len(material.people)]
    if other.id == person.id or not np.array_equal(other.present, person.present):
        return None
    return person.responses.astype(np.float64), RidgeMap.fit(other.responses, person.responses).loo


MAKE: dict[Source, Make] = {
    "own": own,
    "random-fmri": random_fmri,
    "random-fmri-mean": random_fmri_mean,
    "mean-pattern": mean_pattern,
    "shuffled-items": shuffled_items,
    "other-person": other_person,
}
