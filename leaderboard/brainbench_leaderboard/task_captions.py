"""What is said beneath the tables of tasks: what the numbers are, and why some are not there."""

from __future__ import annotations

from collections.abc import Iterable

from brainbench.plan import NOTHING
from brainbench.text import plain
from brainbench_leaderboard.captions import of_ranks
from brainbench_leaderboard.tuned_captions import of_tuning
from brainbench_leaderboard.values import STATES, Row


def legend(rows: Iterable[Row]) -> list[str]:
    """What the numbers are."""
    scored = [row for row in rows if row["outcome"] == "scores"]
    changed = [row for row in scored if row["intervention"] != NOTHING]
    steered = [row for row in changed if not row["tuned"]]
    tuned = [row for row in changed if row["tuned"]]
    if not scored:
        return []
    lines = [
        "accuracy: share of items answered rightly [95 % interval for other problems: they are resampled, "
        "each in all its forms]",
        "greedy: share of items for which greedy decoding spells the right answer; the accuracy takes the "
        "likelier of the answers",
    ]
    if len(changed) == len(scored):
        lines = ["accuracy: share of items answered rightly"]
    if any(row["people_accuracy"] is not None for row in scored):
        lines.append(
            "kappa: agreement with a person on which items are right, beyond what their accuracies give by "
            "chance (0), mean over people"
        )
    lines += of_ranks(
        scored, "by accuracy: of models as they are among these, of changed ones among all", "problems"
    )
    by, of = (_of_steering(steered) if steered else []), (of_tuning(tuned) if tuned else [])
    if by and of:  # each has its own change, ppl and so on
        by, of = [f"steering, {line}" for line in by], [f"fine-tuning, {line}" for line in of]
    return lines + by + of


def _of_steering(steered: list[Row]) -> list[str]:
    lines = []
    if any(row["against_base"] for row in steered):
        lines.append(
            "change: accuracy minus that of the same model unsteered, on the same items [95 % interval for "
            "other problems]; gain, harm: shares of items turned right and wrong"
        )
        lines.append(
            "p items: McNemar's exact test, too sure of itself where a problem comes in several forms; "
            "problems: sign-flip test of the problems' mean changes"
        )
    if any(row["against_control"] for row in steered):
        lines.append(
            "over best control: accuracy minus that of the best control of the same model, task and "
            "data [95 % interval]; it is picked by its accuracy on these very items, which is hard on the "
            "brain-guided one"
        )
    if any(row["perplexity_after"] is not None for row in steered):
        lines.append("ppl: perplexity on neutral text, as a multiple of the unsteered model's")
    if any(row["against_base"] is None for row in steered):
        lines.append(
            "change -: the model has no unsteered result to compare with; `--intervention none` makes one"
        )
    if alone := [row for row in steered if row["role"] == "brain" and row["against_control"] is None]:
        saved = not all(row["learnt_from"] for row in alone)
        kept = ", for a kept steering `brainbench steer fit`" if saved else ""
        lines.append(
            "over best control -: no control of the same model, task, data and kind; "
            f"`--intervention random-direction` makes one{kept}"
        )
    if any(row["unranked"] for row in steered):
        lines.append(
            "never ranked: what was told the right answers or their scans (oracle), had its strength chosen "
            "on the test set, was fitted on the task's own items, or does not say what it has seen"
        )
    return lines


def reasons(rows: Iterable[Row]) -> list[str]:
    """What was skipped or failed and why, each reason once with the models and tasks that it met."""
    met: dict[str, dict[str, dict[str, None]]] = {}
    for row in rows:
        if row["outcome"] != "scores":
            change = "" if row["intervention"] == NOTHING else f" + {row['intervention']}"
            reason = f"{STATES[row['outcome']]}. {row['reason']} {row['hint'] or ''}".strip()
            met.setdefault(reason, {}).setdefault(f"{row['model']}{change}", {})[row["task"]] = None
    lines = []
    for reason, cells in met.items():
        for who, asked in cells.items():
            where = next(iter(asked)) if len(asked) == 1 else f"{len(asked)} tasks"
            lines.append(plain(f"{who} on {where}: {reason}"))
    return lines
