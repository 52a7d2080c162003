"""What is said beneath a model's scores: what the numbers are, and why a ceiling is not there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from brainbench.text import plain
from brainbench_leaderboard.values import STATES, Row

LONGEST = 400  # characters of a reason; the data file has all of it


def of(rows: Sequence[Row]) -> Iterator[str]:
    """Lines for the rows of one metric."""
    scored = [row for row in rows if row["outcome"] == "scores"]
    if scored:
        yield from map(cut, _scores(scored))
    reasons: dict[str, int] = {}
    for row in rows:
        if row["ceiling_outcome"] not in (None, "scores"):
            said = f"ceiling {STATES[row['ceiling_outcome']]}: {row['ceiling_reason']}"
            reasons[said] = reasons.get(said, 0) + 1
    for said, count in reasons.items():
        yield cut(plain(f"{said} ({count} of {len(rows)} lines)"))


def cut(text: str) -> str:
    """Not without end."""
    left = len(text) - LONGEST
    return text if left <= 0 else f"{text[:LONGEST]}... ({left} more characters)"


def _scores(scored: Sequence[Row]) -> Iterator[str]:
    people = sorted({int(row["participants"]) for row in scored})
    over = f"{people[0]}" if len(people) == 1 else f"{people[0]} to {people[-1]}"
    interval = "; below it a 95 % interval" if any(row["low"] is not None for row in scored) else ""
    for kind in dict.fromkeys(row["spread_kind"] for row in scored):
        yield plain(f"score ± {kind} over {over} people{interval}")
    for choice in dict.fromkeys(row["choice"] for row in scored):
        yield plain(f"layer: {choice}")
    for choice in dict.fromkeys(row["ceiling_choice"] for row in scored if row["ceiling_choice"]):
        yield plain(f"ceiling: {choice}")
    if any(row["ceiling_like_for_like"] is not None for row in scored):
        yield "like for like: how well people predict a person, on the scores' own scale"
    across = dict.fromkeys(row["above_across"] for row in scored if row["above_across"])
    if any(row["above_by"] is not None for row in scored):
        held = f", with a 95 % interval over {' or '.join(across)}" if across else ""
        yield plain(f"above that: distance above the best dull predictor{held}")
    if any(row["beyond"] is not None and not row["baseline"] for row in scored):
        yield (
            "beyond all dull: what is left beyond all dull predictors together (predictivity: the share of "
            "held-out variance that the layer adds to theirs; rsa: the partial correlation)"
        )
    if any(row["rank"] is not None for row in scored):
        yield "rank: among models as they are; those that cannot be told apart share one"
    yield from (plain(note) for note in dict.fromkeys(row.get("rank_note") for row in scored) if note)
