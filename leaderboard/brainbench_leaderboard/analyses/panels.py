"""Panels of a figure: models as points, as bars with their people, and as curves over depth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from brainbench_leaderboard.analyses.figures import Bars, Curves, Points

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOUR, FAINT, MARK = "#1f5c99", "#9db7d1", "#b03a2e"
BREAK = ":\n"


def literal(text: str) -> str:
    """Text for a figure in which a $ of somebody's name begins no formula."""
    return text.replace("$", r"\$")


def draw_points(axes: Axes, panel: Points, models: list[str], *, log: bool) -> None:
    """Each model as its number, its score's interval behind it, and a straight line through all."""
    x, y = np.array(panel.x), np.array(panel.y)
    for at, value, limits, name in zip(x, y, panel.spans, panel.names, strict=True):
        if limits is not None:
            axes.plot([at, at], limits, color=FAINT, linewidth=1, zorder=1)
        axes.plot(at, value, "o", color=COLOUR, markersize=9, zorder=3, markeredgecolor="white")
        number = str(models.index(name) + 1)
        axes.annotate(number, (at, value), ha="center", va="center", fontsize=6, color="white", zorder=4)
    if log:
        axes.set_xscale("log")
    places = np.log10(x) if log else x
    if np.ptp(places) > 0:
        slope, level = np.polyfit(places, y, 1)
        ends = np.array([places.min(), places.max()])
        axes.plot(10**ends if log else ends, slope * ends + level, color=MARK, linewidth=1.3, zorder=2)
    axes.axhline(0, color="0.8", linewidth=0.8, zorder=0)
    axes.margins(0.12)
    axes.annotate(
        literal(panel.said), (0.02, 0.985), xycoords="axes fraction", va="top", fontsize=8, color=MARK
    )


def draw_bars(axes: Axes, panel: Bars, models: list[str], what: str) -> None:
    """Each model's mean with its interval, and its people behind it; models in one order in all panels."""
    rng = np.random.default_rng(0)
    bars = sorted(panel.bars, key=lambda bar: models.index(bar.name))
    for row, bar in enumerate(bars):
        if bar.each:
            spread = row + rng.uniform(-0.18, 0.18, len(bar.each))
            axes.plot(bar.each, spread, ".", color=FAINT, markersize=3, zorder=1)
        if bar.span is not None:
            axes.plot(bar.span, [row, row], color=COLOUR, linewidth=2, zorder=2)
        axes.plot(bar.value, row, "o", color=COLOUR, markersize=6, zorder=3)
    axes.axvline(0, color="0.5", linewidth=0.8, linestyle="--", zorder=0)
    axes.set_yticks(range(len(bars)), [literal(bar.name) for bar in bars])
    axes.set_ylim(len(bars) - 0.5, -0.5)
    people = sorted({len(bar.each) for bar in bars if bar.each})
    count = f"{people[0]} to {people[-1]}" if len(people) > 1 else f"{people[0] if people else ''}"
    said = f"mean with 95 % interval; n = {count} people" if people else "score with 95 % interval"
    axes.set_xlabel(f"{what.replace(': ', BREAK)},\n{said}", fontsize=7.5)


def draw_curves(axes: Axes, panel: Curves, models: list[str]) -> None:
    """Each model's values over depth, dotted where its layers peak."""
    colour_of = dict(zip(models, colours(models), strict=True))
    for curve in panel.curves:
        colour = colour_of[curve.name]
        axes.plot(curve.x, curve.y, "o-", color=colour, markersize=3, linewidth=1.3)
        axes.axvline(curve.peak, color=colour, linewidth=0.8, linestyle=":", zorder=0)
    axes.axhline(0, color="0.8", linewidth=0.8, zorder=0)
    axes.set_xlim(0, 1.02)


def colours(models: list[str]) -> list[Any]:
    """A colour for each model."""
    import matplotlib as mpl

    return list(mpl.colormaps["viridis"](np.linspace(0, 0.88, len(models))))
