"""Parts of Vega-Lite specifications. Colours come from the page: see assets/pictures.js."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

Spec = dict[str, Any]
SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
UNSEEN = "\u200b"  # takes no place
_INHERITED = (
    re.compile(  # what every JavaScript object has, so that Vega takes such a word for something else
        r"constructor|hasOwnProperty|isPrototypeOf|propertyIsEnumerable|toLocaleString|toString|valueOf"
        r"|__(?:proto|(?:define|lookup)[GS]etter)__"
    )
)
SHAPES = ("circle", "diamond", "square", "triangle-up", "cross", "triangle-down")


def chart(
    values: Sequence[Mapping[str, Any]],
    layer: Sequence[Spec],
    *,
    panels: Sequence[str] = (),
    height: Any = 240,
) -> Spec:
    """A picture of layers over the values; with panels one for each value of the field `panel`.

    A value that is None is left out of the datum: missing is never drawn as zero. A layer that no datum has
    the fields of (no ceiling is known, say) is left out, too: of nothing Vega has no scale.
    """
    told = [{name: value for name, value in datum.items() if value is not None} for datum in values]
    inner: Spec = {"height": height, "layer": [one for one in layer if _has_data(one, told)]}
    made: Spec = {"$schema": SCHEMA, "data": {"values": told}}
    if panels:
        made["facet"] = {"field": "panel", "type": "nominal", "title": None, "sort": list(panels)}
        made |= {"columns": min(3, len(panels)), "spec": {"width": 260, **inner}}
    else:
        made |= {"width": 640, **inner}
    return {name: _harmless(value) for name, value in made.items()}


def _harmless(value: Any) -> Any:
    """The same, with what Vega stumbles over looking as it did."""
    if isinstance(value, str):
        return value + UNSEEN if _INHERITED.fullmatch(value) else value
    if isinstance(value, dict):
        return {name: _harmless(held) for name, held in value.items()}
    return [_harmless(held) for held in value] if isinstance(value, list) else value


def _has_data(layer: Spec, told: Sequence[Mapping[str, Any]]) -> bool:
    """Whether there is anything that the layer can place."""
    drawn = (layer["encoding"].get(channel, {}) for channel in ("x", "y", "x2", "y2"))
    fields = {place["field"] for place in drawn if "field" in place}
    return any(fields <= set(datum) for datum in told)


def number(field: str, title: str, **scale: Any) -> Spec:
    """An axis of numbers."""
    usual = {} if scale.get("type") == "log" else {"zero": False}
    axis = {"grid": True, "tickCount": 6}
    return {
        "field": field,
        "type": "quantitative",
        "title": title,
        "scale": {**usual, **scale},
        "axis": axis,
    }


def kinds(field: str, known: Sequence[str]) -> Spec:
    """Colour and shape together, so that no difference hangs on colour alone."""
    shapes = [SHAPES[at % len(SHAPES)] for at in range(len(known))]
    shown: Spec = {"legend": {"title": None, "orient": "top", "columns": 2, "labelLimit": 260}}
    return {
        "color": {"field": field, "type": "nominal", "scale": {"domain": list(known)}, **shown},
        "shape": {
            "field": field,
            "type": "nominal",
            "scale": {"domain": list(known), "range": shapes},
            **shown,
        },
    }


def tooltip(*fields: tuple[str, str]) -> list[Spec]:
    """What is said of a mark that is pointed at: field and title; numbers with three digits."""
    made = []
    for field, title in fields:
        numeric = title.endswith("#")
        form: Spec = {"type": "quantitative", "format": ",.3~r"} if numeric else {"type": "nominal"}
        made.append({"field": field, "title": title.removesuffix("#"), **form})
    return made


def known(*fields: str) -> list[Spec]:
    """Only data that have these fields."""
    return [{"filter": " && ".join(f"isValid(datum['{field}'])" for field in fields)}]


def limit(field: str, style: str, axis: str = "y") -> Spec:
    """A line across a panel, at a value that all of its data share: a ceiling, a dull predictor."""
    return {
        "transform": known(field),
        "mark": {"type": "rule", "style": style},
        "encoding": {axis: {"aggregate": "max", "field": field, "type": "quantitative"}},
    }


def span(axis: str, low: str, high: str, encoding: Mapping[str, Any]) -> Spec:
    """An interval, where there is one."""
    other = {name: value for name, value in encoding.items() if name in ("x", "y", "color", "yOffset")}
    ends = {axis: {**encoding[axis], "field": low}, f"{axis}2": {"field": high}}
    return {
        "transform": known(low, high),
        "mark": {"type": "rule", "style": "interval"},
        "encoding": {**other, **ends},
    }
