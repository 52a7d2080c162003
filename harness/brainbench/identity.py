"""Fingerprints: what decides a cell's number, as one hash. Names alone never identify anything."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any

from brainbench.idea_identity import writing_options
from brainbench.identity_parts import (
    asked_by,
    declared,
    is_identity,
    learnt_from,
    provider,
    stops_at,
    task_identity,
    written_by,
)
from brainbench.identity_parts import canonical as canonical  # noqa: PLC0414 - all find these two here
from brainbench.identity_parts import fingerprint as fingerprint  # noqa: PLC0414
from brainbench.nouns import BrainDataset, Identity, Intervention, Model, ModelOptions
from brainbench.nuisances import NUISANCES_VERSION
from brainbench.perplexity import TEXT_VERSION
from brainbench.plan import AnyCell, Cell, ScorerCell, TaskCell, needs_dataset
from brainbench.scorer_identity import of_ideas
from brainbench.task_nouns import validation_of

FACTS_SCHEMA = 1
_LATER = ("head", "sampling")  # options of which no model's identity has anything


@dataclass(frozen=True, slots=True)
class CellIdentity:
    """A cell's fingerprint, the facts behind it, and whether all of them could be pinned down."""

    fingerprint: str
    facts: Mapping[str, Any]
    resolved: bool


def identify(
    cell: AnyCell, model_identity: Callable[[Model, ModelOptions], Identity] | None = None
) -> CellIdentity:
    """The identity of a cell; `model_identity` lets a caller remember what is slow to find out.

    An unresolved cell gets a fingerprint that no other run will ever have, so that nothing reuses it.
    """
    ask = model_identity or (lambda model, options: model.identity(options))
    facts, parts = _asked_in(cell, ask)
    if cell.model is not None and cell.intervention is not None:
        options = cell.options
        if isinstance(cell, ScorerCell):
            options = writing_options(options, cell.intervention)
        model = is_identity(ask(cell.model, options), cell.model.name)
        intervention = declared(cell.intervention)
        parts += [model, intervention]
        facts["model"] = {**model.facts, "provider": provider(cell.model)}
        facts["intervention"] = intervention.facts
        facts["seed"] = cell.options.seed
        facts["baseline"] = cell.baseline
    facts = json.loads(canonical(facts))  # tuples become lists, as they will be after a round trip
    resolved = all(part.resolved for part in parts)
    nonce = "" if resolved else uuid.uuid4().hex
    return CellIdentity(fingerprint([facts, nonce] if nonce else facts), facts, resolved)


def _asked_in(
    cell: AnyCell, ask: Callable[[Model, ModelOptions], Identity]
) -> tuple[dict[str, Any], list[Identity]]:
    if isinstance(cell, TaskCell):
        return _of_task(cell)
    if isinstance(cell, ScorerCell):
        return _of_ideas(cell, ask)
    return _of_cell(cell)


def _of_ideas(
    cell: ScorerCell, ask: Callable[[Model, ModelOptions], Identity]
) -> tuple[dict[str, Any], list[Identity]]:
    """What is asked, by what it is scored, and what the intervention is learnt from."""
    facts, parts = of_ideas(cell, ask)
    if cell.dataset is not None and needs_dataset(cell.intervention):
        more, source = _learnt(cell.intervention, cell.dataset)
        facts |= more
        parts += source
    return {"schema": FACTS_SCHEMA, **facts}, parts


def _learnt(intervention: Intervention, dataset: BrainDataset) -> tuple[dict[str, Any], list[Identity]]:
    """What an intervention is learnt from, and where its training stops."""
    source = is_identity(dataset.identity(learnt_from(intervention, dataset)), dataset.name)
    facts: dict[str, Any] = {"learnt_from": {**source.facts, "provider": provider(dataset)}}
    stops = stops_at(intervention, dataset)
    if stops is None:
        return facts, [source]
    return {**facts, "stops_at": stops.facts}, [source, stops]


def _of_cell(cell: Cell) -> tuple[dict[str, Any], list[Identity]]:
    """What is asked in a cell of scores, whoever is asked."""
    dataset = is_identity(cell.dataset.identity(cell.region), cell.dataset.name)
    metric = declared(cell.metric, protocol=cell.metric.protocol)
    facts: dict[str, Any] = {
        "schema": FACTS_SCHEMA,
        "kind": cell.kind,
        "dataset": {**dataset.facts, "provider": provider(cell.dataset)},
        "region": cell.region,
        "item_set": {"name": cell.item_set.name, "where": dict(cell.item_set.where)},
        "metric": metric.facts,
    }
    if cell.model is not None:
        facts["nuisances"] = NUISANCES_VERSION  # robust metrics control for them
        if getattr(cell.dataset, "stage", "") == "response":  # AsksForIdeas
            facts |= {"ideas": asdict(cell.options.sampling), "asked": written_by()}
    stops = stops_at(cell.intervention, cell.dataset)
    if stops is None:
        return facts, [dataset, metric]
    return {**facts, "stops_at": stops.facts}, [dataset, metric, stops]


