"""RSA without ratio, clipping or dropping: held-out layer choice, null of the whole estimator, interval."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from brainbench.arrays import AnyFeatures, IntArray, Recording
from brainbench.records import Scores, Skip
from brainbench_metrics.rdm_comparison import ready
from brainbench_metrics.rdm_people import brain_facts
from brainbench_metrics.rsa_aggregate import aggregate_facts
from brainbench_metrics.rsa_categories import pair_categories
from brainbench_metrics.rsa_crossvalidation import (
    Comparison,
    CrossValidated,
    correlations,
    cross_validated,
    mean_r,
)
from brainbench_metrics.rsa_folds import exchangeable, people_folds
from brainbench_metrics.rsa_null import PersonalStatistic, Statistic, permutation_tests
from brainbench_metrics.rsa_partial import partial_scores
from brainbench_metrics.rsa_ready import Ready, Settings, comparable, interval, pooled

HEADLINE = "cross-validated"


def robust_scores(features: AnyFeatures, recording: Recording, how: Settings) -> Scores | Skip:
    """Score every layer for every person, and by cross-validation their best; a first row of the result."""
    pool = pooled(features, recording, how)
    if isinstance(pool, Skip):
        return pool
    items = len(recording.items)
    made = comparable(pool, Comparison(items, how.comparator, pair_categories(recording.strata)))
    if isinstance(made, Skip):
        return made
    people = len(made.brains)
    fold_of = people_folds(people, how.folds, how.splits, how.seed)
    found = cross_validated(made.blocks, made.split, fold_of, items)
    rows = np.vstack([found.scores, correlations(made.whole, people)])
    labels = exchangeable(recording)
    details = {
        "mean_r": float(found.scores.mean()),
        **_chosen(found, made.layers.names),
        "interval": interval(found, people, items, how),
        "null": _null(made, fold_of, items, labels, how),
        "permuted": "within strata or groups" if labels else "over all items",
        "partial": partial_scores(made, recording, how),
        "distance": made.layers.distance,
        "half_sizes": [len(made.split.items(*block)) for block in made.split.blocks],
        **brain_facts(made.brains, made.left_out),
        **aggregate_facts(pool, made.how, how),
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
        items=recording.items,
        per_item=found.per_item(made.brains, items),
    )


def _chosen(found: CrossValidated, names: Sequence[str]) -> dict[str, Any]:
    counts = Counter(names[at] for at in found.chosen.ravel().tolist())
    most, times = counts.most_common(1)[0]
    share = times / found.chosen.size
    return {"layers_chosen": dict(counts.most_common()), "most_often": most, "share_of_most_often": share}


def _null(made: Ready, fold_of: IntArray, items: int, labels: Sequence[str], how: Settings) -> dict[str, Any]:
    statistic: Statistic | PersonalStatistic
    if made.layers.personal is None:
        models = ready(made.layers.vectors, how.comparator, categories=made.how.categories)[0]
        statistic = Statistic.of(models, made.blocks, made.whole, fold_of)
    else:
        own = [
            ready(made.layers.of(brain.id), how.comparator, categories=made.how.categories)[0]
            for brain in made.brains
        ]
        statistic = PersonalStatistic.of(own, made.blocks, made.whole, fold_of)
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
