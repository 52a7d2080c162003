"""What is said beneath the tables: what the numbers are, and why some are not there."""

from __future__ import annotations

from collections.abc import Iterable

from brainbench.text import plain
from brainbench_leaderboard.ties import nothing_to_tell
from brainbench_leaderboard.values import STATES, Row


def legend(rows: Iterable[Row], *, detailed: bool = True) -> list[str]:
    """What the numbers in the tables are, for each way in which they were made; briefly, or in detail."""
    scored = [row for row in rows if row["outcome"] == "scores"]
    if not scored:
        return []
    scored = [row for row in scored if not row["baseline"]] or scored  # baselines are scored in the same way
    lines: dict[str, None] = {}
    for row in scored:
        metric = f"{row['metric']} ({row['protocol']})"
        if detailed:
            over = f"{row['spread_kind']} over {row['participants']} people"
            lines[f"{metric}: score ± {over}; under it the layer: {row['choice']}"] = None
        else:
            lines[f"{metric}: score ± {row['spread_kind']} over people; layer: {row['choice']}"] = None
        if row["ceiling_choice"]:
            own = row["ceiling_like_for_like"] is not None and not detailed
            what = "how well people predict a person, on the scores' scale" if own else row["ceiling_choice"]
            lines[f"{metric}: ceiling is {what}" if own else f"{metric}: ceiling is the {what}"] = None
    across = list(dict.fromkeys(row["above_across"] for row in scored if row["above_across"]))
    if across:
        lines[f"[ ]: above the best dull predictor, 95 % interval over {' or '.join(across)}"] = None
    if detailed and any(row["beyond"] is not None for row in scored):
        lines[
            "beyond: what is left beyond all dull predictors together (predictivity: the share of held-out "
            "variance that a layer adds to theirs; rsa: the partial correlation)"
        ] = None
    ranks = of_ranks(scored, "in the first region", "people", detailed=detailed)
    return [plain(line) for line in (*lines, *ranks)]


def of_ranks(rows: Iterable[Row], where: str, units: str, *, detailed: bool = True) -> list[str]:
    """What a rank is, of these scored rows, and where none can be told apart or one has none for a reason."""
    rows = list(rows)
    if not any(row["rank"] or row["rank_note"] for row in rows):
        return []
    how = (
        f": 1 + how many are known to be better by the mean over {units} (sign flips over {units}, all pairs "
        "at once, 5 %)"
        if detailed
        else ""
    )
    lines = [f"# rank {where}, shared by those that cannot be told apart{how}; baselines have none"]
    if few := [row["rank_units"] for row in rows if nothing_to_tell(row)]:
        lines.append(f"#: with {max(few)} {units} no two models can be told apart, however they differ")
    return lines + [f"#: {note}" for note in dict.fromkeys(row["rank_note"] for row in rows) if note]


def reasons(rows: Iterable[Row]) -> list[str]:
    """What was skipped or failed, each reason once with the cells that it met."""
    met: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        where = f"{row['dataset']}, {row['region']}, {row['item_set']} items, {row['metric']}"
        if row["outcome"] != "scores":
            reason = f"{row['reason']} {row['hint'] or ''}".strip()
            met.setdefault((f"{row['model']}: {STATES[row['outcome']]}", reason), []).append(where)
        if row["ceiling_outcome"] not in (None, "scores"):
            ceiling = met.setdefault(
                (f"ceiling: {STATES[row['ceiling_outcome']]}", row["ceiling_reason"]), []
            )
            ceiling += [] if where in ceiling else [where]
    return [
        plain(f"{who}. {reason} ({cells[0] if len(cells) == 1 else f'{len(cells)} cells'})")
        for (who, reason), cells in met.items()
    ]
