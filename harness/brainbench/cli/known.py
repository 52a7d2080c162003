"""What the facts of something kept say, in words. They come from a file and may be anything."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def version_of(facts: Mapping[str, Any], name: str = "version") -> str:
    """A version, to stand behind a name; nothing where there is none."""
    return f" v{facts[name]}" if name in facts else ""


def data_of(facts: Mapping[str, Any]) -> str:
    """Which dataset and region, how many items and people; nothing where no dataset is named."""
    if "dataset" not in facts:
        return ""
    simulated = " (SIMULATED)" if facts.get("simulated") else ""
    where = f"{facts['dataset']}{version_of(facts, 'dataset_version')}{simulated}"
    counts = f"{_count(facts, 'fitted_on')} items, {_count(facts, 'people')} people"
    return f"{where}, region {facts.get('region')}: {counts}"


def model_of(facts: Mapping[str, Any]) -> str:
    """Which model, at which revision and precision; nothing where none is named."""
    model = facts.get("model")
    if not isinstance(model, Mapping):
        return ""
    revision = f", revision {str(model['revision'])[:19]}" if "revision" in model else ""
    return f"{model.get('name')}{revision}, {model.get('dtype')}"


def _count(facts: Mapping[str, Any], name: str) -> str:
    found = facts.get(name)
    return str(len(found)) if isinstance(found, list | tuple) else "an unknown number of"