def _of_task(cell: TaskCell) -> tuple[dict[str, Any], list[Identity]]:
    """What is asked in a cell of a task, and how; a task that has no identity of its own is not resolved."""
    task = task_identity(cell.task)
    facts: dict[str, Any] = {
        "schema": FACTS_SCHEMA,
        "kind": cell.kind,
        "task": {**task.facts, "provider": provider(cell.task)},
        "limit": cell.limit,
        "asked": asked_by(),
    }
    parts = [task]
    if cell.dataset is not None:
        more, source = _learnt(cell.intervention, cell.dataset)
        facts |= more
        parts += source
    if hasattr(cell.intervention, "fit") or hasattr(cell.intervention, "tune"):
        facts["neutral_text"] = TEXT_VERSION  # its cost is measured there; the question is the same
    if getattr(cell.intervention, "strengths", ()):
        chosen = cell.task if cell.protocol == "paper" else validation_of(cell.task)
        if chosen is not None:
            parts.append(task_identity(chosen))
        facts["strength"] = {"protocol": cell.protocol, "chosen_on": parts[-1].facts if chosen else None}
    return facts, parts


def identify_training(
    model: Model,
    options: ModelOptions,
    intervention: Intervention,
    dataset: BrainDataset,
    model_identity: Callable[[Model, ModelOptions], Identity] | None = None,
) -> Identity:
    """What decides what an intervention trains: model, training, data, and where it stops early."""
    ask = model_identity or (lambda model, options: model.identity(options))
    known = is_identity(ask(model, options), model.name)
    change = declared(intervention)
    data = is_identity(dataset.identity(learnt_from(intervention, dataset)), dataset.name)
    stops = stops_at(intervention, dataset)
    facts = {
        "kind": "training",
        "model": {**known.facts, "provider": provider(model)},
        "intervention": change.facts,
        "learnt_from": {**data.facts, "provider": provider(dataset)},
        "stops_at": stops.facts if stops else None,
        "asked": asked_by(),  # it stops early by what is answered
    }
    resolved = all(part.resolved for part in (known, change, data, stops) if part is not None)
    return Identity(json.loads(canonical(facts)), resolved)


def unidentified(cell: AnyCell) -> CellIdentity:
    """Stands for a cell whose identity could not be found out: known by its names, never reused.

    All attempts share one fingerprint, so that a failure is replaced by the next attempt's outcome.
    """
    facts: dict[str, Any] = {"unidentified": True, "kind": cell.kind}
    if isinstance(cell, TaskCell):
        facts |= {"task": {"name": cell.task.name, "version": cell.task.version}, "limit": cell.limit}
    elif isinstance(cell, ScorerCell):
        facts |= _named_scorer(cell)
    else:
        facts |= _named(cell)
    if cell.model is not None and cell.intervention is not None:
        options = {name: value for name, value in asdict(cell.options).items() if name not in _LATER}
        facts["model"] = {"name": cell.model.name, "asked": repr(cell.model), "options": options}
        facts["intervention"] = declared(cell.intervention).facts
        facts["seed"] = cell.options.seed
        facts["baseline"] = cell.baseline
    plain = json.dumps(facts, default=repr, sort_keys=True)
    facts = json.loads(plain, parse_constant=str)  # NaN, of which no fingerprint could be made, is a word
    return CellIdentity(fingerprint(facts), facts, resolved=False)


def _named(cell: Cell) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "dataset": {"name": cell.dataset.name, "version": cell.dataset.version},
        "region": cell.region,
        "item_set": {"name": cell.item_set.name, "where": dict(cell.item_set.where)},
        "metric": declared(cell.metric, protocol=cell.metric.protocol).facts,
    }
    with suppress(Exception):  # mostly it is the model that could not be identified
        facts["dataset"] = {**cell.dataset.identity(cell.region).facts, "provider": provider(cell.dataset)}
    return facts


def _named_scorer(cell: ScorerCell) -> dict[str, Any]:
    return {
        "dataset": cell.dataset and {"name": cell.dataset.name, "version": cell.dataset.version},
        "scorer": declared(cell.scorer).facts,
        "helper": cell.helper.name,
        "ideas": asdict(cell.options.sampling),
    }
