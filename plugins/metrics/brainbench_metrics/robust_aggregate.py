"""What `robust` says of items of several types together: the score without types, and what type explains."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from brainbench.arrays import AnyFeatures, IntArray, Recording
from brainbench.records import Skip
from brainbench_metrics.nested_scores import Problem, nested_scores
from brainbench_metrics.robust_problem import compared
from brainbench_metrics.variance_partition import mixed_kernels, variance_partition
from brainbench_metrics.within_strata import codes_of, indicator

Prepare = Callable[[Recording, IntArray], Problem | Skip]
_MIXES = (0.5, 0.9)  # of layer and type: two are enough where the nuisance is a bit or two


def aggregate_facts(features: AnyFeatures, recording: Recording, prepare: Prepare) -> dict[str, Any]:
    """The nested score as if all items were of one type, and its variance shared out; as plain JSON.

    Only {"strata": 1} where they are. The variance is held-out R2, a mean over people: from the strata alone,
    and what a layer adds to them (see `variance_partition`).
    """
    if len(set(recording.strata)) < 2:
        return {"strata": 1}
    n_items = len(recording.items)
    one, strata = codes_of((), n_items), codes_of(recording.strata, n_items)
    problem = prepare(recording, one)
    facts: dict[str, Any] = {"strata": len(set(recording.strata))}
    made = problem if isinstance(problem, Skip) else compared(problem, features)
    if isinstance(made, Skip):
        return facts
    problem, matched = made
    scores = nested_scores(problem)
    mixed = tuple(mixed_kernels(layers, indicator(strata), one, _MIXES) for layers in matched.sources)
    parts = variance_partition(replace(problem, kernels=mixed))
    people = [person.id for person in problem.people.members]
    facts["aggregate"] = {
        "score": float(scores.nested.mean()),
        "per_person": dict(zip(people, scores.nested.tolist(), strict=True)),
        "r2_of_strata": float(np.mean(parts.nuisance)),
        "r2_of_strata_and_layer": float(np.mean(parts.joint)),
        "r2_unique_to_layer": float(np.mean(parts.unique)),
        "caution": "type of task alone may reach this; the headline is within types",
    }
    return facts
