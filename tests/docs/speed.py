"""Writes the table of docs/speed.md from docs/speed.json, which the benchmarks write where SPEED names it.

What it says of the published page comes from docs/page.json.

SPEED=docs/speed.json make bench
python -m benchmarks.page --json docs/page.json
python tests/docs/speed.py [--check]
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PAGE, FIGURES = ROOT / "docs/speed.md", ROOT / "docs/speed.json"
BLOCK = re.compile(r"(<!-- speed -->\n)(.*?)(<!-- end speed -->)", re.DOTALL)
SITE, SITE_BLOCK = (
    ROOT / "docs/page.json",
    re.compile(r"(<!-- page -->\n)(.*?)(<!-- end page -->)", re.DOTALL),
)
SITE_WORDS = (
    "A made-up board of {models} models and {records:,} records: `brainbench board publish` writes {files:,} "
    "files of {site_megabytes:g} MB in {publish_seconds:g} s of a processor. The front page with its data "
    "and scripts has {front_megabytes:g} MB (goal: at most 5), the largest page {largest_megabytes:g} MB. "
    "Opened from the disk in Chromium it is first painted after {first_paint_seconds:g} s (goal: at most 2), "
    "the table stands after {table_seconds:g} s and is sorted anew in {sorted_seconds:g} s.\n\n"
    "Made by `python -m benchmarks.page --json docs/page.json`.\n"
)
HEADINGS = (
    "what",
    "peer",
    "ours, s",
    "peer, s",
    "ratio",
    "goal",
    "met",
    "numbers differ by",
    "GEMM",
    "memory",
)


def rendered(text: str, held: dict[str, list[dict[str, Any]]]) -> str:
    """The page with its table written anew, and what is missed below it."""
    lines = [f"| {' | '.join(HEADINGS)} |", "|---" * len(HEADINGS) + "|"]
    reasons = []
    for rows in held.values():
        for row in rows:
            lines.append(f"| {' | '.join(cells(row))} |")
            if met(row) == "**no**":
                reasons.append(
                    f"- {row['name']}, against {row['peer']}: {row.get('why') or 'no reason known'}."
                )
    commands = ", ".join(
        f"`python -m benchmarks.{name}`" for name in dict.fromkeys(c.split()[0] for c in held)
    )
    table = "\n".join(lines) + f"\n\nMade by {commands}.\n"
    if reasons:
        table += "\nNot met:\n\n" + "\n".join(reasons) + "\n"
    return BLOCK.sub(lambda match: match[1] + table + match[3], text)


def of_the_page(text: str, told: dict[str, Any]) -> str:
    """The page with what is said of the published page written anew."""
    return SITE_BLOCK.sub(lambda match: match[1] + SITE_WORDS.format(**told) + match[3], text)


def cells(row: dict[str, Any]) -> list[str]:
    """A row's cells."""
    part = "" if row["timed"].startswith("all of it") else f" ({row['timed']})"
    difference, share, peak = (row.get(name) for name in ("difference", "gemm", "peak"))
    return [
        row["name"],
        row["peer"] + part,
        f"{row['ours']:.3g}",
        f"{row['theirs']:,.3g}" if row["theirs"] < 1000 else f"{row['theirs']:,.0f}",
        ratio(row),
        f"{row['goal']:,.3g}" if 0 < row["goal"] < 1000 else f"{row['goal']:,.0f}" if row["goal"] else "",
        met(row),
        "" if difference is None else f"{difference:.0e}",
        "" if share is None else f"{share:.0%}",
        "" if peak is None else f"{peak:.1f} GiB",
    ]


def ratio(row: dict[str, Any]) -> str:
    """How many times the peer's time is ours."""
    times = row["theirs"] / row["ours"]
    return f"{times:,.0f}" if times >= 10 else f"{times:.2g}"


def met(row: dict[str, Any]) -> str:
    """Whether goals are met; nothing where there are none."""
    if not any(row.get(name) for name in ("goal", "gemm", "peak")):
        return ""
    return "yes" if row["met"] else "**no**"


def main(check: bool) -> int:
    """Write or check the page; the exit code says whether it was out of date."""
    old = PAGE.read_text()
    new = of_the_page(rendered(old, json.loads(FIGURES.read_text())), json.loads(SITE.read_text()))
    if new != old and not check:
        PAGE.write_text(new)
    if new != old:
        sys.stdout.write(f"docs/speed.md {'is out of date: make docs' if check else 'written'}\n")
    return int(new != old and check)


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv))
