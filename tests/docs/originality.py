"""Writes the tables of docs/originality.md from the figures that benchmarks/originality.py found.

python tests/docs/originality.py [--check]
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PAGE, FIGURES = ROOT / "docs/originality.md", ROOT / "docs/originality.json"
TABLE = re.compile(r"(<!-- table: (\w+) -->\n)(.*?)(<!-- end table -->)", re.DOTALL)
WORDS = re.compile(r"(<!-- (counts|copies|versions) -->)(.*?)(<!-- end \2 -->)", re.DOTALL)
NAMES = {
    "trained-judge": "`trained-judge`",
    "trained-judge, other objects": "`trained-judge`, other objects",
    "semantic-distance": "`semantic-distance`",
    "words": "number of words",
    "characters": "number of characters",
    "mean of the object": "mean of the object",
}
Row = dict[str, Any]


def rendered(text: str, held: Row) -> str:
    """The page with tables and figures written anew."""
    tables = {"scorers": scorers, "objects": objects, "tried": tried}
    words = {"counts": counts, "copies": copies, "versions": versions}
    text = TABLE.sub(lambda found: found[1] + tables[found[2]](held) + found[4], text)
    return WORDS.sub(lambda found: found[1] + words[found[2]](held) + found[4], text)


def scorers(held: Row) -> str:
    """Agreement over all and within objects, a line for each predictor."""
    headings = ("predictor", "r over all", "Spearman over all", "mean r within objects", "all 3,030")
    lines = []
    for row in held["rows"]:
        assert row["unscored"] == 0, row["name"]
        cells = [NAMES[row["name"]], interval(row["pearson"]), interval(row["spearman"])]
        cells += [interval(row["by_object_mean"]), f"{row['whole']['r']:.3f}"]
        lines.append(cells)
    return table(headings, lines)


def objects(held: Row) -> str:
    """r by object, the objects with most responses first."""
    shown = ("trained-judge", "trained-judge, other objects", "semantic-distance", "words")
    rows = {row["name"]: row["by_object"] for row in held["rows"] if row["name"] in shown}
    counted = {name: found["n"] for name, found in rows[shown[0]].items()}
    lines = [
        [name, f"{n}", *(f"{rows[one][name]['r']:.2f}" for one in shown)]
        for name, n in sorted(counted.items(), key=lambda pair: -pair[1])
    ]
    return table(("object", "responses", *(NAMES[one] for one in shown)), lines)


def tried(held: Row) -> str:
    """What was compared before the test split was looked at."""
    lines = [
        [row["name"], f"{row['columns']:,}", f"{row['validation']:.3f}", f"{row['other_objects']:.3f}"]
        for row in held["tried"]
    ]
    return table(("regression", "columns", "same objects", "other objects"), lines)


def counts(held: Row) -> str:
    """How many responses of the test split are not held out."""
    test, left = held["counts"]["test"], held["counts"]["held_out"]
    return (
        f"{test - left} of the {test:,} test responses also occur in another split about the same object, in "
        f"whatever case and spacing; they are left out, and scorers are held to the other {left:,}."
    )


def copies(held: Row) -> str:
    """How many held-out responses are near copies of learnt ones, and what the judge reaches without them."""
    left, near, judge = held["counts"]["held_out"], held["counts"]["near_copies"], held["without_near_copies"]
    over, within = judge["pearson"]["r"], judge["by_object_mean"]["r"]
    return (
        f"{near:,} of the {left:,} have the words of one about the same object that was learnt from, but for "
        "their order, plurals, punctuation and small words (a, an, the, as, for, it, to, use). Without "
        f"these, `trained-judge` comes to r = {over:.3f} over all and {within:.3f} within objects."
    )


def versions(held: Row) -> str:
    """The versions of the scorers that the figures are of."""
    return ", ".join(f"{name} {version}" for name, version in held["versions"].items())


def interval(found: Row | None) -> str:
    """A correlation and its interval; nothing where there is none."""
    return f"{found['r']:.3f} [{found['low']:.3f}, {found['high']:.3f}]" if found else "does not vary"


def table(headings: tuple[str, ...], lines: list[list[str]]) -> str:
    """In Markdown."""
    rows = [" | ".join(headings), "---|" * (len(headings) - 1) + "---", *(" | ".join(line) for line in lines)]
    return "".join(f"|{row}|\n" if row.startswith("---") else f"| {row} |\n" for row in rows)


def main(check: bool) -> int:
    """Write or check the page; the exit code says whether it was out of date."""
    old = PAGE.read_text()
    new = rendered(old, json.loads(FIGURES.read_text()))
    if new != old and not check:
        PAGE.write_text(new)
    if new != old:
        sys.stdout.write(f"docs/originality.md {'is out of date: make docs' if check else 'written'}\n")
    return int(new != old and check)


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv))
