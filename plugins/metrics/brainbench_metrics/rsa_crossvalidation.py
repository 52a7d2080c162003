"""RSA with the layer chosen on other people and other items than those it is scored on.

In each split, half of the items and all people but a fold choose the layer (the highest mean correlation
over pairs within that half); the people of the fold are scored on pairs within the other half. A pair of
items of different halves is never used. Vectors are ranked within the half, so that scores are plain
correlations. The cost: each correlation rests on a quarter of the pairs, which the several splits
partly make good.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brainbench.arrays import IntArray
from brainbench.statistics import pairs_of
from brainbench_metrics.rdm import Array
from brainbench_metrics.rdm_comparison import Comparator, kendall_tau_a, ready
from brainbench_metrics.rdm_people import Brain, Layers, by_items, within
from brainbench_metrics.rsa_folds import Halves

BOUND = 1 - 1e-6  # correlations beyond have no finite Fisher z that could be averaged with others


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """How RDMs over so many items are compared; controls (c x pairs) are partialled out of both sides."""

    items: int
    comparator: Comparator
    controls: Array | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """People with the same items, in one set of pairs: everything that a correlation needs.

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
    """Correlations over the pairs within the chosen items: a Part for each set of items that people have."""
    made = []
    for own, members in by_items(brains):
        columns = pairs_of(own[np.isin(own, chosen)], how.items)
        inside = within(brains[int(members[0])], chosen)
        vectors = np.stack([brains[at].vector[inside] for at in members])
        held = None if how.controls is None else how.controls[:, columns]
        model, model_defined = ready(layers.vectors[:, columns], how.comparator, held)
        brain, brain_defined = ready(vectors, how.comparator, held)
        if how.comparator == "kendall" and held is None and vectors.shape[1] > 1:
            r = kendall_tau_a(layers.vectors[:, columns], vectors)
        else:
            r = np.clip(model @ brain.T, -1.0, 1.0)
        made.append(Part(members, columns, model, brain, r, model_defined, brain_defined))
    return made


def correlations(parts: Sequence[Part], people: int) -> Array:
    """The r of all parts (layers x people)."""
    made = np.zeros((len(parts[0].r), people))
    for part in parts:
        made[:, part.members] = part.r
    return made


def undefined(parts: Sequence[Part], people: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Layers without a correlation for somebody (layers,), and people without any (people,)."""
    layers = np.zeros(len(parts[0].model), dtype=np.bool_)
    who = np.zeros(people, dtype=np.bool_)
    for part in parts:
        who[part.members] = ~part.brain_defined
        if part.brain_defined.any():
            layers |= ~part.model_defined
    return layers, who


@dataclass(frozen=True, slots=True, eq=False)
class CrossValidated:
    """What came of it: chosen (splits x halves x folds), the layers.

    Each was chosen on that half without the people of that fold.
    scores (people,): each person's mean held-out correlation. table (people x pairs of all items): values
    whose mean over pairs is the person's Fisher z, each how much the pair adds to it.
    """

    chosen: IntArray
    scores: Array
    table: Array


def choose(r: Array, fold_of: IntArray) -> IntArray:
    """The layer with the highest mean r over the people outside each fold: (splits x halves x folds).

    r (splits x halves x layers x people), fold_of (splits x people). The first of those that tie.
    """
    outside = fold_of[:, None, :] != np.arange(int(fold_of.max()) + 1)[:, None]  # splits x folds x people
    sums = np.einsum("shlp,sfp->shfl", r, outside.astype(np.float64))
    best: IntArray = sums.argmax(axis=-1)
    return best


def cross_validated(
    blocks: Sequence[Sequence[Part]], split: Halves, fold_of: IntArray, pairs: int
) -> CrossValidated:
    """Choose and score; `blocks` are the parts of each of `split.blocks`, in their order."""
    people = fold_of.shape[1]
    r = np.stack([correlations(parts, people) for parts in blocks])
    shaped = r.reshape(len(fold_of), 2, *r.shape[1:])
    chosen = choose(shaped, fold_of)
    scores, table = np.zeros(people), np.zeros((people, pairs))
    for (at, half), parts in zip(split.blocks, blocks, strict=True):
        layer_of = chosen[at, 1 - half][fold_of[at]]  # chosen on the other half
        scores += shaped[at, half][layer_of, np.arange(people)] / len(blocks)
        for part in parts:
            rows = np.ix_(part.members, part.columns)
            table[rows] += _influence(part, layer_of[part.members]) * (
                pairs / len(part.columns) / len(blocks)
            )
    z = fisher(scores)
    bounded = np.clip(scores, -BOUND, BOUND)
    return CrossValidated(chosen, scores, z[:, None] + table / (1 - bounded**2)[:, None])


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
