"""What robust RSA gives over all pairs of items of several types: mostly which pairs are of one type."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from brainbench.records import Skip
from brainbench_metrics.rsa_crossvalidation import Comparison, cross_validated, mean_r
from brainbench_metrics.rsa_folds import people_folds
from brainbench_metrics.rsa_ready import Pool, Settings, comparable


def aggregate_facts(pool: Pool, within: Comparison, how: Settings) -> dict[str, Any]:
    """The score as if all items were of one type, where they are of several; as plain JSON."""
    if within.categories is None:
        return {}
    made = comparable(pool, replace(within, categories=None))
    if isinstance(made, Skip):
        return {"aggregate": {"none": made.reason}}
    fold_of = people_folds(len(made.brains), how.folds, how.splits, how.seed)
    scores = cross_validated(made.blocks, made.split, fold_of, within.items).scores
    people = [brain.id for brain in made.brains]
    return {
        "aggregate": {
            "score": float(mean_r(scores)),
            "per_person": dict(zip(people, scores.tolist(), strict=True)),
            "caution": "type of task alone may reach this; the headline is within types",
        }
    }
