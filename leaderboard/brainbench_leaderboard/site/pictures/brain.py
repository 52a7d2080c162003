"""Regions on a brain: where they lie, by published coordinates, and how well models do there."""

from __future__ import annotations

import functools
import io
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from brainbench.cards import RegionPlace
from brainbench.text import plain
from brainbench_leaderboard.analyses.entries import base_of
from brainbench_leaderboard.site import places
from brainbench_leaderboard.site.output import File
from brainbench_leaderboard.site.pictures import words
from brainbench_leaderboard.site.pictures.panels import Asked, Panel
from brainbench_leaderboard.site.pictures.picture import Picture

if TYPE_CHECKING:
    from numpy.typing import NDArray

COLUMNS = ("region", "models", "median score", "ceiling", "share of the ceiling", "coordinates", "where from")
Places = Mapping[str, RegionPlace]
_COLOURS = {"light": ("#ffffff", "#1b1f24"), "dark": ("#0f1318", "#e6e9ed")}  # paper and ink, as in site.css
_ROW, _BELOW = 2.3, 0.8  # inches
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
            said.append(f"{panel.region} is not drawn: no published coordinates are known for it here.")
    lead = (
        "Nilearn's brain in MNI space from the left, from above and from the right, and the slice of its "
        "template with most marks. Colour is the median score of trained models, on a scale up to the "
        "highest ceiling; every mark of a region has that one colour."
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
        images={kind: _file(asked, kind) for kind in _COLOURS},
    )


def _share(score: float | None, ceiling: float | None) -> float | None:
    """None where it would say nothing: of a score or a ceiling that is not above zero."""
    return score / ceiling if score is not None and ceiling is not None and min(score, ceiling) > 0 else None


def files(asked: Asked, where: Places) -> Iterator[File]:
    """The images of `picture`, light and dark."""
    if drawn := _drawn(asked, where):
        for kind in _COLOURS:
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


def image(
    drawn: Sequence[tuple[str, float, NDArray[np.float64]]],
    metric: str,
    kind: str,
    *,
    top: float,
    simulated: bool,
) -> bytes:
    """A PNG with a row of glass brains for each region; the same bytes for the same numbers.

    drawn: name, score, coordinates (places x 3); top: where the scale of colours ends; kind: "light", "dark".
    """
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    paper, ink = _COLOURS[kind]
    colours = _colours([score for _, score, _ in drawn], top, kind)
    height = _ROW * len(drawn) + _BELOW
    with mpl.rc_context({**mpl.rcParamsDefault, "text.color": ink, "axes.labelcolor": ink, "backend": "agg"}):
        figure = Figure(figsize=(9, height), facecolor=paper)
        FigureCanvasAgg(figure)
        for at, (region, score, points) in enumerate(drawn):
            bottom = (_BELOW + _ROW * (len(drawn) - 1 - at)) / height
            _brains(figure, (bottom, 0.95 * _ROW / height), points, colours.to_rgba(score), kind)
            label = f"{region[:24]}\n{score:.3f}"
            middle = bottom + _ROW / 2 / height
            figure.text(0.012, middle, label, fontsize=12, va="center", color=ink, parse_math=False)
        _legend(figure, colours, metric, height, ink)
        if simulated:
            told: dict[str, Any] = {
                "fontsize": 54,
                "alpha": 0.1,
                "ha": "center",
                "va": "center",
                "rotation": 18,
            }
            figure.text(0.58, 0.55, "SIMULATED", color=ink, **told)
        written = io.BytesIO()
        figure.savefig(written, format="png", dpi=110, facecolor=paper, metadata={"Software": None})
    return written.getvalue()


def _brains(
    figure: Any, place: tuple[float, float], points: NDArray[np.float64], colour: Any, kind: str
) -> None:
    """One row: from the left, from above, from the right, and the slice of the template with most places."""
    from nilearn import plotting

    (bottom, height), (paper, ink) = place, _COLOURS[kind]
    marked = {"s": 36, "color": [colour], "edgecolors": ink, "linewidths": 0.4, "zorder": 50}
    alike = {"figure": figure, "black_bg": kind == "dark", "annotate": False}
    glass = plotting.plot_glass_brain(None, display_mode="lzr", axes=(0.14, bottom, 0.68, height), **alike)
    glass.add_markers(
        points, marker_color=[colour] * len(points), marker_size=36, edgecolors=ink, linewidths=0.4
    )
    at = max(points[:, 2].tolist(), key=lambda z: (len(_near(points, z)), -z))
    where = (0.83, bottom + 0.1 * height, 0.16, 0.8 * height)
    drawn = plotting.plot_anat(
        _template(), display_mode="z", cut_coords=[at], axes=where, draw_cross=False, colorbar=False, **alike
    )
    near = _near(points, at)
    for part in drawn.axes.values():
        part.ax.scatter(near[:, 0], near[:, 1], **marked)
    for row in (glass, drawn):
        for axes in (row.frame_axes, *(part.ax for part in row.axes.values())):
            axes.set_facecolor(paper)
            for image in list(axes.images):
                if image.get_zorder() < 0:  # a black ground
                    image.remove()
                else:
                    image.set_data(np.ma.masked_less(image.get_array(), 0.1))
    figure.text(0.91, bottom + 0.02, f"z = {at:.0f} mm", fontsize=9, ha="center", color=ink)


@functools.cache
def _template() -> Any:
    """The brain of MNI space that comes with nilearn."""
    from nilearn import datasets

    return datasets.load_mni152_template(resolution=2)


def _near(points: NDArray[np.float64], z: float) -> NDArray[np.float64]:
    """Those at most 8 mm above or below."""
    return points[np.abs(points[:, 2] - z) <= 8]


def _colours(scores: Sequence[float], top: float, kind: str) -> Any:
    """From zero, or from the lowest below it, to the top; no colour is near that of the paper."""
    import matplotlib as mpl
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import ListedColormap, Normalize

    low, high = min(0.0, *scores), max(top, *scores)
    spread = np.linspace(0.95, 0.0, 256) if kind == "light" else np.linspace(0.3, 1.0, 256)
    colours = ListedColormap(mpl.colormaps["viridis"](spread))
    return ScalarMappable(Normalize(low, high if high > low else low + 1), colours)


def _legend(figure: Any, colours: Any, metric: str, height: float, ink: str) -> None:
    axes = figure.add_axes((0.33, 0.42 / height, 0.5, 0.16 / height))
    bar = figure.colorbar(colours, cax=axes, orientation="horizontal")
    bar.set_label(f"median score of trained models ({metric})", fontsize=10)
    bar.ax.tick_params(colors=ink, labelsize=9)
    bar.outline.set_edgecolor(ink)
