"""Checks for plugin authors, of whether a thing keeps what its protocol promises.

Call them from your own tests: `check_metric(MyMetric())`. Each raises AssertionError with one sentence.
They use the thing itself, on small made-up data where data is needed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import is_dataclass, replace

import numpy as np

from brainbench.arrays import Behaviour, Features, Participant, PersonalFeatures, Recording
from brainbench.cards import RegionPlace
from brainbench.errors import DataError, NotApplicable
from brainbench.identity import canonical
from brainbench.nouns import (
    BrainDataset,
    Intervention,
    Metric,
    Model,
    ModelOptions,
    OpenBaseline,
    OpenModel,
    Task,
)
from brainbench.nuisances import nuisances
from brainbench.progress import SilentReporter
from brainbench.records import Scores, Skip
from brainbench.stimuli import Message, Stimulus
from brainbench.task_nouns import validation_of
from brainbench.testing_parts import fits, plainly, require_that, same_identity
from brainbench.testing_scorers import check_scorer as check_scorer  # noqa: PLC0414 - with the others
from brainbench.training_data import more_problems_of, validation_of_dataset

TOLERANCE = 1e-4


def check_model(model: Model, options: ModelOptions | None = None, stimuli: Sequence[Stimulus] = ()) -> None:
    """Identity is plain and stable; features follow the stimuli's order, whatever else is asked with them.

    Of a baseline that looks at recordings only that its features are of the items that it is given.
    """
    options = options or ModelOptions()
    fits(model, Model)
    same_identity(model.identity(options), model.identity(options))
    asked = tuple(stimuli) or sample_stimuli()
    with model.open(options, SilentReporter()) as opened:
        if isinstance(opened, OpenBaseline):
            _check_baseline(opened, asked)
            return
        fits(opened, OpenModel)
        whole = opened.features(asked, SilentReporter())
        turned = opened.features(asked[::-1], SilentReporter())
        alone = opened.features(asked[:1], SilentReporter())
        canonical(dict(opened.facts()))
    for name, x in whole.layers.items():
        scale = max(float(np.abs(x).max()), 1e-12)
        order = np.abs(turned.layers[name][::-1] - x).max()
        company = np.abs(alone.layers[name][0] - x[0]).max()
        require_that(x.shape[0] == len(asked), f"{name}: {x.shape[0]} rows for {len(asked)} stimuli.")
        require_that(order <= TOLERANCE * scale, f"{name}: features do not follow the stimuli's order.")
        require_that(company <= TOLERANCE * scale, f"{name}: a stimulus's features depend on its company.")


def check_dataset(dataset: BrainDataset) -> None:
    """Stimuli, item sets and every region's recording belong together; loads the whole dataset."""
    fits(dataset, BrainDataset)
    stimuli = dataset.stimuli(SilentReporter())
    ids = tuple(stimulus.id for stimulus in stimuli)
    require_that(len(set(ids)) == len(ids) > 0, "Stimulus ids must be there and differ.")
    for item_set in dataset.item_sets:
        require_that(bool(item_set.indices(stimuli)), f"Item set {item_set.name!r} is empty.")
    for region in dataset.regions:
        same_identity(dataset.identity(region), dataset.identity(region))
        recording = dataset.recording(region, SilentReporter())
        require_that(recording.items == ids, f"{region}: items are not the stimuli.")
        require_that(
            recording.region == region, f"{region}: the recording calls itself {recording.region!r}."
        )
    behaviour = dataset.behaviour(SilentReporter())
    require_that(behaviour is None or behaviour.items == ids, "Behaviour is not about the stimuli.")
    plainly(_check_training_data, dataset)
    places = getattr(dataset, "region_places", {})
    known = isinstance(places, Mapping) and all(isinstance(place, RegionPlace) for place in places.values())
    require_that(
        known and set(places) <= set(dataset.regions), "region_places must be places of its regions."
    )
    design = getattr(dataset, "design_conditions", ())
    require_that(isinstance(design, tuple), "design_conditions must be a tuple of names.")
    try:
        nuisances(stimuli, recording.strata, design, behaviour)
    except DataError as error:
        raise AssertionError(error.message) from error


