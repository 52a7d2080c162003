"""RSA with the layer chosen on other people and other items than those it is scored on.

In each split, half of the items and all people but a fold choose the layer (the highest mean correlation
over pairs within that half); the people of the fold are scored on pairs within the other half. A pair of
items of different halves is never used. Vectors are ranked within the half and, where items are of several
types, freed there of categories of pairs, so that scores are plain correlations. The cost: each correlation
rests on a quarter of the pairs, which the several splits partly make good.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brainbench.arrays import IntArray
from brainbench.statistics import pairs_of
from brainbench_metrics.rdm import Array, pairs
from brainbench_metrics.rdm_comparison import Comparator, kendall_within, levelled, span, unit
from brainbench_metrics.rdm_people import Brain, Layers, by_items, within
from brainbench_metrics.rsa_controls import Controls
from brainbench_metrics.rsa_folds import Halves

BOUND = 1 - 1e-6  # correlations beyond have no finite Fisher z that could be averaged with others


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """How RDMs over so many items are compared; categories of pairs and controls are taken from both sides.

    categories (pairs of all items,): see `rsa_categories`.
    """

    items: int
    comparator: Comparator
    categories: IntArray | None = None
    controls: Controls | None = None

    def held(self, columns: IntArray, person: str) -> Array | None:
        """What spans all that is taken from both sides, over those pairs."""
        controls = None if self.controls is None else self.controls.of(person)
        return span(
            self.comparator,
            None if controls is None or not len(controls) else controls[:, columns],
            self.kinds(columns),
        )

    def kinds(self, columns: IntArray) -> IntArray | None:
        """The categories of those pairs."""
        return None if self.categories is None else self.categories[columns]

    def apart(self, layers: Layers) -> bool:
        """Whether what a person's RDM is compared with differs between people."""
        return layers.personal is not None or (self.controls is not None and self.controls.personal)


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """People with the same items and models, in one set of pairs: everything that a correlation needs.

    members: positions of the people. columns: of the recording's pairs. model (layers x columns) and brain
    (members x columns) are made ready, so that r (layers x members) is their product (but for Kendall's).
    """

    members: IntArray
    columns: IntArray
    model: Array
    brain: Array
    r: Array
    model_defined: NDArray[np.bool_]
    brain_defined: NDArray[np.bool_]


def parts_of(chosen: IntArray, layers: Layers, brains: Sequence[Brain], how: Comparison) -> list[Part]:
    """Correlations over the pairs within the chosen items: a Part for each set of items that people have.

    Where layers or controls differ between people, each person has a Part.
    """
    made = []
    for own, members in by_items(brains):
        columns = pairs_of(own[np.isin(own, chosen)], how.items)
        inside = within(brains[int(members[0])], chosen)
        models = layers.vectors[:, columns]
        ranked = levelled(models, how.comparator)  # once for everybody, whatever is controlled for then
        for group in members[:, None] if how.apart(layers) else members[None]:
            person = brains[int(group[0])].id
            if layers.personal is not None:
                models = layers.of(person)[:, columns]
                ranked = levelled(models, how.comparator)
            vectors = np.stack([brains[at].vector[inside] for at in group])
            held = how.held(columns, person)
            model, model_defined = unit(*ranked, held)
            brain, brain_defined = unit(*levelled(vectors, how.comparator), held)
            if how.comparator == "kendall" and how.controls is None and vectors.shape[1] > 1:
                r = kendall_within(models, vectors, how.kinds(columns))
            else:
                r = np.clip(model @ brain.T, -1.0, 1.0)
            made.append(Part(group, columns, model, brain, r, model_defined, brain_defined))
    return made


def correlations(parts: Sequence[Part], people: int) -> Array:
    """The r of all parts (layers x people)."""
    made = np.zeros((len(parts[0].r), people))
    for part in parts:
        made[:, part.members] = part.r
    return made


