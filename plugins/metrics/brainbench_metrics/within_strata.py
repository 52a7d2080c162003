"""Items by stratum (type of task) and by group (run, story): what is left within strata, and folds.

Types of task differ for many dull reasons (scanner run, length, wording), so that one bit predicts much of
what is shared between them. Within a stratum that bit is constant: take each stratum's mean away and it
explains nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from brainbench.arrays import FloatArray, IntArray
from brainbench.records import Skip
from brainbench_metrics.folds import MIN_TEST_ITEMS, Fold, stratified_folds
from brainbench_metrics.people import varying_columns

Array = NDArray[np.float64]


def codes_of(labels: Sequence[str], n_items: int) -> IntArray:
    """Numbers 0, 1, ... in the place of labels (items,); all 0 where there are no labels."""
    if not labels:
        return np.zeros(n_items, dtype=np.intp)
    return np.unique(np.asarray(labels), return_inverse=True)[1].astype(np.intp)


def indicator(codes: IntArray) -> Array:
    """Which item is in which stratum (items x strata that occur): 1 or 0."""
    found = np.unique(codes)
    made: Array = (codes[:, None] == found).astype(np.float64)
    return made


def centring(codes: IntArray) -> Array:
    """The matrix (items x items) that takes each stratum's mean away."""
    dummies = indicator(codes)
    made: Array = np.eye(len(codes)) - (dummies / dummies.sum(axis=0)) @ dummies.T
    return made


def without_means(columns: Array, codes: IntArray, known: IntArray) -> Array:
    """Columns (items x k) less the mean of their stratum over the `known` items.

    Items of a stratum of which none is known lose the mean over all known items.
    """
    made: Array = columns - columns[known].mean(axis=0)
    for stratum in np.unique(codes[known]):
        rows = np.flatnonzero(codes == stratum)
        made[rows] = columns[rows] - columns[known[codes[known] == stratum]].mean(axis=0)
    return made


def varying_within(columns: FloatArray, codes: IntArray, rows: IntArray) -> Array:
    """Those columns that differ, within any stratum, by more than rounding (items x k') in float64.

    `rows` are the items that are looked at. Sums of large terms carry the rounding of the terms, so a column
    smaller than the array's median is judged by the median.
    """
    seen, labels = columns[rows], codes[rows]
    floor = float(np.median(np.abs(seen)))
    strata = [seen[labels == stratum] for stratum in np.unique(labels)]
    found = np.any([varying_columns(part, floor=floor) for part in strata], axis=0)
    made: Array = columns[:, found].astype(np.float64)
    return made


def repeated_folds(
    strata: IntArray, groups: IntArray | None, folds: int, repeats: int, seed: int
) -> tuple[Fold, ...] | Skip:
    """Stratified folds, `repeats` times over with shuffles of their own, or the reason why there are none.

    strata, groups (items,): numbers; a group is never split between folds, whatever that costs in balance.
    """
    states = np.random.SeedSequence(seed).generate_state(repeats).tolist()
    made: list[Fold] = []
    for state in states:
        if groups is None:
            split = stratified_folds([str(code) for code in strata], folds, state)
        else:
            split = _grouped_folds(strata, groups, folds, state)
        if isinstance(split, Skip):
            return split
        made += split
    return tuple(made)


def _grouped_folds(strata: IntArray, groups: IntArray, folds: int, state: int) -> tuple[Fold, ...] | Skip:
    """Whole groups in random order, each to the fold in which it leaves the counts of strata most even."""
    names = np.unique(groups)
    if len(names) < folds:
        return Skip(f"{len(names)} groups of items (runs or stories) are too few for {folds} folds.")
    counts = np.array([(groups == name) @ indicator(strata) for name in names])
    counts = np.hstack([counts, counts.sum(axis=1, keepdims=True)])  # every stratum, and all items
    order = np.random.default_rng(state).permutation(len(names))
    order = order[np.argsort(-counts[order, -1], kind="stable")]  # large ones first
    loads = np.zeros((folds, counts.shape[1]))
    place = np.zeros(len(names), dtype=np.intp)
    for group in order:
        # Squares favour the emptiest fold; the strata's sizes make a rare stratum count as much.
        costs = (((loads + counts[group]) ** 2 - loads**2) / counts.sum(axis=0) ** 2).sum(axis=1)
        place[group] = int(costs.argmin())
        loads[place[group]] += counts[group]
    fold_of = place[np.searchsorted(names, groups)]
    split = [Fold(np.flatnonzero(fold_of != at), np.flatnonzero(fold_of == at)) for at in range(folds)]
    smallest = min(len(fold.test) for fold in split)
    if smallest < MIN_TEST_ITEMS:
        return Skip(f"The smallest of {folds} folds has {smallest} test items; {MIN_TEST_ITEMS} are needed.")
    return tuple(split)
