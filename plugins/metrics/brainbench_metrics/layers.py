"""Scores of every layer for every person, layer by layer so that memory stays small for large models."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brainbench.arrays import Features, FloatArray, IntArray
from brainbench_metrics.parallel import in_order
from brainbench_metrics.people import Person, varying_columns
from brainbench_metrics.ridge import RidgeStack, gram, stack_size


@dataclass(frozen=True, slots=True, eq=False)
class LayerScores:
    """Medians over voxels (layers x people), 0 where `scored` is False, and what was met on the way.

    chosen: how often each alpha was chosen. undefined: number of folds without a correlation, over
    layers, people and voxels; out of `folds`.
    """

    medians: NDArray[np.float64]
    scored: NDArray[np.bool_]
    chosen: IntArray
    undefined: int
    folds: int


def constant_layers(features: Features) -> dict[str, str]:
    """Layers that cannot be scored, since no column differs between items beyond rounding, and why.

    A column counts as constant when its range is within 16 units of rounding (of the array's number
    format) of its own largest value, or of the layer's median magnitude where that is larger: sums of
    large terms may be small and still carry the rounding of the terms. The median, because a few
    massive dimensions would raise any mean and let it swallow the rest.
    """
    reason = "Its features do not vary between the items beyond rounding."
    return {name: reason for name, array in features.layers.items() if not varies(array)}


def varies(array: FloatArray) -> bool:
    """Whether any column (items x width) differs between items, see `constant_layers`."""
    sizes = np.abs(array)
    if varying_columns(array, floor=float(sizes.max())).any():  # beyond any doubt, and without a median
        return True
    return bool(varying_columns(array, floor=float(np.median(sizes))).any())


def score_layers(
    sources: Sequence[Sequence[FloatArray]],
    of: IntArray,
    people: Sequence[Person],
    alphas: Sequence[float],
    advance: Callable[[int], None],
) -> LayerScores:
    """Predict every person's voxels from every layer, (items x width) each; `advance` counts layers.

    sources: sets of features with the same layers; of (people,): which of them each person is predicted from.
    """
    shape = (len(sources[0]), len(people))
    medians, scored = np.zeros(shape), np.zeros(shape, dtype=np.bool_)
    done = []
    for at, arrays in enumerate(sources):
        members = np.flatnonzero(of == at).tolist()
        done.append(_score_source(arrays, [people[member] for member in members], alphas, advance))
        medians[:, members], scored[:, members] = done[-1].medians, done[-1].scored
    return LayerScores(medians, scored, *_counts(done))


def _score_source(
    arrays: Sequence[FloatArray],
    people: Sequence[Person],
    alphas: Sequence[float],
    advance: Callable[[int], None],
) -> LayerScores:
    height = stack_size(len(arrays[0]), len(alphas))
    parts = [arrays[start : start + height] for start in range(0, len(arrays), height)]
    done = []
    for scores in in_order(lambda part: _score_part(part, people, alphas), parts):
        done.append(scores)
        advance(len(scores.medians))
    medians = np.concatenate([scores.medians for scores in done])
    return LayerScores(medians, np.concatenate([scores.scored for scores in done]), *_counts(done))


def _counts(done: Sequence[LayerScores]) -> tuple[IntArray, int, int]:
    """How often each alpha was chosen, undefined folds, and folds."""
    chosen: IntArray = np.sum([scores.chosen for scores in done], axis=0)
    return chosen, sum(scores.undefined for scores in done), sum(scores.folds for scores in done)


def _score_part(part: Sequence[FloatArray], people: Sequence[Person], alphas: Sequence[float]) -> LayerScores:
    grams = np.stack([gram(array) for array in part])
    rows = np.arange(len(part))
    medians = np.zeros((len(part), len(people)))
    scored = np.zeros(medians.shape, dtype=np.bool_)
    chosen = np.zeros(len(alphas), dtype=np.intp)
    undefined = folds = 0
    for members in _with_the_same_items(people):
        first = people[members[0]]
        inside = grams[:, first.items[:, None], first.items]
        outers = np.stack([people[member].outer for member in members])
        ridge = RidgeStack.fit(inside, outers, first.folds, alphas)
        for place, member in enumerate(members):
            r, count = ridge.correlations(place, people[member].responses, rows)
            medians[:, member], scored[:, member] = _medians(r, count > 0)
            chosen += ridge.chosen(place, rows)
            undefined += count.size * len(first.folds) - int(count.sum())
            folds += count.size * len(first.folds)
    return LayerScores(medians, scored, chosen, undefined, folds)


def _with_the_same_items(people: Sequence[Person]) -> list[list[int]]:
    groups: dict[bytes, list[int]] = {}
    for position, person in enumerate(people):
        groups.setdefault(person.items.tobytes(), []).append(position)
    return list(groups.values())


def _medians(r: NDArray[np.float64], defined: NDArray[np.bool_]) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Median over the defined voxels of each row, 0 where there is none; and where there is one."""
    scored: NDArray[np.bool_] = np.count_nonzero(defined, axis=1) > 0
    if defined.all():
        return np.median(r, axis=1), scored
    medians = [
        float(np.median(row[fine])) if fine.any() else 0.0 for row, fine in zip(r, defined, strict=True)
    ]
    return np.array(medians), scored