def lacking(
    blocks: Sequence[Sequence[Part]], people: int, apart: bool
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Layers (layers,) and people (people,) to be taken out, so that everyone has every correlation left.

    A layer that varies too little for somebody goes. Where models differ between people (`apart`), it goes
    only if it does for everybody; else these people go.
    """
    layers = np.zeros((len(blocks[0][0].model), people), dtype=np.bool_)
    who = np.zeros(people, dtype=np.bool_)
    for part in (part for parts in blocks for part in parts):
        who[part.members] |= ~part.brain_defined
        layers[:, part.members] |= ~part.model_defined[:, None]
    layers = layers[:, ~who]
    if not apart:
        return np.asarray(layers.any(axis=1)), who
    gone = np.asarray(layers.all(axis=1)) & (layers.size > 0)
    who[~who] = layers[~gone].any(axis=0)
    return gone, who


@dataclass(frozen=True, slots=True, eq=False)
class CrossValidated:
    """What came of it: chosen (splits x halves x folds), the layers.

    Each was chosen on that half without the people of that fold.
    scores (people,): each person's mean held-out correlation. influence (people x pairs of all items), of
    mean zero: how much each pair adds to it, so that means over other pairs are what resampling makes of it.
    """

    chosen: IntArray
    scores: Array
    influence: Array

    @property
    def table(self) -> Array:
        """Values (people x pairs) whose mean over pairs is the person's Fisher z."""
        slope = 1 - np.clip(self.scores, -BOUND, BOUND) ** 2
        return fisher(self.scores)[:, None] + self.influence / slope[:, None]

    def per_item(self, brains: Sequence[Brain], items: int) -> Array:
        """Values (people x items) whose mean over a person's items is the score; NaN where it has none.

        What an item adds is twice the mean influence of its pairs with the person's other items (Hajek's
        projection): every pair is of two items, so a mean over pairs is, to first order, one over items.
        """
        first, second = pairs(items)
        made = np.full((len(brains), items), np.nan)
        for row, score, influence, brain in zip(made, self.scores, self.influence, brains, strict=True):
            sums = np.bincount(first, influence, items) + np.bincount(second, influence, items)
            row[brain.items] = score + sums[brain.items] * len(brain.items) / len(first)
        return made


def choose(r: Array, fold_of: IntArray) -> IntArray:
    """The layer with the highest mean r over the people outside each fold: (splits x halves x folds).

    r (splits x halves x layers x people), fold_of (splits x people). The first of those that tie.
    """
    outside = fold_of[:, None, :] != np.arange(int(fold_of.max()) + 1)[:, None]  # splits x folds x people
    sums = np.einsum("shlp,sfp->shfl", r, outside.astype(np.float64))
    best: IntArray = sums.argmax(axis=-1)
    return best


def cross_validated(
    blocks: Sequence[Sequence[Part]], split: Halves, fold_of: IntArray, items: int
) -> CrossValidated:
    """Choose and score; `blocks` are the parts of each of `split.blocks`, in their order."""
    people, count = fold_of.shape[1], items * (items - 1) // 2
    r = np.stack([correlations(parts, people) for parts in blocks])
    shaped = r.reshape(len(fold_of), 2, *r.shape[1:])
    chosen = choose(shaped, fold_of)
    scores, influence = np.zeros(people), np.zeros((people, count))
    for (at, half), parts in zip(split.blocks, blocks, strict=True):
        layer_of = chosen[at, 1 - half][fold_of[at]]  # chosen on the other half
        scores += shaped[at, half][layer_of, np.arange(people)] / len(blocks)
        for part in parts:
            rows = np.ix_(part.members, part.columns)
            influence[rows] += _influence(part, layer_of[part.members]) * (
                count / len(part.columns) / len(blocks)
            )
    return CrossValidated(chosen, scores, influence)


def _influence(part: Part, layer_of: IntArray) -> Array:
    """How much each pair adds to a person's correlation (members x columns), of mean zero.

    The correlation's influence function xy - r (x^2 + y^2) / 2 with x and y of mean square 1.
    """
    x, y = part.model[layer_of], part.brain
    r = (x * y).sum(axis=1, keepdims=True)
    return np.asarray(part.columns.size * (x * y - r * (x**2 + y**2) / 2))


def fisher(r: Array) -> Array:
    """Fisher's z of correlations, those beyond 1 - 1e-6 in size as if they were that."""
    z: Array = np.arctanh(np.clip(r, -BOUND, BOUND))
    return z


def mean_r(r: Array) -> Array:
    """Mean over the last axis by way of Fisher's z."""
    return np.asarray(np.tanh(fisher(r).mean(axis=-1)))
