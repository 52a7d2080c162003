"""Figures of analyses as PNG and SVG."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from brainbench_leaderboard.analyses.figures import Bars, Curves, Figure, Points

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from brainbench_leaderboard.analyses.results import Finding

COLOUR, FAINT, MARK = "#1f5c99", "#9db7d1", "#b03a2e"
COLUMNS = 3
MOST_PANELS = 24  # more than can be looked at; the table has all
STYLE: dict[Any, Any] = {
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "svg.hashsalt": "brainbench",
}
WIDTH = 4.4  # inches a panel


def draw(finding: Finding, file: Path) -> list[Path]:
    """The finding's figure beside `file`, with the endings .png and .svg; none where it has no figure."""
    figure = finding.figure
    if figure is None or not figure.panels:
        return []
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure as Canvas

    panels = list(figure.panels)[:MOST_PANELS]
    columns = min(COLUMNS, len(panels))
    rows = -(-len(panels) // columns)
    with mpl.rc_context(STYLE):
        canvas = Canvas(figsize=(WIDTH * columns, _height(panels) * rows + 1.1), layout="constrained")
        FigureCanvasAgg(canvas)
        grid = canvas.subplots(rows, columns, squeeze=False)
        for axes, panel in zip(grid.flat, panels, strict=False):
            _panel(axes, panel, figure)
        for axes in grid.flat[len(panels) :]:
            axes.set_visible(False)
        _share_axes(list(zip(grid.flat, panels, strict=False)))
        canvas.suptitle(
            _title(finding, len(figure.panels)), fontsize=10, color=MARK if finding.simulated else "black"
        )
        if not isinstance(panels[0], Bars):
            canvas.supxlabel(figure.x, fontsize=9)
            canvas.supylabel(_folded(figure.y, _height(panels) * rows), fontsize=9)
        made = [file.with_name(f"{file.name}.{ending}") for ending in ("png", "svg")]
        for path in made:
            meta: dict[str, Any] = {"Date": None} if path.suffix == ".svg" else {}
            canvas.savefig(path, dpi=150, metadata=meta)
    return made


def _share_axes(drawn: list[tuple[Axes, Any]]) -> None:
    """The same range for values of the same kind, so that panels can be compared by eye."""
    kinds: dict[str, list[Axes]] = {}
    for axes, panel in drawn:
        kinds.setdefault(panel.axis if isinstance(panel, Bars) else "", []).append(axes)
    for members in kinds.values():
        for axes in members[1:]:
            if isinstance(drawn[0][1], Bars):
                axes.sharex(members[0])
            else:
                axes.sharey(members[0])


def _folded(words: str, inches: float) -> str:
    """In two lines where one would be longer than the figure is high."""
    first, colon, rest = words.partition(": ")
    return f"{first}:\n{rest}" if colon and len(words) * 0.075 > inches else words


def _title(finding: Finding, panels: int) -> str:
    mark = "SIMULATED DATA: nobody was scanned\n" if finding.simulated else ""
    more = f" (the first {MOST_PANELS} of {panels} panels)" if panels > MOST_PANELS else ""
    return f"{mark}{finding.name}: {finding.dataset} v{finding.dataset_version}, {finding.metric}{more}"


def _height(panels: Sequence[Any]) -> float:
    rows = max((len(panel.bars) for panel in panels if isinstance(panel, Bars)), default=0)
    return 1.2 + 0.34 * rows if rows else 3.4


def _panel(axes: Axes, panel: Points | Bars | Curves, figure: Figure) -> None:
    axes.set_title(panel.title, fontsize=9, loc="left", wrap=True)
    if isinstance(panel, Points):
        _points(axes, panel, figure)
    elif isinstance(panel, Bars):
        _bars(axes, panel, figure)
    else:
        _curves(axes, panel)


def _points(axes: Axes, panel: Points, figure: Figure) -> None:
    x, y = np.array(panel.x), np.array(panel.y)
    for at, value, span in zip(x, y, panel.spans, strict=True):
        if span is not None:
            axes.plot([at, at], span, color=FAINT, linewidth=1, zorder=1)
        axes.plot(at, value, "o", color=COLOUR, markersize=4.5, zorder=3)
    if figure.log:
        axes.set_xscale("log")
    places = np.log10(x) if figure.log else x
    if np.ptp(places) > 0:
        slope, level = np.polyfit(places, y, 1)
        ends = np.array([places.min(), places.max()])
        axes.plot(10**ends if figure.log else ends, slope * ends + level, color=MARK, linewidth=1.3, zorder=2)
    axes.axhline(0, color="0.8", linewidth=0.8, zorder=0)
    axes.margins(0.16)
    axes.annotate(panel.said, (0.02, 0.985), xycoords="axes fraction", va="top", fontsize=8, color=MARK)
    _names(axes, panel, places)


def _names(axes: Axes, panel: Points, places: Any) -> None:
    """Beside each point, towards the middle, moved up where another name is in the way."""
    low, high = axes.get_ylim()
    step = (high - low) * 0.045
    middle = (places.min() + places.max()) / 2
    taken: list[tuple[bool, float]] = []
    for at in np.argsort(panel.y):
        right = bool(places[at] <= middle)
        height = float(panel.y[at])
        while any(side == right and abs(height - other) < step for side, other in taken):
            height += step
        taken.append((right, height))
        axes.annotate(
            panel.names[at],
            (panel.x[at], panel.y[at]),
            xytext=(6 if right else -6, (height - panel.y[at]) / (high - low) * 180),
            textcoords="offset points",
            ha="left" if right else "right",
            va="center",
            fontsize=7,
            color="0.25",
        )


def _bars(axes: Axes, panel: Bars, figure: Figure) -> None:
    rng = np.random.default_rng(0)
    for row, bar in enumerate(panel.bars):
        if bar.each:
            spread = row + rng.uniform(-0.18, 0.18, len(bar.each))
            axes.plot(bar.each, spread, ".", color=FAINT, markersize=3, zorder=1)
        if bar.span is not None:
            axes.plot(bar.span, [row, row], color=COLOUR, linewidth=2, zorder=2)
        axes.plot(bar.value, row, "o", color=COLOUR, markersize=6, zorder=3)
    axes.axvline(0, color="0.5", linewidth=0.8, linestyle="--", zorder=0)
    axes.set_yticks(range(len(panel.bars)), [bar.name for bar in panel.bars])
    axes.set_ylim(len(panel.bars) - 0.5, -0.5)
    people = sorted({len(bar.each) for bar in panel.bars if bar.each})
    said = f"; n = {people[0]}{f' to {people[-1]}' if len(people) > 1 else ''} people" if people else ""
    axes.set_xlabel(f"{panel.axis or figure.x},\nmean with 95 % interval{said}", fontsize=8)


def _curves(axes: Axes, panel: Curves) -> None:
    import matplotlib as mpl

    colours = mpl.colormaps["viridis"](np.linspace(0, 0.88, len(panel.curves)))
    for curve, colour in zip(panel.curves, colours, strict=True):
        axes.plot(curve.x, curve.y, "o-", color=colour, markersize=3, linewidth=1.3, label=curve.name)
        axes.axvline(curve.peak, color=colour, linewidth=0.8, linestyle=":", zorder=0)
    axes.axhline(0, color="0.8", linewidth=0.8, zorder=0)
    axes.set_xlim(0, 1.02)
    if len(panel.curves) <= 12:
        axes.legend(fontsize=7, frameon=False)
