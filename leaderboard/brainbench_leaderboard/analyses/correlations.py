"""Across models: alignment against their size, their depth, and how original their ideas are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from brainbench.errors import ShapeError
from brainbench.statistics import Correlation, partial_correlation, pearson, spearman
from brainbench.statistics.few_units import LEAST_UNITS
from brainbench_leaderboard.analyses.entries import Entry, Place
from brainbench_leaderboard.analyses.figures import Figure, Points
from brainbench_leaderboard.analyses.material import Material, answers, models_of
from brainbench_leaderboard.analyses.names import label, precision, short_names, varying
from brainbench_leaderboard.analyses.over_models import correlated, count_of, slope_for_others, which_count
from brainbench_leaderboard.analyses.results import IDEAS, IDEAS_TOO, SIZE, Finding, Result
from brainbench_leaderboard.margins import Cells
from brainbench_leaderboard.values import Row

OF_SIZE = "Does alignment rise with the number of a model's parameters?"
NOT_OF_SIZE = (
    "Models are no random sample: those of one family share data and training, and size goes together with "
    "depth, training and date, so that a correlation over models names no cause. Scores that are the best of "
    "many layers rise with the number of layers in noise, too: see what is left given the layers."
)
OF_IDEAS = "Does alignment rise with how original a model's own ideas are?"
NOT_OF_IDEAS = (
    "A scorer is no person: how far it agrees with human raters is its validity, said with each result. "
    "Models are no random sample, and larger ones may be both better aligned and more original."
)
DRAWS = 10_000
SEED = 0
_KINDS = {"Pearson r": pearson, "Spearman rho": spearman}


@dataclass(frozen=True)
class _Line:
    """A variable x over models, to be correlated with alignment; `primary` where that was declared.

    cells: each model's scores beneath the headline.
    """

    name: str
    where: str
    found: Sequence[Entry]
    x: Sequence[float]
    cells: Sequence[Cells]
    primary: str = ""
    more: Row | None = None


def scaling(material: Material, dataset: tuple[str, int]) -> Finding | None:
    """Alignment against the number of parameters and of layers; None for fewer than four models."""
    across = material.across(dataset)
    sized = {place: [entry for entry in found if entry.parameters] for place, found in across.items()}
    places = {place: found for place, found in sized.items() if len(found) >= LEAST_UNITS}
    if not places:
        return None
    which = which_count([entry for found in places.values() for entry in found])
    words = varying(places)
    tests: list[Result] = []
    panels = []
    for place, found in places.items():
        where, count = words[place], np.array([count_of(entry, which) for entry in found], dtype=float)
        cells = [material.cells(entry.fingerprint) for entry in found]
        primary = SIZE if _is_primary(place, across, pooling="last", prompt="main", region=0) else ""
        lines = [
            _Line("log10 of parameters", where, found, np.log10(count).tolist(), cells, primary),
            _Line("parameters (billions)", where, found, (count / 1e9).tolist(), cells),
        ]
        depths = [entry.layers for entry in found]
        if all(depths):
            lines.append(_Line("layers", where, found, [float(depth or 0) for depth in depths], cells))
        made = _tests(lines[0])  # the ranks of a number and of its logarithm are the same
        tests += [*made, *_tests(lines[1])[:1], *(test for line in lines[2:] for test in _tests(line))]
        if len(lines) == 3:
            tests += _partials(lines[0], lines[2])
        panels.append(_points(lines[0], count.tolist(), made[0] if made else None))
    table = [
        {**entry.columns(), "parameters_used": count_of(entry, which)}
        for found in places.values()
        for entry in found
    ]
    first = next(iter(places))
    what = "parameters, the head counted" if which == "with_head" else "parameters without the head"
    return Finding(
        "scaling", OF_SIZE, NOT_OF_SIZE, *dataset, first.simulated, first.metric_name, table, tuple(tests),
        (
            f"Size is the number of {what}, of the weights that were loaded, never read from a name.",
            *precision(entry for found in places.values() for entry in found),
        ),
        Figure(f"Number of {what}", f"Score, {label(first)}", tuple(panels), log=True),
    )  # fmt: skip


def originality(material: Material, dataset: tuple[str, int]) -> Finding | None:
    """Alignment against each scorer's score of the models' ideas; None for fewer than four models."""
    scorers = material.scorers(dataset[0])
    joined: dict[tuple[Place, str], list[tuple[Entry, Row]]] = {}
    across = material.across(dataset)
    for place, found in across.items():
        for scorer in scorers:
            pairs = material.with_ideas(found, scorer)
            if len(pairs) >= LEAST_UNITS:
                joined[place, scorer] = pairs
    if not joined:
        return None
    words = varying(dict.fromkeys(place for place, _ in joined))
    tests: list[Result] = []
    panels, table = [], []
    for (place, scorer), pairs in joined.items():
        found, x = [entry for entry, _ in pairs], [float(row["score"]) for _, row in pairs]
        where = ", ".join(filter(None, (words[place], f"ideas by {scorer}")))
        name = {0: IDEAS, 1: IDEAS_TOO}.get(place.region_position, "")
        declared = _is_primary(place, across, pooling="mean", prompt="short", region=None)
        primary = name and declared and answers(pairs[0][1], place.prompt)
        line = _Line(
            "score of ideas",
            where,
            found,
            x,
            [material.cells(entry.fingerprint) for entry in found],
            f"{name}, {scorer}" if primary else "",
            {"scorer": scorer, **_validity(pairs[0][1])},
        )
        made = _tests(line)
        tests += made
        panels.append(_points(line, x, made[0] if made else None))
        table += [{**entry.columns(), **_idea_columns(row, scorer)} for entry, row in pairs]
    first = next(iter(joined))[0]
    mixed = precision(entry for pairs in joined.values() for entry, _ in pairs)
    return Finding(
        "originality", OF_IDEAS, NOT_OF_IDEAS, *dataset, first.simulated, first.metric_name, table,
        tuple(tests), mixed,
        Figure("Mean score of the model's ideas", f"Score, {label(first)}", tuple(panels)),
    )  # fmt: skip


def _is_primary(
    place: Place, places: Iterable[Place], *, pooling: str, prompt: str, region: int | None
) -> bool:
    """Whether a test at this place was declared beforehand: create items where there are any, else all."""
    sets = {other.item_set for other in places}
    return (
        place.item_set == ("create" if "create" in sets else "all")
        and (place.stage, place.prompt, place.rated, place.pooling) == ("prompt", prompt, None, pooling)
        and region in (None, place.region_position)
    )


def _tests(line: _Line) -> list[Result]:
    """Pearson and Spearman of a line; none where all models have the same value."""
    y = [entry.score for entry in line.found]
    made = []
    for kind, correlate in _KINDS.items():
        try:
            r = correlate(np.array(line.x), np.array(y), seed=SEED, draws=DRAWS)
        except ShapeError:
            continue
        primary = line.primary if kind == "Pearson r" else ""
        made.append(_test(line, r, kind, primary=primary))
    return made


def _partials(size: _Line, depth: _Line) -> list[Result]:
    """Size given the layers, and layers given the size: they go together, and depth alone raises maxima."""
    y = np.array([entry.score for entry in size.found])
    made = []
    for line, given in ((size, depth), (depth, size)):
        try:
            r = partial_correlation(np.array(line.x), y, np.array(given.x), seed=SEED, draws=DRAWS)
        except ShapeError:  # too few models, or size and depth are one
            continue
        made.append(_test(line, r, "partial r", given=given))
    return made


def _test(line: _Line, r: Correlation, kind: str, *, primary: str = "", given: _Line | None = None) -> Result:
    others = slope_for_others(line.cells, line.x, given.x if given else None)
    return correlated(
        r,
        line.found,
        name=f"alignment and {line.name}" + (f", given {given.name}" if given else ""),
        where=line.where,
        statistic=kind,
        primary=primary,
        more={**(line.more or {}), **others},
    )


def _points(line: _Line, x: Sequence[float], test: Result | None) -> Points:
    names = short_names(models_of(line.found))
    said = f"n = {len(line.found)} models"
    if test is not None:
        said = f"r = {test.value:.2f}, {said}"
        if test.interval:
            said = (
                f"r = {test.value:.2f} [{test.interval[0]:.2f}, {test.interval[1]:.2f}], n = {test.n} models"
            )
    return Points(
        title=line.where,
        x=tuple(x),
        y=tuple(entry.score for entry in line.found),
        names=tuple(names[entry.model] for entry in line.found),
        spans=tuple(entry.span for entry in line.found),
        said=said,
    )


def _validity(row: Row) -> dict[str, Any]:
    return {
        name: row.get(name) for name in ("validity", "validity_low", "validity_high", "validity_by_object")
    }


def _idea_columns(row: Row, scorer: str) -> dict[str, Any]:
    return {
        "scorer": scorer,
        "scorer_version": row.get("scorer_version"),
        "ideas": row["score"],
        "ideas_low": row.get("low"),
        "ideas_high": row.get("high"),
        "ideas_dataset": row.get("dataset"),
        "texts": row.get("texts"),
        "unscored": row.get("unscored"),
        **_validity(row),
        "ideas_fingerprint": row.get("fingerprint"),
    }
