"""What a reader must know of what changed a model, to judge its answers: which of the items it had seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from brainbench.adapter import Adapter
from brainbench.errors import NotApplicable
from brainbench.nouns import BrainDataset
from brainbench.steering import Steering


def told_of_steering(
    steering: Steering, documents: Any, places: Sequence[int], columns: Mapping[str, Any]
) -> dict[str, dict[str, Any]]:
    """What a reader must know of a steering to judge a score: what it is, and what of the items it knew."""
    column, source, items_of = columns.get("id"), steering.facts.get("dataset"), columns.get("items_of")
    if steering.items and not steering.key and source and items_of and source != items_of:
        raise NotApplicable(f"The steering is for single items of {source}; this task has {items_of}'s.")
    there = [name for name in documents.column_names if name in {column, steering.key}]
    asked = documents.select_columns(there).select(places) if there else [{} for _ in places]
    names = [{"": str(row.get(column)), **{key: str(value) for key, value in row.items()}} for row in asked]
    steered = [found for found in names if steering.row(found) is not None]
    if not steered:
        raise NotApplicable("The steering differs between items, and this task has none of them.")
    known = frozenset[str]() if steering.held_out else steering.fitted_on
    return {
        "steering": {
            "fingerprint": steering.fingerprint,
            "looks_at": list(steering.looks_at),
            "oracle": steering.oracle,
            "where": steering.where,
            "steered": len(steered),
            "seen": None if known is None else sum(found[""] in known for found in names),
        }
    }


def told_of_fit(facts: Mapping[str, Any], dataset: BrainDataset | None) -> dict[str, Any]:
    """What facts say it was learnt from, in few words; of repairs also how many succeeded.

    Whether the dataset is made up is the dataset's to say: a plugin may forget it.
    """
    sizes = {
        name: len(facts[key]) for name, key in (("items", "fitted_on"), ("people", "people")) if key in facts
    }
    kept = ("dataset", "region", "simulated", "targeted", "repaired")
    made_up = {} if dataset is None else {"simulated": dataset.simulated}
    return {**{name: facts[name] for name in kept if name in facts}, **sizes, **made_up}


def told_of_adapter(
    adapter: Adapter, documents: Any, places: Sequence[int], columns: Mapping[str, Any]
) -> dict[str, dict[str, Any]]:
    """What it is, and how many of the items it was trained on; "seen" is None where that is not known."""
    known, column = adapter.fitted_on, columns.get("id")
    ids = documents.select_columns([column]).select(places)[column] if column else []
    return {
        "tuning": {
            "fingerprint": adapter.fingerprint,
            "looks_at": list(adapter.looks_at),
            "oracle": False,
            "seen": None if known is None else sum(str(item) in known for item in ids),
        }
    }
