"""Noise ceilings of RSA on RDMs: how well the best of all models could do, given how much people differ.

Nili et al. 2014, PLoS Computational Biology 10:e1003553. Upper bound: correlation of each person's RDM with
the mean RDM of all, that person included, which no model beats by much. Lower bound: with the mean of the
others. Only RDMs are averaged, so that people's voxels need not correspond. Over several types of task both
sides are freed of categories of pairs, as for scores.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from brainbench.arrays import IntArray, Recording
from brainbench.records import Scores, Skip
from brainbench.statistics import pairs_of
from brainbench_metrics.rdm import Array, Distance
from brainbench_metrics.rdm_comparison import (
    Comparator,
    kendall_within,
    levelled,
    ready,
    span,
    unit,
)
from brainbench_metrics.rdm_people import MIN_ITEMS, Brain, brain_facts, by_items, prepare_brains
from brainbench_metrics.rsa_categories import LEAST_LEFT, count_of, pair_categories
from brainbench_metrics.rsa_crossvalidation import mean_r

MIN_PEOPLE = 2
LEAST_PAIRS = MIN_ITEMS * (MIN_ITEMS - 1) // 2


def nili_ceiling(recording: Recording, distance: Distance, comparator: Comparator) -> Scores | Skip:
    """Both bounds, each a mean over people by way of Fisher's z, as the scores are."""
    brains, left_out = prepare_brains(recording, distance)
    categories = pair_categories(recording.strata)
    while True:
        if len(brains) < MIN_PEOPLE:
            why = f": {next(iter(left_out.values()))}" if left_out else "."
            return Skip(f"A ceiling needs {MIN_PEOPLE} people; {len(brains)} can be scored{why}")
        bounds, fine = nili_bounds(brains, len(recording.items), comparator, categories)
        if fine.all():
            break
        for at in np.flatnonzero(~fine):
            left_out[brains[at].id] = "Shares too few pairs of items with others for a ceiling."
        brains = [brain for brain, kept in zip(brains, fine, strict=True) if kept]
    return Scores(
        layers=("lower", "upper"),
        participants=tuple(brain.id for brain in brains),
        per_participant=bounds,
        per_layer=mean_r(bounds),
        spread=bounds.std(axis=1, ddof=1),
        best=0,
        choice="lower bound: a person's RDM with the mean RDM of the others, mean over people (Fisher's z)",
        spread_kind="SD",
        details={"upper": float(mean_r(bounds)[1]), **brain_facts(brains, left_out)},
    )


def nili_bounds(
    brains: Sequence[Brain], items: int, comparator: Comparator, categories: IntArray | None = None
) -> tuple[Array, NDArray[np.bool_]]:
    """Lower and upper bound of each person (2 x people), and who has them.

    RDMs are averaged after ranking (spearman, kendall), standardising (pearson) or scaling to length 1
    (cosines), then without the mean of each of the categories (pairs of all items,), and over those who have
    the pair. A pair that nobody else has is left out for a person.
    """
    total, count = np.zeros(items * (items - 1) // 2), np.zeros(items * (items - 1) // 2, dtype=np.intp)
    groups = []
    for own, members in by_items(brains):
        vectors = np.stack([brains[member].vector for member in members])
        made, columns = levelled(vectors, comparator), pairs_of(own, items)
        pooled = _poolable(vectors, made[0], comparator, None if categories is None else categories[columns])
        total[columns] += pooled.sum(axis=0)
        count[columns] += len(members)
        groups.append((columns, members, vectors, pooled, made))
    bounds, fine = np.zeros((2, len(brains))), np.zeros(len(brains), dtype=np.bool_)
    for columns, members, vectors, pooled, made in groups:
        shared = np.flatnonzero(count[columns] > 1)
        kept = columns[shared]
        kinds = None if categories is None else categories[kept]
        if len(shared) < LEAST_PAIRS or len(shared) - count_of(kinds) < LEAST_LEFT:
            continue
        others = (total[kept] - pooled[:, shared]) / (count[kept] - 1)
        everyone = (total[kept] / count[kept])[None]
        # Whitening needs all pairs of a set of items, which a person's shared pairs need not be.
        how: Comparator = (
            "cosine" if comparator == "whitened cosine" and not _complete(len(shared)) else comparator
        )
        whole = len(shared) == len(columns)  # then people's vectors are ready for both bounds
        mine = vectors[:, shared]
        first = unit(*(made if whole else levelled(mine, how)), span(how, None, kinds))
        for row, mean in enumerate((others, everyone)):
            bounds[row, members], defined = _rows(mine, first, mean, how, kinds)
            fine[members] = defined if row == 0 else fine[members] & defined
    return bounds, fine


def _poolable(vectors: Array, made: Array, comparator: Comparator, kinds: IntArray | None) -> Array:
    """RDMs (n x pairs), levelled in `made`, on one scale: averaged over people with different pairs."""
    pairs = vectors.shape[1]
    if comparator in ("spearman", "kendall"):
        held = span(comparator, None, kinds)
        return np.asarray((made if held is None else made - (made @ held.T) @ held) / pairs)
    how: Comparator = "pearson" if comparator == "pearson" else "cosine"
    return np.asarray(ready(vectors, how, categories=kinds)[0] * np.sqrt(pairs))


def _rows(
    a: Array, first: tuple[Array, NDArray[np.bool_]], b: Array, how: Comparator, kinds: IntArray | None
) -> tuple[Array, NDArray[np.bool_]]:
    """The comparison of each row of a, made ready in `first`, with the same row of b or its only one (n,).

    And where it is defined.
    """
    (x, x_fine), (y, y_fine) = first, ready(b, how, categories=kinds)
    if how == "kendall":
        taus = [
            kendall_within(one[None], two[None], kinds)[0, 0]
            for one, two in zip(a, np.broadcast_to(b, a.shape), strict=True)
        ]
        return np.array(taus), x_fine & y_fine
    return np.clip(np.einsum("np,np->n", x, np.broadcast_to(y, x.shape)), -1.0, 1.0), x_fine & y_fine


def _complete(pairs: int) -> bool:
    """Whether so many pairs are all those of some number of items."""
    items = round((1 + np.sqrt(1 + 8 * pairs)) / 2)
    return bool(items * (items - 1) // 2 == pairs)