def check_metric(metric: Metric) -> None:
    """Scores are finite, repeatable and about the layers and people given; arrays are left as they were."""
    fits(metric, Metric)
    require_that(is_dataclass(metric), "It must be a dataclass: its fields are its parameters.")
    features, recording = sample_features(), sample_recording()
    arrays = [*features.layers.values(), *(person.responses for person in recording.participants)]
    before = [array.copy() for array in arrays]
    first = metric.score(features, recording, SilentReporter())
    second = metric.score(features, recording, SilentReporter())
    untouched = all(np.array_equal(old, new) for old, new in zip(before, arrays, strict=True))
    require_that(untouched, "It changes the arrays that it is given.")
    require_that(isinstance(first, Scores | Skip), "It must return Scores or Skip.")
    if isinstance(first, Scores) and isinstance(second, Scores):
        known = set(features.layers)
        named = set(first.layers) | set(first.unscored)
        require_that(known <= named, "Each layer must be scored or unscored.")
        require_that(
            named - known <= {first.layers[first.best]},
            "A row that is no layer (an estimate over several) must be the headline.",
        )
        require_that(
            set(first.participants) <= {p.id for p in recording.participants},
            "It scores people who are not there.",
        )
        require_that(np.array_equal(first.per_participant, second.per_participant), "It is not repeatable.")
        canonical(dict(first.details))
    flat = Features({name: np.ones_like(x) for name, x in features.layers.items()})
    constant = metric.score(flat, recording, SilentReporter())
    require_that(isinstance(constant, Skip), "Features that do not vary must be a Skip with its reason.")
    require_that(
        isinstance(metric.ceiling(recording, SilentReporter()), Scores | Skip),
        "ceiling() must return one too.",
    )


def check_intervention(intervention: Intervention, model: OpenModel, dataset: BrainDataset) -> None:
    """The changed model answers like a model, and is as before when the change is undone.

    It is asked the dataset's first items. An intervention that says that it does not apply is fine, too.
    """
    fits(intervention, Intervention)
    asked = tuple(dataset.stimuli(SilentReporter()))[:6]
    before = model.features(asked, SilentReporter())
    with suppress(NotApplicable), intervention.apply(model, dataset) as changed:
        fits(changed, OpenModel)
        during = changed.features(asked, SilentReporter())
        require_that(during.n_items == len(asked), "The changed model answers for other stimuli.")
    after = model.features(asked, SilentReporter())
    for name, x in before.layers.items():
        require_that(np.array_equal(x, after.layers[name]), f"{name} stays changed after the intervention.")


def check_task(task: Task) -> None:
    """The lm-eval configuration names the task; what is chosen is chosen on another task."""
    fits(task, Task)
    require_that(bool(task.lm_eval_config().get("task")), "Its lm-eval configuration names no task.")
    chosen_on = validation_of(task)
    if chosen_on is not None:
        fits(chosen_on, Task)


def sample_stimuli(n: int = 6) -> tuple[Stimulus, ...]:
    """Made-up problems of different lengths."""
    made = []
    for i in range(n):
        content = " ".join(f"All {'abcdef'[j]}s are {'uvwxyz'[j]}s." for j in range(i + 1))
        made.append(
            Stimulus(f"sample-{i}", (Message("user", content),), content, content, {"type": "ab"[i % 2]})
        )
    return tuple(made)


def sample_features(items: int = 30, width: int = 8, layers: int = 3) -> Features:
    """Made-up features."""
    rng = np.random.default_rng(0)
    return Features({f"layer.{i}": rng.normal(size=(items, width)) for i in range(layers)})


def sample_recording(items: int = 30, people: int = 4, voxels: int = 12) -> Recording:
    """Made-up responses in which the first layer of `sample_features` is planted."""
    rng = np.random.default_rng(1)
    signal = sample_features(items).layers["layer.0"]
    made = tuple(
        Participant(
            f"person-{i}",
            signal @ rng.normal(size=(signal.shape[1], voxels)) + rng.normal(size=(items, voxels)),
            np.arange(items),
        )
        for i in range(people)
    )
    return Recording(
        "sample", tuple(f"item-{i}" for i in range(items)), made, tuple("ab"[i % 2] for i in range(items))
    )


def _check_training_data(dataset: BrainDataset) -> None:
    """What a dataset offers for training on it, if it offers anything."""
    validation = validation_of_dataset(dataset)
    if validation is not None:
        check_task(validation)
    made = more_problems_of(dataset, 5, 1)
    if made is not None:
        require_that(made == more_problems_of(dataset, 5, 1), "more_problems() is not repeatable.")
        require_that(
            made != more_problems_of(dataset, 5, 2), "more_problems() gives the same for every seed."
        )
        more_problems_of(dataset, 0, 1)


def _check_baseline(opened: OpenBaseline, stimuli: Sequence[Stimulus]) -> None:
    made = sample_recording(len(stimuli))
    items = tuple(stimulus.id for stimulus in stimuli)
    times = np.linspace(1, 2, len(made.participants) * len(items)).reshape(len(made.participants), -1)
    behaviour = Behaviour(tuple(person.id for person in made.participants), items, None, times)
    dull = nuisances(stimuli, made.strata, (), behaviour)
    recording = replace(made, items=items, nuisances=dull)
    found = opened.features_of(stimuli, recording, SilentReporter())
    kinds = Features | PersonalFeatures | Skip
    require_that(isinstance(found, kinds), "features_of() must return Features, PersonalFeatures or a Skip.")
    if not isinstance(found, Skip):
        require_that(found.n_items == len(items), f"{found.n_items} rows for {len(items)} stimuli.")
    canonical(dict(opened.facts()))
