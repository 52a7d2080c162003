"""Across models: at which relative depths alignment goes with the number of parameters."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from brainbench.errors import ShapeError
from brainbench.statistics import pearson
from brainbench.statistics.few_units import LEAST_UNITS
from brainbench_leaderboard.analyses.entries import Entry, Place
from brainbench_leaderboard.analyses.over_models import correlated, count_of, slope_for_others, which_count
from brainbench_leaderboard.analyses.profiles import BINS, Profile
from brainbench_leaderboard.analyses.results import Result
from brainbench_leaderboard.margins import Cells

DRAWS = 10_000
SEED = 0
Found = Sequence[tuple[Entry, Profile]]


def size_by_depth(found: Found, fair: Collection[str], words: dict[Place, str]) -> list[Result]:
    """For each part of models and each bin of depth that four models or more have: Pearson's r over models.

    Between the logarithm of a model's parameters and its bin's median over people. fair: fingerprints of the
    entries that may be compared across models.
    """
    groups: dict[tuple[Place, str], list[tuple[Entry, Profile]]] = {}
    for entry, profile in found:
        if entry.fingerprint in fair and entry.parameters:
            groups.setdefault((entry.place, profile.part), []).append((entry, profile))
    return [
        test
        for (place, part), members in groups.items()
        for at in range(BINS)
        for test in _at(at, [one for one in members if at in one[1].bins()], f"{words[place]}, {part}")
    ]


def _at(at: int, members: Found, where: str) -> list[Result]:
    """The test of one bin; none for fewer than four models, or where they do not differ."""
    if len(members) < LEAST_UNITS:
        return []
    models = [entry for entry, _ in members]
    which = which_count(models)
    x = [float(np.log10(count_of(entry, which))) for entry in models]
    y = [profile.bins()[at][0] for _, profile in members]
    try:
        r = pearson(np.array(x), np.array(y), seed=SEED, draws=DRAWS)
    except ShapeError:
        return []
    cells = [Cells(profile.people, profile.in_bin(at)) for _, profile in members]
    depth = f"{at / BINS:g} to {(at + 1) / BINS:g}"
    return [
        correlated(
            r,
            models,
            name=f"alignment at depth {depth} and log10 of parameters",
            where=where,
            statistic="Pearson r",
            more={"bin": at + 1, **slope_for_others(cells, x)},
        )
    ]
