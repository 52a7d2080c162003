"""Scores for the front page: a view is what may stand side by side, and has a column for each region."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from brainbench.plan import NOTHING
from brainbench.text import plain
from brainbench_leaderboard.dull import best_dull
from brainbench_leaderboard.site import places, table_places
from brainbench_leaderboard.site.data_files import rounded
from brainbench_leaderboard.site.front_lines import Column, Lines, Reasons
from brainbench_leaderboard.values import Row, drawn, short_name
from brainbench_leaderboard.view import QUESTION

Key = tuple[Any, ...]


def scores(
    rows: Iterable[Row], lines: Lines, reasons: Reasons
) -> tuple[list[dict[str, Any]], list[Column], int]:
    """All views, their columns, and which view is shown first.

    That is real data before simulated, a robust protocol before any other, all items
    before some, and what most models have.
    """
    asked = [row for row in rows if row["intervention"] in (None, NOTHING)]
    asked.sort(key=lambda row: (row["outcome"] != "scores", not row["resolved"], row["started"] or ""))
    views_of = _places(asked)
    of_view: dict[Key, dict[str, list[Row]]] = {}
    for row in asked:
        of_view.setdefault(views_of[row["fingerprint"]], {}).setdefault(row["region"], []).append(row)
    ordered = sorted(of_view, key=lambda key: _order(key, of_view[key]))
    settings: dict[Key, set[Any]] = {}  # of what has one title
    for key in ordered:
        settings.setdefault(_title(_first(of_view[key])), set()).add(_first(of_view[key])["parameters"])
    views, columns, ranked = [], [], []
    for at, key in enumerate(ordered):
        regions = of_view[key]
        own = [
            _column(at, regions[name], lines, reasons)
            for name in sorted(regions, key=lambda name: regions[name][0]["region_position"])
        ]
        first = _first(regions)
        views.append(_view(first, key[-1], several=len(settings[_title(first)]) > 1))
        columns += own
        robust = first["protocol"] == "robust"
        whole = -first["item_set_position"]
        ranked.append((not first["simulated"], robust, whole, *_size(own), -at))
    return views, columns, -max(ranked)[-1] if ranked else 0


def _places(rows: Sequence[Row]) -> dict[str, Key]:
    """By fingerprint, the view that a row belongs to: what was asked, and which of several data of one name.

    Ranks hold within a question: data that changed under its name is another question, and another view.
    """
    questions: dict[Key, dict[str, int]] = {}
    found = {}
    for row in rows:  # scored ones first
        key = (*(row[name] for name in QUESTION), row["item_set"])
        known = questions.setdefault((*key, row["region"]), {})
        if row["outcome"] == "scores" or not known:
            known.setdefault(row["question"], len(known))
        found[row["fingerprint"]] = (*key, known.get(row["question"], 0))
    return found


def _first(regions: dict[str, list[Row]]) -> Row:
    return next(iter(regions.values()))[0]


def _order(key: Key, regions: dict[str, list[Row]]) -> tuple[Any, ...]:
    row = _first(regions)
    robust = row["protocol"] != "robust"
    where = (row["item_set_position"], str(row["item_set"]))
    return bool(row["simulated"]), str(row["dataset"]), robust, row["metric"], *where, str(key)


def _size(columns: Sequence[Column]) -> tuple[int, int]:
    """How many scores there are at least and at most in a region."""
    found = [column.scored for column in columns]
    return min(found), max(found)


def _title(row: Row) -> tuple[Any, ...]:
    return (*(row[name] for name in QUESTION if name != "parameters"), row["item_set"])


def _view(row: Row, ordinal: int, *, several: bool) -> dict[str, Any]:
    """What is asked in a view, in words and as it is."""
    sampling = json.loads(row["sampling"] or "{}")
    more = [drawn(sampling).removeprefix("; ")] if sampling else []
    more += [str(row["parameters"])] if several else []
    more += [f"other data or prompts of the same name, {ordinal + 1}"] if ordinal else []
    return {
        "simulated": bool(row["simulated"]),
        "dataset": plain(f"{row['dataset']} v{row['dataset_version']}"),
        "measure": plain(f"{row['metric']} ({row['protocol']} protocol, v{row['metric_version']})"),
        "items": plain(row["item_set"]),
        "variant": plain("; ".join(more)),
        "pages": {
            "dataset": places.dataset_page(str(row["dataset"])),
            "metric": places.method_page("metric", f"{row['metric']}/{row['protocol']}"),
            "table": table_places.score_table(row),
        },
        "asked": {
            **{name: row[name] for name in ("dataset", "dataset_version", "metric", "protocol")},
            "metric_version": row["metric_version"],
            "parameters": json.loads(row["parameters"] or "null"),
            "texts": sampling or None,
        },
    }


def _column(view: int, rows: Sequence[Row], lines: Lines, reasons: Reasons) -> Column:
    ceiling, note = _ceiling(rows)
    best = best_dull(rows)
    column = Column(
        {
            "kind": "score",
            "view": view,
            "region": plain(rows[0]["region"]),
            "ceiling": rounded(ceiling),
            "ceiling_note": note,
            "dull": rounded(best["score"]) if best else None,
            "dull_name": short_name(best["model"]) if best else None,
        }
    )
    key = ("score", view, rows[0]["region"])
    for row in rows:
        if row["outcome"] == "scores":
            cell = {"value": row["score"], **{name: row[name] for name in ("low", "high", "p", "rank")}}
        else:
            cell = {"why": reasons.of(row)}
        column.cells[lines.place(row, key)] = cell
    return column


def _ceiling(rows: Sequence[Row]) -> tuple[float | None, str]:
    """The ceiling on the scores' own scale, or the only one there is; and which, or why there is none."""
    for name, note in (("ceiling_like_for_like", "on the scores' own scale"), ("ceiling", "")):
        for row in rows:
            if row[name] is not None:
                return row[name], note
    why = next((row for row in rows if row["ceiling_reason"]), None)
    return None, plain(why["ceiling_reason"]) if why else "not run"
