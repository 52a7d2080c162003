"""The things that plugins offer, as protocols: nobody has to inherit from anything.

A registered thing is a cheap value, best a frozen dataclass: building it opens no file and imports no
torch. Work starts in `open`, `stimuli`, `recording` and `score`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from brainbench.cards import DatasetCard as DatasetCard  # noqa: PLC0414 - plugins find all nouns here
from brainbench.cards import MethodCard as MethodCard  # noqa: PLC0414
from brainbench.cards import RegionPlace as RegionPlace  # noqa: PLC0414
from brainbench.model_options import Dtype as Dtype  # noqa: PLC0414
from brainbench.model_options import Identity as Identity  # noqa: PLC0414
from brainbench.model_options import ModelOptions as ModelOptions  # noqa: PLC0414
from brainbench.model_options import Pooling as Pooling  # noqa: PLC0414
from brainbench.task_nouns import Task as Task  # noqa: PLC0414

if TYPE_CHECKING:
    from brainbench.arrays import AnyFeatures, Behaviour, Features, Recording
    from brainbench.records import Scores, Skip
    from brainbench.stimuli import ItemSet, Stimulus


class Reporter(Protocol):
    """Where progress goes. The harness prints nothing by itself."""

    def task(self, label: str, total: int) -> AbstractContextManager[Callable[[int], None]]:
        """Announce `total` steps of work; the callable yielded takes the number of steps just done."""
        ...


@runtime_checkable
class OpenModel(Protocol):
    """A model in memory."""

    def features(self, stimuli: Sequence[Stimulus], reporter: Reporter, /) -> Features:
        """Represent each stimulus: one array (stimuli x width) per layer, in the stimuli's order."""
        ...

    def facts(self) -> Mapping[str, Any]:
        """What was used, for provenance: device, dtype, batch size, number of parameters, ..."""
        ...


@runtime_checkable
class OpenBaseline(Protocol):
    """What a baseline that is no model of language opens as: it may look at the recording itself."""

    def features_of(
        self, stimuli: Sequence[Stimulus], recording: Recording, reporter: Reporter, /
    ) -> AnyFeatures | Skip:
        """Features of all stimuli, perhaps different for each participant, or why there are none.

        `recording` is of a whole region and holds its nuisances (see brainbench.nuisances).
        """
        ...

    def facts(self) -> Mapping[str, Any]:
        """What was used, for provenance."""
        ...


@runtime_checkable
class Model(Protocol):
    """Something that represents stimuli: a language model, or a baseline that is none.

    A model with an attribute `baseline` that is True shows what can be had without what models are tested
    for: the board lists it apart, without a rank, and measures the others against it. One with an attribute
    `untrained`, the same model with random weights, has that scored beside it.
    """

    @property
    def name(self) -> str:
        """How the model is called and shown; unique among registered models."""
        ...

    def identity(self, options: ModelOptions, /) -> Identity:
        """What decides the features: resolved revision or weight hash, dtype, pooling, seed, ..."""
        ...

    def open(
        self, options: ModelOptions, reporter: Reporter, /
    ) -> AbstractContextManager[OpenModel | OpenBaseline]:
        """Fetch what is missing and load the model; leaving the context frees its memory."""
        ...


@runtime_checkable
class ModelSource(Protocol):
    """A place where models are found by name, such as a hub: register it where a model would go."""

    @property
    def name(self) -> str:
        """What the source is called; unique among registered models and sources."""
        ...

    @property
    def pattern(self) -> str:
        """The form of the names it knows, for people to read: "org/name[@revision]"."""
        ...

    def find(self, spec: str, /) -> Model | None:
        """The model that `spec` names, or None when the name is not of this source's form; no network.

        May raise UsageError for a name that is this source's own, and wrong.
        """
        ...


def is_baseline(model: Model) -> bool:
    """Whether a model says of itself that it is one."""
    return getattr(model, "baseline", False) is True


