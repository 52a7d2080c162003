"""Fit a steering by an intervention, and note in it what it was fitted with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields, is_dataclass, replace
from typing import Any, cast

from brainbench.errors import BrainbenchError, NotApplicable, PluginError, UsageError, words_of
from brainbench.nouns import BrainDataset, Identity, Intervention, Model, ModelOptions, Reporter
from brainbench.records import Skip
from brainbench.steering import Steerable, Steering, Where


def acting_at(intervention: Intervention, where: Where) -> Intervention:
    """The same intervention for other tokens; raises UsageError for one that has no choice of them."""
    known = is_dataclass(intervention) and "where" in {field.name for field in fields(intervention)}
    if not known or isinstance(intervention, type):
        raise UsageError(f"{intervention.name!r} has no choice of the tokens at which it acts.")
    changed: Intervention = replace(cast("Any", intervention), where=where)
    return changed


def fit(
    intervention: Intervention,
    model: Model,
    dataset: BrainDataset,
    options: ModelOptions,
    reporter: Reporter,
) -> Steering:
    """What the intervention fits; facts "role", "model", "data" and "simulated" are added to its own.

    Raises UsageError for an intervention that fits no steering, NotApplicable where there is nothing to fit,
    PluginError where the fit itself breaks.
    """
    fits: Any = getattr(intervention, "fit", None)
    if fits is None:
        raise UsageError(
            f"The intervention {intervention.name!r} fits no steering that could be kept.",
            hint="`brainbench list interventions` shows all.",
        )
    identity = model.identity(options)
    with model.open(options, reporter) as opened:
        if not isinstance(opened, Steerable):
            raise NotApplicable(f"{model.name} is no model that could be steered.")
        label = f"Fitting {intervention.name} on {dataset.name}"
        with reporter.task(label, 1) as advance:
            with plugin_named(intervention, "while it was fitted"):
                found = fits(opened, dataset, reporter)
            advance(1)
    if isinstance(found, Skip):
        raise NotApplicable(f"{intervention.name} cannot be fitted on {dataset.name}: {found.reason}")
    if not isinstance(found, Steering):
        raise PluginError(f"fit() of {intervention.name} gave {type(found).__name__}, not a Steering.")
    return replace(found, facts={**found.facts, **learnt(intervention, identity, dataset, found.facts)})


@contextmanager
def plugin_named(intervention: Intervention, when: str) -> Iterator[None]:
    """Turn an exception that nobody raised on purpose into a PluginError that names the intervention."""
    try:
        yield
    except BrainbenchError:
        raise
    except Exception as error:  # a plugin's own fault, or no memory left
        words = f"{type(error).__name__}: {words_of(error)}"
        raise PluginError(f"{intervention.name} failed {when}: {words}") from error


def learnt(
    intervention: Intervention, model: Identity, dataset: BrainDataset, facts: Mapping[str, Any]
) -> dict[str, Any]:
    """What the harness knows of something that was learnt, beside what its maker says in `facts`."""
    region = facts.get("region", dataset.regions[0])
    return {
        "role": getattr(intervention, "role", "brain"),
        "model": dict(model.facts),
        "data": dict(dataset.identity(region).facts),
        "simulated": dataset.simulated,
    }
