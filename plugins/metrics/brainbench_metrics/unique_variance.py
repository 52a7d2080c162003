"""What a layer explains beyond the dull predictors that a recording holds: `unique_variance` in details.

The layer is the one that the headline chose in each fold's training items. See `variance_partition` for what
is computed from it, and `brainbench.nuisances` for the predictors.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np

from brainbench.arrays import AnyFeatures, Features, IntArray, PersonalFeatures
from brainbench.statistics import student_interval
from brainbench_metrics.folds import Fold
from brainbench_metrics.nested_interval import said
from brainbench_metrics.nested_people import Measured
from brainbench_metrics.nested_ridge import kernel
from brainbench_metrics.nested_scores import Array, Kernels, Problem
from brainbench_metrics.variance_partition import Partition, mixed_kernels, variance_partition
from brainbench_metrics.within_strata import varying_within

_COVERS = "other people, on these very items"


def unique_facts(
    problem: Problem,
    layers: Sequence[Sequence[Array]],
    chosen: IntArray,
    nuisances: Mapping[str, AnyFeatures],
) -> dict[str, Any]:
    """Held-out R2 of the nuisances, of these and the layer, and the difference, as plain JSON.

    layers: for each of the problem's sources, arrays (items x width); chosen (folds,): which of them. Where
    no nuisance varies within the problem's strata there is None, and the reason.
    """
    people = problem.people.members
    columns = [_columns(nuisances, person, problem.strata) for person in people]
    names = [name for name in nuisances if any(name in own for own in columns)]
    if not names:
        return {
            "unique_variance": None,
            "unique_variance_reason": "No nuisance varies between items of the same stratum."
            if nuisances
            else "The recording comes without nuisances.",
        }
    shared = not any(isinstance(features, PersonalFeatures) for features in nuisances.values())
    parts = variance_partition(_with_nuisances(problem, layers, chosen, columns, shared=shared))
    lacking = {
        name: [person.id for person in people if nuisances[name].of(person.id) is None] for name in names
    }
    facts = {
        "of": "held-out variance (R2), mean over people: nuisances and the chosen layer less nuisances alone",
        "nuisances": names,
        "people_without": {name: who for name, who in lacking.items() if who},
        "r2_nuisances": float(parts.nuisance.mean()),
        "r2_nuisances_and_layer": float(parts.joint.mean()),
        "r2_unique": float(parts.unique.mean()),
        "per_person": _per_person(people, parts),
        **_interval(parts.unique),
    }
    return {"unique_variance": facts}


def _columns(nuisances: Mapping[str, AnyFeatures], person: Measured, strata: IntArray) -> dict[str, Array]:
    """A person's nuisances that vary within strata, by name: (items x columns) each."""
    found = {}
    for name, features in nuisances.items():
        own = features.of(person.id)
        rows = np.arange(len(strata)) if isinstance(features, Features) else person.items
        arrays = [varying_within(array, strata, rows) for array in own.layers.values()] if own else []
        if any(array.shape[1] for array in arrays):
            found[name] = np.hstack(arrays)
    return found


def _with_nuisances(
    problem: Problem,
    layers: Sequence[Sequence[Array]],
    chosen: IntArray,
    columns: Sequence[Mapping[str, Array]],
    *,
    shared: bool,
) -> Problem:
    """The problem of predicting from nuisances and the chosen layer; who shares both keeps one source."""
    n_items, strata = len(problem.strata), problem.strata
    of_fold = dict(zip(problem.folds, chosen.tolist(), strict=True))
    own = [_chosen_kernel(arrays, of_fold, strata) for arrays in layers]
    dull = [np.hstack([np.zeros((n_items, 0)), *found.values()]) for found in columns]
    sources = np.zeros(len(dull), dtype=np.intp) if problem.sources is None else problem.sources
    if shared:
        everything = np.arange(n_items)
        shared_kernels = (mixed_kernels(layer, dull[0], strata, everything) for layer in own)
        return replace(problem, kernels=tuple(shared_kernels))
    kernels = (
        mixed_kernels(own[source], found, strata, person.items)
        for source, found, person in zip(sources, dull, problem.people.members, strict=True)
    )
    return replace(problem, kernels=tuple(kernels), sources=np.arange(len(dull)))


def _chosen_kernel(layers: Sequence[Array], of_fold: Mapping[Fold, int], strata: IntArray) -> Kernels:
    """Inner products (items x items) of the fold's layer, made once for all people who share it."""

    @cache
    def chosen(fold: Fold) -> Array:
        return kernel(layers[of_fold[fold]], strata, fold.train)

    return chosen


def _per_person(people: Sequence[Measured], parts: Partition) -> dict[str, dict[str, float]]:
    rows = zip(people, parts.nuisance.tolist(), parts.joint.tolist(), parts.unique.tolist(), strict=True)
    return {
        person.id: {"r2_nuisances": dull, "r2_nuisances_and_layer": both, "r2_unique": unique}
        for person, dull, both, unique in rows
    }


def _interval(unique: Array) -> dict[str, Any]:
    """Student's interval of the mean over people, or None and the reason."""
    if len(unique) < 2:
        return {"interval": None, "interval_reason": "One person says nothing about other people."}
    return said(lambda: student_interval(unique), _COVERS)
