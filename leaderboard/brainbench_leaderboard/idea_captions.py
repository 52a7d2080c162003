"""What is said beneath the tables of ideas: what the numbers are, and why some are not there."""

from __future__ import annotations

from collections.abc import Iterable

from brainbench.text import plain
from brainbench_leaderboard.captions import of_ranks
from brainbench_leaderboard.idea_view import UNRATED, UNVALIDATED, validity, who
from brainbench_leaderboard.values import STATES, Row


def legend(rows: Iterable[Row]) -> list[str]:
    """What the numbers are."""
    scored = [row for row in rows if row["outcome"] == "scores"]
    if not scored:
        return []
    scales = {row["scorer"]: (row["scale_low"], row["scale_high"]) for row in scored}
    scale = ", ".join(f"{plain(name)} {low:g} to {high:g}" for name, (low, high) in scales.items())
    lines = [
        "score: of the texts that a model wrote, mean over objects of the mean over an object's texts "
        f"({scale}) [95 % interval for other objects like these: they are resampled, each with its texts]",
    ]
    lines += of_ranks(scored, "among models as they are", "objects")
    if any(row["unscored"] for row in scored):
        lines.append("unscored: texts that are empty or that the scorer could not score; they are left out")
    if any(row["validity"] is not None for row in scored):
        lines.append(
            "scorer's validity: Pearson's r of its scores of people's responses, which it has not seen, "
            "with what raters thought of these [95 %]; below, the mean of r within objects: a score may know "
            "about which objects people say original things, and not which these are"
        )
    missing = {_spec(row): None for row in scored if validity(row) == (UNVALIDATED,)}
    lines += [f"not validated: {validating(spec)}" for spec in missing]
    if any(validity(row) == (UNRATED,) for row in scored):
        lines.append("no ratings: nobody rated what this scorer scores, and how far it agrees is not known")
    if any(row["simulated"] for row in scored):
        lines.append("of simulated datasets only the brains are made up: questions and texts are real")
    if any(row["against_base"] for row in scored):
        lines.append(
            "above unchanged: of a changed model, its score minus that of the same model as it is, object by "
            "object [95 % interval for other objects], p of the sign-flip test over objects"
        )
    if any(row["intervention"] != "none" for row in scored):
        lines.append("never ranked: changed models, which may have learnt from these very objects")
    return lines


def reasons(rows: Iterable[Row]) -> list[str]:
    """What was skipped or failed and why, each reason once with the models that it met."""
    met: dict[str, dict[str, None]] = {}
    for row in rows:
        if row["outcome"] != "scores":
            where = f" on {row['dataset']}" if row["dataset"] else ""
            reason = f"{STATES[row['outcome']]}. {row['reason']} {row['hint'] or ''}".strip()
            met.setdefault(f"{where}, {row['scorer']}: {reason}", {})[who(row)] = None
    return [plain(f"{', '.join(models)}{reason}") for reason, models in met.items()]


def validating(spec: str) -> str:
    """The command for a scorer with its helper, and how a helper is named that may be a folder's."""
    bare = "" if "/" in spec or ":" in spec else " (a model in a folder: with its path behind the @)"
    return f"brainbench scorer validate {plain(spec)}{bare}"


def _spec(row: Row) -> str:
    return f"{row['scorer']}@{row['helper']}"
