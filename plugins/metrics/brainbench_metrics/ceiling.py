"""The human-to-human ceiling: how well people's voxels are predicted from other people's.

After the ceiling of arXiv:2606.11893 in the authors' public code; the extrapolation follows Schrimpf et
al. 2021 (PNAS 118, e2105646118).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainbench.arrays import Recording
from brainbench.nouns import Reporter
from brainbench.records import Scores, Skip
from brainbench_metrics.between_people import Curves, curves_between, number_of_groups
from brainbench_metrics.people import Person, people_facts, prepare_people
from brainbench_metrics.saturation import plateaus

MIN_PEOPLE = 3  # a curve needs two points
MAX_PEOPLE = 14  # 16,382 groups of people; each further person doubles them

Array = NDArray[np.float64]


def ceiling_scores(
    recording: Recording, alphas: Sequence[float], folds: int, random_state: int, reporter: Reporter
) -> Scores | Skip:
    """Predict each person from every group of the others, and extrapolate to infinitely many people.

    For each person and each k, every group of k other people: ridge regression from their voxels side by
    side, in the folds of the metric; mean r over folds, then over groups. Each voxel's values at
    n = k + 1 = 2, 3, ... are fitted by v0 (1 - exp(-n / tau)), and v0 is its ceiling.

    The result's "layers" are the extrapolation and the measured values from 1, 2, ... people; the headline
    is the mean v0 over all voxels and people, the paper's figure. That is a mean, where a score is a
    X Items that
    not everyone has are left out. Skips with fewer than 3 people, with more than 14 (every group of 14
    others is out of reach) and with too few items in common.
    """
    ready = _people_with_shared_items(recording, folds, random_state)
    if isinstance(ready, Skip):
        return ready
    people, left_out = ready
    n_groups = number_of_groups(len(people))
    with reporter.task(f"Ceiling of {recording.region}: {n_groups:,} groups of people", n_groups) as advance:
        curves, undefined = curves_between(people, alphas, advance)
    kept = [curve.fits.min(axis=0) > 0 for curve in curves]
    for person, voxels in zip(people, kept, strict=True):
        if not voxels.any():
            return Skip(f"No voxel of participant {person.id} can be predicted from other people.")
    facts = {
        "items": len(people[0].items),
        "items_not_shared": len(recording.items) - len(people[0].items),
        "groups_of_people": n_groups,
        "share_of_undefined_folds": undefined,
        "voxels_without_ceiling": sum(int(np.count_nonzero(~voxels)) for voxels in kept),
        **people_facts(people, left_out),
    }
    values = [_values(curve, voxels) for curve, voxels in zip(curves, kept, strict=True)]
    return _scores(values, tuple(person.id for person in people), facts)


def _people_with_shared_items(
    recording: Recording, folds: int, random_state: int
) -> tuple[list[Person], dict[str, str]] | Skip:
    """The people who can be scored, over the items that all of them have; or why there is no ceiling."""
    people, left_out = prepare_people(recording, folds, random_state)
    if len(people) < MIN_PEOPLE:
        return Skip(f"A ceiling needs {MIN_PEOPLE} people or more; {len(people)} can be scored.")
    if len(people) > MAX_PEOPLE:
        return Skip(
            f"{len(people)} people have too many groups to try every one; {MAX_PEOPLE} are the limit."
        )
    shared = sorted(set.intersection(*(set(person.items.tolist()) for person in people)))
    if not shared:
        return Skip("The people have no item in common.")
    able = tuple(person for person in recording.participants if person.id not in left_out)
    chosen = replace(recording, participants=able).select(shared)
    people, constant = prepare_people(chosen, folds, random_state)
    if len(people) < MIN_PEOPLE:
        return Skip(f"Over the {len(shared)} items that all have: {next(iter(constant.values()))}")
    return people, left_out | constant


def _values(curve: Curves, kept: NDArray[np.bool_]) -> Array:
    """Values of a person's voxels (1 + sizes x voxels): the extrapolation, then the measured curve."""
    measured = curve.r[:, kept]
    counts = np.arange(2.0, len(measured) + 2)
    return np.vstack([plateaus(counts, measured), measured])


def _scores(values: Sequence[Array], people: tuple[str, ...], facts: dict[str, Any]) -> Scores:
    """Means over voxels for each person, and over all voxels of all people."""
    sizes = range(1, len(values[0]))
    per_participant = np.stack([voxels.mean(axis=1) for voxels in values], axis=1)
    middle = np.median(per_participant, axis=1, keepdims=True)
    pooled = np.hstack(values)
    medians = np.stack([np.median(voxels, axis=1) for voxels in values], axis=1)
    plateau, everyone = pooled[0], pooled[-1]
    return Scores(
        layers=("extrapolated", *(f"from {size} {'person' if size == 1 else 'people'}" for size in sizes)),
        participants=people,
        per_participant=per_participant,
        per_layer=pooled.mean(axis=1),
        spread=np.median(np.abs(per_participant - middle), axis=1),
        best=0,
        choice="extrapolation to infinitely many people, mean over all voxels of all people",
        spread_kind="MAD of people's means",
        like_for_like=float(np.median(medians[0])),
        details={
            "median": float(np.median(plateau)),
            "share_below_0.01": float(np.mean(plateau < 0.01)),
            "share_of_0.99_or_more": float(np.mean(plateau >= 0.99)),
            "from_all_others": {
                "mean": float(everyone.mean()),
                "median_of_medians": float(np.median(medians[-1])),
                "median": float(np.median(everyone)),
            },
            **facts,
        },
    )
