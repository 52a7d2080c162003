"""Drawings of a brain with a row for each region, by nilearn."""

from __future__ import annotations

import functools
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

COLOURS = {"light": ("#ffffff", "#1b1f24"), "dark": ("#0f1318", "#e6e9ed")}  # paper and ink, as in site.css
_ROW, _BELOW, _WIDTH, _DPI = 2.3, 0.8, 9, 110  # inches, and pixels of an inch
_SIDES = {"l": (1, 2), "z": (0, 1), "r": (1, 2)}  # seen from the left, above, the right: which coordinates


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

    paper, ink = COLOURS[kind]
    colours = _colours([score for _, score, _ in drawn], top, kind)
    height = _ROW * len(drawn) + _BELOW
    with mpl.rc_context({**mpl.rcParamsDefault, "text.color": ink, "axes.labelcolor": ink, "backend": "agg"}):
        figure = Figure(figsize=(_WIDTH, height), dpi=_DPI, facecolor=paper)
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
        figure.savefig(written, format="png", dpi=_DPI, facecolor=paper, metadata={"Software": None})
    return written.getvalue()


def _brains(
    figure: Any, place: tuple[float, float], points: NDArray[np.float64], colour: Any, kind: str
) -> None:
    """One row: from the left, from above, from the right, and the slice of the template with most places."""
    from nilearn import plotting

    (bottom, height), (paper, ink) = place, COLOURS[kind]
    marked = {"s": 36, "color": [colour], "edgecolors": ink, "linewidths": 0.4, "zorder": 50}
    _glass_marks(figure, bottom, points, marked, kind)
    at = max(points[:, 2].tolist(), key=lambda z: (len(_near(points, z)), -z))
    where = (0.83, bottom + 0.1 * height, 0.16, 0.8 * height)
    alike = {"figure": figure, "black_bg": kind == "dark", "annotate": False}
    drawn = plotting.plot_anat(
        _template(), display_mode="z", cut_coords=[at], axes=where, draw_cross=False, colorbar=False, **alike
    )
    near = _near(points, at)
    for part in drawn.axes.values():
        part.ax.scatter(near[:, 0], near[:, 1], **marked)
    _on_paper(drawn, paper)
    figure.text(0.91, bottom + 0.02, f"z = {at:.0f} mm", fontsize=9, ha="center", color=ink)


def _glass_marks(
    figure: Any, bottom: float, points: NDArray[np.float64], marked: dict[str, Any], kind: str
) -> None:
    """The three views of a glass brain, with marks on them: on a view from a side, those of that side."""
    pixels, views = _glass(kind)
    wide, high = figure.bbox.size
    up = round(bottom * high)
    figure.figimage(pixels, 0, up, zorder=-1)
    of_side = {"l": points[points[:, 0] <= 0], "z": points, "r": points[points[:, 0] >= 0]}
    for side, (left, low, width, height), across, upward in views:
        axes = figure.add_axes((left / wide, (low + up) / high, width / wide, height / high), frameon=False)
        axes.set(xlim=across, ylim=upward, xticks=[], yticks=[])
        seen = of_side[side][:, _SIDES[side]]
        axes.scatter(seen[:, 0], seen[:, 1], **marked)


@functools.cache
def _glass(kind: str) -> tuple[NDArray[np.uint8], list[tuple[str, Any, Any, Any]]]:
    """A row without marks, which takes long to draw: its pixels (down x across x 4) and its views.

    Of each view: side, place (left, low, width, height in pixels), and how far across and upward it reaches.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from nilearn import plotting

    figure = Figure(figsize=(_WIDTH, int(0.95 * _ROW * _DPI) / _DPI), dpi=_DPI, facecolor=COLOURS[kind][0])
    canvas: Any = FigureCanvasAgg(figure)
    drawn = plotting.plot_glass_brain(
        None,
        display_mode="lzr",
        axes=(0.14, 0, 0.68, 1),
        figure=figure,
        black_bg=kind == "dark",
        annotate=False,
    )
    _on_paper(drawn, COLOURS[kind][0])
    canvas.draw()
    views = [
        (side, part.ax.get_window_extent().bounds, part.ax.get_xlim(), part.ax.get_ylim())
        for side, part in drawn.axes.items()
    ]
    return np.array(canvas.buffer_rgba()), views


def _on_paper(drawn: Any, paper: str) -> None:
    """The page's colour behind nilearn's drawing."""
    for axes in (drawn.frame_axes, *(part.ax for part in drawn.axes.values())):
        axes.set_facecolor(paper)
        for image in list(axes.images):
            if image.get_zorder() < 0:  # a black ground
                image.remove()
            else:
                image.set_data(np.ma.masked_less(image.get_array(), 0.1))


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
