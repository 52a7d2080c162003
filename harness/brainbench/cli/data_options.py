"""The options of `brainbench data prepare` that say how betas are made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import click

from brainbench.errors import UsageError

if TYPE_CHECKING:
    from brainbench.scans.settings import Settings, Study

F = TypeVar("F", bound=Callable[..., Any])

_MODEL_OPTIONS = (
    click.option(
        "--method",
        type=click.Choice(["lsa", "lss"]),
        default="lsa",
        show_default=True,
        help="Least squares all (one model for all trials) or separate (one for each).",
    ),
    click.option(
        "--noise", type=click.Choice(["ar1", "ols"]), default="ar1", show_default=True, help="AR(1) or white."
    ),
    click.option("--hrf", type=click.Choice(["spm", "glover"]), default="spm", show_default=True),
    click.option(
        "--drift", type=click.Choice(["cosine", "none"]), default="cosine", show_default=True, help="Drifts."
    ),
    click.option("--high-pass", type=float, default=0.009, show_default=True, help="Of the drifts, in Hz."),
    click.option(
        "--scaling",
        type=click.Choice(["zscore", "percent", "none"]),
        default="zscore",
        show_default=True,
        help="Of each voxel's series before the fit.",
    ),
    click.option(
        "--confound",
        "confounds",
        multiple=True,
        metavar="COLUMN",
        help="A column of the confounds to use, or none; repeatable. By default 18: six of motion, global "
        "signal, CSF, white matter, and the derivative of each.",
    ),
    click.option("--tr", type=float, help="Seconds; by default from the sidecar and the header, else 2."),
    click.option(
        "--slice-time-ref",
        type=float,
        default=0.0,
        show_default=True,
        help="When a volume is taken, in TRs.",
    ),
    click.option("--smoothing", type=float, default=0.0, show_default=True, help="FWHM in mm."),
    click.option(
        "--onset-shift",
        type=float,
        help="Seconds from an event's onset to the trial.  [default: 0; deduction: 6]",
    ),
    click.option(
        "--duration",
        metavar="SECONDS|events|mean-response",
        help="Of a trial: so long, as the events say, or the mean response time of the person's right "
        "answers.  [default: events; deduction: mean-response]",
    ),
    click.option(
        "--trial-type",
        "trial_types",
        multiple=True,
        help="Estimate trials of this type one by one, in a model of their own; repeatable; every other "
        "type shares a regressor.  [default: create, object; deduction: all but control, in one model]",
    ),
    click.option(
        "--stimulus-column",
        "stimulus_columns",
        multiple=True,
        metavar="COLUMN",
        help="Of the events: what was shown; repeatable.  [default: stimulus; deduction: premise1, "
        "premise2, premise3, conclusion]",
    ),
    click.option(
        "--task",
        "tasks",
        multiple=True,
        metavar="LABEL[=CONDITION]",
        help="BIDS task label, and how its items are called instead of by trial type; repeatable.  "
        "[default: dt; deduction: Syllogisms=syllogism, Transitive=transitive]",
    ),
)


def estimation_options(command: F) -> F:
    """The options that say how betas are made, in the order in which help shows them."""
    for option in reversed(_MODEL_OPTIONS):
        command = option(command)
    return command


def settings_of(study: str, chosen: dict[str, Any]) -> Settings:
    """The settings for these options; raises UsageError."""
    from brainbench.scans.settings import DEFAULTS

    names = ("method", "noise", "hrf", "drift", "high_pass", "scaling", "tr", "slice_time_ref", "smoothing")
    given = {name: chosen[name] for name in names}
    if chosen["confounds"]:
        given["confounds"] = () if chosen["confounds"] == ("none",) else chosen["confounds"]
    if chosen["onset_shift"] is not None:
        given["onset_shift"] = chosen["onset_shift"]
    if chosen["duration"] is not None:
        given["duration"] = _duration(chosen["duration"])
    return replace(DEFAULTS[study], **given)


def _duration(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def study_of(name: str, chosen: dict[str, Any]) -> Study:
    """The experiment, with what the options say of its files; raises UsageError."""
    from brainbench.scans.settings import STUDIES

    study = STUDIES[name]
    if chosen["trial_types"]:
        study = replace(study, trials=chosen["trial_types"])
    if chosen["tasks"]:
        pairs = [task.partition("=") for task in chosen["tasks"]]
        if not all(label.isalnum() for label, _, _ in pairs):
            raise UsageError("A BIDS task label has letters and digits alone.")
        study = replace(study, tasks=tuple((label, condition) for label, _, condition in pairs))
    if columns := chosen["stimulus_columns"]:
        describing = (*study.stimulus, *study.kept) if study.kept else ()
        kept = tuple(column for column in describing if column not in columns)
        study = replace(study, stimulus=columns, kept=kept)
    return study
