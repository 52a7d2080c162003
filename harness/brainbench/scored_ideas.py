"""From a model's texts to their scores: what a scorer is given, and what it must give back."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from brainbench.errors import DataError, ModelError, PluginError
from brainbench.fetch import cache_folder
from brainbench.ideas import OBJECT, AsksForIdeas, Idea, IdeaScores, Response
from brainbench.identity_parts import fingerprint
from brainbench.nouns import Identity, OpenModel, Reporter
from brainbench.plan import ScorerCell
from brainbench.records import Skip
from brainbench.scorer_identity import helper_options, identify_scorer
from brainbench.scoring import OpenEncoder, Scorer
from brainbench.slots import Opened, phase
from brainbench.stimuli import Stimulus
from brainbench.task_nouns import OpenLanguageModel

if TYPE_CHECKING:
    from brainbench.workbench import Workbench


def score_ideas(cell: ScorerCell, bench: Workbench, made: dict[str, Any]) -> IdeaScores | Skip:
    """Ask the cell's model for ideas, put it away, and let the scorer score them with its helper.

    `made` takes up how they were made, for provenance.
    """
    found = bench.ideas(cell)
    if isinstance(found, Skip):
        return found
    ideas, facts = found
    made.update(facts)
    with phase("data"):
        about = objects_of(cell, bench.reporter)
        own = tuple(idea for idea in ideas if idea.item in about)
    bench.put_away()  # it may not fit beside a judge
    with phase("identity"):
        known = identify_scorer(cell.scorer, cell.helper, cell.options, bench.identity)
    helper = bench.helper(cell.helper, helper_options(cell.scorer, cell.options))
    with phase("scorer"):
        responses = [Response(about[idea.item], idea.text) for idea in own]
        scores = scores_of(cell.scorer, responses, able(cell.scorer, helper), bench.reporter, kept_at(known))
        made["helper"] = dict(helper.facts())
        if all(score is None for score in scores):
            said = any(idea.text.strip() for idea in own)
            why = f"{cell.scorer.name} made nothing of them" if said else "all are empty"
            return Skip(f"None of its {len(own)} texts could be scored: {why}.")
        return _with_details(cell, own, scores, about, facts)


def objects_of(cell: ScorerCell, reporter: Reporter) -> dict[str, str]:
    """By item, what its texts are about, of all items whose texts are to be scored.

    Raises DataError where a dataset has no such item, or does not say what one is about.
    """
    if cell.scorer.questions:
        return {asked.id: str(asked.conditions.get(OBJECT, "")) for asked in cell.scorer.questions}
    if not isinstance(cell.dataset, AsksForIdeas):
        raise DataError(f"{cell.scorer.name} has no questions, and there is no dataset that asks for ideas.")
    stimuli: Sequence[Stimulus] = cell.dataset.stimuli(reporter)
    creative = [stimuli[at] for at in cell.dataset.creative.indices(stimuli)]
    if not creative or not all(stimulus.conditions.get(OBJECT) for stimulus in creative):
        raise DataError(f"Dataset {cell.dataset.name} does not say what its creative items are about.")
    return {stimulus.id: str(stimulus.conditions[OBJECT]) for stimulus in creative}


def able(scorer: Scorer, helper: Opened) -> OpenModel:
    """The open model, if it can do what the scorer needs; raises ModelError."""
    does = OpenEncoder if scorer.helps == "embeds" else OpenLanguageModel
    if not isinstance(helper, OpenModel) or not isinstance(helper, does):
        cannot = "embed sentences" if scorer.helps == "embeds" else "answer questions"
        raise ModelError(
            f"{scorer.helper}, which is to help {scorer.name}, cannot {cannot}.",
            hint=f"Name another, as in {scorer.name}@org/name.",
        )
    return helper


def kept_at(known: Identity) -> Path | None:
    """Where a scorer with its very helper may keep what is slow to learn, if it can be told apart."""
    return cache_folder() / "scorers" / fingerprint(known.facts) if known.resolved else None


def scores_of(
    scorer: Scorer, responses: Sequence[Response], helper: OpenModel, reporter: Reporter, kept: Path | None
) -> tuple[float | None, ...]:
    """The score of each response; None where it is empty (the scorer is not asked) or could not be scored.

    Raises PluginError where the scorer gives not one number each, or one outside its scale.
    """
    places = [at for at, response in enumerate(responses) if response.text.strip()]
    found: list[float | None] = [None] * len(responses)
    if not places:
        return tuple(found)
    given = scorer.score([responses[at] for at in places], helper, reporter, kept)
    scores = list(given) if hasattr(given, "__iter__") and hasattr(given, "__len__") else None
    if scores is None or len(scores) != len(places):
        got = type(given).__name__ if scores is None else f"{len(scores)} scores"
        raise PluginError(f"Scorer {scorer.name} gave {got} for {len(places)} texts.")
    for at, score in zip(places, scores, strict=True):
        found[at] = None if score is None else _within(scorer, score)
    return tuple(found)


def _within(scorer: Scorer, score: object) -> float:
    low, high = scorer.scale
    try:
        value = math.nan if isinstance(score, str | bool) else float(score)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        value = math.nan
    if not low <= value <= high:  # neither is NaN
        raise PluginError(f"Scorer {scorer.name} gave the score {score!r}; its scale is {low:g} to {high:g}.")
    return value


def _with_details(
    cell: ScorerCell,
    ideas: tuple[Idea, ...],
    scores: tuple[float | None, ...],
    about: dict[str, str],
    facts: Mapping[str, Any],
) -> IdeaScores:
    plain = IdeaScores(ideas, scores, about)
    by: dict[str, list[float]] = {}
    for item, score in plain.by_item.items():
        by.setdefault(about[item], []).append(score)
    details = {
        "sampling": asdict(cell.options.sampling),
        "scale": list(cell.scorer.scale),
        "rated": hasattr(cell.scorer, "held_out"),  # so it can be held to people
        "form": facts.get("ideas", {}).get("form"),
        "by": {name: math.fsum(values) / len(values) for name, values in by.items() if name},
        "texts": len(ideas),
        "unscored": plain.unscored,
    }
    return IdeaScores(ideas, scores, about, details)
