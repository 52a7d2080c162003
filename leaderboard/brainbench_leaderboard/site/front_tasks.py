"""Accuracies, what changes did to them, and scores of ideas, for the front page."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from brainbench.plan import NOTHING
from brainbench.text import plain
from brainbench_leaderboard.origins import Sources
from brainbench_leaderboard.sheet_groups import fitted, source
from brainbench_leaderboard.site.data_files import rounded
from brainbench_leaderboard.site.front_lines import Column, Lines, Reasons
from brainbench_leaderboard.values import Row, drawn

_NOT_ASKED = "the model as it is was not asked these items"


def tasks(rows: Iterable[Row], lines: Lines, reasons: Reasons, sources: Sources) -> list[Column]:
    """Accuracies, and for each change and what it was learnt from a column of what it did to a task.

    A column of a change is of one change for all models: never of the best one for each. `usual` is the
    brain-guided one that most models were run with, of real and of simulated data, and never one that has no
    rank: an oracle, or what was fitted or chosen on the very items.
    """
    ordered = sorted(rows, key=_best_first)
    titles = _titles(ordered, _task)
    found: dict[tuple[Any, ...], Column] = {}
    fair: dict[tuple[Any, ...], Column] = {}
    for row in ordered:
        title = titles[row["question"]]
        if row["intervention"] == NOTHING:
            key: tuple[Any, ...] = ("accuracy", title)
            if key not in found or not found[key].scored:  # what a task is held to stands in scored rows
                cells = found[key].cells if key in found else {}
                found[key] = Column(_accuracy(title, row))
                found[key].cells = cells
            cell = _scored(row, "accuracy") if row["outcome"] == "scores" else {"why": reasons.of(row)}
        else:
            key = _change(title, row, sources, found)
            if key not in found:
                found[key] = Column(_about(key, row))
            cell = _changed(row, reasons)
            if row["rank"] is not None:
                fair[key] = found[key]
        for at in lines.places(row, key):
            found[key].cells[at] = cell
    _mark_usual([fair[key] for key in sorted(fair, key=str)])
    return [found[key] for key in sorted(found, key=str)]


def ideas(rows: Iterable[Row], lines: Lines, reasons: Reasons) -> list[Column]:
    """What scorers gave the texts of unchanged models, one column a dataset, scorer and way to draw texts."""
    ordered = sorted((row for row in rows if row["intervention"] == NOTHING), key=_best_first)
    titles = _titles(ordered, _asked)
    found: dict[str, Column] = {}
    for row in ordered:
        title = titles[row["question"]]
        facts = {
            "kind": "idea",
            "title": title,
            "simulated": bool(row["simulated"]),
            **{name: rounded(row[name]) for name in ("validity", "validity_low", "validity_high")},
        }
        column = found.setdefault(title, Column(facts))
        cell = _scored(row, "score") if row["outcome"] == "scores" else {"why": reasons.of(row)}
        for at in lines.places(row, ("idea", title)):
            column.cells[at] = cell
    return [found[title] for title in sorted(found)]


def _best_first(row: Row) -> tuple[Any, ...]:
    """Scores before what has none, of those what may be ranked, and of these the newest."""
    apart = row["outcome"] != "scores", not row["resolved"], bool(row.get("outdated"))
    return *apart, [-ord(mark) for mark in str(row["started"] or "")]


def _titles(rows: Sequence[Row], words: Any) -> dict[str, str]:
    """By question, what is asked in words; a number tells apart what is asked otherwise in the same words."""
    found: dict[str, str] = {}
    taken: dict[str, int] = {}
    for row in rows:
        if row["question"] not in found:
            title = words(row)
            taken[title] = taken.get(title, 0) + 1
            more = f" (asked otherwise, {taken[title]})" if taken[title] > 1 else ""
            found[row["question"]] = title + more
    return found


def _task(row: Row) -> str:
    limit = f", first {row['problem_limit']} problems" if row["problem_limit"] is not None else ""
    return plain(f"{row['task']} v{row['task_version']}{limit}")


def _asked(row: Row) -> str:
    where = f"{row['dataset']} v{row['dataset_version']}" if row["dataset"] else "its own questions"
    sampling = row["sampling"]
    told = json.loads(sampling or "{}") if isinstance(sampling, str) else sampling or {}
    return plain(f"{where}, {row['scorer']} v{row['scorer_version']} with {row['helper']}{drawn(told)}")


def _scored(row: Row, name: str) -> dict[str, Any]:
    return {"value": row[name], **{one: row[one] for one in ("low", "high", "rank")}}


def _accuracy(title: str, row: Row) -> dict[str, Any]:
    held = ("chance", "constant_accuracy", "people_accuracy")
    constant = row["constant_answer"]
    return {
        "kind": "accuracy",
        "task": title,
        **{name: rounded(row[name]) for name in held},
        "constant_answer": None if constant is None else plain(constant),
    }


def _change(title: str, row: Row, sources: Sources, known: Iterable[tuple[Any, ...]]) -> tuple[Any, ...]:
    """What a column is of; what has no scores knows less of itself and joins the first that fits."""
    name, learnt = plain(row["intervention"]), plain(source(row) or "")
    facts = sources.get(row["fingerprint"], {}).get("facts", {}).get("learnt_from")
    told = facts.get("simulated") if isinstance(facts, dict) else None
    simulated = fitted(row).get("simulated") if told is None else told
    if row["outcome"] != "scores":
        fits = [key for key in known if key[:3] == ("change", title, name) and key[3] in (learnt, "")]
        if fits:
            return fits[0]
    strength = f"strength {row['strength']:g}" if row["protocol"] == "fixed" and row["strength"] else ""
    chosen = {"paper": "chosen on the test set"}.get(str(row["protocol"]), strength)
    settings = json.dumps(row["arm_settings"], sort_keys=True) if row["arm_settings"] else ""
    flag = simulated if isinstance(simulated, bool) else None
    return ("change", title, name, learnt, chosen, plain(settings), flag)


def _about(key: tuple[Any, ...], row: Row) -> dict[str, Any]:
    names = ("kind", "task", "change", "learnt_from", "chosen", "settings", "simulated")
    told = dict(zip(names, key, strict=True))
    return {**told, "role": row["role"], "oracle": bool(row["oracle"]), "tuned": bool(row["tuned"])}


def _changed(row: Row, reasons: Reasons) -> dict[str, Any]:
    """What a change did: value, the difference in accuracy; harm and repaired; perplexity as a multiple."""
    if row["outcome"] != "scores":
        return {"why": reasons.of(row)}
    before, after = row["perplexity_before"], row["perplexity_after"]
    cost = after / before if before and after is not None else None
    pooled, notes = row["over_seeds"], list(row["unranked"])
    base = pooled["against_base"] if pooled else row["against_base"]
    if pooled:
        cost = pooled["perplexity"]
        notes.append(f"{len(pooled['seeds'])} trainings" if len(pooled["seeds"]) > 1 else "one training")
    if row["steered"] is not None and row["items"] and row["steered"] < row["items"]:
        notes.append(f"steers {row['steered']} of {row['items']} items")
    cell = {"perplexity": cost, "note": reasons.note("; ".join(notes)) if notes else None}
    if base is None:
        return {**cell, "why": reasons.note(_NOT_ASKED)}
    p = base.get("problems_p") if base.get("problems_p") is not None else base.get("mcnemar_p")
    told = {"value": base["difference"], "p": p, "harm": base["harm"], "repaired": base["gain"]}
    return {**cell, **told, "low": base["low"], "high": base["high"]}


def _mark_usual(columns: Sequence[Column]) -> None:
    """Which change stands beside the scores, where nobody chose another."""
    for flag in (False, True):
        guided = [
            column
            for column in columns
            if column.facts["kind"] == "change"
            and column.facts["role"] == "brain"
            and column.facts["simulated"] is flag
            and not column.facts["oracle"]
        ]
        if guided:
            best = min(guided, key=lambda column: (bool(column.facts["chosen"]), -column.scored))
            best.facts["usual"] = True
