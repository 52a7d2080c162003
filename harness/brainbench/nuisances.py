"""Dull predictors: what is known of each item, or of each answer, without any model of language.

A score says something about a model only beyond what these reach. The harness puts them into every recording
(`Recording.nuisances`): robust metrics control for them, and baselines of the same names are scored with them
like any model.

A missing answer took at least the response window; where a dataset names none, as long as the participant's
slowest answer.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from brainbench.arrays import AnyFeatures, Behaviour, Features, PersonalFeatures
from brainbench.errors import DataError
from brainbench.stimuli import Condition, Stimulus

NUISANCES = {
    "type": "Which type of task the item is of (its stratum).",
    "design": "How the item was made: the conditions that the dataset names in `design_conditions`.",
    "characters": "Number of characters of the item's own text.",
    "tokens": "Number of words and punctuation marks of the item's own text.",
    "own-response-time": "Seconds that this very participant took for the item.",
    "others-response-time": "Seconds that all other participants took for the item, on average.",
}
NUISANCES_VERSION = 1  # raised whenever the same dataset would give other values

LARGEST = 1e100  # beyond that, squares overflow
_TOKEN = re.compile(r"\w+|[^\w\s]")
Columns = NDArray[np.float64]


def nuisances(
    stimuli: Sequence[Stimulus],
    strata: Sequence[str],
    design: Sequence[str] = (),
    behaviour: Behaviour | None = None,
) -> dict[str, AnyFeatures]:
    """All dull predictors of these items that there are and that vary; strata (items,) or empty.

    Raises DataError for a design condition that an item lacks and for behaviour of other items.
    """
    texts = [stimulus.content for stimulus in stimuli]
    found: dict[str, Columns] = {
        "type": categories(strata) if strata else np.zeros((len(stimuli), 0)),
        "design": _design(stimuli, design),
        "characters": np.array([[len(text)] for text in texts], dtype=np.float64),
        "tokens": np.array([[len(_TOKEN.findall(text))] for text in texts], dtype=np.float64),
    }
    made: dict[str, AnyFeatures] = {
        name: _features(name, columns)
        for name, columns in found.items()
        if columns.shape[1] and np.ptp(columns, axis=0).any()
    }
    if behaviour is not None:
        if behaviour.items != tuple(stimulus.id for stimulus in stimuli):
            raise DataError("The behaviour is of other items than the stimuli, or in another order.")
        made |= _response_times(behaviour)
    return made


def categories(labels: Sequence[str]) -> Columns:
    """Labels (items,) as columns of 0 and 1: one for each label, or one alone for two labels."""
    names = sorted(set(labels))
    columns = np.array([[label == name for name in names] for label in labels], dtype=np.float64)
    return columns[:, 1:] if len(names) <= 2 else columns


def _design(stimuli: Sequence[Stimulus], design: Sequence[str]) -> Columns:
    """Conditions (items x columns): numbers and True or False as they are, words as categories."""
    parts = [np.zeros((len(stimuli), 0))]
    for name in design:
        lacking = next((stimulus.id for stimulus in stimuli if name not in stimulus.conditions), None)
        if lacking is not None:
            raise DataError(f"Item {lacking} lacks the condition {name!r}, which the dataset calls design.")
        values = [stimulus.conditions[name] for stimulus in stimuli]
        parts.append(_numbers(name, stimuli) if _all_numbers(values) else categories([*map(str, values)]))
    return np.hstack(parts)


def _all_numbers(values: Sequence[Condition]) -> bool:
    return all(isinstance(value, int | float) for value in values)


def _numbers(name: str, stimuli: Sequence[Stimulus]) -> Columns:
    """A condition of numbers (items x 1); raises DataError for one that is not finite."""
    made = np.empty((len(stimuli), 1))
    for row, stimulus in zip(made, stimuli, strict=True):
        value = stimulus.conditions[name]
        if not (isinstance(value, int | float) and abs(value) < LARGEST):
            raise DataError(
                f"Item {stimulus.id} has {str(value)[:20]} as its condition {name!r}: no number to use."
            )
        row[0] = value
    return made


def _response_times(behaviour: Behaviour) -> dict[str, AnyFeatures]:
    """Own and others' response times, of the participants who have any."""
    times = _without_gaps(behaviour)
    timed = [at for at, row in enumerate(times) if np.isfinite(row).all() and np.ptp(row) > 0]
    if not timed:
        return {}
    own = {behaviour.participants[at]: times[at] for at in timed}
    made: dict[str, AnyFeatures] = {"own-response-time": _personal("own-response-time", own)}
    if len(timed) > 1:
        others = {
            person: np.mean([row for name, row in own.items() if name != person], axis=0)
            for person in behaviour.participants
        }
        made["others-response-time"] = _personal("others-response-time", others)
    return made


def _without_gaps(behaviour: Behaviour) -> Columns:
    """Response times (participants x items); who never answered keeps NaN unless there is a window."""
    times = np.array(behaviour.response_time, dtype=np.float64)
    for row in times:
        if behaviour.response_window is not None:
            row[np.isnan(row)] = behaviour.response_window
        elif np.isfinite(row).any():
            row[np.isnan(row)] = np.nanmax(row)
    return times


def _personal(name: str, values: dict[str, Columns]) -> PersonalFeatures:
    return PersonalFeatures({person: _features(name, row[:, None]) for person, row in values.items()})


def _features(name: str, columns: Columns) -> Features:
    return Features({name: columns}, made={"nuisances": NUISANCES_VERSION}, quantities=True)
