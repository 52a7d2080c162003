"""What the simulations share: a file that keeps each repetition, exact intervals, and how plots look."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.stats import binomtest

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Row = dict[str, Any]
Columns = dict[str, list[Any]]
BLUE, ORANGE, GREY = "#0072b2", "#d55e00", "#767676"  # told apart by the colour-blind; markers differ too
DIGITS = 6
ENDS = ("", "_low", "_high")


class Kept:
    """Repetitions by the name of their run; in a file, if one is given, each as soon as it is finished.

    A run interrupted goes on where it stopped. settings: what decides the numbers; a file that was made
    with others, versions of metrics and datasets among them, is drawn but not gone on with.
    """

    def __init__(self, settings: Row, file: Path | None = None) -> None:
        self.file, self.settings, self.refused = file, json.loads(json.dumps(settings)), ""
        self.summary: dict[str, list[Row]] = {}
        self.runs: dict[str, Columns] = {}
        if file and file.exists():
            held = json.loads(file.read_text())
            if held["settings"] != self.settings:
                self.refused = f"{file.name} was made with other settings: delete it, or name another folder."
            self.runs, self.settings = held["runs"], held["settings"]

    def repeat(self, times: int, draws: Mapping[str, Callable[[int], Row]]) -> None:
        """Each draw with the seeds 0 to times - 1, those left out that are there."""
        for seed in range(times):
            for name, draw in draws.items():
                if seed >= self.count(name):
                    if self.refused:
                        raise SystemExit(self.refused)
                    columns = self.runs.setdefault(name, {})
                    for column, value in draw(seed).items():
                        columns.setdefault(column, []).append(rounded(value))
                    self.write()

    def count(self, name: str) -> int:
        """How many repetitions of a run there are."""
        return len(next(iter(self.runs.get(name, {}).values()), []))

    def write(self) -> None:
        """Write the file anew, never half of it; each column on a line."""
        if self.file:
            runs = ",\n".join(
                f" {json.dumps(name)}: {_lines(columns)}" for name, columns in self.runs.items()
            )
            parts = ",\n".join(f" {json.dumps(name)}: {_rows(rows)}" for name, rows in self.summary.items())
            settings = json.dumps(self.settings)
            text = f'{{"settings": {settings},\n"summary": {{\n{parts}\n}},\n"runs": {{\n{runs}\n}}}}\n'
            part = self.file.with_suffix(".part")
            part.parent.mkdir(parents=True, exist_ok=True)
            part.write_text(text)
            part.replace(self.file)


def _lines(columns: Columns) -> str:
    return "{\n" + ",\n".join(f"  {json.dumps(name)}: {json.dumps(of)}" for name, of in columns.items()) + "}"


def _rows(rows: list[Row]) -> str:
    return "[\n" + ",\n".join(f"  {json.dumps(row)}" for row in rows) + "]"


def rounded(value: Any) -> Any:
    """The value as it is kept: with six digits."""
    return float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value


def versions(*things: Any) -> dict[str, int]:
    """The version of each metric and dataset, by its name."""
    return {"/".join(filter(None, (it.name, getattr(it, "protocol", "")))): it.version for it in things}


def rate(name: str, happened: list[bool]) -> Row:
    """How often something happened, with the exact 95 percent binomial interval."""
    exact = binomtest(sum(happened), len(happened)).proportion_ci()
    values = (sum(happened) / len(happened), exact.low, exact.high)
    return {f"{name}{end}": rounded(float(value)) for end, value in zip(ENDS, values, strict=True)}


def mean(name: str, values: list[float]) -> Row:
    """Mean with its 95 percent interval (1.96 standard errors), and the standard deviation."""
    middle, spread = float(np.mean(values)), float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
    half = 1.96 * spread / float(np.sqrt(len(values)))
    found = (middle, middle - half, middle + half, spread)
    return {f"{name}{end}": rounded(value) for end, value in zip((*ENDS, "_sd"), found, strict=True)}


def bars(rows: list[Row], name: str) -> list[list[float]]:
    """Lengths of the error bars below and above, for matplotlib."""
    return [
        [row[name] - row[f"{name}_low"] for row in rows],
        [row[f"{name}_high"] - row[name] for row in rows],
    ]


@contextmanager
def plot(file: Path, title: str, widths: list[float], height: float = 2.7) -> Iterator[list[Axes]]:
    """Axes side by side that are drawn on inside and written to `file` after it. Needs matplotlib."""
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    looks: dict[Any, Any] = {"font.size": 8.5, "legend.frameon": False, "lines.markersize": 5}
    looks |= {"axes.spines.top": False, "axes.spines.right": False, "errorbar.capsize": 2}
    with mpl.rc_context(looks):
        figure: Figure = Figure(figsize=(7.6, height), layout="constrained")
        FigureCanvasAgg(figure)
        figure.suptitle(f"SIMULATED: {title}", fontsize=9, x=0.01, horizontalalignment="left")
        yield list(figure.subplots(1, len(widths), squeeze=False, width_ratios=widths)[0])
        figure.savefig(file, dpi=140, metadata={"Software": None}, pil_kwargs={"optimize": True})
