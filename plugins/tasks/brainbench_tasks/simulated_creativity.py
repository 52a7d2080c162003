"""The design of the simulated creativity experiment: objects, planted features, made-up behaviour."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from brainbench.arrays import Behaviour
from brainbench.nouns import RegionPlace
from brainbench_tasks.creativity_prompts import TASKS, stimulus
from brainbench_tasks.simulated_brain import (
    NOTHING,
    TRAP,
    Array,
    Design,
    Shares,
    decorrelated,
    in_turn,
    person_names,
    stream,
)

REGIONS = ("default", "frontoparietal", "somatomotor")
PLACES = {
    region: RegionPlace(
        f"{network} nodes after Dosenbach et al. 2010: where such a network lies in people",
        networks=(network,),
    )
    for region, network in zip(REGIONS, ("default", "fronto-parietal", "sensorimotor"), strict=True)
}
SHARES = {
    "planted": (Shares(signal=0.35), Shares(signal=0.12), Shares()),
    "null": NOTHING,
    "nuisance": TRAP,
    "guide": (Shares(signal=0.40), Shares(signal=0.12), Shares()),
}
PROPERTIES = ("heavy", "hard", "long", "sharp", "holds things", "flat")
NAMES = {"planted": PROPERTIES, "guide": ("mean rating of the object's uses",)}

# How far each property is true of an object: 0 not, 1 somewhat, 2 very much. Judged by brainbench.
_TABLE = """
brick       2 2 0 0 0 1
box         1 1 0 0 2 1
knife       0 2 1 2 0 1
rope        1 0 2 0 0 0
paperclip   0 1 0 1 0 1
shoe        1 1 0 0 1 0
bucket      1 1 0 0 2 0
pillow      0 0 0 0 0 1
newspaper   0 0 0 0 0 2
pencil      0 1 1 2 0 0
chair       2 2 1 0 0 0
umbrella    0 1 2 1 0 0
spoon       0 2 1 0 1 0
blanket     1 0 1 0 0 2
bottle      1 2 1 0 2 0
hammer      2 2 1 0 0 0
sock        0 0 1 0 1 0
candle      0 1 1 0 0 0
plate       1 2 0 0 1 2
ladder      2 2 2 0 0 1
needle      0 2 0 2 0 0
towel       0 0 1 0 0 2
plank       2 2 2 0 0 2
"""
OBJECTS = {noun: tuple(map(int, values)) for noun, *values in map(str.split, _TABLE.strip().splitlines())}
HARDEST = 5  # trials are missing only for so many objects of each task, so that 18 are everybody's
TIME_LIMIT = 12.0  # seconds to think
RATERS = 4


def constants() -> tuple[object, ...]:
    """What decides objects, planted features and behaviour, and is not a field of the dataset."""
    return TASKS, NAMES, OBJECTS, HARDEST, TIME_LIMIT, RATERS


@lru_cache(maxsize=16)
def design(version: int, preset: str, seed: int, people: int) -> Design:
    """The 23 objects of both tasks, the same for every preset, and what the preset plants in them."""
    stimuli = tuple(stimulus(task, noun) for task in TASKS for noun in OBJECTS)
    tasks = tuple(task for task in TASKS for _ in OBJECTS)
    creates = np.array([task == "create" for task in tasks])
    lengths = np.array([float(len(item.messages[-1].content)) for item in stimuli])
    rng = stream("simulated-creativity", version, seed, "behaviour")
    present, seconds, ratings = _answers(people, lengths, creates, rng)
    ids = tuple(item.id for item in stimuli)
    nuisances = np.zeros((people, len(ids), 3))
    for person, there in enumerate(present):
        known = np.stack([creates[there], lengths[there], seconds[person, there]], axis=1)
        nuisances[person, there] = in_turn(known)
    return Design(
        stimuli=stimuli,
        strata=tasks,
        names=NAMES.get(preset, ()),
        features=_features(preset, mean_ratings(ratings[:, creates])),
        carries=creates & (preset in NAMES),
        nuisances=nuisances,
        present=present,
        behaviour=Behaviour(person_names(people), ids, None, seconds, ratings),
    )


def _features(preset: str, rated: Array) -> Array:
    """The planted features (46 x k): of each object where a use is asked for, 0 in the control task."""
    if preset not in NAMES:
        return np.zeros((2 * len(OBJECTS), 0))
    table = np.array(list(OBJECTS.values()), dtype=float) if preset == "planted" else rated[:, None]
    made = decorrelated(table, ["create"] * len(OBJECTS))
    return np.concatenate([made, np.zeros_like(made)])


def mean_ratings(ratings: Array) -> Array:
    """The mean over those who have one (people x items) of each item, or of all where nobody has one."""
    known = ~np.isnan(ratings)
    sums = np.where(known, ratings, 0).sum(axis=0)
    means: Array = np.where(known.any(axis=0), sums / np.maximum(known.sum(axis=0), 1), ratings[known].mean())
    return means


def _answers(
    people: int, lengths: Array, creates: NDArray[np.bool_], rng: np.random.Generator
) -> tuple[NDArray[np.bool_], Array, Array]:
    """Which trials there are, seconds to the answer and ratings of the uses, all (people x 46).

    An object that is hard to find a use for takes longer, and the hardest are answered by fewer people.
    A rating is the mean of four raters' marks from 1 to 5, mostly low; some objects and people get more.
    """
    shape = (people, len(lengths))
    hard = rng.normal(0, 1, shape[1])
    present = np.ones(shape, dtype=np.bool_)
    for task in (creates, ~creates):
        hardest = np.flatnonzero(task)[np.argsort(hard[task])[-HARDEST:]]
        chance = np.linspace(0.1, 0.4, HARDEST) * np.where(creates[hardest[0]], 1.0, 0.5)
        present[:, hardest] = rng.random((people, HARDEST)) >= chance
    longer = (lengths - lengths.mean()) / lengths.std()
    slow = 0.9 + 0.5 * creates + 0.12 * hard + 0.05 * longer
    slow = slow + rng.normal(0, 0.2, (people, 1)) + rng.normal(0, 0.25, shape)
    seconds = np.minimum(np.exp(slow), TIME_LIMIT).round(3)
    worth = (
        0.55 * rng.normal(0, 1, shape[1])
        + 0.35 * rng.normal(0, 1, (people, 1))
        + 0.4 * rng.normal(size=shape)
    )
    marks = np.clip(np.rint(1.9 + worth + rng.normal(0, 0.6, (RATERS, *shape))), 1, 5).mean(axis=0)
    return present, np.where(present, seconds, np.nan), np.where(present & creates, marks, np.nan)
