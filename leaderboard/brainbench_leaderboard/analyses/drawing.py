"""Figures of analyses as PNG and SVG."""

from __future__ import annotations

import warnings
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Any, Literal

from brainbench.text import plain
from brainbench_leaderboard.analyses.figures import Bars, Curves, Figure, Points
from brainbench_leaderboard.analyses.panels import MARK, draw_bars, draw_curves, draw_points, literal

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from brainbench_leaderboard.analyses.results import Finding

COLUMNS = 3
MOST_PANELS = 24  # more than can be looked at; the table has all
STYLE: dict[Any, Any] = {
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "svg.hashsalt": "brainbench",
    "svg.fonttype": "none",  # text that can be searched
}
WIDTH, HEIGHT = 4.4, 3.4  # inches a panel
Panel = Points | Bars | Curves


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
    models = names_of(panels)
    with mpl.rc_context(STYLE):
        height = max(map(_height, panels)) * rows
        canvas = Canvas(figsize=(max(WIDTH * columns, 6.5), height + 1.3), layout="constrained")
        FigureCanvasAgg(canvas)
        grid = list(canvas.subplots(rows, columns, squeeze=False).flat)
        for axes, panel in zip(grid, panels, strict=False):
            _draw(axes, panel, figure, models)
        for axes in grid[len(panels) :]:
            axes.set_visible(False)
        _share_axes(list(zip(grid, panels, strict=False)))
        canvas.suptitle(_title(finding), fontsize=10, color=MARK if finding.simulated else "black")
        if not isinstance(panels[0], Bars):
            for axes in grid[len(panels) - columns : len(panels)]:  # the lowest of each column
                axes.set_xlabel(fill(figure.x, 44), fontsize=8)
            canvas.supylabel(figure.y if rows > 1 else figure.y.replace(": ", ":\n"), fontsize=9)
            _legend(canvas, panels[0], models)
        made = [file.with_name(f"{file.name}.{ending}") for ending in ("png", "svg")]
        for path in made:
            meta: dict[str, Any] = {"Date": None} if path.suffix == ".svg" else {}
            with warnings.catch_warnings():  # letters that the font lacks are boxes, and no reason to speak
                warnings.filterwarnings("ignore", "Glyph ")
                canvas.savefig(path, dpi=130, metadata=meta)
            canvas.set_layout_engine("none")  # laid out once is enough
    return made


def names_of(panels: list[Panel]) -> list[str]:
    """All models of the panels, in the order in which they come."""
    found: dict[str, None] = {}
    for panel in panels:
        if isinstance(panel, Points):
            found |= dict.fromkeys(panel.names)
        else:
            members = panel.bars if isinstance(panel, Bars) else panel.curves
            found |= dict.fromkeys(member.name for member in members)
    return list(found)


def _draw(axes: Axes, panel: Panel, figure: Figure, models: list[str]) -> None:
    axes.set_title(
        literal(fill(plain(panel.title), 40 if isinstance(panel, Bars) else 56)), fontsize=8.5, loc="left"
    )
    if isinstance(panel, Points):
        draw_points(axes, panel, models, log=figure.log)
    elif isinstance(panel, Bars):
        draw_bars(axes, panel, models, panel.axis or figure.x)
    else:
        draw_curves(axes, panel, models)


def _title(finding: Finding) -> str:
    mark = "SIMULATED DATA: nobody was scanned\n" if finding.simulated else ""
    panels = len(finding.figure.panels) if finding.figure else 0
    more = f" (the first {MOST_PANELS} of {panels} panels)" if panels > MOST_PANELS else ""
    return literal(
        f"{mark}{finding.name}: {plain(finding.dataset)} v{finding.dataset_version}, {finding.metric}{more}"
    )


def _height(panel: Panel) -> float:
    return 1.4 + 0.3 * len(panel.bars) if isinstance(panel, Bars) else HEIGHT


def _share_axes(drawn: list[tuple[Axes, Panel]]) -> None:
    """The same range for values of the same kind, so that panels can be compared by eye."""
    kinds: dict[str, list[Axes]] = {}
    for axes, panel in drawn:
        kinds.setdefault(panel.axis if isinstance(panel, Bars) else "", []).append(axes)
    across: Literal["x", "y"] = "x" if isinstance(drawn[0][1], Bars) else "y"
    for first, *others in kinds.values():
        for axes in others:
            axes.sharex(first) if across == "x" else axes.sharey(first)
        first.autoscale(enable=True, axis=across)


def _legend(canvas: Any, panel: Panel, models: list[str]) -> None:
    """Which number or colour is which model, once for all panels, below them."""
    from matplotlib.lines import Line2D

    if isinstance(panel, Points):
        keys = [Line2D([], [], linestyle="none") for _ in models]
        names = [f"{at + 1} {name}" for at, name in enumerate(models)]
        shape: dict[str, Any] = {"handlelength": 0, "handletextpad": 0}
    else:
        from brainbench_leaderboard.analyses.panels import colours

        keys = [Line2D([], [], color=colour, marker="o", markersize=3) for colour in colours(models)]
        names, shape = models, {}
    columns = max(1, min(len(models), int(canvas.get_figwidth() / 2.3)))
    canvas.legend(
        keys,
        list(map(literal, names)),
        loc="outside lower center",
        ncols=columns,
        fontsize=7.5,
        frameon=False,
        **shape,
    )
