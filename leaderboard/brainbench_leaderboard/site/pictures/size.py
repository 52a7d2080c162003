"""Alignment against the number of parameters, a panel for each region."""

from __future__ import annotations

import math
from typing import Any

from brainbench_leaderboard.analyses.entries import Entry, entries
from brainbench_leaderboard.analyses.over_models import count_of, which_count
from brainbench_leaderboard.origins import Sources
from brainbench_leaderboard.site import places
from brainbench_leaderboard.site.pictures import marks, words
from brainbench_leaderboard.site.pictures.panels import Asked, Panel, labels
from brainbench_leaderboard.site.pictures.picture import Picture

_KINDS = ("trained model", "random weights")
_LABELLED = 6  # more names than that hide each other
COLUMNS = ("model", "region", "kind", "parameters", "score", "95 % low", "95 % high", "ceiling", "best dull")


def size(asked: Asked, sources: Sources, anchor: str) -> Picture | None:
    """None where no model's number of parameters is known. Twins with random weights are marked as such."""
    known = {one.fingerprint: one for panel in asked.panels for one in entries(panel.rows, sources)}
    sized = [one for one in known.values() if one.parameters]
    if not sized:
        return None
    which = which_count(sized)
    data: list[dict[str, Any]] = []
    said = []
    for panel in asked.panels:
        here = []
        for row, name in zip(panel.rows, labels(panel.rows), strict=True):
            if (one := known.get(str(row["fingerprint"]))) and one.parameters:
                here.append(_datum(one, name, count_of(one, which), panel))
        data += here
        trained = [datum for datum in here if datum["kind"] == _KINDS[0]]
        if trained:
            y = [datum["score"] for datum in trained]
            r = words.correlation([math.log10(datum["size"]) for datum in trained], y)
            told = words.extremes([datum["model"] for datum in trained], y)
            said.append(f"{panel.region}: {r}; {told}; {words.limits(panel)}.")
    head = "counted with the head" if which == "with_head" else "counted without the head"
    lead = f"Score against the number of parameters ({head}; logarithmic). Of trained models:"
    panels = [panel.region for panel in asked.panels]
    return Picture(
        anchor,
        f"Alignment against size: {asked.title}",
        "\n".join([lead, *said, words.NO_INTERVAL]),
        COLUMNS,
        tuple(_row(datum) for datum in data),
        asked.simulated,
        _chart(data, panels, asked.metric),
        links=tuple(datum["page"] for datum in data),
    )


def _datum(one: Entry, name: str, parameters: int, panel: Panel) -> dict[str, Any]:
    return {
        "model": name,
        "panel": panel.region,
        "kind": _KINDS[one.kind == "untrained"],
        "size": parameters,
        "score": one.score,
        "low": one.low,
        "high": one.high,
        "ceiling": panel.ceiling,
        "dull": panel.dull,
        "page": places.model_page(one.model),
    }


def _row(datum: dict[str, Any]) -> tuple[str | float | None, ...]:
    names = ("model", "panel", "kind", "size", "score", "low", "high", "ceiling", "dull")
    return tuple(datum[name] for name in names)


def _chart(data: list[dict[str, Any]], panels: list[str], metric: str) -> marks.Spec:
    sizes = [math.log10(datum["size"]) for datum in data]
    edge = max(0.4, (max(sizes) - min(sizes)) * 0.15)  # room for names and for one lone model
    domain = [10 ** (min(sizes) - edge), 10 ** (max(sizes) + edge)]
    x = marks.number("size", "Parameters", type="log", domain=domain, nice=False)
    billions = "replace(format(datum.value, '~s'), 'G', 'B')"
    x["axis"] = {"labelExpr": billions, "values": _ticks(*domain), "labelOverlap": True}
    kinds = [kind for kind in _KINDS if any(datum["kind"] == kind for datum in data)]
    shown = {"x": x, "y": marks.number("score", f"Score ({metric})"), **marks.kinds("kind", kinds)}
    told = marks.tooltip(
        ("model", "model"), ("kind", "kind"), ("size", "parameters#"), ("score", "score#"),
        ("low", "95 % low#"), ("high", "95 % high#"), ("ceiling", "ceiling#"),
        ("dull", "best dull predictor#"),
    )  # fmt: skip
    points = {
        "mark": {"type": "point", "filled": True, "size": 70, "opacity": 0.9},
        "encoding": {**shown, "tooltip": told, "href": {"field": "page", "type": "nominal"}},
    }
    layer = [marks.limit("ceiling", "ceiling"), marks.limit("dull", "dull")]
    layer += [marks.span("y", "low", "high", shown), points]
    if len({datum["model"] for datum in data if datum["kind"] == _KINDS[0]}) <= _LABELLED:
        middle = (min(sizes) + max(sizes)) / 2
        for datum, place in zip(data, sizes, strict=True):
            datum["side"] = "right" if place > middle else "left"
        _apart(data)
        used = {(datum["side"], datum["above"]) for datum in data if datum["kind"] == _KINDS[0]}
        layer += [_names(shown, side, above) for side, above in sorted(used)]
    return marks.chart(data, layer, panels=panels)


def _ticks(low: float, high: float) -> list[float]:
    """Powers of ten and their threefold; a lone model's own power where none of these is in sight."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    found = [step * 10.0**power for power in powers for step in (1, 3)]
    return [tick for tick in found if low <= tick <= high] or [10.0 ** math.log10(math.sqrt(low * high))]


def _apart(data: list[dict[str, Any]]) -> None:
    """Names of the upper half of a panel stand above their marks, the others below, so that few meet."""
    for panel in {datum["panel"] for datum in data}:
        here = [datum for datum in data if datum["panel"] == panel]
        trained = sorted((d for d in here if d["kind"] == _KINDS[0]), key=lambda d: -d["score"])
        upper = [id(datum) for datum in trained[: (len(trained) + 1) // 2]]
        for datum in here:
            datum["above"] = id(datum) in upper


def _names(shown: marks.Spec, side: str, above: bool) -> marks.Spec:
    """Names of trained models, written towards the middle."""
    told = f"datum.side === '{side}' && datum.above === {str(above).lower()} && datum.kind === '{_KINDS[0]}'"
    place = {"align": side, "dx": 8 if side == "left" else -8, "dy": -8 if above else 10}
    return {
        "transform": [{"filter": told}],
        "mark": {"type": "text", **place, "style": "name", "limit": 110},
        "encoding": {"x": shown["x"], "y": shown["y"], "text": {"field": "model", "type": "nominal"}},
    }
