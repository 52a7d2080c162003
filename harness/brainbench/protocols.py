"""Whether a thing has what a protocol asks for, and whether its plain values are plain."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from brainbench.errors import PluginError, ShapeError
from brainbench.nouns import BrainDataset, DatasetCard
from brainbench.stimuli import ItemSet, Stimulus

if TYPE_CHECKING:
    from brainbench.scoring import Scorer

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@+=-]{0,199}")


def members(protocol: type[object]) -> list[str]:
    """Names that a protocol asks for."""
    return [name for name in vars(protocol) if not name.startswith("_")]


def missing(thing: object, protocol: type[object]) -> list[str]:
    """Names that a protocol asks for and the thing lacks; a class is not a thing of its kind."""
    return (
        members(protocol)
        if isinstance(thing, type)
        else [m for m in members(protocol) if not hasattr(thing, m)]
    )


def require(thing: object, protocol: type[object], what: str) -> None:
    """Raise PluginError unless the thing has all that the protocol asks for."""
    if lacking := missing(thing, protocol):
        kind = type(thing).__name__
        raise PluginError(f"{what} is {kind}, which lacks {', '.join(lacking)} of {protocol.__name__}.")


def require_plain_values(thing: Any) -> None:
    """Raise PluginError for names, versions and the like that could not be stored or shown."""
    require_name(thing.name, "name")
    if hasattr(thing, "protocol"):
        require_name(thing.protocol, "protocol")
    if hasattr(thing, "version") and (not isinstance(thing.version, int) or isinstance(thing.version, bool)):
        raise PluginError(f"the version of {thing.name!r} is {thing.version!r}, which is no whole number")


def require_name(name: object, what: str) -> None:
    """Raise PluginError unless it is a short name of letters, digits and . _ : / @ + -."""
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise PluginError(f"it was given the {what} {name!r}, which is no plain name")


def require_dataset_values(dataset: BrainDataset) -> None:
    """Raise PluginError unless a dataset's cheap values have their declared types."""
    for names, what in ((dataset.regions, "regions"), (dataset.item_sets, "item_sets")):
        if not isinstance(names, tuple) or not names:
            raise PluginError(f"the {what} of dataset {dataset.name!r} are no tuple with something in it")
    for region in dataset.regions:
        require_name(region, "region")
    for item_set in dataset.item_sets:
        if not isinstance(item_set, ItemSet):
            raise PluginError(
                f"an item set of dataset {dataset.name!r} is {type(item_set).__name__}, not ItemSet"
            )
        require_name(item_set.name, "item set")
    for named, what in (
        (list(dataset.regions), "regions"),
        ([s.name for s in dataset.item_sets], "item sets"),
    ):
        if len(set(named)) != len(named):
            raise PluginError(f"the {what} of dataset {dataset.name!r} repeat")
    if not isinstance(dataset.simulated, bool):
        raise PluginError(f"dataset {dataset.name!r} does not say True or False for simulated")
    card = dataset.card
    texts = (
        (card.description, card.licence, card.citation, *card.sources, *card.caveats)
        if _is_card(card)
        else ()
    )
    if not texts or not all(isinstance(text, str) and text for text in texts):
        raise PluginError(f"the card of dataset {dataset.name!r} has gaps")


def require_scorer_values(scorer: Scorer) -> None:
    """Raise PluginError unless a scorer's cheap values have their declared types."""
    name, scale = scorer.name, scorer.scale
    if "@" in name:
        raise PluginError(f"the scorer {name!r} has an @ in its name, behind which its model is named")
    if not isinstance(scorer.helper, str):
        raise PluginError(f"the helper of scorer {name!r} is {scorer.helper!r}, which is no model's name")
    if scorer.helps not in {"embeds", "answers"}:
        raise PluginError(f'the model of scorer {name!r} {scorer.helps!r}: it must say "embeds" or "answers"')
    if not isinstance(scale, tuple) or len(scale) != 2 or not all(map(_is_finite, scale)):
        raise PluginError(f"the scale of scorer {name!r} is {scale!r}, not the lowest and highest score")
    if scale[0] >= scale[1]:
        raise PluginError(f"the scale of scorer {name!r} goes from {scale[0]:g} to {scale[1]:g}")
    questions = scorer.questions
    if not isinstance(questions, tuple) or not all(isinstance(asked, Stimulus) for asked in questions):
        raise PluginError(f"the questions of scorer {name!r} are no tuple of stimuli")


def _is_finite(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_card(card: object) -> bool:
    return (
        isinstance(card, DatasetCard)
        and isinstance(card.sources, tuple)
        and bool(card.sources)
        and isinstance(card.caveats, tuple)
    )


def require_plain(facts: Mapping[str, Any], what: str) -> None:
    """Raise ShapeError unless the facts are plain JSON with finite numbers."""
    try:
        json.dumps(dict(facts), allow_nan=False, ensure_ascii=False).encode()
    except (TypeError, ValueError) as error:
        raise ShapeError(f"{what} must be plain JSON with finite numbers: {error}.") from error
