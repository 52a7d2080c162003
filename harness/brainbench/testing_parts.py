"""What the checks for plugin authors share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from brainbench.errors import PluginError
from brainbench.identity import canonical
from brainbench.nouns import BrainDataset, Identity, OpenModel
from brainbench.protocols import missing, require_dataset_values, require_plain_values, require_scorer_values
from brainbench.scoring import Scorer


def same_identity(first: Identity, second: Identity) -> None:
    """Asked twice, a thing says the same of itself."""
    require_that(
        canonical(dict(first.facts)) == canonical(dict(second.facts)),
        "Its identity changes between two calls.",
    )


def fits(thing: Any, protocol: type[object]) -> None:
    """The thing has what its protocol asks for, and its plain values are plain."""
    lacking = missing(thing, protocol)
    require_that(not lacking, f"{type(thing).__name__} lacks {', '.join(lacking)}.")
    if protocol is not OpenModel:
        plainly(require_plain_values, thing)
    if protocol is BrainDataset:
        plainly(require_dataset_values, thing)
    if protocol is Scorer:
        plainly(require_scorer_values, thing)


def plainly(check: Callable[[Any], None], thing: Any) -> None:
    """A check of the harness, whose PluginError becomes an AssertionError."""
    try:
        check(thing)
    except PluginError as error:
        raise AssertionError(error.message) from error


def require_that(holds: bool, sentence: str) -> None:
    """Raise AssertionError with the sentence unless it holds."""
    if not holds:
        raise AssertionError(sentence)
