"""Splits of items and people, so that a layer is chosen on others of both than it is scored on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brainbench.arrays import IntArray, Recording
from brainbench.records import Skip
from brainbench_metrics.rdm_people import MIN_ITEMS

MIN_CROSS_VALIDATED = 2 * MIN_ITEMS


@dataclass(frozen=True, slots=True, eq=False)
class Halves:
    """Items split in two, several times: member (splits x items) is True in the second half."""

    member: NDArray[np.bool_]

    def items(self, split: int, half: int) -> IntArray:
        """Positions of the items of one half."""
        return np.flatnonzero(self.member[split] == bool(half))

    @property
    def blocks(self) -> list[tuple[int, int]]:
        """Each split's two halves: (split, half)."""
        return [(split, half) for split in range(len(self.member)) for half in (0, 1)]


def halves(recording: Recording, splits: int, seed: int) -> Halves | Skip:
    """Random halves of the items, balanced over strata; groups (runs, stories) stay whole.

    Skips where a half would have fewer than 4 items.
    """
    items = len(recording.items)
    if items < MIN_CROSS_VALIDATED:
        return Skip(
            f"{items} items are too few to choose a layer on half of them; {MIN_CROSS_VALIDATED} are needed."
        )
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(0,)))
    # What is dealt out in turn: groups where there are any, else items, one stratum after the other.
    units = (
        np.unique(np.asarray(recording.groups), return_inverse=True)[1]
        if recording.groups
        else np.arange(items)
    )
    kinds = recording.strata or ("",) * items
    first_item = np.unique(units, return_index=True)[1]
    strata = np.unique(np.asarray([kinds[at] for at in first_item]), return_inverse=True)[1]
    member = np.zeros((splits, items), dtype=np.bool_)
    for row in member:
        order = rng.permutation(len(first_item))
        dealt = order[np.argsort(strata[order], kind="stable")]
        second = np.zeros(len(first_item), dtype=np.bool_)
        second[dealt[int(rng.integers(2)) :: 2]] = True
        row[:] = second[units]
    smallest = int(np.minimum(member.sum(axis=1), (~member).sum(axis=1)).min())
    if smallest < MIN_ITEMS:
        return Skip(f"Halves made of whole groups of items have {smallest} items; {MIN_ITEMS} are needed.")
    return Halves(member)


def people_folds(people: int, folds: int, splits: int, seed: int) -> IntArray:
    """The fold of each person in each split (splits x people), of sizes that differ by at most one."""
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(1,)))
    return np.stack([rng.permutation(np.arange(people) % min(folds, people)) for _ in range(splits)])


def exchangeable(recording: Recording) -> tuple[str, ...]:
    """Labels within which items may be shuffled under the null; empty where all may.

    Strata and groups differ for reasons that are no hypothesis about the model (another type of problem,
    another run of the scanner), so items keep theirs, as long as some label has two items; strata alone
    where no group has two of one.
    """
    parts = [labels for labels in (recording.strata, recording.groups) if labels]
    joint = tuple("/".join(those) for those in zip(*parts, strict=True)) if parts else ()
    for labels in (joint, recording.strata):
        if len(set(labels)) > 1 and max(map(labels.count, set(labels))) > 1:
            return labels
    return ()
