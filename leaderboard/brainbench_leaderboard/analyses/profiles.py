"""Where in a model alignment is: scores by relative depth, and where they peak."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainbench.errors import ShapeError
from brainbench.statistics import Interval, percentile_interval
from brainbench_leaderboard.analyses.entries import Entry, Place
from brainbench_leaderboard.analyses.figures import Curve, Curves, Figure
from brainbench_leaderboard.analyses.material import Material
from brainbench_leaderboard.analyses.names import label, short_names, varying
from brainbench_leaderboard.analyses.paired import LEAST_PEOPLE, SEED
from brainbench_leaderboard.analyses.results import Finding, Result, span
from brainbench_leaderboard.stored_scores import LayerScores

Array = NDArray[np.float64]
QUESTION = "At which depth is a model most like people's brains?"
CANNOT = (
    "Layers are scored on the same data, and neighbours nearly hold the same: that one is highest does not "
    "say that others are lower. The peak of noise is somewhere, too; only where the score itself is above "
    "chance does its place say anything. Intervals hold for other people and these items."
)
BINS = 10
WHOLE = "layer"  # what goes on to the next: drawn first, as a figure holds only so many panels
DRAWS = 2_000
_LAYER = re.compile(r"(.+)\.(\d+)")


@dataclass(frozen=True, slots=True, eq=False)
class Profile:
    """A part of a model ("layer", "attention"): depths (layers,) in (0, 1] and scores (layers x people)."""

    part: str
    people: tuple[str, ...]
    depths: Array
    scores: Array

    def median(self) -> Array:
        """Over people (layers,)."""
        return np.asarray(np.median(self.scores, axis=1))

    def bins(self) -> dict[int, tuple[float, int]]:
        """By bin of depth, the median over people of each one's mean over its layers; and how many layers."""
        places = bins_of(self.depths)
        return {
            int(at): (
                float(np.median(self.scores[places == at].mean(axis=0))),
                int(np.count_nonzero(places == at)),
            )
            for at in np.unique(places)
        }

    def peak(self) -> float:
        """Depth of the layer with the highest median."""
        return float(self.depths[self.median().argmax()])

    def peaks_without(self) -> list[float]:
        """The same when each person is left out in turn."""
        people = range(len(self.people))
        return [replace(self, scores=np.delete(self.scores, person, axis=1)).peak() for person in people]

    def peak_interval(self) -> Interval:
        """Of the peak, over people."""

        def peaks(drawn: NDArray[np.float64], /, *, axis: int) -> Array:
            del axis  # always the last
            people = drawn.astype(np.intp)
            medians = np.stack([np.median(layer[people], axis=-1) for layer in self.scores])
            return np.asarray(self.depths[medians.argmax(axis=0)])

        return percentile_interval(np.arange(float(len(self.people))), peaks, seed=SEED, draws=DRAWS)


def bins_of(depths: Array) -> NDArray[np.intp]:
    """The bin of each depth in (0, 1]: 0.1 is in the first, all above up to 0.2 in the second."""
    found: NDArray[np.intp] = np.clip(np.ceil(np.round(depths * BINS, 9)) - 1, 0, BINS - 1).astype(np.intp)
    return found


def profiles(found: LayerScores, depth: int | None) -> list[Profile]:
    """The parts of a model whose layers are numbered, each where two layers or more were scored.

    depth: how many layers the model has; where that is not known, up to the highest number. Layer i, counted
    from 0, is at depth (i + 1) / depth. What stands for several layers has no depth and is left out.
    """
    parts: dict[str, dict[int, Array]] = {}
    deepest = 0
    for name, row in zip(found.layers, found.per_person, strict=True):
        if (match := _LAYER.fullmatch(name)) is not None:
            deepest = max(deepest, int(match[2]) + 1)
            if np.isfinite(row).all():
                parts.setdefault(match[1], {})[int(match[2])] = row
    count = max(depth or 0, deepest)
    made = []
    for part, rows in parts.items():
        if len(rows) > 1:
            places = sorted(rows)
            depths = np.array([(at + 1) / count for at in places])
            made.append(Profile(part, found.people, depths, np.stack([rows[at] for at in places])))
    return made


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
    tests = tuple(_test(entry, profile, words, names) for entry, profile in found)
    table = [row for entry, profile in found for row in _rows(entry, profile)]
    first = found[0][0].place
    return Finding(
        "layers", QUESTION, CANNOT, *dataset, first.simulated, first.metric_name, table, tests, (),
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
