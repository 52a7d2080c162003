"""What decides the texts that a model writes: who is asked, changed how, and how words are drawn."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, replace

from brainbench.identity_parts import (
    canonical,
    declared,
    fingerprint,
    is_identity,
    learnt_from,
    provider,
    stops_at,
    written_by,
)
from brainbench.nouns import BrainDataset, Identity, Intervention, Model, ModelOptions
from brainbench.plan import needs_dataset
from brainbench.stimuli import Stimulus


def identify_writer(
    model: Model,
    options: ModelOptions,
    intervention: Intervention,
    dataset: BrainDataset | None,
    model_identity: Callable[[Model, ModelOptions], Identity] | None = None,
) -> Identity:
    """Who writes, and how: what decides the text to any question (see `writing_options`).

    dataset: what the intervention is learnt from, where it is learnt from any.
    """
    ask = model_identity or (lambda model, options: model.identity(options))
    options = writing_options(options, intervention)
    known = is_identity(ask(model, options), model.name)
    change = declared(intervention)
    learnt = stops = None
    if dataset is not None and needs_dataset(intervention):
        learnt = is_identity(dataset.identity(learnt_from(intervention, dataset)), dataset.name)
        stops = stops_at(intervention, dataset)
    facts = {
        "kind": "ideas",
        "model": {**known.facts, "provider": provider(model)},
        "intervention": change.facts,
        "learnt_from": {**learnt.facts, "provider": provider(dataset)} if learnt else None,
        "stops_at": stops.facts if stops else None,
        "sampling": asdict(options.sampling),
        "asked": written_by(),
    }
    resolved = all(part.resolved for part in (known, change, learnt, stops) if part is not None)
    return Identity(json.loads(canonical(facts)), resolved)


def writing_options(options: ModelOptions, intervention: Intervention) -> ModelOptions:
    """What of a model's options decides its texts: how features are pooled only where a change is learnt.

    A steering is fitted on features, and of other features it is another.
    """
    return options if needs_dataset(intervention) else replace(options, pooling="last")


def fingerprint_of_question(question: Stimulus) -> str:
    """Of what a model reads of it, in either form, and of its id, by which its texts are drawn."""
    turns = [[turn.role, turn.content] for turn in question.messages]
    return fingerprint([question.id, turns, question.text])
