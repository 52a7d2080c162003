"""The people that a metric can score, their responses made ready."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainbench.arrays import FloatArray, IntArray, Participant, Recording
from brainbench.records import Skip
from brainbench_metrics.folds import Fold, stratified_folds

# A column varies when its range exceeds this many units of rounding of its own number format.
_ROUNDINGS = 16


@dataclass(frozen=True, slots=True, eq=False)
class Person:
    """One participant: responses (items x voxels that vary), centred, float64; outer is YY'.

    items: positions of the person's items in the recording. constant: number of voxels left out because
    they do not vary over these items.
    """

    id: str
    items: IntArray
    folds: tuple[Fold, ...]
    responses: NDArray[np.float64]
    outer: NDArray[np.float64]
    constant: int


def varying_columns(columns: FloatArray, floor: float | FloatArray = 0.0) -> NDArray[np.bool_]:
    """Which columns differ between rows by more than rounding, each judged by its own largest value.

    Judging a column by itself keeps one huge column from hiding the others. `floor` is a magnitude of
    which rounding is to be expected even in columns whose own values are smaller.
    """
    size = np.maximum(np.abs(columns).max(axis=0), floor)
    precision = np.finfo(np.result_type(columns.dtype, np.float16)).eps  # whole numbers count as floats
    varies: NDArray[np.bool_] = np.ptp(columns, axis=0) > _ROUNDINGS * precision * size
    return varies


def prepare_people(
    recording: Recording, folds: int, random_state: int
) -> tuple[list[Person], dict[str, str]]:
    """The people who can be scored, in the recording's order, and for each of the others the reason."""
    people: list[Person] = []
    left_out: dict[str, str] = {}
    split_of: dict[bytes, tuple[Fold, ...] | Skip] = {}
    strata = recording.strata or ("",) * len(recording.items)
    for participant in recording.participants:
        key = participant.present.tobytes()
        if key not in split_of:
            labels = [strata[item] for item in participant.present]
            split_of[key] = stratified_folds(labels, folds, random_state)
        prepared = _prepare(participant, split_of[key])
        if isinstance(prepared, Skip):
            left_out[participant.id] = prepared.reason
        else:
            people.append(prepared)
    return people, left_out


def _prepare(participant: Participant, split: tuple[Fold, ...] | Skip) -> Person | Skip:
    if isinstance(split, Skip):
        return split
    varies = varying_columns(participant.responses)
    if not varies.any():
        return Skip("No voxel varies over the items.")
    responses = participant.responses[:, varies].astype(np.float64)
    responses -= responses.mean(axis=0)
    return Person(
        participant.id,
        participant.present,
        split,
        responses,
        responses @ responses.T,
        int(np.count_nonzero(~varies)),
    )


def people_facts(people: Sequence[Person], left_out: dict[str, str]) -> dict[str, Any]:
    """What a reader should know of the people behind a score, as plain JSON."""
    return {
        "items_per_person": {person.id: len(person.items) for person in people},
        "voxels_per_person": {person.id: person.responses.shape[1] for person in people},
        "constant_voxels": sum(person.constant for person in people),
        "fold_sizes": {person.id: [len(fold.test) for fold in person.folds] for person in people},
        "people_left_out": left_out,
    }
