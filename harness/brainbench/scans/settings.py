"""How betas are estimated, and what is estimated in which experiment: every choice in one value.

The defaults are the method of arXiv:2604.03480, in which each trial has a regressor of its own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from brainbench.errors import UsageError

_SIX = ("trans_x", "trans_y", "trans_z", "rot_x", "rot_y", "rot_z")
_MEANS = ("global_signal", "csf", "white_matter")
CONFOUNDS = tuple(f"{name}{ending}" for ending in ("", "_derivative1") for name in (*_SIX, *_MEANS))
FROM_EVENTS, MEAN_RESPONSE = "events", "mean-response"
PREPARE_VERSION = 2  # raised whenever the same files and settings would give other betas or trials


@dataclass(frozen=True, slots=True)
class Settings:
    """The model of one run.

    method: "lsa" (least squares all: one model with a regressor for each trial) or "lss" (least squares
    separate: one model for each trial, the others of its model share a regressor). noise: "ar1" or "ols".
    hrf: a name that nilearn knows. drift: "cosine" with a high-pass of `high_pass` Hz, or none. scaling of
    each voxel's series before the fit: "zscore", "percent" of its mean, or "none". nilearn's FirstLevelModel
    takes percent unless it is told otherwise, even with standardize=True.

    tr in seconds; None takes it from the sidecar and the header, and `fallback_tr` where neither says.
    slice_time_ref: the share of a TR at which a volume counts as taken. smoothing: FWHM in mm, 0 for none.
    onset_shift: seconds from an event's onset to what is modelled of a trial. duration: seconds, or "events"
    for the column, or "mean-response" for the mean response time of the person's right answers in that task.
    Raises UsageError for what is impossible.
    """

    method: Literal["lsa", "lss"] = "lsa"
    noise: Literal["ar1", "ols"] = "ar1"
    hrf: str = "spm"
    drift: Literal["cosine", "none"] = "cosine"
    high_pass: float = 0.009
    scaling: Literal["zscore", "percent", "none"] = "zscore"
    confounds: tuple[str, ...] = CONFOUNDS
    tr: float | None = None
    fallback_tr: float = 2.0
    slice_time_ref: float = 0.0
    smoothing: float = 0.0
    onset_shift: float = 0.0
    duration: float | str = FROM_EVENTS

    def __post_init__(self) -> None:
        limits = {
            "high_pass": (self.high_pass, 0.0, 1.0),
            "slice_time_ref": (self.slice_time_ref, 0.0, 1.0),
            "smoothing": (self.smoothing, 0.0, 100.0),
            "onset_shift": (self.onset_shift, -1e4, 1e4),
            "fallback_tr": (self.fallback_tr, 1e-3, 100.0),
            "tr": (1.0 if self.tr is None else self.tr, 1e-3, 100.0),
        }
        if isinstance(self.duration, str):
            if self.duration not in {FROM_EVENTS, MEAN_RESPONSE}:
                raise UsageError(
                    f"A duration is so many seconds, {FROM_EVENTS} or {MEAN_RESPONSE}; not {self.duration!r}."
                )
        else:
            limits["duration"] = (self.duration, 0.0, 1e4)
        for name, (value, least, most) in limits.items():
            if not (math.isfinite(value) and least <= value <= most):
                raise UsageError(f"{name} must be from {least:g} to {most:g}; got {value:g}.")
        if len(set(self.confounds)) != len(self.confounds):
            raise UsageError("A confound is named twice.")


@dataclass(frozen=True, slots=True)
class Study:
    """What an experiment's files hold.

    tasks: BIDS task labels, each with the name of its condition ("" where trial types are the conditions).
    trials: trial types to estimate, each in a model of its own in which all others share a regressor a type;
    empty: all but those of `shared`, in one model. stimulus: columns of the events that together say what was
    shown. kept: further columns that describe the stimulus.
    """

    name: str
    tasks: tuple[tuple[str, str], ...]
    trials: tuple[str, ...] = ()
    shared: tuple[str, ...] = ()
    stimulus: tuple[str, ...] = ("stimulus",)
    kept: tuple[str, ...] = ()

    def groups(self, trial_types: list[str]) -> list[list[str]]:
        """Which of these trial types are estimated together, a model for each group."""
        if self.trials:
            return [[name] for name in self.trials if name in trial_types]
        wanted = [name for name in dict.fromkeys(trial_types) if name not in self.shared]
        return [wanted] if wanted else []


CREATIVITY = Study("creativity", tasks=(("dt", ""),), trials=("create", "object"))
DEDUCTION = Study(
    "deduction",
    tasks=(("Syllogisms", "syllogism"), ("Transitive", "transitive")),
    shared=("control",),
    stimulus=("premise1", "premise2", "premise3", "conclusion"),
    kept=("stim_file",),
)
STUDIES = {study.name: study for study in (CREATIVITY, DEDUCTION)}
DEFAULTS = {
    "creativity": Settings(),
    "deduction": Settings(onset_shift=6.0, duration=MEAN_RESPONSE),
}
