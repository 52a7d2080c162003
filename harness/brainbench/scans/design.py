"""Events and confounds of a run, and the design matrix that nilearn makes of them."""

from __future__ import annotations

import math
import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from brainbench.errors import DataError, words_of
from brainbench.scans.estimate import Array
from brainbench.scans.settings import Settings, Study
from brainbench.scans.tables import Row, is_missing, number, read_table, require_columns

_TRIAL = "trial{:04d}"
_ROUNDING = 1e-6  # seconds


@dataclass(frozen=True, slots=True)
class Event:
    """One row of a run's events, in seconds; row: all its cells."""

    onset: float
    duration: float
    trial_type: str
    row: Row


@dataclass(frozen=True, slots=True, eq=False)
class Design:
    """A run's model for some of its events. columns: names; notes: what nilearn said of it."""

    trials: Array
    others: Array
    columns: tuple[str, ...]
    notes: tuple[str, ...] = ()

    @property
    def matrix(self) -> Array:
        """All columns, the trials first."""
        return np.concatenate([self.trials, self.others], axis=1)


def read_events(path: Path) -> list[Event]:
    """A run's events in order of their onsets; raises DataError."""
    rows = read_table(path)
    require_columns(rows, ("onset", "duration", "trial_type"), path)
    events = []
    for at, row in enumerate(rows):
        where = f"{path.name}, event {at + 1},"
        onset, duration = number(row, "onset", where), number(row, "duration", where)
        if math.isnan(onset) or math.isnan(duration) or duration < 0 or is_missing(row["trial_type"]):
            raise DataError(f"{where} has no onset, duration or trial_type.")
        events.append(Event(onset, duration, row["trial_type"], row))
    return sorted(events, key=lambda event: event.onset)


def read_confounds(path: Path, names: Sequence[str], volumes: int) -> Array:
    """Confounds (volumes x names); what is missing at the start takes the next value. Raises DataError."""
    rows = read_table(path)
    require_columns(rows, names, path, hint="Let fMRIPrep write them, or choose others with --confound.")
    if len(rows) != volumes:
        raise DataError(f"{path.name} has {len(rows)} rows, and the image {volumes} volumes.")
    values = np.array([[number(row, name, path.name) for name in names] for row in rows]).reshape(volumes, -1)
    for at in range(volumes - 2, -1, -1):
        values[at] = np.where(np.isnan(values[at]), values[at + 1], values[at])
    if np.isnan(values).any():
        name = names[int(np.isnan(values).any(axis=0).argmax())]
        raise DataError(f"{path.name} has no value for {name} in its last volume.")
    return values


def placed(
    events: Sequence[Event], study: Study, settings: Settings, seconds: float, where: str
) -> tuple[list[Event], list[list[int]]]:
    """The events as they are modelled, and the groups of positions that are estimated together.

    Raises DataError for an event outside the run, which lasts `seconds`, or none to estimate.
    """
    groups = study.groups([event.trial_type for event in events])
    if not groups:
        wanted = " or ".join(study.trials) or "a trial type that is not shared"
        kinds = ", ".join(sorted({event.trial_type for event in events}))
        raise DataError(f"{where} has no event of type {wanted}, only {kinds}.", hint="See --trial-type.")
    single = {name for group in groups for name in group}
    length = _length(settings)
    made = [
        Event(
            event.onset + settings.onset_shift,
            event.duration if length is None else length,
            event.trial_type,
            event.row,
        )
        if event.trial_type in single
        else event
        for event in events
    ]
    for at, event in enumerate(made):
        if event.onset < 0 or event.onset + event.duration > seconds + _ROUNDING:
            raise DataError(
                f"{where}: event {at + 1} ({event.trial_type}) lasts from {event.onset:g} to "
                f"{event.onset + event.duration:g} s, outside the run of {seconds:g} s."
            )
    return made, [[at for at, event in enumerate(made) if event.trial_type in group] for group in groups]


def _length(settings: Settings) -> float | None:
    """Seconds for all single trials, or None for those of the events."""
    return settings.duration if not isinstance(settings.duration, str) else None


def mean_response(events: Sequence[Event], study: Study, where: str) -> float | None:
    """Mean response time, in seconds, of a run's right answers in single trials; None without any."""
    single = {name for group in study.groups([event.trial_type for event in events]) for name in group}
    seconds = [
        number(event.row, "response_time", where)
        for event in events
        if event.trial_type in single and "response_time" in event.row and _is_right(event.row, where)
    ]
    known = [value for value in seconds if not math.isnan(value)]
    return float(np.mean(known)) if known else None


def _is_right(row: Mapping[str, str], where: str) -> bool:
    return "accuracy" not in row or number(dict(row), "accuracy", where) == 1


def design_of(
    events: Sequence[Event],
    group: Sequence[int],
    confounds: Array,
    settings: Settings,
    tr: float,
) -> Design:
    """The model in which each event of the group has a regressor of its own, by nilearn.

    The other events share one for each trial type; confounds (volumes x n), drifts and a constant follow.
    """
    import pandas
    from nilearn.glm.first_level import make_first_level_design_matrix

    chosen = {at: _TRIAL.format(rank) for rank, at in enumerate(group)}
    frame = pandas.DataFrame(
        {
            "onset": [event.onset for event in events],
            "duration": [event.duration for event in events],
            "trial_type": [chosen.get(at, f"shared {event.trial_type}") for at, event in enumerate(events)],
        }
    )
    volumes = len(confounds)
    names = list(settings.confounds)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        made = make_first_level_design_matrix(
            tr * (np.arange(volumes) + settings.slice_time_ref),
            frame,
            hrf_model=settings.hrf,
            drift_model=None if settings.drift == "none" else settings.drift,
            high_pass=settings.high_pass,
            add_regs=confounds if names else None,
            add_reg_names=names or None,
        )
    notes = tuple(dict.fromkeys(words_of(one.message) for one in said if isinstance(one.message, Warning)))
    own = list(chosen.values())
    rest = [name for name in made.columns if name not in own]
    counts = Counter(made.columns)
    if repeated := [name for name in counts if counts[name] > 1]:
        raise DataError(f"The design has two columns called {repeated[0]}.")
    return Design(
        made[own].to_numpy(np.float64), made[rest].to_numpy(np.float64), (*own, *map(str, rest)), notes
    )
