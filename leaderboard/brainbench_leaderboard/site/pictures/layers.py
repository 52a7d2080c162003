"""Layer profiles: where in a model alignment is, a panel for each region."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from brainbench.text import plain
from brainbench_leaderboard.site.pictures import marks, words
from brainbench_leaderboard.site.pictures.panels import Asked
from brainbench_leaderboard.site.pictures.picture import Picture
from brainbench_leaderboard.stored_scores import LayerScores
from brainbench_leaderboard.values import Row

COLUMNS = ("layer", "region", "part", "number", "score", "ceiling", "best dull")
_SHOWN = ("layer", "panel", "part", "at", "score", "ceiling", "dull")
_LAYER = re.compile(r"(.+)\.(\d+)")


def profile(
    asked: Asked, own: Mapping[str, Row], read: Callable[[str], LayerScores], anchor: str
) -> Picture | None:
    """Scores of the numbered layers of one model; own: its record by region. None for fewer than two."""
    data: list[dict[str, Any]] = []
    said = []
    for panel in asked.panels:
        if panel.region not in own:
            continue
        found = read(str(own[panel.region]["fingerprint"]))
        here: list[dict[str, Any]] = [
            {
                "layer": plain(name),
                "panel": panel.region,
                "part": plain(match[1]),
                "at": int(match[2]) + 1,
                "score": float(score),
                "ceiling": panel.ceiling,
                "dull": panel.dull,
            }
            for name, score in zip(found.layers, found.scores, strict=True)
            if (match := _LAYER.fullmatch(name)) is not None and math.isfinite(score)
        ]
        if len({datum["at"] for datum in here}) < 2:
            continue
        data += here
        told = words.extremes([datum["layer"] for datum in here], [datum["score"] for datum in here])
        said.append(f"{panel.region}: {told}; {words.limits(panel)}.")
    if not data:
        return None
    text = (
        "Scores of each layer by itself, counted from 1 (in the layers' own names from 0). The highest of "
        "many is optimistic, and neighbouring layers hold nearly the same: the headline score chooses its "
        "layer on other data."
    )
    return Picture(
        anchor,
        f"Layer profile: {asked.title}",
        "\n".join([text, *said]),
        COLUMNS,
        tuple(tuple(datum[name] for name in _SHOWN) for datum in data),
        asked.simulated,
        _chart(data, asked),
    )


def _chart(data: list[dict[str, Any]], asked: Asked) -> marks.Spec:
    parts = sorted({str(datum["part"]) for datum in data}, key=lambda part: (part != "layer", part))
    panels = list(dict.fromkeys(str(datum["panel"]) for datum in data))
    x = marks.number("at", "Layer, from the first")
    x["axis"] = {"format": "d", "tickMinStep": 1}
    shown = {"x": x, "y": marks.number("score", f"Score ({asked.metric})"), **marks.kinds("part", parts)}
    told = marks.tooltip(
        ("layer", "layer"), ("score", "score#"), ("ceiling", "ceiling#"), ("dull", "best dull predictor#")
    )
    lines = {name: entry for name, entry in shown.items() if name != "shape"}
    layer = [
        marks.limit("ceiling", "ceiling"),
        marks.limit("dull", "dull"),
        {"mark": {"type": "line", "strokeWidth": 2}, "encoding": lines},
        {"mark": {"type": "point", "filled": True, "size": 45}, "encoding": {**shown, "tooltip": told}},
    ]
    return marks.chart(data, layer, panels=panels)
