"""Fingerprints: what decides a cell's number, as one hash. Names alone never identify anything."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, is_dataclass
from typing import Any

from brainbench.errors import PluginError
from brainbench.nouns import BrainDataset, Identity, Intervention, Model, ModelOptions, Task
from brainbench.nuisances import NUISANCES_VERSION
from brainbench.perplexity import TEXT_VERSION
from brainbench.plan import AnyCell, Cell, TaskCell
from brainbench.provenance import version_of
from brainbench.task_nouns import validation_of
from brainbench.training_data import validation_of_dataset

FACTS_SCHEMA = 1
WRITING = 1  # raised whenever the same model, question and seed would give another idea
ADAPTER = 1  # raised whenever lm_eval_adapter would give other answers for the same task and model


def canonical(facts: Any) -> str:
    """Plain JSON with sorted keys: equal facts give equal text. Raises ValueError for NaN and infinity."""
    return json.dumps(facts, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def fingerprint(facts: Any) -> str:
    """SHA-256 of the facts' canonical text, as 64 hexadecimal digits."""
    return hashlib.sha256(canonical(facts).encode("utf-8", "surrogatepass")).hexdigest()


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
    facts, parts = _of_task(cell) if isinstance(cell, TaskCell) else _of_cell(cell)
    if cell.model is not None and cell.intervention is not None:
        model = _is_identity(ask(cell.model, cell.options), cell.model.name)
        intervention = _declared(cell.intervention)
        parts += [model, intervention]
        facts["model"] = {**model.facts, "provider": _provider(cell.model)}
        facts["intervention"] = intervention.facts
        facts["seed"] = cell.options.seed
        facts["baseline"] = cell.baseline
    facts = json.loads(canonical(facts))  # tuples become lists, as they will be after a round trip
    resolved = all(part.resolved for part in parts)
    nonce = "" if resolved else uuid.uuid4().hex
    return CellIdentity(fingerprint([facts, nonce] if nonce else facts), facts, resolved)


def _of_cell(cell: Cell) -> tuple[dict[str, Any], list[Identity]]:
    """What is asked in a cell of scores, whoever is asked."""
    dataset = _is_identity(cell.dataset.identity(cell.region), cell.dataset.name)
    metric = _declared(cell.metric, protocol=cell.metric.protocol)
    facts: dict[str, Any] = {
        "schema": FACTS_SCHEMA,
        "kind": cell.kind,
        "dataset": {**dataset.facts, "provider": _provider(cell.dataset)},
        "region": cell.region,
        "item_set": {"name": cell.item_set.name, "where": dict(cell.item_set.where)},
        "metric": metric.facts,
    }
    if cell.model is not None:
        facts["nuisances"] = NUISANCES_VERSION  # robust metrics control for them
        if getattr(cell.dataset, "stage", "") == "response":  # AsksForIdeas
            facts |= {"ideas": asdict(cell.options.sampling), "asked": {**_asked(), "writing": WRITING}}
    stops = _stops_at(cell.intervention, cell.dataset)
    if stops is None:
        return facts, [dataset, metric]
    return {**facts, "stops_at": stops.facts}, [dataset, metric, stops]


