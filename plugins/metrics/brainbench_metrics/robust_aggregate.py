"""What `robust` says of items of several types together: the score without types, and what type explains."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from brainbench.arrays import AnyFeatures, Features, IntArray, Recording
from brainbench.nuisances import categories
from brainbench.records import Skip
from brainbench_metrics.nested_scores import Problem, nested_scores
from brainbench_metrics.robust_problem import compared
from brainbench_metrics.unique_variance import unique_facts
from brainbench_metrics.within_strata import codes_of

Prepare = Callable[[Recording, IntArray], Problem | Skip]


def aggregate_facts(features: AnyFeatures, recording: Recording, prepare: Prepare) -> dict[str, Any]:
    """The nested score as if all items were of one type, and its variance shared out; as plain JSON.

    Only {"strata": 1} where they are. What a layer explains is measured beyond all nuisances of the recording
    and the type, see `unique_facts`.
    """
    if len(set(recording.strata)) < 2:
        return {"strata": 1}
    facts: dict[str, Any] = {"strata": len(set(recording.strata))}
    problem = prepare(recording, codes_of((), len(recording.items)))
    made = problem if isinstance(problem, Skip) else compared(problem, features)
    if isinstance(made, Skip):
        return facts
    problem, matched = made
    scores = nested_scores(problem)
    people = [person.id for person in problem.people.members]
    dull = {"type": Features({"type": categories(recording.strata)}), **recording.nuisances}
    facts["aggregate"] = {
        "score": float(scores.nested.mean()),
        "per_person": dict(zip(people, scores.nested.tolist(), strict=True)),
        **unique_facts(problem, matched.sources, scores.chosen, dull),
        "caution": "type of task alone may reach this; the headline is within types",
    }
    return facts
