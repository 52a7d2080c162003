"""Train a model by an intervention for a folder: with the seed that is asked for, and faults that name it."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from typing import Any, cast

from brainbench.adapter import Adapter
from brainbench.errors import NotApplicable, UsageError
from brainbench.nouns import BrainDataset, Intervention, Model, ModelOptions, OpenModel, Reporter
from brainbench.records import Skip
from brainbench.steering_fitting import plugin_named
from brainbench.training_run import Lesson
from brainbench.tuning import Tunes


def has_seed(intervention: object) -> bool:
    """Whether it can be had with another seed of its training; what was trained before cannot."""
    if not isinstance(intervention, Tunes) or not is_dataclass(intervention):
        return False
    return any(field.name == "seed" and field.init for field in fields(intervention))


def with_seed(intervention: Intervention, seed: int) -> Intervention:
    """The same with this seed of its training."""
    chosen: Any = intervention
    return cast("Intervention", replace(chosen, seed=seed))


def training_of(intervention: Intervention, seed: int | None = None) -> Intervention:
    """The intervention with another training seed, where one is named.

    Raises UsageError for an intervention that trains no model, or has no choice of the seed.
    """
    if not isinstance(intervention, Tunes):
        raise UsageError(
            f"The intervention {intervention.name!r} trains no model.",
            hint="`brainbench list interventions` shows all; `brainbench steer fit` keeps steerings.",
        )
    if seed is None:
        return intervention
    if not has_seed(intervention):
        raise UsageError(f"{intervention.name!r} has no choice of the training's seed.")
    return with_seed(intervention, seed)


def fit(
    intervention: Intervention,
    model: Model,
    dataset: BrainDataset,
    options: ModelOptions,
    reporter: Reporter,
) -> Adapter:
    """What training leaves.

    A training that was interrupted goes on, and one that is finished is not repeated, also where a run
    began or finished it. Raises UsageError for an intervention that trains nothing, NotApplicable where
    nothing can be trained, PluginError where the training itself breaks.
    """
    lesson = Lesson(model, options, training_of(intervention), dataset)
    with model.open(options, reporter) as opened:
        if not isinstance(opened, OpenModel):
            raise NotApplicable(f"{model.name} is no model that could be fine-tuned.")
        with plugin_named(intervention, "while it trained"):
            found = lesson.trained(opened, reporter)
    if isinstance(found, Skip):
        raise NotApplicable(f"{intervention.name} cannot train on {dataset.name}: {found.reason}")
    return found