def _of_task(cell: TaskCell) -> tuple[dict[str, Any], list[Identity]]:
    """What is asked in a cell of a task, and how; a task that has no identity of its own is not resolved."""
    task = _task_identity(cell.task)
    facts: dict[str, Any] = {
        "schema": FACTS_SCHEMA,
        "kind": cell.kind,
        "task": {**task.facts, "provider": _provider(cell.task)},
        "limit": cell.limit,
        "asked": _asked(),
    }
    parts = [task]
    if cell.dataset is not None:
        source = _is_identity(
            cell.dataset.identity(_learnt_from(cell.intervention, cell.dataset)), cell.dataset.name
        )
        facts["learnt_from"] = {**source.facts, "provider": _provider(cell.dataset)}
        parts.append(source)
    if (stops := _stops_at(cell.intervention, cell.dataset)) is not None:
        facts["stops_at"] = stops.facts
        parts.append(stops)
    if hasattr(cell.intervention, "fit") or hasattr(cell.intervention, "tune"):
        facts["neutral_text"] = TEXT_VERSION  # its cost is measured there; the question is the same
    if getattr(cell.intervention, "strengths", ()):
        chosen = cell.task if cell.protocol == "paper" else validation_of(cell.task)
        if chosen is not None:
            parts.append(_task_identity(chosen))
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
    known = _is_identity(ask(model, options), model.name)
    declared = _declared(intervention)
    data = _is_identity(dataset.identity(_learnt_from(intervention, dataset)), dataset.name)
    stops = _stops_at(intervention, dataset)
    facts = {
        "kind": "training",
        "model": {**known.facts, "provider": _provider(model)},
        "intervention": declared.facts,
        "learnt_from": {**data.facts, "provider": _provider(dataset)},
        "stops_at": stops.facts if stops else None,
        "asked": _asked(),  # it stops early by what is answered
    }
    resolved = all(part.resolved for part in (known, declared, data, stops) if part is not None)
    return Identity(json.loads(canonical(facts)), resolved)


def _asked() -> dict[str, Any]:
    """By what tasks are asked."""
    return {"adapter": ADAPTER, "lm_eval": version_of("lm-eval")}


def _stops_at(intervention: Intervention | None, dataset: BrainDataset | None) -> Identity | None:
    """The validation set of the data that a training learns from, where it stops early."""
    trains = hasattr(intervention, "tune") and dataset is not None
    task = validation_of_dataset(dataset) if trains and dataset is not None else None
    return _task_identity(task) if task is not None else None


def _learnt_from(intervention: Intervention, dataset: BrainDataset) -> str:
    """The region that the intervention looks at, if it says so; otherwise the dataset's first."""
    region = getattr(intervention, "region", "")
    return region if region in dataset.regions else dataset.regions[0]


def _task_identity(task: Task) -> Identity:
    asked = getattr(task, "identity", None)
    if asked is None:
        return Identity({"name": task.name, "version": task.version}, resolved=False)
    return _is_identity(asked(), task.name)


def unidentified(cell: AnyCell) -> CellIdentity:
    """Stands for a cell whose identity could not be found out: known by its names, never reused.

    All attempts share one fingerprint, so that a failure is replaced by the next attempt's outcome.
    """
    facts: dict[str, Any] = {"unidentified": True, "kind": cell.kind}
    if isinstance(cell, TaskCell):
        facts |= {"task": {"name": cell.task.name, "version": cell.task.version}, "limit": cell.limit}
    else:
        facts |= _named(cell)
    if cell.model is not None and cell.intervention is not None:
        options = {name: value for name, value in asdict(cell.options).items() if name != "head"}
        facts["model"] = {"name": cell.model.name, "asked": repr(cell.model), "options": options}
        facts["intervention"] = _declared(cell.intervention).facts
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
        "metric": _declared(cell.metric, protocol=cell.metric.protocol).facts,
    }
    with suppress(Exception):  # mostly it is the model that could not be identified
        facts["dataset"] = {**cell.dataset.identity(cell.region).facts, "provider": _provider(cell.dataset)}
    return facts


def _is_identity(found: Identity, name: str) -> Identity:
    if not isinstance(found, Identity) or not isinstance(found.facts, Mapping):
        raise PluginError(f"identity() of {name} gave {type(found).__name__}, not an Identity with facts.")
    try:
        canonical(dict(found.facts))
    except (TypeError, ValueError) as error:
        raise PluginError(f"The identity of {name} must be plain JSON: {error}.") from error
    return found


def _declared(thing: Any, **more: Any) -> Identity:
    """Name, version and parameters of a metric or intervention; its parameters are its dataclass fields."""
    known = is_dataclass(thing) and not isinstance(thing, type)
    parameters = asdict(thing) if known else {}
    facts = {"name": thing.name, "version": thing.version, **more, "provider": _provider(thing)}
    return Identity({**facts, "parameters": parameters}, resolved=known)


def _provider(thing: object) -> str:
    """The package that the thing's class comes from: two plugins may use one name, never at once."""
    return type(thing).__module__.partition(".")[0]
