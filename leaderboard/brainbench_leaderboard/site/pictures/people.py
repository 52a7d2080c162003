"""Every person as a dot: how far a score hangs on whom, beside the mean and the ceiling."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from brainbench.text import plain
from brainbench_leaderboard.margins import Cells
from brainbench_leaderboard.site import places
from brainbench_leaderboard.site.pictures import marks, words
from brainbench_leaderboard.site.pictures.panels import Asked, Panel, labels
from brainbench_leaderboard.site.pictures.picture import Picture
from brainbench_leaderboard.values import Row

MOST = 12  # models in one picture
COLUMNS = ("person", "region", "model", "score", "headline", "95 % low", "95 % high", "ceiling", "best dull")
_SHOWN = ("person", "panel", "model", "score", "headline", "low", "high", "ceiling", "dull")
Read = Callable[[str], Cells]


def of_one(asked: Asked, own: Mapping[str, Row], read: Read, anchor: str) -> Picture | None:
    """People of one model: a line for each region; own: its record by region."""
    data, said = [], []
    for panel in asked.panels:
        if row := own.get(panel.region):
            data += _data(panel, row, plain(row["model"]), read)
            said.append(_said(panel.region, panel, row, data))
    if not data:
        return None
    return _picture(anchor, said, data, asked, [str(data[0]["model"])])


def of_all(asked: Asked, read: Read, anchor: str) -> Picture | None:
    """People of the models with the highest scores in the main region, at most MOST: a panel each region."""
    names = labels(asked.main.rows)
    who = dict(zip((_whose(row) for row in asked.main.rows), names, strict=True))
    shown = list(who)[:MOST]
    data, said = [], []
    for panel in asked.panels:
        first = True
        for row in panel.rows:
            if _whose(row) in shown:
                data += _data(panel, row, who[_whose(row)], read)
                if first:
                    said.append(_said(f"{panel.region}, {who[_whose(row)]}", panel, row, data))
                first = False
    if not data:
        return None
    left = len(who) - len(shown)
    if left:
        said.append(f"{words.count(left, 'model')} with lower scores are not drawn.")
    return _picture(anchor, said, data, asked, [who[one] for one in shown])


def _whose(row: Row) -> tuple[Any, ...]:
    return tuple(row[name] for name in ("model", "revision", "seed", "dtype", "pooling"))


def _data(panel: Panel, row: Row, model: str, read: Read) -> list[dict[str, Any]]:
    cells = read(str(row["fingerprint"]))
    return [
        {
            "person": plain(person),
            "panel": panel.region,
            "model": model,
            "score": float(score),
            "headline": float(row["score"]),
            "low": row["low"],
            "high": row["high"],
            "ceiling": panel.ceiling,
            "dull": panel.dull,
            "page": places.model_page(str(row["model"])),
        }
        for person, score in zip(cells.people, cells.scores, strict=True)
    ]


def _said(where: str, panel: Panel, row: Row, data: Sequence[Mapping[str, Any]]) -> str:
    here = [datum for datum in data if datum["panel"] == panel.region and datum["headline"] == row["score"]]
    if not here:
        return f"{where}: no person's score is known."
    told = words.extremes([str(datum["person"]) for datum in here], [float(datum["score"]) for datum in here])
    span = (
        "without an interval"
        if row["low"] is None
        else f"with the 95 % interval {words.value(row['low'])} to {words.value(row['high'])}"
    )
    return (
        f"{where}: {words.value(row['score'])} {span}; of {len(here)} people, {told}; {words.limits(panel)}."
    )


def _picture(
    anchor: str, said: list[str], data: list[dict[str, Any]], asked: Asked, models: Sequence[str]
) -> Picture:
    lead = "Every dot is a person, the diamond the headline score with its 95 % interval."
    return Picture(
        anchor,
        f"Person by person: {asked.title}",
        "\n".join([lead, *said]),
        COLUMNS,
        tuple(tuple(datum[name] for name in _SHOWN) for datum in data),
        asked.simulated,
        _chart(data, asked, models),
    )


def _chart(data: list[dict[str, Any]], asked: Asked, models: Sequence[str]) -> marks.Spec:
    axis = {"labelLimit": 150, "grid": False}
    y = {"field": "model", "type": "nominal", "title": None, "sort": list(models), "axis": axis}
    x = marks.number("score", f"Score ({asked.metric})")
    headline, low, high = ({"aggregate": "max", "field": name} for name in ("headline", "low", "high"))
    told = marks.tooltip(("person", "person"), ("model", "model"), ("panel", "region"), ("score", "score#"))
    whole = [
        {"aggregate": "max", "field": field, "type": "quantitative", "title": title, "format": ",.3~r"}
        for field, title in (("headline", "score"), ("low", "95 % low"), ("high", "95 % high"))
    ]
    page = {"field": "page", "type": "nominal"}
    layer = [marks.limit("ceiling", "ceiling", "x"), marks.limit("dull", "dull", "x")]
    layer.append(
        {
            "mark": {"type": "point", "filled": True, "size": 36, "style": "person", "yOffset": 7},
            "encoding": {"y": y, "x": x, "tooltip": told, "href": page},
        }
    )
    if any(datum["low"] is not None and datum["high"] is not None for datum in data):
        layer.append(
            {
                "transform": marks.known("low", "high"),
                "mark": {"type": "rule", "style": "headline-interval", "yOffset": -7},
                "encoding": {"y": y, "x": {**x, **low}, "x2": high},
            }
        )
    diamond = {
        "type": "point",
        "filled": True,
        "shape": "diamond",
        "size": 110,
        "style": "headline",
        "yOffset": -7,
    }
    layer.append({"mark": diamond, "encoding": {"y": y, "x": {**x, **headline}, "tooltip": whole}})
    panels = list(dict.fromkeys(str(datum["panel"]) for datum in data))
    return marks.chart(data, layer, panels=panels, height={"step": 38})
