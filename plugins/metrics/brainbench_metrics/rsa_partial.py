"""What is left of a robust RSA once dull predictors are partialled out of both sides."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from brainbench.arrays import Recording
from brainbench_metrics.rdm_people import Brain
from brainbench_metrics.rsa_controls import STRATA, Controls, controls_of
from brainbench_metrics.rsa_crossvalidation import Comparison, correlations, cross_validated, mean_r
from brainbench_metrics.rsa_folds import Halves, people_folds
from brainbench_metrics.rsa_ready import (
    Pool,
    Ready,
    Reasons,
    Settings,
    interval,
    nothing_left,
    settled,
    smallest_half,
)

LEAST_LEFT = 5  # pairs of a half beyond the number of controls: six pairs of four items, and one control


def partial_scores(made: Ready, recording: Recording, how: Settings) -> dict[str, Any]:
    """The same scores with the RDMs of strata and nuisances partialled out; or why there are none.

    A layer that the controls explain is named and not scored. People and layers are those of the score, but
    for people with too few pairs for so many controls.
    """
    controls = controls_of(recording, how.distance)
    if controls is None:
        return {"none": "The items are of one stratum, and nothing else is known to control for."}
    if how.comparator == "kendall":
        return {"none": "There is no partial tau-a here; the other comparators have one."}
    by = f"explained by {'strata' if controls.names == (STRATA,) else 'the controls'} alone"
    few = _too_few_pairs(made.brains, made.split, controls)
    pool = Pool(replace(made.layers, unscored={}), made.brains, few, made.split)
    comparison = Comparison(len(recording.items), how.comparator, controls)
    held = settled(pool, comparison, Reasons(layer=by, person=f"Is {by}."))
    facts = {"controls": list(controls.names), "explained": held.layers.unscored}
    if not isinstance(held, Ready):
        none = nothing_left(held).reason if held.layers.names else f"All layers are {by}."
        return {**facts, "none": none}
    people = len(held.brains)
    fold_of = people_folds(people, how.folds, how.splits, how.seed)
    found = cross_validated(held.blocks, held.split, fold_of, len(recording.items))
    per_layer = mean_r(correlations(held.whole, people)).tolist()
    return {
        **facts,
        "cross-validated": float(mean_r(found.scores)),
        "interval": interval(found, people, len(recording.items), how),
        "per_layer": dict(zip(held.layers.names, per_layer, strict=True)),
        "people_left_out": held.left_out,
        "people_without_control": controls.missing([brain.id for brain in held.brains]),
    }


def _too_few_pairs(brains: list[Brain], split: Halves, controls: Controls) -> dict[str, str]:
    """People in whose smallest half too few pairs are left for the controls, and the reason."""
    made = {}
    for brain in brains:
        items, count = smallest_half(brain, split), len(controls.of(brain.id))
        pairs = items * (items - 1) // 2
        if pairs - count < LEAST_LEFT:
            made[brain.id] = f"Has {pairs} pairs in a half of the items, too few for {count} controls."
    return made
