"""RSA as published: each person's correlation over a noise ceiling, clipped; median over people, best layer.

Ismayilzada et al. 2026, arXiv:2604.03480, after the description in the paper and its public code.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainbench.arrays import AnyFeatures, Recording
from brainbench.records import Scores, Skip
from brainbench.statistics import pairs_of
from brainbench_metrics.rdm import Array, rdm, without_distance
from brainbench_metrics.rdm_comparison import ready
from brainbench_metrics.rdm_people import (
    MIN_ITEMS,
    Brain,
    Layers,
    brain_facts,
    no_layer,
    prepare_brains,
    prepare_layers,
)
from brainbench_metrics.rsa_crossvalidation import Comparison, correlations, lacking, parts_of

MIN_PEOPLE = 2  # somebody, and somebody else for the ceiling

ROUNDING = 1e-9


def paper_scores(features: AnyFeatures, recording: Recording, lowest: float) -> Scores | Skip:
    """Steps 1 to 7 of the paper's score; people whose ceiling is not above `lowest` are dropped.

    Skips where no layer varies, where nobody can be scored or is kept, and where people have different
    numbers of voxels: the ceiling averages the same voxel over people.
    """
    layers = prepare_layers(features, recording, "correlation")
    if len(recording.items) < MIN_ITEMS:
        return Skip(f"{len(recording.items)} items are too few; RSA needs {MIN_ITEMS}.")
    if not layers.names:
        return no_layer(layers)
    found = ceilings(recording)
    if isinstance(found, Skip):
        return found
    settled = _settled(layers, found.without(layers.left_out), len(recording.items))
    if isinstance(settled, Skip):
        return settled
    layers, found, raw = settled
    kept = found.values > lowest + ROUNDING
    if not kept.any():
        return Skip(
            f"None of {len(found.brains)} people has a noise ceiling above {lowest:g}: no ratio is defined."
        )
    return _scores(layers, found, raw, kept)


def paper_ceiling(recording: Recording, lowest: float) -> Scores | Skip:
    """The leave-one-out ceiling of each person and its median; scores are ratios to it: their limit is 1."""
    found = ceilings(recording)
    if isinstance(found, Skip):
        return found
    brains, ceiling = found.brains, found.values
    middle = float(np.median(ceiling))
    return Scores(
        layers=("leave one out",),
        participants=tuple(brain.id for brain in brains),
        per_participant=ceiling[None],
        per_layer=np.array([middle]),
        spread=np.array([np.median(np.abs(ceiling - middle))]),
        best=0,
        choice="Spearman of a person's RDM and that of the others' mean pattern, median over people",
        like_for_like=1.0,
        details={
            "share_kept": float(np.mean(ceiling > lowest + ROUNDING)),
            **brain_facts(brains, found.left_out),
        },
    )


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """The people who have a ceiling, each one's (people,), and for the others the reason."""

    brains: list[Brain]
    values: Array
    left_out: dict[str, str]

    def without(self, reasons: Mapping[str, str]) -> Found:
        """The people without those who have a reason here."""
        kept = [at for at, brain in enumerate(self.brains) if brain.id not in reasons]
        return Found([self.brains[at] for at in kept], self.values[kept], {**self.left_out, **reasons})


def ceilings(recording: Recording) -> Found | Skip:
    """Each person's leave-one-out ceiling, or why there are none.

    Spearman of the person's RDM and the RDM of the mean pattern of all others, item by item over those who
    have it, over the items that both have.
    """
    brains, left_out = prepare_brains(recording, "correlation")
    if len(brains) < MIN_PEOPLE:
        why = f": {next(iter(left_out.values()))}" if left_out else "."
        return Skip(f"The paper's ceiling needs {MIN_PEOPLE} people; {len(brains)} can be scored{why}")
    widths = {brain.patterns.shape[1] for brain in brains}
    if len(widths) > 1:
        return Skip(
            f"People have from {min(widths)} to {max(widths)} voxels, so that these do not correspond, and "
            "the paper's ceiling averages each voxel over people; the robust protocol needs no common voxels."
        )
    total = np.zeros((len(recording.items), *widths))
    count = np.zeros(len(recording.items), dtype=np.intp)
    for brain in brains:
        total[brain.items] += brain.patterns
        count[brain.items] += 1
    values = [_ceiling(brain, total, count) for brain in brains]
    for brain, value in zip(brains, values, strict=True):
        if value is None:
            left_out[brain.id] = "Has too few items in common with others for a ceiling."
    pairs = [(brain, value) for brain, value in zip(brains, values, strict=True) if value is not None]
    if not pairs:
        return Skip(next(iter(left_out.values())))
    return Found([brain for brain, _ in pairs], np.array([value for _, value in pairs]), left_out)


