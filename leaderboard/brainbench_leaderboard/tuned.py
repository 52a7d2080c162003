"""What fine-tuning did to a model's answers, over all trainings of an arm: they differ in the seed alone.

An arm stands beside the same model before training, beside the same training on the answers alone
(label-only), and, where a brain guided it, beside its best control: the one of the highest mean accuracy on
the very items that are compared, over the seeds that both have. Trainings are paired by seed, since those of
one seed share all that is drawn at random.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from brainbench.errors import ShapeError
from brainbench.plan import NOTHING
from brainbench.seeded_pairs import compare_over_seeds
from brainbench.task_pairs import Answers
from brainbench_leaderboard.controls import Row, arms_of, is_control_of, is_label_only

Pairs = list[tuple[Row, Row]]  # by seed: of what it is compared with, of the arm


def over_seeds(
    arms: Collection[str], others: Sequence[Row], sources: Mapping[str, str], read: Callable[[str], Answers]
) -> Iterator[tuple[str, Row]]:
    """For each of these arms, among the scored rows of one model asked one question, what its trainings say.

    seeds; accuracy, their mean, and sd, None of one; against_base, against_label_only and against_control:
    None where there is nothing to compare with, or seeds (of those that both have), the other's mean
    accuracy, difference of the means with low and high (95 %, for other problems and, of several seeds, other
    trainings), by_seed, sd of the differences, gain and harm; against_control also control, its name, and
    controls, of how many it is the best. unchanged: in how many trainings no epoch was better than none.
    perplexity: as a multiple of that before. Means over trainings, None where not known: cosine and
    cosine_heldout of the brain loss [before, after], epochs, train_seconds.
    """
    base, names = base_of(others), arms_of(others)
    known: dict[str, list[Row]] = {}
    for row in others:
        if row["tuned"] and not row["outdated"]:
            known.setdefault(row["arm"], []).append(row)
    for arm in arms:
        rows = sorted(known.get(arm, []), key=lambda row: str(row["training_seed"]).zfill(20))
        if not rows:
            continue
        pairs = [(base, row) for row in rows] if base else []
        controls = {name: own for name in known if (own := _controls(rows, known[name], sources, names))}
        alone = [own for own in controls.values() if is_label_only(own[0][0])]
        yield (
            arm,
            {
                **_means(rows),
                "against_base": _compared(pairs, read),
                "against_label_only": _compared(_best(alone), read),
                "against_control": _against_best(rows, list(controls.values()), read),
            },
        )


def base_of(others: Iterable[Row]) -> Row | None:
    """The model as it is, in its newest result."""
    bases = [other for other in others if other["intervention"] == NOTHING and other["resolved"]]
    return max(bases, key=lambda other: str(other["started"]), default=None)


def _controls(rows: list[Row], its: list[Row], sources: Mapping[str, str], names: Collection[str]) -> Pairs:
    """The trainings of another arm that are controls for these, each with the one it is a control for."""
    return [(other, row) for row in rows for other in its if is_control_of(row, other, sources, names)]


def _best(controls: list[Pairs]) -> Pairs:
    """Of those that share the most seeds, the one of the highest mean accuracy."""
    return min(
        controls,
        key=lambda own: (-len(own), -_accuracy(own), own[0][0]["intervention"], own[0][0]["fingerprint"]),
        default=[],
    )


def _against_best(rows: list[Row], controls: list[Pairs], read: Callable[[str], Answers]) -> Row | None:
    if rows[0]["role"] != "brain" or not controls:
        return None
    most = max(map(len, controls))
    told = _compared(_best(controls), read)
    number = sum(len(own) == most for own in controls)
    return told and {**told, "control": _best(controls)[0][0]["intervention"], "controls": number}


def _accuracy(pairs: Pairs) -> float:
    return float(np.mean([other["accuracy"] for other, _ in pairs]))


def _compared(pairs: Pairs, read: Callable[[str], Answers]) -> Row | None:
    """None also where the items are others: a task may have changed under its name."""
    if not pairs:
        return None
    try:
        found = compare_over_seeds([(read(a["fingerprint"]), read(b["fingerprint"])) for a, b in pairs])
    except ShapeError:
        return None
    return {
        "seeds": [row["training_seed"] for _, row in pairs],
        "accuracy": _accuracy(pairs),
        "difference": found.difference,
        "low": found.interval.low,
        "high": found.interval.high,
        "by_seed": list(found.by_seed),
        "sd": found.sd,
        "gain": found.gain,
        "harm": found.harm,
    }


def _means(rows: list[Row]) -> Row:
    accuracies = [row["accuracy"] for row in rows]
    ratios = [_ratio(row["perplexity_before"], row["perplexity_after"]) for row in rows]
    told = [row["details"].get("tuning") for row in rows]
    return {
        "seeds": [row["training_seed"] for row in rows],
        "accuracy": float(np.mean(accuracies)),
        "sd": float(np.std(accuracies, ddof=1)) if len(rows) > 1 else None,
        "perplexity": _mean(ratios),
        "cosine": _both(told, "cosine"),
        "cosine_heldout": _both(told, "cosine_heldout"),
        "unchanged": sum(_within(one, "training", "best_epoch") == 0 for one in told),
        "epochs": _mean([_within(one, "training", "epochs") for one in told]),
        "train_seconds": _mean([_within(one, "training", "seconds") for one in told]),
    }


def _both(told: list[Any], name: str) -> list[float] | None:
    """Means before and after of what each training says of the brain."""
    found = [_mean([_within(one, "brain", name, at) for one in told]) for at in (0, 1)]
    return None if None in found else found  # type: ignore[return-value]


def _within(told: Any, *path: str | int) -> Any:
    """What stands there; None where nothing does: facts of what was kept come from a file."""
    for step in path:
        try:
            told = told[step]
        except (KeyError, IndexError, TypeError):
            return None
    return told


def _ratio(before: Any, after: Any) -> float | None:
    return after / before if _is_number(before) and _is_number(after) and before else None


def _mean(values: list[Any]) -> float | None:
    known = [value for value in values if _is_number(value)]
    return float(np.mean(known)) if known else None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
