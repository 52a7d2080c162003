"""What stands in one place of a table, as text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from brainbench.text import plain

Row = Mapping[str, Any]
CHOSEN = "cross-validated"  # a headline over layers chosen on other data: no single layer to name
STATES = {"scores": "-", "skip": "skipped", "failure": "failed"}


@dataclass(frozen=True, slots=True)
class Value:
    """What stands in one place of a table; `state` is "scores", "skip", "failure" or "missing".

    `above`: how far it stands above the best dull predictor, with its interval, once with three decimals and
    `briefly` with two; and `beside` that one's name. `tested`: the score's interval and p value; `beyond`:
    what is left beyond all dull predictors together.
    """

    text: str
    state: str
    layer: str = ""
    above: str = ""
    briefly: str = ""
    beside: str = ""
    tested: str = ""
    beyond: str = ""


def value_of(row: Row | None) -> Value:
    """What stands in a row's place."""
    if row is None:
        return Value("not run", "missing")
    if row["outcome"] != "scores":
        return Value(STATES[row["outcome"]], row["outcome"])
    text = f"{row['score']:.3f} ± {row['spread']:.3f}"
    layer = "" if row["best_layer"] == CHOSEN else plain(row["best_layer"])
    return Value(text, "scores", layer, *_above(row), *_judged(row))


def _judged(row: Row) -> tuple[str, str]:
    """The score's interval and p value, and what is left beyond all dull predictors; empty where unknown."""
    said = [_limits(row["low"], row["high"])] if row["low"] is not None else []
    if row["p"] is not None:
        said.append(f"p {row['p']:.3f}" if row["p"] >= 0.0005 else f"p {row['p']:.0e}")
    beyond = ""
    if row["beyond"] is not None and not row["baseline"]:  # a dull predictor is nothing beyond itself
        beyond = f"{row['beyond']:+.3f}"
        if row["beyond_low"] is not None:
            beyond += f" {_limits(row['beyond_low'], row['beyond_high'])}"
    return ", ".join(said), beyond


def _limits(low: float, high: float) -> str:
    return f"[{low:.3f}, {high:.3f}]"


def _above(row: Row) -> tuple[str, str, str]:
    """How far a score stands above the best dull predictor, and which one that is; empty where unknown."""
    if row["above_by"] is None:
        return "", "", ""
    numbers = [row["above_by"], row["above_low"], row["above_high"]]
    exact, rough = (
        [
            f"{number:{sign}.{digits}f}"
            for number, sign in zip(numbers, "+--", strict=True)
            if number is not None
        ]
        for digits in (3, 2)
    )
    short = [re.sub(r"^([+-]?)0\.", r"\1.", number) for number in rough]
    by = f"{exact[0]} [{', '.join(exact[1:])}]" if exact[1:] else exact[0]
    brief = f"{short[0]} [{','.join(short[1:])}]" if short[1:] else short[0]
    return by, brief, short_name(row["above"])


def short_name(name: str) -> str:
    """A baseline's name without what says that it is one."""
    return plain(name.removeprefix("baseline:"))


def drawn(sampling: Mapping[str, Any]) -> str:
    """How a model's texts were drawn, behind a title; nothing where it wrote none."""
    if not sampling:
        return ""
    return (
        f"; texts: {sampling['count']} each, temperature {sampling['temperature']:g}, top-p "
        f"{sampling['top_p']:g}, at most {sampling['tokens']} tokens, seed {sampling['seed']}"
    )
