"""Which pictures stand on which page."""

from __future__ import annotations

import functools
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from brainbench_leaderboard.site import places
from brainbench_leaderboard.site.board import Board
from brainbench_leaderboard.site.output import File
from brainbench_leaderboard.site.pictures import brain, layers, people
from brainbench_leaderboard.site.pictures.alignment_and_gain import against_gain
from brainbench_leaderboard.site.pictures.controls import by_control
from brainbench_leaderboard.site.pictures.gains import Gain, gains
from brainbench_leaderboard.site.pictures.panels import Asked, asked, asked_of, index
from brainbench_leaderboard.site.pictures.picture import Picture
from brainbench_leaderboard.site.pictures.size import size
from brainbench_leaderboard.site.rendering import render

_MOST_CHANGES = 4  # pictures of gains of one dataset: those over the most models
_VEGA_LITE = "6.4"
_MOST_TEXT = 3_500_000  # characters of data in the gallery: a page has to stay under 5 MB
_Section = tuple[str, bool, str, tuple[Picture, ...]]  # dataset, whether simulated, its page, its pictures


def of_model(board: Board, model: str) -> tuple[Picture, ...]:
    """Pictures of a model's own page: people, layers, and what changes of it gained."""
    made: list[Picture | None] = []
    for number, (one, own) in enumerate(asked_of(index(board.scores), model), 1):
        made.append(people.of_one(one, own, board.cells, f"people-{number}"))
        made.append(layers.profile(one, own, board.layers, f"layers-{number}"))
    changed = gains(row for row in board.tasks if row["model"] == model)
    made += _by_control(changed, "gains")
    return tuple(picture for picture in made if picture)


def of_dataset(board: Board, dataset: str) -> tuple[Picture, ...]:
    """Pictures of a dataset's page, over all models; the first metric's are followed by sizes by others."""
    found = asked(board.scores, dataset)
    changed = _learnt_from(board, dataset)
    made: list[Picture | None] = []
    for number, one in enumerate(found, 1):
        made.append(size(one, board.sources, f"size-{number}"))
        if _is_main(one, found):
            made.append(against_gain(one, changed, f"gain-{number}"))
            made.append(people.of_all(one, board.cells, f"people-{number}"))
            made.append(
                brain.picture(one, brain.places_of(board.cards.places, one.dataset), f"brain-{number}")
            )
    made += _by_control(changed, "controls")
    return tuple(picture for picture in made if picture)


def files(board: Board) -> Iterator[File]:
    """The page of pictures, image files and what draws charts."""
    sections: list[_Section] = []
    for dataset in board.datasets:
        found = asked(board.scores, dataset)
        for one in found:
            if _is_main(one, found):
                yield from brain.files(one, brain.places_of(board.cards.places, dataset))
        pictures = of_dataset(board, dataset)
        at = len(sections) + 1
        own = tuple(replace(it, anchor=f"dataset-{at}-{it.anchor}") for it in _main(pictures))
        for simulated in (False, True):
            if shown := tuple(it for it in own if it.simulated is simulated):
                sections.append((dataset, simulated, places.dataset_page(dataset), shown))
    sections.sort(key=lambda section: section[1])
    sections = list(_small_enough(sections))
    yield "assets/vega.js", drawing()
    yield places.PICTURES, render("pictures.html", places.PICTURES, board=board, sections=sections)


@functools.cache
def drawing() -> str:
    """What draws charts in a browser: Vega-Lite, Vega and vega-embed, as `window.vegaEmbed`."""
    import vl_convert

    bundle = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;", vl_version=_VEGA_LITE)
    return f'"use strict";\n(() => {{\n{bundle}\n}})();\n'  # its names are its own


def _small_enough(sections: Iterable[_Section]) -> Iterator[_Section]:
    """The sections, without pictures from where on the page would be too large."""
    used = 0
    for dataset, simulated, address, pictures in sections:
        used += sum(len(json.dumps((it.chart, it.rows))) for it in pictures)
        yield dataset, simulated, address, pictures if used <= _MOST_TEXT else ()


def _is_main(one: Asked, found: Sequence[Asked]) -> bool:
    """Whether it is by the first metric of its kind of data."""
    return one is next(other for other in found if other.simulated == one.simulated)


def _main(pictures: Iterable[Picture]) -> Iterator[Picture]:
    """For the gallery: one of each sort, and kind of data."""
    seen = set()
    for picture in pictures:
        sort = picture.anchor.partition("-")[0], picture.simulated
        if sort not in seen:
            seen.add(sort)
            yield picture


def _learnt_from(board: Board, dataset: str) -> list[Gain]:
    return [gain for gain in gains(board.tasks) if gain.source == dataset]


def _by_control(found: Iterable[Gain], anchor: str) -> list[Picture]:
    """One for each question, source and way to change; those of most models first."""
    groups: dict[tuple[str, str, bool, bool], list[Gain]] = {}
    for gain in found:
        groups.setdefault((gain.question, gain.source, gain.simulated, gain.tuned), []).append(gain)
    ordered = sorted(groups.values(), key=lambda group: -len(Counter(gain.own for gain in group)))
    made = (by_control(group, f"{anchor}-{at}") for at, group in enumerate(ordered, 1))
    return [picture for picture in made if picture][:_MOST_CHANGES]
