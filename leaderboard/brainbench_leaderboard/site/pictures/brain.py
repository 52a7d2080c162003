"""Regions on a brain: where they lie, by published coordinates, and how well models do there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np

from brainbench.cards import RegionPlace
from brainbench.text import plain
from brainbench_leaderboard.analyses.entries import base_of
from brainbench_leaderboard.site import places
from brainbench_leaderboard.site.output import File
from brainbench_leaderboard.site.pictures import words
from brainbench_leaderboard.site.pictures.brain_image import COLOURS, image
from brainbench_leaderboard.site.pictures.panels import Asked, Panel
from brainbench_leaderboard.site.pictures.picture import Picture

if TYPE_CHECKING:
    from numpy.typing import NDArray

COLUMNS = ("region", "models", "median score", "ceiling", "share of the ceiling", "coordinates", "where from")
Places = Mapping[str, RegionPlace]
_ATLASES = {"Dosenbach 2010": "fetch_coords_dosenbach_2010"}


def places_of(known: Mapping[str, Places], dataset: str) -> Places:
    """Of a dataset, or of the one that it is a variant of; nothing where none are known."""
    return known.get(dataset) or known.get(base_of(dataset)) or {}


def picture(asked: Asked, where: Places, anchor: str) -> Picture | None:
    """None where no region that was scored has a place, or no trained model a score there."""
    drawn = _drawn(asked, where)
    if not drawn:
        return None
    said, rows = [], []
    for panel in asked.panels:
        scores, place = _scores(panel), where.get(panel.region)
        median = float(np.median(scores)) if scores else None
        share = _share(median, panel.ceiling)
        count = len(coordinates(place)) if place else None
        source = place.source if place else "no place: no published coordinates are known for it here"
        rows.append((panel.region, float(len(scores)), median, panel.ceiling, share, count, source))
        if place and median is not None:
            of = "" if share is None else f", {share:.0%} of the ceiling"
            said.append(f"{panel.region}: {words.value(median)}{of} ({place.source}).")
        else:
            why = (
                "no trained model has a score" if place else "no published coordinates are known for it here"
            )
            said.append(f"{panel.region} is not drawn: {why}.")
    lead = (
        "Nilearn's brain in MNI space from the left, from above and from the right, and the slice of its "
        "template with most marks. Colour is the median score of trained models, on a scale up to the "
        "highest ceiling, or score above it; every mark of a region has that one colour."
    )
    if asked.simulated:
        lead += " Nobody was scanned: this is where such regions would lie."
    return Picture(
        anchor,
        f"Regions on a brain: {asked.title}",
        "\n".join(map(plain, [lead, *said])),
        COLUMNS,
        tuple(rows),
        asked.simulated,
        images={kind: _file(asked, kind) for kind in COLOURS},
    )


def _share(score: float | None, ceiling: float | None) -> float | None:
    """None where it would say nothing: of a score or a ceiling that is not above zero."""
    return score / ceiling if score is not None and ceiling is not None and min(score, ceiling) > 0 else None


def files(asked: Asked, where: Places) -> Iterator[File]:
    """The images of `picture`, light and dark."""
    if drawn := _drawn(asked, where):
        for kind in COLOURS:
            made = image(drawn, asked.metric, kind, top=_top(asked), simulated=asked.simulated)
            yield _file(asked, kind), made


def _file(asked: Asked, kind: str) -> str:
    data = ".simulated" if asked.simulated else ""
    return f"pictures/{places.slug(asked.dataset)}{data}.{kind}.png"


def _drawn(asked: Asked, where: Places) -> list[tuple[str, float, NDArray[np.float64]]]:
    """Regions that can be drawn: name, median score, coordinates (places x 3)."""
    return [
        (panel.region, float(np.median(scores)), coordinates(where[panel.region]))
        for panel in asked.panels
        if (scores := _scores(panel)) and panel.region in where
    ]


def _top(asked: Asked) -> float:
    """The highest ceiling: colours reach as far as any score could."""
    return max((panel.ceiling for panel in asked.panels if panel.ceiling is not None), default=0.0)


def _scores(panel: Panel) -> list[float]:
    return [float(row["score"]) for row in panel.rows if row["model_kind"] != "untrained"]


def coordinates(place: RegionPlace) -> NDArray[np.float64]:
    """In mm of MNI space (places x 3): those that are given, and those of the networks of an atlas."""
    found = [np.array(place.coordinates, dtype=np.float64).reshape(-1, 3)]
    if place.networks:
        from nilearn import datasets

        atlas = getattr(datasets, _ATLASES[place.atlas])()  # it comes with nilearn: nothing is fetched
        networks = np.asarray(atlas.networks)
        found.append(np.asarray(atlas.rois, dtype=np.float64)[np.isin(networks, place.networks)])
    return np.concatenate(found)
