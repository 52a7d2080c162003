"""The whole plugin interface: six hooks, each called once when brainbench starts.

A plugin is a module named by an entry point of the group `brainbench`. It decorates functions of these
names with `brainbench.hookimpl`, and may state `BRAINBENCH_API = 1`, the version it was written for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

import pluggy

if TYPE_CHECKING:
    from brainbench.nouns import BrainDataset, DatasetSource, Intervention, Metric, Model, ModelSource, Task
    from brainbench.scoring import Scorer

PROJECT = "brainbench"
API_VERSION = 1

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)

T_contra = TypeVar("T_contra", contravariant=True)


class Register(Protocol[T_contra]):
    """What a hook is handed: call it once for each thing to offer."""

    def __call__(self, thing: T_contra, /) -> None:
        """Offer `thing`; raises PluginError when it does not fit its protocol or its name is taken."""
        ...


@hookspec
def register_models(register: Register[Model | ModelSource]) -> None:
    """Call `register(model)` for each model, or source of models, to offer."""


@hookspec
def register_datasets(register: Register[BrainDataset | DatasetSource]) -> None:
    """Call `register(dataset)` for each brain dataset, or source of datasets, to offer."""


@hookspec
def register_metrics(register: Register[Metric]) -> None:
    """Call `register(metric)` for each way to compare features with responses."""


@hookspec
def register_interventions(register: Register[Intervention]) -> None:
    """Call `register(intervention)` for each change to make to a model."""


@hookspec
def register_tasks(register: Register[Task]) -> None:
    """Call `register(task)` for each lm-eval task to offer."""


@hookspec
def register_scorers(register: Register[Scorer]) -> None:
    """Call `register(scorer)` for each way to score what models think up."""
