"""Writes the tables of docs/steering.md from docs/steering.json, which benchmarks/steering_table.py writes.

python tests/docs/steering.py [--check]
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PAGE, FIGURES = ROOT / "docs/steering.md", ROOT / "docs/steering.json"
OTHERS = ROOT / "docs/steering_tried.json"
BLOCK = re.compile(r"(<!-- table: (.+?) -->\n)(.*?)(<!-- end table -->)", re.DOTALL)
COMMANDS = re.compile(r"(<!-- commands -->\n)(.*?)(<!-- end commands -->)", re.DOTALL)
SUMMARY = re.compile(r"(<!-- summary -->\n)(.*?)(<!-- end summary -->)", re.DOTALL)
TRIED = re.compile(r"(<!-- tried -->\n)(.*?)(<!-- end tried -->)", re.DOTALL)
HEADINGS = (
    "steering",
    "strength",
    "accuracy",
    "change",
    "gain / harm",
    "p",
    "over the best control",
    "perplexity",
)
REPAIRS = (
    "steering",
    "of item and person pairs",
    "of wrong items, by any person",
    "accuracy, mean over people",
)
TRANSFER = ("fitted on", "steering", "strength", "syllogisms", "transitive inferences")
KINDS = {"syllogism": "syllogisms", "transitive": "transitive inferences"}
ORACLES = (
    *("nari", "nari-mean-pattern", "nari-shuffled-items", "nari-other-person"),
    *("nari-random-fmri", "nari-random-fmri-mean", "nari-random-direction"),
)
Row = dict[str, Any]


def rendered(text: str, held: dict[str, Any], tried: dict[str, Any]) -> str:
    """The page with its tables and commands written anew."""
    rows = held["rows"]
    commands = "\n".join(f"{command} --db steering.db" for command in held["commands"].values())
    text = SUMMARY.sub(lambda match: match[1] + "\n".join(_summary(rows)) + "\n" + match[3], text)
    text = TRIED.sub(lambda match: match[1] + "\n".join(_tried(tried)) + "\n" + match[3], text)
    text = COMMANDS.sub(lambda match: f"{match[1]}```\n{commands}\n```\n{match[3]}", text)
    return BLOCK.sub(lambda match: match[1] + "\n".join(_table(match[2], rows)) + "\n" + match[4], text)


def _summary(rows: list[Row]) -> list[str]:
    """What the tables come to."""
    at = {(row["model"], row["learnt_from"], row["task"], row["intervention"]): row for row in rows}
    tiny, items = "brainbench/tiny", "deduction_items"
    places = (
        ("where the right answer is planted", "simulated-deduction-guide", "deduction_3_tiny"),
        ("where nothing is", "simulated-deduction-null", "deduction_3_tiny"),
        ("learnt from real brains, on new problems", "deduction", "deduction_3"),
    )
    lines = []
    for words, source, task in places:
        row = at[tiny, source, task, "nari-general"]
        change, over = row["against_base"], row["against_control"]
        best = f"{_ends(over)} from the best of {over['controls']} controls, `{over['control']}`"
        lines.append(f"- `nari-general` {words}: {_ends(change)} in {tiny}, {best}.")
    shares = []
    for name in ORACLES:
        found = at[tiny, "deduction", items, name]["repairs"]
        right, asked = (sum(found[key].values()) for key in ("repaired", "targeted"))
        shares.append(f"`{name}` {right} of {asked} ({right / asked:.0%})")
    lines.append(
        "- Told the right answers and with each item's own scan, of pairs of a wrong item and a person who "
        f"got it right are repaired: {', '.join(shares)}."
    )
    held = at[tiny, "deduction", items, "nari-heldout"]
    over = held["against_control"]
    lines.append(
        f"- Fitted without the item and its scan, `nari-heldout` changes {_ends(held['against_base'])} of "
        f"the scanner's problems, {_ends(over)} from `{over['control']}`."
    )
    return lines


def _ends(found: dict[str, Any]) -> str:
    return _interval(found["difference"], found["low"], found["high"])


def _tried(held: dict[str, Any]) -> list[str]:
    """One row a steering, one column a place: the best accuracy over all strengths, and that strength."""
    places = list(dict.fromkeys(row["place"] for row in held["rows"]))
    found = {(row["name"], row["place"]): row for row in held["rows"]}
    names = dict.fromkeys(row["name"] for row in held["rows"])
    brains = {row["name"] for row in held["rows"] if row["role"] == "brain"}
    cells = []
    for name in names:
        own = [found[name, place] for place in places]
        called = f"**`{name}`**" if name in brains else f"`{name}`"
        cells.append(
            [called, str(own[0]["tries"]), *(f"{r['accuracy']:.3f} at {r['strength']:g}" for r in own)]
        )
    head = f"Unsteered: {held['unsteered']:.3f} of {held['items']} items."
    return [head, "", *_lines(("steering", "strengths tried", *places), cells)]


def _table(which: str, rows: list[Row]) -> list[str]:
    """The table that is named "model | learnt from | task[ | transfer or repairs]"."""
    model, source, task, *more = which.split(" | ")
    moved = more == ["transfer"]
    own = [row for row in rows if row["model"] == model and row["task"] == task]
    steered = [row for row in own if row["learnt_from"] == source and _moved(row) == moved]
    (limit,) = {row["problem_limit"] for row in steered}
    (base,) = (row for row in own if row["intervention"] == "none" and row["problem_limit"] == limit)
    if more == ["repairs"]:
        return _lines(REPAIRS, (_repaired(base, row) for row in steered if row["repairs"]))
    scored = [row for row in steered if row["outcome"] == "scores"]
    lines = _lines(TRANSFER, map(_transfer, scored)) if moved else _lines(HEADINGS, map(_cells, scored))
    return [_said(base), "", *lines, *_others([row for row in steered if row not in scored])]


def _others(rows: list[Row]) -> list[str]:
    """Those without a score, by their reasons."""
    reasons: dict[str, list[str]] = {}
    for row in rows:
        reasons.setdefault(str(row["reason"]), []).append(f"`{row['intervention']}`")
    return [line for why, names in reasons.items() for line in ("", f"{', '.join(names)}: {why}")]


def _repaired(base: Row, row: Row) -> list[str]:
    """How many of the items that the model got wrong a repair turned right, by one person and by any."""
    targeted, repaired = row["repairs"]["targeted"], row["repairs"]["repaired"]
    wrong = round((1 - base["accuracy"]) * base["items"])
    known = round(base["accuracy"] * base["items"])
    whole = [(known + repaired[person]) / base["items"] for person in targeted]
    return [
        f"**`{row['intervention']}`**" if row["role"] == "brain" else f"`{row['intervention']}`",
        f"{sum(repaired.values())} of {sum(targeted.values())}",
        f"{round((row['accuracy'] - base['accuracy']) * base['items'])} of {wrong}",
        f"{sum(whole) / len(whole):.3f}",
    ]


def _moved(row: Row) -> bool:
    return str(row["intervention"]).partition("@")[2] in {"syllogism", "transitive"}


def _lines(headings: tuple[str, ...], cells: Iterable[list[str]]) -> list[str]:
    return [
        f"| {' | '.join(headings)} |",
        "|---" * len(headings) + "|",
        *(f"| {' | '.join(c)} |" for c in cells),
    ]


def _said(base: Row) -> str:
    by = ", ".join(f"{KINDS[kind]} {share:.3f}" for kind, share in base["by_type"].items())
    best = base["best_shift"]
    reach = ", ".join(f"{KINDS[kind]} {best[kind]:.3f}" for kind in base["by_type"])
    asked = f"{base['items']} items of {base['problems']} problems"
    return (
        f"Unsteered: {base['accuracy']:.3f} [{base['low']:.3f}, {base['high']:.3f}] of {asked} ({by}); "
        f"always the same answer: {base['constant_accuracy']:.3f}. The best constant shift towards True or "
        f"False for each type, chosen on these very items: {best['all']:.3f} ({reach})."
    )


def _cells(row: Row) -> list[str]:
    name = f"**`{row['intervention']}`**" if row["role"] == "brain" else f"`{row['intervention']}`"
    change, control = row["against_base"], row["against_control"]
    marks = [mark for mark in row["unranked"] if mark]
    before, after = row["perplexity_before"], row["perplexity_after"]
    return [
        name + (f" ({'; '.join(marks)})" if marks else ""),
        f"{row['strength']:g}" if row["protocol"] != "fixed" else "",
        f"{row['accuracy']:.3f}",
        _interval(change["difference"], change["low"], change["high"]),
        f"{change['gain']:.3f} / {change['harm']:.3f}",
        _p(change["problems_p"]),
        f"{_interval(control['difference'], control['low'], control['high'])} `{control['control']}`"
        if control
        else "",
        f"{after / before:.2f}" if before else "",
    ]


def _transfer(row: Row) -> list[str]:
    name, _, kind = row["intervention"].partition("@")
    found = row["change_by_type"]
    return [
        kind,
        f"`{name}`",
        f"{row['strength']:g}",
        *(_interval(*found[k]) for k in ("syllogism", "transitive")),
    ]


def _interval(value: float, low: float, high: float) -> str:
    return f"{value:+.3f} [{low:+.3f}, {high:+.3f}]"


def _p(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def main(check: bool) -> int:
    """Write or check the page; the exit code says whether it was out of date."""
    old = PAGE.read_text()
    new = rendered(old, json.loads(FIGURES.read_text()), json.loads(OTHERS.read_text()))
    if new != old and not check:
        PAGE.write_text(new)
    if new != old:
        sys.stdout.write(f"docs/steering.md {'is out of date: make docs' if check else 'written'}\n")
    return int(new != old and check)


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv))
