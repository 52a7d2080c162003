"""Options of `run` that ask models for ideas: by which scorers, and how texts are drawn."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import click

from brainbench.errors import UsageError

if TYPE_CHECKING:
    from brainbench.catalog import Catalog
    from brainbench.nouns import BrainDataset, Model
    from brainbench.sampling import Sampling
    from brainbench.scoring import Scorer

F = TypeVar("F", bound=Callable[..., Any])

_OPTIONS = (
    click.option(
        "--scorer",
        "scorers",
        multiple=True,
        help="Ask the models for ideas and let this scorer score them (see `brainbench list scorers`): its "
        "name, or name@model for another model to help it; repeatable.",
    ),
    click.option(
        "--ideas",
        type=click.IntRange(min=1),
        default=4,
        show_default=True,
        help="Texts that a model writes to each question.",
    ),
    click.option(
        "--temperature",
        type=click.FloatRange(min=0),
        default=0.7,
        show_default=True,
        help="Of these texts; at 0 all of a question are the same.",
    ),
    click.option(
        "--top-p",
        type=click.FloatRange(0, 1, min_open=True),
        default=0.95,
        show_default=True,
        help="Their words come from the likeliest that together have this probability.",
    ),
    click.option(
        "--idea-tokens",
        type=click.IntRange(min=1),
        default=1024,
        show_default=True,
        help="The most that one text may have.",
    ),
    click.option(
        "--idea-seed",
        type=click.IntRange(0, 2**63 - 1),
        default=0,
        show_default=True,
        help="Decides all texts, whatever the batches.",
    ),
)


def idea_options(command: F) -> F:
    """The options that say how models are asked for ideas, in the order in which help shows them."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def sampling_of(chosen: Mapping[str, Any]) -> Sampling:
    """How texts are drawn; raises UsageError for a temperature or top-p that is no finite number."""
    from brainbench.sampling import Sampling

    for name in ("temperature", "top_p"):
        if not math.isfinite(chosen[name]):
            option = name.replace("_", "-")
            raise UsageError(
                f"--{option} {chosen[name]} is no finite number.", hint=f"Give one, as in --{option} 0.7."
            )

    return Sampling(
        count=chosen["ideas"],
        temperature=chosen["temperature"],
        top_p=chosen["top_p"],
        tokens=chosen["idea_tokens"],
        seed=chosen["idea_seed"],
    )


def find_scorers(
    catalog: Catalog, names: tuple[str, ...], datasets: list[BrainDataset]
) -> list[tuple[Scorer, Model]]:
    """The scorers of these names, each with the model that helps it.

    Raises UsageError for a name that nobody answers to, and for a scorer without anything to ask.
    """
    from brainbench.idea_plan import asking

    found = []
    for name in dict.fromkeys(names):
        scorer = catalog.find_scorer(name)
        if not scorer.questions and not asking(datasets):
            raise UsageError(
                f"The scorer {scorer.name!r} scores ideas, and no chosen dataset asks for any.",
                hint="Add one that does, as in --dataset simulated-creativity.",
            )
        found.append((scorer, catalog.find_model(scorer.helper)))
    return found
