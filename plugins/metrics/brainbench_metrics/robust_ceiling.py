"""How well people predict each other, on exactly the scale of `robust` scores.

A person's responses are predicted from the voxels of all others side by side, as if they were a layer: same
standardisation, strata, folds, penalties and correlation. That is the headline, and it needs no curve.
Beside it stands the extrapolation to infinitely many people, v0 (1 - exp(-n / tau)) fitted to each person's
scores from 1, 2, ... others (after Schrimpf et al. 2021, PNAS 118, e2105646118). Where nothing is shared such
fits end at their bounds, 0 or 1, and their mean is far above zero: how many do so is said with it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from brainbench.arrays import IntArray, Recording
from brainbench.nouns import Reporter
from brainbench.records import Scores, Skip
from brainbench_metrics.folds import Fold
from brainbench_metrics.nested_people import People, standardised
from brainbench_metrics.nested_ridge import NestedRidge, kernel
from brainbench_metrics.nested_scores import Array, Problem, summed
from brainbench_metrics.parallel import in_order
from brainbench_metrics.saturation import plateaus
from brainbench_metrics.within_strata import codes_of

MIN_PEOPLE = 3  # a curve needs two points
ROUNDS = 2  # random circles of people; each gives a window of every size from every start
_NUMBERS = 1 << 22  # numbers in the forms of some groups of people at a time: 32 MiB
LOW, HIGH = 0.01, 0.99  # v0 beyond these counts as at its bound

Prepare = Callable[[Recording, IntArray], Problem | Skip]


def robust_ceiling(recording: Recording, prepare: Prepare, seed: int, reporter: Reporter) -> Scores | Skip:
    """Predict each person from groups of others; items that not everyone has are left out.

    `prepare` makes folds and people as for scores, with nothing to predict from. Groups of k people are the
    runs of k neighbours in random circles of all people, so that everyone is predicted equally often from k
    others. Skips with fewer than 3 people who can be scored, and with too few items in common.
    """
    strata = codes_of(recording.strata, len(recording.items))
    ready = prepare(recording, strata)
    if isinstance(ready, Skip):
        return ready
    able = tuple(p for p in recording.participants if p.id not in ready.people.left_out)
    items = set.intersection(*(set(person.present.tolist()) for person in able))
    if not items:
        return Skip("The people have no item in common.")
    shared = replace(recording, participants=able).select(sorted(items))
    strata = codes_of(shared.strata, len(shared.items))
    problem = prepare(shared, strata)
    if isinstance(problem, Skip):
        return problem
    people = problem.people
    if len(people.members) < MIN_PEOPLE:
        return Skip(f"A ceiling needs {MIN_PEOPLE} people or more; {len(people.members)} can be scored.")
    voxels = [
        standardised(person.responses, strata)
        for person in shared.participants
        if person.id not in people.left_out
    ]
    groups = windows(len(voxels), seed)
    sums = np.zeros((len(groups), len(voxels)))
    label = f"Ceiling of {recording.region}: {len(groups)} groups of people"
    with reporter.task(label, len(problem.folds)) as advance:
        for r in in_order(lambda fold: _fold(problem, fold, voxels, groups), problem.folds):
            sums += r
            advance(1)
    facts = {
        "items": len(shared.items),
        "items_not_shared": len(recording.items) - len(shared.items),
        "groups_of_people": len(groups),
    }
    everyone = People(people.members, ready.people.left_out | people.left_out)
    return _scores(sums / len(problem.folds), groups, everyone, facts)


def windows(people: int, seed: int) -> Array:
    """Who is in which group (groups x people), 1 or 0: no group twice, all of size people - 1 among them."""
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(people,)))
    found = {}
    for _ in range(ROUNDS):
        circle = rng.permutation(people)
        for size in range(1, people):
            for start in range(people):
                row = np.zeros(people)
                row[circle[(start + np.arange(size)) % people]] = 1.0
                found[row.tobytes()] = row
    return np.array(sorted(found.values(), key=lambda row: (row.sum(), row.tolist())))


def _fold(problem: Problem, fold: Fold, voxels: list[Array], groups: Array) -> Array:
    """Correlations of each person (groups x people) from the voxels of each group, 0 for who is in it."""
    outers = np.stack([person.outer for person in problem.people.members])
    own = np.stack([kernel(array, problem.strata, fold.train) for array in voxels])
    kernels = np.tensordot(groups, own, axes=1)
    labels = np.arange(len(problem.strata)) if problem.groups is None else problem.groups
    r = np.zeros(groups.shape)
    height = int(np.clip(_NUMBERS // (len(problem.alphas) * len(labels) ** 2), 1, 32))
    for start in range(0, len(groups), height):
        part = slice(start, start + height)
        ridge = NestedRidge.fit(
            kernels[part], fold.train, fold.test, (problem.strata, labels), problem.alphas
        )
        best = ridge.losses(outers).argmin(axis=2)
        for row, person in zip(*np.nonzero(groups[part] == 0), strict=True):
            items = ridge.moments(outers[person], row, int(best[person, row]))
            r[start + row, person] = summed(items)
    return r


def _scores(r: Array, groups: Array, people: People, facts: dict[str, Any]) -> Scores:
    """Means over groups of a size, then over people; the extrapolation beside them."""
    outside = groups == 0
    sizes = groups.sum(axis=1)
    curve = np.stack(
        [r[sizes == size].sum(axis=0) / outside[sizes == size].sum(axis=0) for size in np.unique(sizes)]
    )
    limits = plateaus(np.arange(2.0, len(curve) + 2), curve)
    at_bound = [person.id for person, v0 in zip(people.members, limits, strict=True) if not LOW <= v0 < HIGH]
    table = np.vstack([curve[-1:], limits, curve[:-1]])
    counts = range(1, len(curve))
    return Scores(
        layers=(
            "from all others",
            "extrapolated",
            *(f"from {count} {'person' if count == 1 else 'people'}" for count in counts),
        ),
        participants=tuple(person.id for person in people.members),
        per_participant=table,
        per_layer=table.mean(axis=1),
        spread=table.std(axis=1, ddof=1),
        best=0,
        choice="prediction from all other people, not extrapolated",
        spread_kind="SD",
        details={
            "extrapolated": {
                "mean": float(limits.mean()),
                "people_at_a_bound": at_bound,
                "share_at_a_bound": len(at_bound) / len(limits),
                "unstable": bool(at_bound),
            },
            **facts,
            **people.facts(),
        },
    )
