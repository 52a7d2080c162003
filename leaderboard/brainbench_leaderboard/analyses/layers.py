"""Where in a model alignment is: profiles by relative depth, their peaks, and where in them size counts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from brainbench.errors import ShapeError
from brainbench.statistics import Interval
from brainbench_leaderboard.analyses.depths import size_by_depth
from brainbench_leaderboard.analyses.entries import Entry, Place
from brainbench_leaderboard.analyses.figures import Curve, Curves, Figure
from brainbench_leaderboard.analyses.material import Material
from brainbench_leaderboard.analyses.names import label, short_names, varying
from brainbench_leaderboard.analyses.paired import LEAST_PEOPLE
from brainbench_leaderboard.analyses.profiles import BINS, Profile, profiles
from brainbench_leaderboard.analyses.results import Finding, Result, span

WHOLE = "layer"  # what goes on to the next: drawn first, as a figure holds only so many panels
QUESTION = "At which depth is a model most like people's brains?"
CANNOT = (
    "Layers are scored on the same data, and neighbours nearly hold the same: that one is highest does not "
    "say that others are lower. The peak of noise is somewhere, too; only where the score itself is above "
    "chance does its place say anything. Intervals hold for other people and these items."
)


def layers(material: Material, dataset: tuple[str, int]) -> Finding | None:
    """Profiles of every model at every place; None where no layers were scored by themselves."""
    found: list[tuple[Entry, Profile]] = []
    for entry in material.of(dataset):
        stored = material.layer_scores(entry.fingerprint)
        if len(stored.people) >= LEAST_PEOPLE:
            found += [(entry, profile) for profile in profiles(stored, entry.layers)]
    if not found:
        return None
    words = varying(dict.fromkeys(entry.place for entry, _ in found))
    names = short_names(entry.model for entry, _ in found)
    tests = [_test(entry, profile, words, names) for entry, profile in found]
    fair = {entry.fingerprint for models in material.across(dataset).values() for entry in models}
    tests += size_by_depth(found, fair, words)
    table = [row for entry, profile in found for row in _rows(entry, profile)]
    first = found[0][0].place
    return Finding(
        "layers", QUESTION, CANNOT, *dataset, first.simulated, first.metric_name, table, tuple(tests), (),
        Figure(
            "Relative depth (1: last layer; dotted: where each model's layers peak)",
            f"Median over people of {label(first)}",
            _panels(found, words, names),
        ),
    )  # fmt: skip


def _test(entry: Entry, profile: Profile, words: dict[Place, str], names: dict[str, str]) -> Result:
    try:
        interval: Interval | None = profile.peak_interval()
    except ShapeError:
        interval = None
    left_out = profile.peaks_without()
    moved = int(np.abs(np.array(left_out) - profile.peak()).argmax())
    return Result(
        name=f"peak of {profile.part}",
        where=f"{names[entry.model]}, {words[entry.place]}",
        statistic="relative depth",
        value=profile.peak(),
        n=len(profile.people),
        of="people",
        over="people",
        interval=span(interval),
        no_interval="" if interval else "The peak is not defined for resamples.",
        method="percentile" if interval else "",
        left_out=(min(left_out), max(left_out)),
        leverage=profile.people[moved] if left_out[moved] != profile.peak() else "",
        more={
            "model": entry.model,
            "median_at_peak": float(profile.median().max()),
            "layers": len(profile.depths),
            "score": entry.score,
            "score_p": entry.p,
        },
    )


def _rows(entry: Entry, profile: Profile) -> Iterable[dict[str, Any]]:
    for at, (value, count) in profile.bins().items():
        yield {
            **entry.columns(),
            "part": profile.part,
            "bin": at + 1,
            "from_depth": at / BINS,
            "to_depth": (at + 1) / BINS,
            "layers_in_bin": count,
            "median": value,
            "people": len(profile.people),
        }


def _panels(
    found: list[tuple[Entry, Profile]], words: dict[Place, str], names: dict[str, str]
) -> tuple[Curves, ...]:
    panels: dict[str, list[Curve]] = {}
    for entry, profile in found:
        panels.setdefault(f"{words[entry.place]}: {profile.part}", []).append(
            Curve(
                names[entry.model],
                tuple(profile.depths.tolist()),
                tuple(profile.median().tolist()),
                profile.peak(),
            )
        )
    parts = sorted(
        dict.fromkeys(profile.part for _, profile in found), key=lambda part: (part != WHOLE, part)
    )
    by_part = sorted(panels.items(), key=lambda panel: parts.index(panel[0].rpartition(": ")[2]))
    return tuple(Curves(title, tuple(curves)) for title, curves in by_part)
