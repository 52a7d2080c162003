"""Variants of one base model: whether what was done to it afterwards changed its alignment."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from brainbench_leaderboard.analyses.comparisons import finding
from brainbench_leaderboard.analyses.contrasts import Contrast, Couple
from brainbench_leaderboard.analyses.entries import Entry
from brainbench_leaderboard.analyses.figures import Bar, Bars, Figure
from brainbench_leaderboard.analyses.material import Material
from brainbench_leaderboard.analyses.names import label, short_names, varying
from brainbench_leaderboard.analyses.paired import Pairs, pairs
from brainbench_leaderboard.analyses.results import Finding

QUESTION = "Did post-training change how close the base model is to people's brains?"
CANNOT = (
    "Whoever names the models says that they come from this base: nothing here checks it. Each variant is "
    "one training: another run of the same recipe may come out otherwise, and a difference does not say "
    "which part of the recipe made it."
)


def post_training(material: Material, dataset: tuple[str, int]) -> Finding | None:
    """The models asked for, each less the base, at every place that both were scored at, also by rating."""
    base = material.asked.base
    found: list[tuple[Couple, Pairs]] = []
    shown: list[Entry] = []
    entries = material.of(dataset)
    for entry in entries:
        if entry.model not in material.asked.models or entry.model == base:
            continue
        for other in entries:
            if other.model == base and other.place == entry.place:
                compared = pairs(material.cells(entry.fingerprint), material.cells(other.fingerprint))
                if compared is not None:
                    found.append(((entry, other), compared))
                    shown += [one for one in (other, entry) if one not in shown]
    if not found or base is None:
        return None
    what = Contrast(
        "post-training", QUESTION, CANNOT, "variant", short_names([base])[base], (), lambda _: (), ()
    )
    made = finding(what, dataset, found)
    tests = tuple(
        replace(test, more={**test.more, **_signs(couple)} if test.of == "people" else test.more)
        for test, couple in _with_couples(made, found)
        if couple is not None  # variants are no sample of models: nothing is tested over them
    )
    assert made.figure is not None
    panels = (*_scores(shown), *made.figure.panels)
    return replace(made, tests=tests, figure=Figure(made.figure.x, "", panels))


def _with_couples(made: Finding, found: list[tuple[Couple, Pairs]]) -> list[tuple[Any, Couple | None]]:
    couples: list[Couple | None] = [couple for couple, _ in found]
    couples += [None] * (len(made.tests) - len(found))
    return list(zip(made.tests, couples, strict=True))


def _signs(couple: Couple) -> dict[str, str]:
    """Of both scores: + or - only where the interval leaves out zero, else 0; "" without an interval."""
    return {"first_sign": sign(couple[0]), "second_sign": sign(couple[1])}


def sign(entry: Entry) -> str:
    """See `_signs`."""
    if entry.low is None or entry.high is None:
        return ""
    return "+" if entry.low > 0 else "-" if entry.high < 0 else "0"


def _scores(shown: list[Entry]) -> list[Bars]:
    """Each model's own score at each place, the base first."""
    words = varying(dict.fromkeys(entry.place for entry in shown))
    names = short_names(entry.model for entry in shown)
    panels: dict[str, list[Bar]] = {}
    for entry in shown:
        panels.setdefault(f"score: {words[entry.place]}", []).append(
            Bar(names[entry.model], entry.score, entry.span)
        )
    axis = label(shown[0].place)
    return [Bars(title, tuple(bars), axis) for title, bars in panels.items()]
