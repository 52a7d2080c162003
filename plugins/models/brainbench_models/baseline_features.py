"""The features of baselines, from items and recordings alone."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np

from brainbench.arrays import Features, Participant, PersonalFeatures, Recording
from brainbench.records import Skip
from brainbench.stimuli import Stimulus

WIDTH = 64  # of a layer of noise
OFFSET = 1.0  # of noise's task types, in standard deviations of the noise in each dimension
_WORD = re.compile(r"\w+")


def bag_of_words(stimuli: Sequence[Stimulus]) -> Features | Skip:
    """How often each word occurs in each item's own text, in small letters: (items x words).

    Columns are of all items' words. A regression gives a word that its training items lack no weight, since
    its column does not vary there: a prediction rests on the training items' vocabulary alone.
    """
    counts = [Counter(_WORD.findall(stimulus.content.lower())) for stimulus in stimuli]
    words = sorted(set().union(*counts))
    if not words:
        return Skip("No item has a word.")
    return Features({"words": np.array([[float(count[word]) for word in words] for count in counts])})


def noise(items: int, layers: int, seed: int, strata: Sequence[str] = ()) -> Features:
    """Layers of independent standard normal numbers (items x WIDTH); with strata each type has an offset."""
    made = {}
    names = sorted(set(strata))
    place = np.array([names.index(label) for label in strata], dtype=np.intp)
    for layer in range(layers):
        rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(layer,)))
        made[f"noise.{layer}"] = rng.standard_normal((items, WIDTH))
        if names:
            made[f"noise.{layer}"] += OFFSET * rng.standard_normal((len(names), WIDTH))[place]
    return Features(made)


def next_person(recording: Recording) -> PersonalFeatures | Skip:
    """For each participant the responses of the next one, the first after the last: (items x voxels).

    Items that the next one lacks have the mean over the items that there are.
    """
    people = recording.participants
    if len(people) < 2:
        return Skip("There is nobody else.")
    following = [*people[1:], people[0]]
    return PersonalFeatures(
        {
            person.id: Features({"next person": _completed(other, len(recording.items))})
            for person, other in zip(people, following, strict=True)
        }
    )


def _completed(person: Participant, items: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    made = np.empty((items, person.responses.shape[1]))
    made[:] = person.responses.mean(axis=0, dtype=np.float64)
    made[person.present] = person.responses
    return made
