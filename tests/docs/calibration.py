"""Writes the tables of docs/calibration.md from the files that the simulations keep in docs/calibration.

`--check` says whether the page is out of date and fails; `make docs` writes it.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PAGE, FOLDER = ROOT / "docs/calibration.md", ROOT / "docs/calibration"
BLOCK = re.compile(r"(<!-- figures: (\w+)/(\w+) -->\n)(.*?)(<!-- end figures -->)", re.DOTALL)


def _with_interval(name: str, form: str) -> str:
    """A template: a figure and, in brackets, both ends of its interval."""
    return f"{{{name}:{form}}} ({{{name}_low:{form}}} to {{{name}_high:{form}}})"


_REJECTED = ("`robust`: p ≤ .05", _with_interval("rejected", ".3f"))
_TIMES = ("repetitions", "{repetitions}")
_ALARMS = (
    ("analysis", "{name}"),
    _TIMES,
    ("p ≤ .05", _with_interval("rejected", ".2f")),
    ("0 in its interval", "{holds:.2f}"),
    ("0 in that for other people and items", "{others:.2f}"),
    ('all three: "shown"', _with_interval("shown", ".2f")),
)
FIGURES: dict[str, tuple[tuple[str, str], ...]] = {  # heading and template of each column
    "rsa_null/layers": (
        ("model", "{name}"),
        _TIMES,
        ("`paper`: score", _with_interval("paper", ".3f")),
        ("highest layer, picked afterwards", _with_interval("best_raw", ".4f")),
        ("`robust`: score", _with_interval("robust", "+z.4f")),
        _REJECTED,
    ),
    "rsa_null/trend": (
        ("score", "{name}"),
        _TIMES,
        ("more for 16 layers more", _with_interval("slope", "+z.4f")),
        ("r of score and number of layers", "{r:+z.2f}"),
    ),
    "rsa_null/known": (
        ("dataset, region, items", "{name}"),
        _TIMES,
        ("`paper`: score", "{paper:.2f}"),
        ("`robust`: score", _with_interval("robust", "+z.3f")),
        ("type included", "{aggregate:+z.3f}"),
        _REJECTED,
        ("0 in the interval", "{interval_holds_0:.3f}"),
    ),
    "predictivity_null/cases": (
        ("dataset, region, items, people", "{name}"),
        _TIMES,
        ("`paper`: score", "{paper:.3f}"),
        ("`robust`: score", _with_interval("robust", "+z.3f")),
        _REJECTED,
        ("95 % interval holds the mean", _with_interval("covered", ".3f")),
    ),
    "predictivity_null/power": (
        ("planted share of variance", "{percent:.0f} %"),
        _TIMES,
        ("`paper`: score", "{paper:.3f}"),
        ("`robust`: score", _with_interval("robust", "+z.3f")),
        _REJECTED,
        ("95 % interval holds the mean", _with_interval("covered", ".3f")),
    ),
    "predictivity_null/columns": (
        ("columns", "{name}"),
        _TIMES,
        ("`robust`", _with_interval("robust", "+z.3f")),
        ("`paper`", _with_interval("paper", "+z.3f")),
        ("r over all held-out items", _with_interval("pooled", "+z.3f")),
    ),
    "ranks_null/equal": (
        ("world", "{name}"),
        ("tables", "{tables}"),
        ("any two told apart", _with_interval("alarm", ".3f")),
    ),
    "ranks_null/planted": (
        ("world", "{name}"),
        ("tables", "{tables}"),
        ("of the pairs that differ, told apart", _with_interval("found", ".2f")),
        ("all ranks right", "{right:.2f}"),
        ("equal ones told apart", "{alarm:.3f}"),
        ("a pair turned round", "{reversed:.3f}"),
    ),
    **{f"analyses_null/{world}": _ALARMS for world in ("nothing_shared", "alike_by_size", "shared_by_all")},
}
ONE_ROW = {  # templates of both protocols, a line for each figure
    "rsa_null/null": (
        ("score, mean", _with_interval("paper", ".3f"), _with_interval("robust", "+z.4f")),
        ("score, SD over repetitions", "{paper_sd:.3f}", "{robust_sd:.4f}"),
        (
            "lowest and highest score",
            "{paper_lowest:.3f}, {paper_highest:.3f}",
            "{robust_lowest:+z.4f}, {robust_highest:+z.4f}",
        ),
        ("people kept", "{share_kept:.3f}", "all"),
        ("values clipped to -1 or 1", "{share_clipped:.3f}", "none"),
        ("p at most .05", "has no p value", _with_interval("rejected", ".3f")),
        ("0 in the 95 % interval", "has no interval", _with_interval("interval_holds_0", ".3f")),
    )
}


def rendered(text: str) -> str:
    """The page with each table written anew."""
    return BLOCK.sub(lambda match: match[1] + figures_block(match[2], match[3]) + match[5], text)


def figures_block(file: str, part: str) -> str:
    """A table of what a simulation found, from the file that its script writes."""
    held = json.loads((FOLDER / f"{file}.json").read_text())
    if part == "versions":
        made = [f"`{name}` version {version}" for name, version in held["settings"]["versions"].items()]
        return f"{file}.json: {', '.join(made)}.\n"
    rows = held["summary"][part]
    columns, one = FIGURES.get(f"{file}/{part}"), ONE_ROW.get(f"{file}/{part}")
    if one:
        (row,) = rows
        lines = [f"| of {row['repetitions']} repetitions | `paper` | `robust` |", "|---|---|---|"]
        lines += [f"| {' | '.join(_filled(text, row) for text in line)} |" for line in one]
    else:
        assert columns
        lines = [f"| {' | '.join(heading for heading, _ in columns)} |", "|---" * len(columns) + "|"]
        lines += [f"| {' | '.join(_filled(text, row) for _, text in columns)} |" for row in rows]
    return "\n".join(lines) + "\n"


def _filled(template: str, row: dict[str, Any]) -> str:
    """The template with a row's values; nothing where the row lacks one."""
    try:
        return template.format(**row)
    except KeyError:
        return ""


def main() -> int:
    """Write the page, or check it; the exit code says whether it was out of date."""
    old = PAGE.read_text()
    new = rendered(old)
    check = "--check" in sys.argv[1:]
    if new != old:
        sys.stdout.write(f"docs/calibration.md {'is out of date: make docs' if check else 'written'}\n")
        if not check:
            PAGE.write_text(new)
    return int(check and new != old)


if __name__ == "__main__":
    sys.exit(main())
