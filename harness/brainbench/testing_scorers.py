"""The check of scorers for plugin authors; `brainbench.testing` offers it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import is_dataclass
from pathlib import Path

from brainbench.errors import PluginError
from brainbench.ideas import Response
from brainbench.nouns import OpenModel
from brainbench.progress import SilentReporter
from brainbench.scored_ideas import able, scores_of
from brainbench.scoring import Scorer
from brainbench.testing_parts import fits, require_that, same_identity

TOLERANCE = 1e-4


def check_scorer(
    scorer: Scorer, helper: OpenModel, responses: Sequence[Response] = (), kept: Path | None = None
) -> None:
    """One score a response, within the scale, the same again and in any order and company.

    It is asked with its open model `helper`, which must be able to do what the scorer needs.
    """
    fits(scorer, Scorer)
    require_that(is_dataclass(scorer), "It must be a dataclass: its fields are its parameters.")
    require_that(scorer.using("some/model").helper == "some/model", "using() does not take the model.")
    same_identity(scorer.identity(), scorer.identity())
    asked = tuple(responses) or sample_responses()
    able(scorer, helper)
    first, again, turned, alone = (
        _scores(scorer, some, helper, kept) for some in (asked, asked, asked[::-1], asked[:1])
    )
    require_that(first == again, "It is not repeatable.")
    require_that(_alike(first, turned[::-1]), "Scores do not follow the order of the responses.")
    require_that(_alike(first[:1], alone), "A response's score depends on its company.")


def sample_responses() -> tuple[Response, ...]:
    """What people might say, of different lengths."""
    return (
        Response("brick", "build a wall"),
        Response("brick", "grind it up and paint with the red dust"),
        Response("sock", "a puppet"),
        Response("sock", "a filter for coffee in the woods"),
    )


def _scores(
    scorer: Scorer, responses: Sequence[Response], helper: OpenModel, kept: Path | None
) -> tuple[float | None, ...]:
    try:
        return scores_of(scorer, responses, helper, SilentReporter(), kept)
    except PluginError as error:
        raise AssertionError(error.message) from error


def _alike(some: Sequence[float | None], others: Sequence[float | None]) -> bool:
    """Equal but for the rounding of batches."""
    return all(
        a is b or (a is not None and b is not None and abs(a - b) <= TOLERANCE * max(1.0, abs(a)))
        for a, b in zip(some, others, strict=True)
    )
