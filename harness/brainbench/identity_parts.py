"""What fingerprints are made of: canonical text, and the facts that a thing states of itself."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from typing import Any

from brainbench.errors import PluginError
from brainbench.nouns import BrainDataset, Identity, Intervention, Task
from brainbench.provenance import version_of
from brainbench.training_data import validation_of_dataset

WRITING = 1  # raised whenever the same model, question and seed would give another idea
ADAPTER = 1  # raised whenever lm_eval_adapter would give other answers for the same task and model


def canonical(facts: Any) -> str:
    """Plain JSON with sorted keys: equal facts give equal text. Raises ValueError for NaN and infinity."""
    return json.dumps(facts, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def fingerprint(facts: Any) -> str:
    """SHA-256 of the facts' canonical text, as 64 hexadecimal digits."""
    return hashlib.sha256(canonical(facts).encode("utf-8", "surrogatepass")).hexdigest()


def is_identity(found: Identity, name: str) -> Identity:
    """The identity that was found; raises PluginError where it is none, or its facts are not plain JSON."""
    if not isinstance(found, Identity) or not isinstance(found.facts, Mapping):
        raise PluginError(f"identity() of {name} gave {type(found).__name__}, not an Identity with facts.")
    try:
        canonical(dict(found.facts))
    except (TypeError, ValueError) as error:
        raise PluginError(f"The identity of {name} must be plain JSON: {error}.") from error
    return found


def declared(thing: Any, **more: Any) -> Identity:
    """Name, version and parameters of a metric, intervention or scorer; these are its dataclass fields."""
    known = is_dataclass(thing) and not isinstance(thing, type)
    parameters = asdict(thing) if known else {}
    facts = {"name": thing.name, "version": thing.version, **more, "provider": provider(thing)}
    return Identity({**facts, "parameters": parameters}, resolved=known)


def provider(thing: object) -> str:
    """The package that the thing's class comes from: two plugins may use one name, never at once."""
    return type(thing).__module__.partition(".")[0]


def asked_by() -> dict[str, Any]:
    """By what models are asked."""
    return {"adapter": ADAPTER, "lm_eval": version_of("lm-eval")}


def written_by() -> dict[str, Any]:
    """By what models are asked for ideas."""
    return {**asked_by(), "writing": WRITING}


def learnt_from(intervention: Intervention, dataset: BrainDataset) -> str:
    """The region that the intervention looks at, if it says so; otherwise the dataset's first."""
    region = getattr(intervention, "region", "")
    return region if region in dataset.regions else dataset.regions[0]


def stops_at(intervention: Intervention | None, dataset: BrainDataset | None) -> Identity | None:
    """The validation set of the data that a training learns from, where it stops early."""
    trains = hasattr(intervention, "tune") and dataset is not None
    task = validation_of_dataset(dataset) if trains and dataset is not None else None
    return task_identity(task) if task is not None else None


def task_identity(task: Task) -> Identity:
    """What decides a task's questions; one that has no identity of its own is not resolved."""
    asked = getattr(task, "identity", None)
    if asked is None:
        return Identity({"name": task.name, "version": task.version}, resolved=False)
    return is_identity(asked(), task.name)
