"""What a model says to what people were asked, and features of it with that: the stage "response"."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from brainbench.arrays import Features, FloatArray
from brainbench.errors import DataError, ShapeError
from brainbench.idea_files import folder_of
from brainbench.idea_identity import fingerprint_of_question, identify_writer
from brainbench.ideas import AsksForIdeas, Idea
from brainbench.identity import fingerprint
from brainbench.nouns import Identity, Model, ModelOptions, OpenModel, Reporter, is_baseline
from brainbench.plan import NOTHING, Cell, ScorerCell, needs_dataset
from brainbench.records import Skip
from brainbench.slots import Opened, phase
from brainbench.stimuli import Stimulus
from brainbench.task_nouns import LanguageModel, OpenLanguageModel
from brainbench.writing import write

if TYPE_CHECKING:
    from brainbench.workbench import Workbench

RESPONSE = "response"
Asking = Cell | ScorerCell
Written = tuple[tuple[Idea, ...], Mapping[str, Any]]


def ideas_of(cell: Asking, bench: Workbench) -> Written | Skip:
    """What the cell's model writes (see `Workbench.ideas`); the last that was asked for is remembered."""
    if (reason := _without_source(cell)) is not None:
        return reason
    with phase("data"):
        questions = questions_of(cell, lambda: bench.stimuli(cell), bench.reporter)
    if isinstance(questions, Skip):
        return questions

    def make() -> Written | Skip:
        found = bench.language(cell, bench.changed(cell))
        if isinstance(found, Skip):
            return found
        with phase("ideas"):
            ideas, told = written(cell, found[0], questions, bench.identity, bench.reporter)
        return ideas, {**found[1], "ideas": told}

    asked = tuple(map(fingerprint_of_question, questions))
    key = (id(cell.model), cell.options, id(cell.intervention), id(cell.dataset), asked)
    return bench.written.get(key, make)


def reads_ideas(cell: Cell, opened: Opened) -> bool:
    """Whether the cell's items are read with what the model said to them.

    A baseline that writes nothing is read as at the stage "prompt".
    """
    if not isinstance(cell.dataset, AsksForIdeas) or cell.dataset.stage != RESPONSE or cell.model is None:
        return False
    return isinstance(opened, OpenLanguageModel) or not is_baseline(cell.model)


def features_with_ideas(cell: Cell, opened: OpenModel, bench: Workbench) -> Features | Skip:
    """Features of the dataset's items with the model's ideas; how many ideas there were is in `made`."""
    found = bench.ideas(cell)
    if isinstance(found, Skip):
        return found
    ideas, facts = found
    features = features_with(opened, bench.stimuli(cell), ideas, bench.reporter)
    if isinstance(features, Skip):
        return features
    return replace(features, made={**features.made, "stage": RESPONSE, "ideas": facts["ideas"]})


def questions_of(
    cell: Asking, stimuli: Callable[[], Sequence[Stimulus]], reporter: Reporter
) -> tuple[Stimulus, ...] | Skip:
    """What the cell's model is asked to write to; a scorer is only given texts that can be original.

    Raises DataError where a dataset's questions are not those of its items.
    """
    dataset = cell.dataset
    if isinstance(cell, ScorerCell) and cell.scorer.questions:
        return tuple(cell.scorer.questions)
    if dataset is None:
        return Skip("The scorer has no questions of its own: name a dataset, too.")
    if not isinstance(dataset, AsksForIdeas):
        return Skip(f"The dataset {dataset.name} asks models for no ideas.")
    questions, items = tuple(dataset.questions(reporter)), tuple(stimuli())
    if [question.id for question in questions] != [stimulus.id for stimulus in items]:
        raise DataError(f"Dataset {dataset.name}: its questions are not one for each of its items.")
    if not isinstance(cell, ScorerCell):
        return questions
    chosen = dataset.creative.indices(items)
    if not chosen:
        return Skip(f"The dataset {dataset.name} has no items that ask for something original.")
    return tuple(questions[at] for at in chosen)


def written(
    cell: Asking,
    language: LanguageModel,
    questions: Sequence[Stimulus],
    identity: Callable[[Model, ModelOptions], Identity],
    reporter: Reporter,
) -> Written:
    """The ideas of the cell's model, written now or before, and facts on them as plain JSON.

    Of a model that cannot be told from another nothing is kept.
    """
    assert cell.model is not None
    assert cell.intervention is not None
    source = cell.dataset if cell.intervention.name != NOTHING else None
    known = identify_writer(cell.model, cell.options, cell.intervention, source, identity)
    kept = folder_of(known.facts) if known.resolved else None
    ideas = write(language, questions, cell.options.sampling, reporter, kept)
    facts = {
        "written": len(ideas),
        "dropped": sum(not idea.text for idea in ideas),
        "fingerprint": fingerprint([[idea.item, idea.draw, idea.seed, idea.text] for idea in ideas]),
    }
    return ideas, facts


def _without_source(cell: Asking) -> Skip | None:
    """Why a change cannot be made: it is learnt from brain data, and there are none."""
    if cell.intervention is not None and needs_dataset(cell.intervention) and cell.dataset is None:
        return Skip(f"{cell.intervention.name!r} is learnt from brain data: name a dataset, too.")
    return None


def features_with(
    opened: OpenModel, stimuli: Sequence[Stimulus], ideas: Sequence[Idea], reporter: Reporter
) -> Features | Skip:
    """Features of each stimulus with each of its ideas, averaged over these: (stimuli x width) a layer.

    Empty texts are left out; where an item has no other, there are no features of it, and so none at all.
    """
    said: dict[str, list[str]] = {stimulus.id: [] for stimulus in stimuli}
    for idea in ideas:
        if idea.text:
            said[idea.item].append(idea.text)
    if silent := sum(not texts for texts in said.values()):
        return Skip(f"The model wrote nothing to {silent} of the {len(said)} items.")
    told = [replace(stimulus, response=text) for stimulus in stimuli for text in said[stimulus.id]]
    found = opened.features(told, reporter)
    if not isinstance(found, Features) or found.n_items != len(told):
        raise ShapeError(f"features() of {len(told)} stimuli gave no Features of as many items.")
    counts = np.array([len(said[stimulus.id]) for stimulus in stimuli])
    layers = {name: _mean(array, counts) for name, array in found.layers.items()}
    return replace(found, layers=layers)


def _mean(array: FloatArray, counts: np.ndarray[Any, Any]) -> FloatArray:
    """The mean over the rows of each item, which stand beside each other; summed in float64."""
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    means: FloatArray = np.add.reduceat(array, starts, axis=0, dtype=np.float64) / counts[:, None]
    return means.astype(array.dtype)
