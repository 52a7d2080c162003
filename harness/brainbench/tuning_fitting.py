"""Train a model by an intervention, and note in the adapter what it was trained with."""

from __future__ import annotations

from brainbench.adapter import Adapter
from brainbench.errors import NotApplicable, UsageError
from brainbench.nouns import BrainDataset, Intervention, Model, ModelOptions, OpenModel, Reporter
from brainbench.records import Skip
from brainbench.steering_fitting import plugin_named
from brainbench.training_run import Lesson
from brainbench.tuning import Tunes


def require_tunes(intervention: Intervention) -> Tunes:
    """The intervention, which trains models; raises UsageError for one that does not."""
    if not isinstance(intervention, Tunes):
        raise UsageError(
            f"The intervention {intervention.name!r} trains no model.",
            hint="`brainbench list interventions` shows all; `brainbench steer fit` keeps steerings.",
        )
    return intervention


def fit(
    intervention: Intervention,
    model: Model,
    dataset: BrainDataset,
    options: ModelOptions,
    reporter: Reporter,
) -> Adapter:
    """What training leaves; facts "role", "model", "data", "simulated" and "seed" are added to its own.

    Raises UsageError for an intervention that trains nothing, NotApplicable where nothing can be trained,
    PluginError where the training itself breaks.
    """
    require_tunes(intervention)
    lesson = Lesson(model, options, intervention, dataset)
    with model.open(options, reporter) as opened:
        if not isinstance(opened, OpenModel):
            raise NotApplicable(f"{model.name} is no model that could be fine-tuned.")
        with plugin_named(intervention, "while it trained"):
            found = lesson.trained(opened, reporter)
    if isinstance(found, Skip):
        raise NotApplicable(f"{intervention.name} cannot train on {dataset.name}: {found.reason}")
    return found