def _ceiling(brain: Brain, total: Array, count: NDArray[np.intp]) -> float | None:
    others = count[brain.items] - 1
    rest = (total[brain.items] - brain.patterns) / np.maximum(others, 1)[:, None]
    shared = np.flatnonzero((others > 0) & ~without_distance(rest, "correlation"))
    if len(shared) < MIN_ITEMS:
        return None
    own = brain.vector[pairs_of(shared, len(brain.items))]
    both, defined = ready(np.stack([own, rdm(rest[shared])]), "spearman")
    return float(np.clip(both[0] @ both[1], -1.0, 1.0)) if defined.all() else None


def _settled(layers: Layers, found: Found, items: int) -> tuple[Layers, Found, Array] | Skip:
    """Layers and people that have all correlations, and these (layers x people), over each person's items."""
    while True:
        if not found.brains:
            return Skip(f"Nobody can be scored: {next(iter(found.left_out.values()))}")
        if not layers.names:
            return no_layer(layers)
        whole = parts_of(np.arange(items), layers, found.brains, Comparison(items, "spearman"))
        layer, person = lacking([whole], len(found.brains), layers.personal is not None)
        if not (layer.any() or person.any()):
            return layers, found, correlations(whole, len(found.brains))
        reason = "Its distances do not vary over the items of somebody."
        layers = layers.without({layers.names[at]: reason for at in np.flatnonzero(layer)})
        who = [found.brains[at].id for at in np.flatnonzero(person)]
        found = found.without(dict.fromkeys(who, "Has features whose distances do not vary."))


def _scores(layers: Layers, found: Found, raw: Array, kept: NDArray[np.bool_]) -> Scores:
    brains, ceiling = found.brains, found.values
    ratio = raw[:, kept] / ceiling[kept]
    clipped = np.abs(ratio) > 1 + ROUNDING  # a ratio of 1 is reached, not cut off
    values = np.clip(ratio, -1.0, 1.0)
    per_layer = np.median(values, axis=1)
    best, count = int(per_layer.argmax()), len(layers.names)
    of_all = np.median(raw, axis=1)
    of_kept = np.median(raw[:, kept], axis=1)
    names = [brain.id for brain in brains]
    facts: dict[str, Any] = {
        "share_kept": float(kept.mean()),
        "share_clipped": float(clipped.mean()),
        "share_clipped_at_best_layer": float(clipped[best].mean()),
        "raw_median_at_best_layer": float(of_all[best]),
        "best_layer_by_raw_median": layers.names[int(of_kept.argmax())],
        "mean_ratio": dict(zip(layers.names, values.mean(axis=1).tolist(), strict=True)),
        "people": names,
        "ceiling": ceiling.tolist(),
        "kept": kept.tolist(),
        "raw": dict(zip(layers.names, raw.tolist(), strict=True)),
        "distance": layers.distance,
        "clipped": {
            name: [person for person, cut in zip(np.array(names)[kept].tolist(), row, strict=True) if cut]
            for name, row in zip(layers.names, clipped, strict=True)
        },
        **brain_facts(brains, found.left_out),
    }
    return Scores(
        layers=layers.names,
        participants=tuple(np.array(names)[kept].tolist()),
        per_participant=values,
        per_layer=per_layer,
        spread=np.median(np.abs(values - per_layer[:, None]), axis=1),
        best=best,
        choice=(
            "the only layer scored"
            if count == 1
            else f"maximum over {count} layers on the same data, of a ratio to the ceiling cut off at 1 "
            "(finds something in noise, too)"
        ),
        unscored=layers.unscored,
        details=facts,
    )
