"""Baselines: what can be had without a model of language, scored by the same code as models.

A score means something only beyond the best of these. `brainbench run` adds them to every run.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar

from brainbench import hookimpl
from brainbench.arrays import AnyFeatures, Recording
from brainbench.errors import UsageError
from brainbench.hookspecs import Register
from brainbench.nouns import Identity, Model, ModelOptions, ModelSource, Reporter
from brainbench.nuisances import NUISANCES
from brainbench.records import Skip
from brainbench.stimuli import Stimulus
from brainbench_models import baseline_features

BRAINBENCH_API = 1
VERSION = 1  # raised whenever the same dataset would give other features

Make = Callable[[Sequence[Stimulus], Recording], AnyFeatures | Skip]

NOISE_LAYERS = 16
_NOISE = re.compile(r"baseline:noise(?P<type>\+type)?(?:@(?P<layers>[0-9]{1,4}))?")


@dataclass(frozen=True)
class OpenedBaseline:
    """A baseline in memory, which is next to nothing."""

    make: Make
    said: Mapping[str, Any]

    def features_of(
        self, stimuli: Sequence[Stimulus], recording: Recording, reporter: Reporter
    ) -> AnyFeatures | Skip:
        """Features of all items, or why there are none."""
        del reporter  # it takes no time
        return self.make(stimuli, recording)

    def facts(self) -> Mapping[str, Any]:
        """What was used: no device, no weights."""
        return dict(self.said)


class _Baseline(ABC):
    """What all of them share."""

    baseline: ClassVar[bool] = True
    kind: ClassVar[str] = "baseline"

    @property
    @abstractmethod
    def name(self) -> str:
        """What the baseline is called."""

    def facts(self, options: ModelOptions) -> dict[str, Any]:
        """What decides the features beside name and version."""
        del options
        return {}

    @abstractmethod
    def make(
        self, options: ModelOptions, stimuli: Sequence[Stimulus], recording: Recording
    ) -> AnyFeatures | Skip:
        """Features of all items, or why there are none."""

    def identity(self, options: ModelOptions) -> Identity:
        """Name, version and parameters: nothing else decides the features."""
        return Identity({"kind": self.kind, "name": self.name, "version": VERSION, **self.facts(options)})

    @contextmanager
    def open(self, options: ModelOptions, reporter: Reporter) -> Iterator[OpenedBaseline]:
        """Nothing is loaded."""
        del reporter
        yield OpenedBaseline(
            lambda stimuli, recording: self.make(options, stimuli, recording), {"device": "none"}
        )


@dataclass(frozen=True)
class NuisanceBaseline(_Baseline):
    """One of the dull predictors that the harness knows of every dataset (brainbench.nuisances)."""

    nuisance: str

    @property
    def name(self) -> str:
        """The dull predictor's name, marked as a baseline."""
        return f"baseline:{self.nuisance}"

    @property
    def about(self) -> str:
        """What it is, in a sentence."""
        return NUISANCES[self.nuisance]

    def make(
        self, options: ModelOptions, stimuli: Sequence[Stimulus], recording: Recording
    ) -> AnyFeatures | Skip:
        """The nuisance, or a Skip where the dataset lacks it."""
        found = recording.nuisances.get(self.nuisance)
        return (
            Skip(f"The dataset has no {self.nuisance} that differs between items.")
            if found is None
            else found
        )


@dataclass(frozen=True)
class WordsBaseline(_Baseline):
    """How often each word occurs in the item. Words of test items alone have no weight: see bag_of_words."""

    name: str = "baseline:words"
    about: ClassVar[str] = "How often each word occurs in the item. Words of test items alone weigh nothing."

    def make(
        self, options: ModelOptions, stimuli: Sequence[Stimulus], recording: Recording
    ) -> AnyFeatures | Skip:
        """One layer (items x words), or a Skip where no item has any."""
        return baseline_features.bag_of_words(stimuli)


@dataclass(frozen=True)
class NoiseBaseline(_Baseline):
    """Layers of pure noise, drawn from the seed; `with_type` adds an offset by task type to each of them."""

    about: ClassVar[str] = (
        "Layers of pure noise, drawn from the seed; with +type, an offset by task type, too."
    )
    layers: int = NOISE_LAYERS
    with_type: bool = False

    @property
    def name(self) -> str:
        """With the number of layers where that is not the usual one."""
        layers = "" if self.layers == NOISE_LAYERS else f"@{self.layers}"
        return f"baseline:noise{'+type' if self.with_type else ''}{layers}"

    def facts(self, options: ModelOptions) -> dict[str, Any]:
        """Number of layers, and the seed."""
        usual = self.layers == NOISE_LAYERS and not self.with_type
        # Models are measured against what every run has; more noise, asked for by name, is only shown.
        return {"layers": self.layers, "seed": options.seed, "kind": self.kind if usual else "noise"}

    def make(
        self, options: ModelOptions, stimuli: Sequence[Stimulus], recording: Recording
    ) -> AnyFeatures | Skip:
        """The layers (items x 64 each)."""
        strata = recording.strata if self.with_type else ()
        if self.with_type and len(set(strata)) < 2:
            return Skip("All items are of one type.")
        return baseline_features.noise(len(stimuli), self.layers, options.seed, strata)


@dataclass(frozen=True)
class PersonBaseline(_Baseline):
    """One person predicting another: each participant is compared with the next one's responses.

    It says where the ceiling sits, and is no dull predictor: models are not measured against it.
    """

    name: str = "baseline:person"
    kind: ClassVar[str] = "people"

    def make(
        self, options: ModelOptions, stimuli: Sequence[Stimulus], recording: Recording
    ) -> AnyFeatures | Skip:
        """For each participant one layer (items x voxels of the next)."""
        return baseline_features.next_person(recording)


@dataclass(frozen=True)
class NoiseSource:
    """Finds noise with any number of layers: to compare with a model of as many."""

    name: str = "baseline-noise"
    pattern: str = "baseline:noise@LAYERS or baseline:noise+type@LAYERS"

    def find(self, spec: str) -> NoiseBaseline | None:
        """The noise that `spec` names; raises UsageError for no layers at all."""
        match = _NOISE.fullmatch(spec)
        if match is None:
            return None
        layers = int(match["layers"] or NOISE_LAYERS)
        if not layers:
            raise UsageError("Noise needs at least one layer.", hint="Name it baseline:noise@1, say.")
        return NoiseBaseline(layers, with_type=bool(match["type"]))


@hookimpl
def register_models(register: Register[Model | ModelSource]) -> None:
    """Offer all of them."""
    for nuisance in NUISANCES:
        register(NuisanceBaseline(nuisance))
    register(WordsBaseline())
    register(NoiseBaseline())
    register(PersonBaseline())
    register(NoiseSource())
