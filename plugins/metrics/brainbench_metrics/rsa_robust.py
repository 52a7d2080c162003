"""RSA without ratio, clipping or dropping: held-out layer choice, null of the whole estimator, interval."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from brainbench.arrays import Features, IntArray, Recording
from brainbench.errors import ShapeError
from brainbench.records import Scores, Skip
from brainbench.statistics import corrected_two_factor_interval, mean_of_pairs
from brainbench_metrics.rdm import Distance
from brainbench_metrics.rdm_comparison import Comparator, ready
from brainbench_metrics.rdm_people import (
    MIN_ITEMS,
    Brain,
    Layers,
    brain_facts,
    no_layer,
    prepare_brains,
    prepare_layers,
    stratum_rdm,
)
from brainbench_metrics.rsa_crossvalidation import (
    Comparison,
    CrossValidated,
    Part,
    correlations,
    cross_validated,
    mean_r,
    parts_of,
    undefined,
)
from brainbench_metrics.rsa_folds import MIN_CROSS_VALIDATED, Halves, exchangeable, halves, people_folds
from brainbench_metrics.rsa_null import Statistic, permutation_tests

MIN_PEOPLE = 2
HEADLINE = "cross-validated"


@dataclass(frozen=True, slots=True)
class Settings:
    """What decides a robust score, see `rsa.RobustRsa`."""

    distance: Distance
    comparator: Comparator
    splits: int
    folds: int
    permutations: int
    bootstraps: int
    seed: int


@dataclass(frozen=True, slots=True, eq=False)
class Ready:
    """Layers and people for whom every correlation is defined; parts of all halves and of all items."""

    layers: Layers
    brains: list[Brain]
    left_out: dict[str, str]
    split: Halves
    blocks: list[list[Part]]
    whole: list[Part]


def robust_scores(features: Features, recording: Recording, how: Settings) -> Scores | Skip:
    """Score every layer for every person, and by cross-validation their best; a first row of the result."""
    made = _prepare(features, recording, how)
    if isinstance(made, Skip):
        return made
    items, people = len(recording.items), len(made.brains)
    fold_of = people_folds(people, how.folds, how.splits, how.seed)
    found = cross_validated(made.blocks, made.split, fold_of, made.layers.vectors.shape[1])
    rows = np.vstack([found.scores, correlations(made.whole, people)])
    labels = exchangeable(recording)
    details = {
        "mean_r": float(found.scores.mean()),
        **_chosen(found, made.layers.names),
        "interval": _interval(found, people, items, how),
        "null": _null(made, fold_of, items, labels, how),
        "permuted": "within strata or groups" if labels else "over all items",
        "partial": _partial(made, recording, fold_of, how),
        "half_sizes": [len(made.split.items(*block)) for block in made.split.blocks],
        **brain_facts(made.brains, made.left_out),
    }
    return Scores(
        layers=(HEADLINE, *made.layers.names),
        participants=tuple(brain.id for brain in made.brains),
        per_participant=rows,
        per_layer=mean_r(rows),
        spread=rows.std(axis=1, ddof=1),
        best=0,
        choice=(
            f"chosen on other people and other items ({how.splits} splits in halves, "
            f"{min(how.folds, people)} folds of people)"
        ),
        spread_kind="SD",
        unscored=made.layers.unscored,
        details=details,
    )


def _prepare(features: Features, recording: Recording, how: Settings) -> Ready | Skip:
    layers = prepare_layers(features, recording, how.distance)
    split = halves(recording, how.splits, how.seed)
    if isinstance(split, Skip):
        return split
    brains, left_out = prepare_brains(recording, how.distance, MIN_CROSS_VALIDATED)
    for brain in brains:
        smallest = min(int(np.isin(brain.items, split.items(*block)).sum()) for block in split.blocks)
        if smallest < MIN_ITEMS:
            left_out[brain.id] = f"Has {smallest} items in a half of the items; RSA needs {MIN_ITEMS}."
    while True:  # who and what has no correlation somewhere is taken out of everything
        brains = [brain for brain in brains if brain.id not in left_out]
        if len(brains) < MIN_PEOPLE:
            why = f": {next(iter(left_out.values()))}" if left_out else "."
            return Skip(
                f"Choosing a layer on other people needs {MIN_PEOPLE}; {len(brains)} can be scored{why}"
            )
        if not layers.names:
            return no_layer(layers)
        blocks, whole = _parts(layers, brains, split, Comparison(len(recording.items), how.comparator))
        lacking = [undefined(parts, len(brains)) for parts in (*blocks, whole)]
        layer, person = (np.any([pair[at] for pair in lacking], axis=0) for at in (0, 1))
        if not (layer.any() or person.any()):
            return Ready(layers, brains, left_out, split, blocks, whole)
        left_out |= {
            brains[at].id: "Distances do not vary in a half of the items." for at in np.flatnonzero(person)
        }
        reason = "Its distances do not vary in a half of the items."
        layers = layers.without({layers.names[at]: reason for at in np.flatnonzero(layer)})


def _parts(
    layers: Layers, brains: Sequence[Brain], split: Halves, how: Comparison
) -> tuple[list[list[Part]], list[Part]]:
    def of(chosen: IntArray) -> list[Part]:
        return parts_of(chosen, layers, brains, how)

    return [of(split.items(*block)) for block in split.blocks], of(np.arange(how.items))


def _chosen(found: CrossValidated, names: Sequence[str]) -> dict[str, Any]:
    counts = Counter(names[at] for at in found.chosen.ravel().tolist())
    most, times = counts.most_common(1)[0]
    share = times / found.chosen.size
    return {"layers_chosen": dict(counts.most_common()), "most_often": most, "share_of_most_often": share}


def _interval(found: CrossValidated, people: int, items: int, how: Settings) -> dict[str, Any]:
    """The interval over people and items at once, the chosen layers held fixed; or why there is none."""
    try:
        made = corrected_two_factor_interval(
            mean_of_pairs(found.table, items), (people, items), seed=how.seed, draws=how.bootstraps
        )
    except ShapeError as error:
        return {"none": error.message}
    return {
        "low": float(np.tanh(made.low)),
        "high": float(np.tanh(made.high)),
        "level": made.level,
        "method": made.method,
        "draws": made.draws,
        "over": "people and items, given the layers chosen",
    }


def _null(made: Ready, fold_of: IntArray, items: int, labels: Sequence[str], how: Settings) -> dict[str, Any]:
    models = ready(made.layers.vectors, how.comparator)[0]
    statistic = Statistic.of(models, made.blocks, made.whole, fold_of)
    seen, whole, layers = permutation_tests(statistic, items, labels, seed=how.seed, draws=how.permutations)
    critical = whole.critical()
    return {
        "statistic": seen,
        "p": whole.p,
        "critical_at_0.05": critical if np.isfinite(critical) else None,
        "null_mean": float(whole.maxima.mean()),
        "null_sd": float(whole.maxima.std()),
        "draws": whole.draws,
        "of_layers": {
            name: {"p": float(p), "p_adjusted_for_choice": float(adjusted)}
            for name, p, adjusted in zip(made.layers.names, layers.single, layers.adjusted, strict=True)
        },
    }


def _partial(made: Ready, recording: Recording, fold_of: IntArray, how: Settings) -> dict[str, Any]:
    """The same scores with the RDM "different strata" partialled out of both sides; or why there are none."""
    nuisance = stratum_rdm(recording.strata)
    if nuisance is None:
        return {"none": "The items are of one stratum: nothing is known to control for."}
    if how.comparator == "kendall":
        return {"none": "There is no partial tau-a here; the other comparators have one."}
    people, layers, explained = len(made.brains), made.layers, {}
    comparison = Comparison(len(recording.items), how.comparator, nuisance[None])
    for _ in range(2):
        blocks, whole = _parts(layers, made.brains, made.split, comparison)
        lacking = np.any([undefined(parts, people)[0] for parts in (*blocks, whole)], axis=0)
        if not lacking.any():
            break
        explained = {layers.names[at]: "explained by strata alone" for at in np.flatnonzero(lacking)}
        layers = layers.without(explained)
        if not layers.names:
            return {"controls": ["different strata"], "none": "All layers are explained by strata alone."}
    found = cross_validated(blocks, made.split, fold_of, layers.vectors.shape[1])
    r = correlations(whole, people)
    return {
        "controls": ["different strata"],
        HEADLINE: float(mean_r(found.scores)),
        "interval": _interval(found, people, len(recording.items), how),
        "per_layer": dict(zip(layers.names, mean_r(r).tolist(), strict=True)),
        "explained": explained,
    }
