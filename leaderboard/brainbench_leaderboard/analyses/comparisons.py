"""Within models: stages, regions, tasks and ratings compared person by person, and then over models."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from brainbench.errors import ShapeError
from brainbench.statistics import sign_flip, student_interval
from brainbench_leaderboard.analyses.contrasts import NETWORK, Contrast, Couple
from brainbench_leaderboard.analyses.entries import UNTRAINED, Entry, Place
from brainbench_leaderboard.analyses.figures import Bar, Bars, Figure
from brainbench_leaderboard.analyses.material import Material, distinct
from brainbench_leaderboard.analyses.names import label, precision, short_names, varying
from brainbench_leaderboard.analyses.paired import SEED, Pairs, for_others, pairs, weighted
from brainbench_leaderboard.analyses.results import Finding, Result, span
from brainbench_leaderboard.margins import Cells

LEAST_MODELS = 4


def contrast(material: Material, dataset: tuple[str, int], of: Contrast) -> Finding | None:
    """A comparison for each model and all else that it can be had for; None where there is none."""
    found: list[tuple[Couple, Pairs]] = []
    for group in _alike(_entries(material, dataset, of), of.same):
        for couple in of.couples(group):
            compared = pairs(*(material.cells(entry.fingerprint) for entry in couple))
            if compared is not None:
                found.append((couple, compared))
    if not found:
        return None
    return finding(of, dataset, found)


def finding(of: Contrast, dataset: tuple[str, int], found: Sequence[tuple[Couple, Pairs]]) -> Finding:
    """What comparisons come to: a test for each, tests over models, a row a person, bars."""
    places = [couple[1].place for couple, _ in found]
    words = varying(dict.fromkeys(places), of.leaving)
    names = short_names(entry.model for couple, _ in found for entry in couple)
    tests = [_test(of, couple, compared, words[couple[1].place], names) for couple, compared in found]
    tests += _over_models(of, found, words)
    place = found[0][0][0].place
    table = [row for couple, compared in found for row in _rows(couple, compared)]
    return Finding(
        of.name, of.question, of.cannot, *dataset, place.simulated, place.metric_name, table, tuple(tests),
        _notes(found), _figure(of, found, words, names),
    )  # fmt: skip


def _entries(material: Material, dataset: tuple[str, int], of: Contrast) -> list[Entry]:
    """With the first region, whichever others are asked for, where regions are compared."""
    if of is not NETWORK:
        return material.of(dataset)
    return [
        entry
        for entry in material.every
        if (entry.place.dataset, entry.place.dataset_version) == dataset
        and (entry.place.region_position == 0 or entry in material.entries)
    ]


def _alike(found: Iterable[Entry], same: Sequence[str]) -> Iterable[list[Entry]]:
    """Entries of one model whose places differ in no other field, run in the same way.

    What people gave has to be the same, too, but where regions differ, each of which has its own; and so has
    how ideas were drawn, but where one side has none.
    """
    groups: dict[tuple[Any, ...], list[Entry]] = {}
    for entry in found:
        blank: dict[str, Any] = {name: 0 if name == "region_position" else "" for name in same}
        alike = ("" if "region" in same else entry.data, "" if "stage" in same else entry.drawn)
        groups.setdefault((entry.whose, replace(entry.place, **blank), alike), []).append(entry)
    return groups.values()


def sides(of: Contrast, couple: Couple) -> tuple[str, str]:
    """What the two sides are called."""
    if of is NETWORK:
        return couple[0].place.region, couple[1].place.region
    return of.first, of.second


def _test(of: Contrast, couple: Couple, found: Pairs, where: str, names: dict[str, str]) -> Result:
    first, second = sides(of, couple)
    interval = found.interval
    return Result(
        name=f"{first} - {second}",
        where=f"{names[couple[0].model]}, {where}",
        statistic="mean difference",
        value=float(found.differences.mean()),
        n=len(found.people),
        of="people",
        over=found.over if interval else "people",
        interval=span(interval),
        no_interval=""
        if interval
        else "All differences are the same, or too few items are left in resamples.",
        level=interval.level if interval else 0.95,
        method=interval.method if interval else "",
        p=found.p,
        p_method="sign flips over people, exact" if found.exact else "10000 sign flips over people",
        left_out=found.left_out,
        leverage=found.leverage,
        more={
            "model": couple[0].model,
            "other_model": couple[1].model,
            "only_first": found.only_first,
            "only_second": found.only_second,
            "first_score": couple[0].score,
            "first_p": couple[0].p,
            "second_score": couple[1].score,
            "second_p": couple[1].p,
            "first_ceiling": couple[0].ceiling,
            "second_ceiling": couple[1].ceiling,
            "rating_cutoff": couple[0].place.cutoff,
            "least_items": couple[0].place.least,
        },
    )


def _over_models(
    of: Contrast, found: Sequence[tuple[Couple, Pairs]], words: dict[Place, str]
) -> Iterable[Result]:
    """Where four trained models or more were compared at a place: their mean differences, over models."""
    by_place: dict[tuple[Place, Place], list[tuple[Couple, Pairs]]] = {}
    for couple, compared in found:
        if couple[0].kind != UNTRAINED:
            by_place.setdefault((couple[0].place, couple[1].place), []).append((couple, compared))
    for (_, place), all_members in by_place.items():
        models = distinct([couple[0] for couple, _ in all_members])
        members = [member for member in all_members if member[0][0] in models]
        if len(members) < LEAST_MODELS:
            continue
        means = np.array([compared.differences.mean() for _, compared in members])
        names = short_names(couple[0].model for couple, _ in members)
        first, second = sides(of, members[0][0])
        left_out = (means.sum() - means) / (len(means) - 1)
        tested = sign_flip(means, seed=SEED)
        try:
            interval = student_interval(means)
        except ShapeError:
            interval = None
        yield Result(
            name=f"{first} - {second}",
            where=f"all models, {words[place]}",
            statistic="mean difference",
            value=float(means.mean()),
            n=len(means),
            of="models",
            over="models",
            interval=span(interval),
            no_interval="" if interval else "All differences are the same.",
            method="Student" if interval else "",
            p=tested.p,
            p_method="sign flips over models, exact" if tested.exact else "10000 sign flips over models",
            left_out=(float(left_out.min()), float(left_out.max())),
            leverage=names[members[int(np.abs(left_out - means.mean()).argmax())][0][0].model],
            more=for_others(*_averaged([compared for _, compared in members])),
        )


def _averaged(found: Sequence[Pairs]) -> tuple[Cells | None, Cells | None]:
    """Both sides of all models, as if they were one."""
    weights = [1 / len(found)] * len(found)
    first, second = ([compared.cells[side] for compared in found] for side in (0, 1))
    return weighted(first, weights), weighted(second, weights)


def _rows(couple: Couple, found: Pairs) -> Iterable[dict[str, Any]]:
    one, other = couple
    varying_fields = ("region", "item_set", "stage", "prompt", "rated", "pooling")
    for person, first, second in zip(found.people, found.first.tolist(), found.second.tolist(), strict=True):
        yield {
            "model": one.model,
            **({"other_model": other.model} if other.model != one.model else {}),
            **{name: getattr(one.place, name) for name in varying_fields},
            **{f"other_{name}": getattr(other.place, name) for name in varying_fields},
            "person": person,
            "first": first,
            "second": second,
            "difference": first - second,
            "fingerprint": one.fingerprint,
            "other_fingerprint": other.fingerprint,
        }


def _notes(found: Sequence[tuple[Couple, Pairs]]) -> tuple[str, ...]:
    notes = []
    single = sorted({compared.only_first + compared.only_second for _, compared in found})
    if single[-1]:
        count = f"{single[0]} to {single[-1]}" if single[0] != single[-1] else f"{single[0]}"
        notes.append(f"Left out of a comparison, having one of its two scores only: {count} people.")
    if any(compared.over == "people" for _, compared in found):
        notes.append(
            "Where the metric does not say what each item adds, intervals hold for other people and these "
            "items."
        )
    least = {couple[0].place.least for couple, _ in found if couple[0].place.rated}
    if least:
        words = " or ".join("an unknown number of" if n is None else str(n) for n in sorted(least, key=str))
        notes.append(
            f"A person's items of a rating count where they are {words} or more. rsa/robust leaves out who "
            "has fewer than four of them in a half of the items, which happens to many who have less than a "
            "dozen (people_left_out in a record's details)."
        )
    return (*notes, *precision(entry for couple, _ in found for entry in couple))


def _figure(
    of: Contrast,
    found: Sequence[tuple[Couple, Pairs]],
    words: dict[Place, str],
    names: dict[str, str],
) -> Figure:
    bars: dict[str, list[Bar]] = {}
    for couple, compared in found:
        first, second = sides(of, couple)
        limits = span(compared.interval)
        title = ", ".join(filter(None, (f"{first} - {second}", words[couple[1].place])))
        each = tuple(compared.differences.tolist())
        bars.setdefault(title, []).append(Bar(names[couple[0].model], float(np.mean(each)), limits, each))
    panels = tuple(Bars(title, tuple(rows)) for title, rows in bars.items())
    return Figure(f"Difference in {label(found[0][0][0].place)}", "", panels)
