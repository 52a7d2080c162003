"""Writes the README's tables of scores from a results file that holds the runs they name.

    python tests/docs/result_tables.py FILE.db [--check]

`--check` says whether a table is not what the file holds, and fails.
"""

from __future__ import annotations

import argparse
import difflib
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from brainbench_leaderboard.store import Leaderboard

README = Path(__file__).parents[2] / "README.md"
BLOCK = re.compile(r"(<!-- table: (\w+) -->\n)(.*?)(<!-- end table -->)", re.DOTALL)
Row = Mapping[str, Any]
SHOWN = ("stories260k", "untrained:stories260k")
REGIONS = ("deductive_reasoning", "language")
ITEMS = ("all", "syllogism", "transitive")
DULL = {
    "baseline:type": "task type (one bit)",
    "baseline:design": "right answer, premises needed, negation (three numbers)",
    "baseline:characters": "number of characters",
    "baseline:tokens": "number of words and punctuation marks",
    "baseline:words": "bag of words",
    "baseline:own-response-time": "the person's own response time",
    "baseline:others-response-time": "the other people's mean response time",
    "baseline:noise@56": "noise, best of 56 layers",
    "baseline:noise+type@56": "noise and task type, best of 56 layers",
    "baseline:person": "one other person's brain",
}


def table_block(name: str, results: Path) -> str:
    """The table of this name."""
    with Leaderboard(results) as store:
        rows = [
            row
            for row in store.standings()
            if (row["dataset"], row["intervention"], row["seed"]) == ("deduction", "none", 0)
        ]
    paper = [row for row in rows if (row["metric"], row["protocol"]) == ("predictivity", "paper")]
    robust = [row for row in rows if row["protocol"] == "robust" and row["region"] == REGIONS[0]]
    return {
        "deduction": lambda: _models(paper),
        "dull": lambda: _dull(paper),
        "robust": lambda: _robust(robust),
    }[name]()


def _models(rows: Iterable[Row]) -> str:
    cells: dict[tuple[str, str], dict[str, Row]] = {}
    for row in rows:
        if row["model"] in SHOWN:
            cells.setdefault((row["item_set"], row["region"]), {})[row["model"]] = row
    lines = [
        "| items | region | stories260k | random weights | ceiling, extrapolated mean | ceiling, median |",
        "|---|---|---|---|---|---|",
    ]
    for (items, region), models in sorted(cells.items()):
        trained, untrained = (models[name] for name in SHOWN)
        values = [_with_spread(row) for row in (trained, untrained)]
        values += [f"{trained['ceiling']:.3f}", f"{trained['ceiling_like_for_like']:.3f}"]
        lines.append(f"| {items} | {region} | {' | '.join(values)} |")
    return "\n".join(lines) + "\n\n± is the median absolute deviation over people.\n"


def _dull(rows: Iterable[Row]) -> str:
    cells = {(row["model"], row["region"], row["item_set"]): row for row in rows}
    heads = [f"{region}, {items}" for region in REGIONS for items in ITEMS]
    lines = [f"| predictor | {' | '.join(heads)} |", "|---" * (len(heads) + 1) + "|"]
    for model, words in DULL.items():
        values = [_with_spread(cells[model, region, items]) for region in REGIONS for items in ITEMS]
        lines.append(f"| {words} | {' | '.join(values)} |")
    ceilings = [cells["baseline:words", region, items] for region in REGIONS for items in ITEMS]
    limits = [f"{row['ceiling_like_for_like']:.3f}" for row in ceilings]
    lines.append(f"| *ceiling* | {' | '.join(limits)} |")
    return "\n".join(lines) + "\n"


def _robust(rows: Sequence[Row]) -> str:
    lines = [
        "| metric | items | stories260k | random weights | best dull predictor | stories260k above that |"
        " beyond all of them together | ceiling |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for metric in ("predictivity", "rsa"):
        for items in ITEMS:
            here = {row["model"]: row for row in rows if (row["metric"], row["item_set"]) == (metric, items)}
            trained, untrained = (here[name] for name in SHOWN)
            best = here[trained["above"]]
            values = [
                _with_spread(trained),
                _with_spread(untrained),
                f"{_with_spread(best)} ({DULL.get(best['model'], 'random weights')})",
                f"{trained['above_by']:+.3f} [{trained['above_low']:.3f}, {trained['above_high']:.3f}]",
                f"{trained['beyond']:+.4f} [{trained['beyond_low']:.4f}, {trained['beyond_high']:.4f}]",
                f"{trained['ceiling']:.3f}",
            ]
            lines.append(f"| {metric} | {items} | {' | '.join(values)} |")
    return "\n".join(lines) + "\n"


def _with_spread(row: Row) -> str:
    return f"{row['score']:.3f} ± {row['spread']:.3f}" if row["outcome"] == "scores" else "does not vary"


def main() -> int:
    """Write or check; the exit code says whether a table was out of date."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", type=Path)
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    old = README.read_text()
    new = BLOCK.sub(lambda found: found[1] + table_block(found[2], options.results) + found[4], old)
    if new == old:
        return 0
    if options.check:
        sys.stdout.write("".join(difference(old, new)))
        return 1
    README.write_text(new)
    return 0


def difference(old: str, new: str) -> list[str]:
    """The lines that differ."""
    return list(
        difflib.unified_diff(old.splitlines(True), new.splitlines(True), "README.md", "measured", n=0)
    )


if __name__ == "__main__":
    sys.exit(main())
