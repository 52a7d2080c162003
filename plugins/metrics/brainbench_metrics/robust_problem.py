"""What `robust` predicts from what: each person's responses from features that vary within strata."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from brainbench.arrays import AnyFeatures, FloatArray, IntArray
from brainbench.records import Skip
from brainbench_metrics.folds import Fold
from brainbench_metrics.nested_people import People
from brainbench_metrics.nested_ridge import kernel
from brainbench_metrics.nested_scores import Array, Kernels, Problem
from brainbench_metrics.own_features import Matched, matched
from brainbench_metrics.within_strata import varying_within


def compared(problem: Problem, features: AnyFeatures) -> tuple[Problem, Matched[Array]] | Skip:
    """The problem of predicting its people from these features, who has none left out; and the layers.

    A person's own features are standardised like shared ones, over all training items. Skips where no person
    or no layer remains.
    """

    def varying(array: FloatArray, rows: IntArray) -> Array:
        return varying_within(array, problem.strata, rows)

    items = {person.id: person.items for person in problem.people.members}
    found = matched(features, items, varying, "vary between items of the same stratum, beyond rounding")
    if isinstance(found, Skip):
        return found
    members = tuple(person for person in problem.people.members if person.id in found.of)
    made = replace(
        problem,
        kernels=tuple(layer_kernels(layers, problem.strata) for layers in found.sources),
        sources=np.array([found.of[person.id] for person in members]),
        people=People(members, problem.people.left_out | found.left_out),
    )
    return made, found


def layer_kernels(layers: Sequence[Array], strata: IntArray) -> Kernels:
    """Inner products of layers (items x width), standardised within strata over a fold's training items."""

    def kernels(fold: Fold) -> Array:
        return np.stack([kernel(array, strata, fold.train) for array in layers])

    return kernels
