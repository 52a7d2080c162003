"""Gain by control: what a brain-guided change of a model gained, beside each of its controls."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from brainbench.text import plain
from brainbench_leaderboard.site import places
from brainbench_leaderboard.site.pictures import marks, words
from brainbench_leaderboard.site.pictures.gains import KINDS, Gain
from brainbench_leaderboard.site.pictures.picture import Picture

COLUMNS = ("change", "model", "kind", "gain", "95 % low", "95 % high", "why without a rank")
_SHOWN = ("name", "model", "kind", "gain", "low", "high", "why")


def by_control(found: Sequence[Gain], anchor: str) -> Picture | None:
    """Of one question and what was learnt from one dataset; over several models a dot each.

    None without anything brain-guided: controls alone are controls of nothing.
    """
    if not any(gain.kind == KINDS[0] for gain in found):
        return None
    models = Counter(gain.model for gain in found)
    first = found[0]
    data = [_datum(gain) for gain in found]
    how = "fine-tuning" if first.tuned else "steering"
    learnt = f" learnt from {'SIMULATED ' if first.simulated else ''}{first.source}" if first.source else ""
    who = f", {next(iter(models))}" if len(models) == 1 else ""
    return Picture(
        anchor,
        plain(f"Gain by control: {how}{learnt}, {first.task}{who}"),
        _text(found, len(models)),
        COLUMNS,
        tuple(tuple(datum[name] for name in _SHOWN) for datum in data),
        first.simulated,
        _chart(data, several=len(models) > 1),
        links=tuple(datum["page"] for datum in data),
    )


def _datum(gain: Gain) -> dict[str, Any]:
    return {
        "name": gain.name,
        "model": plain(gain.model),
        "kind": gain.kind,
        "gain": gain.gain,
        "low": gain.low,
        "high": gain.high,
        "why": gain.why,
        "page": places.model_page(gain.model),
    }


def _text(found: Sequence[Gain], models: int) -> str:
    lead = (
        "Change of accuracy against the same model unchanged, on the same items, with paired 95 % intervals."
        if models == 1
        else f"Change of accuracy against the same model unchanged: a mark for each of {models} models."
    )
    said = [lead]
    for kind in KINDS:
        here = [gain for gain in found if gain.kind == kind]
        if not here:
            continue
        names = [gain.name if models == 1 else f"{gain.name} ({plain(gain.model)})" for gain in here]
        told = words.extremes(names, [gain.gain for gain in here])
        said.append(f"{kind[0].upper()}{kind[1:]} ({len(here)}): {told}.")
    if not any(gain.kind == KINDS[1] for gain in found):
        said.append("No control was run: without one a gain says nothing about brains.")
    if any(gain.kind in KINDS[2:] for gain in found):
        said.append("What is not ranked, and oracles, knew more than may be known; the numbers say why.")
    return "\n".join(said)


def _chart(data: list[dict[str, Any]], *, several: bool) -> marks.Spec:
    order: dict[str, list[float]] = {}
    for datum in sorted(data, key=lambda datum: (KINDS.index(datum["kind"]), -datum["gain"])):
        order.setdefault(str(datum["name"]), []).append(float(datum["gain"]))
    kinds = [kind for kind in KINDS if any(datum["kind"] == kind for datum in data)]
    shown: dict[str, Any] = {
        "y": {
            "field": "name",
            "type": "nominal",
            "title": None,
            "sort": list(order),
            "axis": {"labelLimit": 170},
        },
        "x": marks.number("gain", "Change of accuracy" + " (line: median)" * several, zero=True),
        **marks.kinds("kind", kinds),
    }
    told = marks.tooltip(
        ("name", "change"), ("model", "model"), ("kind", "kind"), ("gain", "gain#"), ("low", "95 % low#"),
        ("high", "95 % high#"), ("why", "why without a rank"),
    )  # fmt: skip
    layer: list[marks.Spec] = [{"mark": {"type": "rule", "style": "zero"}, "encoding": {"x": {"datum": 0}}}]
    if several:
        medians = [{"name": name, "gain": float(np.median(values))} for name, values in order.items()]
        layer.append(
            {
                "data": {"values": medians},
                "mark": {"type": "tick", "style": "median"},
                "encoding": {"y": shown["y"], "x": shown["x"]},
            }
        )
    else:
        layer.append(marks.span("x", "low", "high", shown))
    layer.append(
        {
            "mark": {"type": "point", "filled": True, "size": 80, "opacity": 0.8 if several else 1},
            "encoding": {**shown, "tooltip": told, "href": {"field": "page", "type": "nominal"}},
        }
    )
    return marks.chart(data, layer, height={"step": 24})
