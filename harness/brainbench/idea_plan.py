"""Which of the chosen datasets ask for ideas that a scorer can score."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

from brainbench.ideas import AsksForIdeas
from brainbench.nouns import BrainDataset

_ASKING = ("main", "short")  # prompts that say what to think of; the others are there for comparison


def asking(datasets: Iterable[BrainDataset]) -> list[BrainDataset]:
    """Those that ask for ideas, each once: variants that differ in stage or people ask the same.

    Of the stages the one at which nothing was said yet, where both are chosen. Left out are variants of
    some people's trials alone (a model's texts are none of these) and prompts that ask for nothing.
    """
    found: dict[tuple[object, object], BrainDataset] = {}
    for dataset in datasets:
        if not isinstance(dataset, AsksForIdeas):
            continue
        variant = _variant(dataset)
        prompt = variant.get("prompt", _ASKING[0])
        if prompt not in _ASKING or variant.get("rated") is not None:
            continue
        key = (variant.get("of", dataset.name), prompt)
        if key not in found or dataset.stage == "prompt":
            found[key] = dataset
    return list(found.values())


def _variant(dataset: BrainDataset) -> Mapping[str, Any]:
    """What its identity says of the variant that it is; nothing where it has none, or cannot tell yet."""
    with suppress(Exception):  # the cell will say what is wrong with it
        facts = dataset.identity(dataset.regions[0]).facts.get("variant")
        return facts if isinstance(facts, Mapping) else {}
    return {}
