"""People and layers for whom every correlation is defined, and what follows from these."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from brainbench.arrays import AnyFeatures, Recording
from brainbench.errors import ShapeError
from brainbench.records import Skip
from brainbench.statistics import corrected_two_factor_interval, mean_of_pairs, pairs_of
from brainbench_metrics.rdm import Distance
from brainbench_metrics.rdm_comparison import Comparator
from brainbench_metrics.rdm_people import (
    MIN_ITEMS,
    Brain,
    Layers,
    no_layer,
    prepare_brains,
    prepare_layers,
)
from brainbench_metrics.rsa_categories import LEAST_LEFT, count_of
from brainbench_metrics.rsa_crossvalidation import Comparison, CrossValidated, Part, lacking, parts_of
from brainbench_metrics.rsa_folds import MIN_CROSS_VALIDATED, Halves, halves

MIN_PEOPLE = 2


@dataclass(frozen=True, slots=True)
class Settings:
    """What decides a robust score, see `rsa.RobustRsa`."""

    distance: Distance
    comparator: Comparator
    splits: int
    folds: int
    permutations: int
    bootstraps: int
    seed: int


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """Layers and people with an RDM; of whom those in `left_out` are not to be scored, and why."""

    layers: Layers
    brains: list[Brain]
    left_out: dict[str, str]
    split: Halves


@dataclass(frozen=True, slots=True, eq=False)
class Ready(Pool):
    """Layers and people for whom every correlation is defined; parts of all halves and of all items.

    how: the comparison of which these are the correlations.
    """

    how: Comparison
    blocks: list[list[Part]]
    whole: list[Part]


@dataclass(frozen=True, slots=True)
class Reasons:
    """Why a layer, and why a person, has no correlation somewhere."""

    layer: str
    person: str


IN_A_HALF = Reasons(
    "Its distances do not vary in a half of the items.", "Distances do not vary in a half of the items."
)
WITHIN = Reasons(
    "Its distances do not vary between pairs of the same types in a half of the items.",
    "Distances do not vary between pairs of the same types in a half of the items.",
)


def pooled(features: AnyFeatures, recording: Recording, how: Settings) -> Pool | Skip:
    """Layers with an RDM, and people with one in every half of the items; or why there are no halves."""
    layers = prepare_layers(features, recording, how.distance)
    split = halves(recording, how.splits, how.seed)
    if isinstance(split, Skip):
        return split
    brains, left_out = prepare_brains(recording, how.distance, MIN_CROSS_VALIDATED)
    left_out = {**layers.left_out, **left_out}
    for brain in brains:
        if (smallest := smallest_half(brain, split)) < MIN_ITEMS:
            left_out[brain.id] = f"Has {smallest} items in a half of the items; RSA needs {MIN_ITEMS}."
    return Pool(layers, brains, left_out, split)


def comparable(pool: Pool, how: Comparison) -> Ready | Skip:
    """What can be scored, within categories of pairs where there are any; or why nothing can."""
    left_out = dict(pool.left_out)
    if how.categories is not None:
        for brain in pool.brains:
            held, kinds = fewest_pairs(brain, pool.split, how)
            if brain.id not in left_out and held - kinds < LEAST_LEFT:
                left_out[brain.id] = (
                    f"Has {held} pairs in a half of the items, too few for their {kinds} categories."
                )
    why = IN_A_HALF if how.categories is None else WITHIN
    found = settled(replace(pool, left_out=left_out), how, why)
    return found if isinstance(found, Ready) else nothing_left(found)


def fewest_pairs(brain: Brain, split: Halves, how: Comparison) -> tuple[int, int]:
    """How many pairs a person has, and of how many categories, in the half where that leaves the fewest."""
    halved = [pairs_of(np.intersect1d(brain.items, split.items(*at)), how.items) for at in split.blocks]
    counts = [(len(columns), count_of(how.kinds(columns))) for columns in halved]
    return min(counts, key=lambda of: of[0] - of[1])


def smallest_half(brain: Brain, split: Halves) -> int:
    """How many items a person has at least, in any half."""
    return min(int(np.isin(brain.items, split.items(*block)).sum()) for block in split.blocks)


def settled(pool: Pool, how: Comparison, why: Reasons) -> Ready | Pool:
    """Who and what has no correlation somewhere is taken out; a Pool where too little is left."""
    layers, brains, left_out, split = pool.layers, pool.brains, dict(pool.left_out), pool.split
    while True:
        brains = [brain for brain in brains if brain.id not in left_out]
        if len(brains) < MIN_PEOPLE or not layers.names:
            return Pool(layers, brains, left_out, split)
        blocks = [parts_of(split.items(*block), layers, brains, how) for block in split.blocks]
        whole = parts_of(np.arange(how.items), layers, brains, how)
        layer, person = lacking([*blocks, whole], len(brains), how.apart(layers))
        if not (layer.any() or person.any()):
            return Ready(layers, brains, left_out, split, how, blocks, whole)
        left_out |= {brains[at].id: why.person for at in np.flatnonzero(person)}
        layers = layers.without({layers.names[at]: why.layer for at in np.flatnonzero(layer)})


def nothing_left(pool: Pool) -> Skip:
    """Why nothing can be scored."""
    if len(pool.brains) >= MIN_PEOPLE:
        return no_layer(pool.layers)
    first = f": {next(iter(pool.left_out.values()))}" if pool.left_out else "."
    return Skip(
        f"Choosing a layer on other people needs {MIN_PEOPLE}; {len(pool.brains)} can be scored{first}"
    )


def interval(found: CrossValidated, people: int, items: int, how: Settings) -> dict[str, Any]:
    """The interval over people and items at once, the chosen layers held fixed; or why there is none."""
    try:
        made = corrected_two_factor_interval(
            mean_of_pairs(found.table, items), (people, items), seed=how.seed, draws=how.bootstraps
        )
    except ShapeError as error:
        return {"none": error.message}
    return {
        "low": float(np.tanh(made.low)),
        "high": float(np.tanh(made.high)),
        "level": made.level,
        "method": made.method,
        "draws": made.draws,
        "over": "people and items, given the layers chosen",
    }
