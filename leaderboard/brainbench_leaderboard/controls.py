"""Who is a control for whom, and what has no rank: for models that were steered, and that were fine-tuned.

A control is learnt from the same data and of the same kind as what it is a control for: what was told the
right answers only stands beside what was told them too, what was chosen on the test set beside what was
chosen so. A steering is never a control for a fine-tuning, nor the reverse. Fine-tunings also share the seed
of the training and all settings but the loss, and go by name: narf-* are controls of narf, narf-label-* of
narf-label, label-only of all. Of the loss they differ in what stands for the brain alone: how much it weighs
and the like stands in both names, but for label-only, which has none of it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from brainbench.plan import NOTHING

Row = dict[str, Any]
LABEL_ONLY = "label-only"
_ARMS = ("narf", "narf-label")
_ORACLE, _UNKNOWN = "oracle", "not known what it has seen"
_PAPER, _STOPPED = "strength chosen on the test set", "stopped on the test set"
_FITTED, _TRAINED = "fitted on these items", "trained on these items"
OUTDATED = "there is a newer result"


def unranked_because(row: Mapping[str, Any]) -> list[str]:
    """Why a changed model's row has no rank, in words; none for one that may be ranked or is not changed."""
    if row["intervention"] == NOTHING or row["outcome"] != "scores":
        return []
    outdated = [OUTDATED] if row["outdated"] else []
    if row["oracle"] is None or row["protocol"] is None or row["seen"] is None:
        return [_UNKNOWN, *outdated]
    chosen, seen = (_STOPPED, _TRAINED) if row["tuned"] else (_PAPER, _FITTED)
    told = {_ORACLE: row["oracle"], chosen: row["protocol"] == "paper", seen: row["seen"] > 0}
    return [words for words, holds in told.items() if holds] + outdated


def is_control_of(row: Row, other: Row, sources: Mapping[str, str], arms: Collection[str]) -> bool:
    """Whether the other row, of the same model asked the same, is a control for this one.

    `sources`: by fingerprint, what a row was learnt from. `arms`: see `arms_of`.
    """
    if other["role"] != "control" or not other["resolved"] or other["outdated"]:
        return False
    if other["learnt_from"] != row["learnt_from"] or bool(other["tuned"]) != bool(row["tuned"]):
        return False
    if sources.get(other["fingerprint"]) != sources.get(row["fingerprint"]):  # the same name, other data
        return False
    if row["tuned"] and not (_trained_alike(row, other) and _is_named_for(row, other, arms)):
        return False
    mine, its = (set(unranked_because(one)) - {OUTDATED} for one in (row, other))
    if row["tuned"]:
        return mine == its
    return mine - {_FITTED} == its - {_FITTED} and (_FITTED in mine or _FITTED not in its)


def arms_of(rows: Iterable[Row]) -> set[str]:
    """Names of what is fine-tuned by brains, which controls are named for."""
    return {*_ARMS, *(_bare(row) for row in rows if row["tuned"] and row["role"] == "brain")}


def is_label_only(row: Row) -> bool:
    """Whether it learnt the answers and nothing else."""
    return _bare(row) == LABEL_ONLY


def _trained_alike(row: Row, other: Row) -> bool:
    if row["training_seed"] != other["training_seed"] or row["arm_settings"] != other["arm_settings"]:
        return False
    return is_label_only(other) or _of_loss(row) == _of_loss(other)


def _of_loss(row: Row) -> set[str]:
    """Settings in its name, as "weight=0.2", that are not among those which all must share."""
    told = str(row["intervention"]).split("@")[1:]
    shared = {"region", *(row["arm_settings"] or ())}
    return {one for one in told if "=" in one and one.partition("=")[0] not in shared}


def _is_named_for(row: Row, other: Row, arms: Collection[str]) -> bool:
    """Whether a control is one for this arm; of two arms whose names fit, the longer name's."""
    if is_label_only(other):
        return not is_label_only(row)
    name = _bare(other)
    fits = [arm for arm in arms if name == arm or name.startswith(f"{arm}-")]
    return bool(fits) and max(fits, key=len) == _bare(row)


def _bare(row: Row) -> str:
    """Its name without a place or settings."""
    return str(row["intervention"]).partition("@")[0]