@runtime_checkable
class BrainDataset(Protocol):
    """Responses of people's brains to stimuli, by region.

    It may have an attribute `design_conditions`, names of the stimuli's conditions that describe how items
    were made (the right answer, a negation): they become the dull predictor "design". For training on it:
    `validation()`, the Task on which training stops early, which shares no problem with it or any test, and
    `more_problems(count, seed)`, so many more Stimuli of its design with right answers, in neither; `version`
    counts these, too. `at(places)`: see brainbench.variants; ideas: AsksForIdeas, in brainbench.ideas.
    `region_places`, a mapping of names of regions to RegionPlace: where they lie, to draw them on a brain.
    """

    @property
    def name(self) -> str:
        """Unique among registered datasets."""
        ...

    @property
    def version(self) -> int:
        """Raised whenever the same files would give other arrays or prompts."""
        ...

    @property
    def regions(self) -> tuple[str, ...]:
        """Regions of interest, the main one first."""
        ...

    @property
    def item_sets(self) -> tuple[ItemSet, ...]:
        """Sets of items scored separately, the whole first."""
        ...

    @property
    def simulated(self) -> bool:
        """True unless real people were scanned: such scores are marked and never ranked with real ones."""
        ...

    @property
    def card(self) -> DatasetCard:
        """Licence, citation, sources."""
        ...

    def identity(self, region: str, /) -> Identity:
        """What decides stimuli and responses of a region: the version and the hashes of its files."""
        ...

    def stimuli(self, reporter: Reporter, /) -> tuple[Stimulus, ...]:
        """All stimuli, in the order of the recordings' items; fetches what is missing."""
        ...

    def recording(self, region: str, reporter: Reporter, /) -> Recording:
        """Every participant's responses in a region to all items; fetches what is missing."""
        ...

    def behaviour(self, reporter: Reporter, /) -> Behaviour | None:
        """What the participants answered, and how fast; None where nothing was recorded."""
        ...


@runtime_checkable
class DatasetSource(Protocol):
    """A place where datasets are found by name, such as folders: register it where a dataset would go."""

    @property
    def name(self) -> str:
        """What the source is called; unique among registered datasets and sources."""
        ...

    @property
    def pattern(self) -> str:
        """The form of the names it knows, for people to read: "path/to/folder"."""
        ...

    def find(self, spec: str, /) -> BrainDataset | None:
        """The dataset that `spec` names, or None when the name is not of this source's form; no network.

        May raise UsageError for a name that is this source's own, and wrong.
        """
        ...


@runtime_checkable
class Metric(Protocol):
    """A way to compare features with responses. It sees arrays, never a model.

    A metric should be a dataclass: its fields are its parameters and enter the fingerprint. One that can
    score features that differ between people (PersonalFeatures) says so with a class attribute
    `takes_personal = True`; any other is never given them.

    It may have a property `card`, a MethodCard: what the board's page of it says. (A property and no field,
    or every word of it would enter the fingerprint.)
    """

    @property
    def name(self) -> str:
        """What is measured; "name/protocol" is unique among registered metrics."""
        ...

    @property
    def protocol(self) -> str:
        """Which way of estimating it: "paper" for a published one, "robust" for ours."""
        ...

    @property
    def version(self) -> int:
        """Raised whenever the same arrays would give other scores."""
        ...

    def score(self, features: Features, recording: Recording, reporter: Reporter, /) -> Scores | Skip:
        """Compare every layer with every participant; features and recording hold the same items."""
        ...

    def ceiling(self, recording: Recording, reporter: Reporter, /) -> Scores | Skip:
        """How well people predict each other on the same measure."""
        ...


@runtime_checkable
class Intervention(Protocol):
    """A change made to an open model before it is asked anything; "none" is the baseline.

    One with an attribute `needs_dataset` that is False is learnt from no dataset: it is also applied where
    none is named, and then given None.

    One with an attribute `beside`, names of others without which its numbers cannot be judged, brings these
    into a run, too, unless that is to have no baselines.

    One with a method `at(place)`, which gives the same with the name "name@place", can be asked for under
    that name: learnt from another region, or from one type of problem.

    It may have a property `card`, a MethodCard, as a metric.
    """

    @property
    def name(self) -> str:
        """Unique among registered interventions."""
        ...

    @property
    def version(self) -> int:
        """Raised whenever the same change would act differently."""
        ...

    def apply(self, model: OpenModel, dataset: BrainDataset, /) -> AbstractContextManager[OpenModel]:
        """The changed model; leaving the context undoes the change, also after an exception."""
        ...
