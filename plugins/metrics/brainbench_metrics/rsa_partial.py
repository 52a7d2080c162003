"""What is left of a robust RSA once dull predictors are partialled out of both sides."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from brainbench.arrays import Recording
from brainbench_metrics.rsa_categories import LEAST_LEFT
from brainbench_metrics.rsa_controls import Controls, controls_of
from brainbench_metrics.rsa_crossvalidation import correlations, cross_validated, mean_r
from brainbench_metrics.rsa_folds import people_folds
from brainbench_metrics.rsa_ready import (
    Pool,
    Ready,
    Reasons,
    Settings,
    fewest_pairs,
    interval,
    nothing_left,
    settled,
)

STRATA = "strata of both items"


def partial_scores(made: Ready, recording: Recording, how: Settings) -> dict[str, Any]:
    """The same scores with the RDMs of nuisances partialled out, too; or why there are none.

    A layer that the controls explain is named and not scored. People and layers are those of the score, but
    for people with too few pairs for so many controls.
    """
    controls = controls_of(recording, how.distance, made.how.categories)
    names = [*([] if made.how.categories is None else [STRATA]), *controls.names]
    if not names:
        return {"none": "The items are of one stratum, and nothing else is known to control for."}
    if how.comparator == "kendall":
        return {"none": "There is no partial tau-a here; the other comparators have one."}
    by = "explained by the controls alone"
    few = _too_few_pairs(made, controls)
    pool = Pool(replace(made.layers, unscored={}), made.brains, few, made.split)
    held = settled(pool, replace(made.how, controls=controls), Reasons(layer=by, person=f"Is {by}."))
    facts = {"controls": names, "explained": held.layers.unscored}
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


def _too_few_pairs(made: Ready, controls: Controls) -> dict[str, str]:
    """People in whose smallest half too few pairs are left for the controls, and the reason."""
    few = {}
    for brain in made.brains:
        pairs, kinds = fewest_pairs(brain, made.split, made.how)
        count = kinds - 1 + len(controls.of(brain.id))
        if pairs - 1 - count < LEAST_LEFT:
            few[brain.id] = f"Has {pairs} pairs in a half of the items, too few for {count} controls."
    return few
