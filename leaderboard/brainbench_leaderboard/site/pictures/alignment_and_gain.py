"""Alignment against what the most-run brain-guided change that was learnt from the same dataset gained."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from brainbench.text import plain
from brainbench_leaderboard.site import places
from brainbench_leaderboard.site.pictures import marks, words
from brainbench_leaderboard.site.pictures.gains import KINDS, Gain
from brainbench_leaderboard.site.pictures.panels import Asked, labels
from brainbench_leaderboard.site.pictures.picture import Picture
from brainbench_leaderboard.values import Row

COLUMNS = ("model", "score", "95 % low", "95 % high", "gain", "gain, 95 % low", "gain, 95 % high", "ceiling")
_SHOWN = ("model", "score", "low", "high", "gain", "gain_low", "gain_high", "ceiling")


def against_gain(asked: Asked, found: Sequence[Gain], anchor: str) -> Picture | None:
    """Of the main region; None where nothing brain-guided was learnt from this dataset and scored there."""
    guided = [
        gain
        for gain in found
        if gain.kind == KINDS[0] and gain.source == asked.dataset and gain.simulated == asked.simulated
    ]
    rows = {
        tuple(row[name] for name in ("model", "revision", "seed", "dtype")): row for row in asked.main.rows
    }
    known = [gain for gain in guided if gain.own in rows]
    if not known:
        return None
    most = Counter((gain.question, gain.name) for gain in known).most_common(1)[0][0]
    chosen = [gain for gain in known if (gain.question, gain.name) == most]
    names = labels([rows[gain.own] for gain in chosen])
    data = [
        _datum(gain, rows[gain.own], name, asked.main.ceiling)
        for gain, name in zip(chosen, names, strict=True)
    ]
    first, panel = chosen[0], asked.main
    r = words.correlation([datum["score"] for datum in data], [datum["gain"] for datum in data])
    text = (
        f"Score in {panel.region} of the model as it is against the change of its accuracy on {first.task} "
        f"by {first.name}, which was learnt from this dataset; both with 95 % intervals where known: {r}.\n"
        f"Gain: {words.extremes(names, [datum['gain'] for datum in data])}. For scores "
        f"{words.limits(panel)}.\n{words.NO_INTERVAL} What controls gained is in the picture of gains."
    )
    return Picture(
        anchor,
        plain(f"Alignment against steered gain: {asked.title}, {first.name} on {first.task}"),
        text,
        COLUMNS,
        tuple(tuple(datum[name] for name in _SHOWN) for datum in data),
        asked.simulated,
        _chart(data, asked.metric, first),
        links=tuple(datum["page"] for datum in data),
    )


def _datum(gain: Gain, row: Row, name: str, ceiling: float | None) -> dict[str, Any]:
    return {
        "model": name,
        "score": float(row["score"]),
        "low": row["low"],
        "high": row["high"],
        "gain": gain.gain,
        "gain_low": gain.low,
        "gain_high": gain.high,
        "ceiling": ceiling,
        "page": places.model_page(gain.model),
    }


def _chart(data: list[dict[str, Any]], metric: str, gain: Gain) -> marks.Spec:
    shown = {
        "x": marks.number("score", f"Score ({metric})"),
        "y": marks.number("gain", f"Change of accuracy ({gain.name[:40]})", zero=True),
    }
    told = marks.tooltip(
        ("model", "model"), ("score", "score#"), ("low", "95 % low#"), ("high", "95 % high#"),
        ("gain", "gain#"), ("gain_low", "gain, 95 % low#"), ("gain_high", "gain, 95 % high#"),
    )  # fmt: skip
    layer = [
        {"mark": {"type": "rule", "style": "zero"}, "encoding": {"y": {"datum": 0}}},
        marks.limit("ceiling", "ceiling", "x"),
        marks.span("x", "low", "high", shown),
        marks.span("y", "gain_low", "gain_high", shown),
        {
            "mark": {"type": "point", "filled": True, "size": 80, "style": "first"},
            "encoding": {**shown, "tooltip": told, "href": {"field": "page", "type": "nominal"}},
        },
    ]
    if len(data) <= 8:
        layer.append(
            {
                "mark": {"type": "text", "align": "left", "dx": 8, "dy": -8, "style": "name", "limit": 150},
                "encoding": {**shown, "text": {"field": "model", "type": "nominal"}},
            }
        )
    return marks.chart(data, layer, height=300)
