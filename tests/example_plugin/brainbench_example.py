"""A whole third-party plugin: a model that reads letters and no meaning, a metric, and a scorer of ideas."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from string import ascii_lowercase
from typing import Any

import numpy as np

from brainbench import hookimpl
from brainbench.arrays import Features, Recording
from brainbench.errors import ModelError
from brainbench.hookspecs import Register
from brainbench.ideas import Response
from brainbench.nouns import (
    Identity,
    MethodCard,
    Metric,
    Model,
    ModelOptions,
    ModelSource,
    OpenModel,
    Reporter,
)
from brainbench.records import Scores, Skip
from brainbench.scoring import Helps, Scorer
from brainbench.stimuli import Stimulus

BRAINBENCH_API = 1


class LetterCounter:
    """Nothing to load: it is open as soon as it is made."""

    def features(self, stimuli: Sequence[Stimulus], reporter: Reporter) -> Features:
        """How often each letter occurs in a stimulus: (stimuli x 26)."""
        rows = [[float(s.content.lower().count(letter)) for letter in ascii_lowercase] for s in stimuli]
        return Features({"letters": np.array(rows)}, {"form": "counts"})

    def facts(self) -> Mapping[str, Any]:
        """It runs anywhere."""
        return {"device": "cpu", "dtype": "float64"}


@dataclass(frozen=True)
class LetterCounts:
    """Counts letters: what a predictor reaches that understands nothing."""

    name: str = "example/letter-counts"

    def identity(self, options: ModelOptions) -> Identity:
        """It has no weights; raise the revision when the features change."""
        return Identity({"name": self.name, "revision": "1"})

    @contextmanager
    def open(self, options: ModelOptions, reporter: Reporter) -> Iterator[LetterCounter]:
        """Free of cost."""
        yield LetterCounter()


@dataclass(frozen=True)
class MeanCorrelation:
    """Largest correlation of any feature with a person's mean voxel (in sample: an example, not science)."""

    name: str = "mean-correlation"
    protocol: str = "example"
    version: int = 1

    @property
    def card(self) -> MethodCard:
        """What the board's page of it says."""
        return MethodCard(
            summary="How well the best single feature correlates with the mean voxel.",
            formula="score = mean over p of max over j of r(xⱼ, y). p: a person; xⱼ: a feature; y: p's mean "
            "voxel; r: Pearson's correlation.",
            reference="This example.",
            caveats=("The feature is chosen on the data that it is scored on.",),
        )

    def score(self, features: Features, recording: Recording, reporter: Reporter) -> Scores | Skip:
        """Correlate every feature column with the mean voxel of every person."""
        table = []
        for x in features.layers.values():
            varied = x[:, x.std(axis=0) > 0]
            if not varied.size:
                return Skip("The features do not vary between the items.")
            table.append([self._best(varied[p.present], p.responses) for p in recording.participants])
        values = np.array(table)
        layers = values.mean(axis=1)
        people = tuple(p.id for p in recording.participants)
        best = int(layers.argmax())
        return Scores(
            tuple(features.layers),
            people,
            values,
            layers,
            values.std(axis=1),
            best,
            "maximum over layers",
            "SD",
        )

    def ceiling(self, recording: Recording, reporter: Reporter) -> Scores | Skip:
        """There is none for such a measure."""
        return Skip("An in-sample correlation has no ceiling.")

    @staticmethod
    def _best(x: np.ndarray, responses: np.ndarray) -> float:
        y = responses.mean(axis=1)
        columns = x[:, x.std(axis=0) > 0]
        return max((float(np.corrcoef(column, y)[0, 1]) for column in columns.T), default=0.0)


@dataclass(frozen=True)
class Surprise:
    """How unlikely a language model finds each letter of a text (nats): unusual, or merely badly written."""

    helper: str = "brainbench/tiny"
    name: str = "example/surprise"
    version: int = 1
    helps: Helps = "answers"
    scale: tuple[float, float] = (0.0, 10.0)
    questions: tuple[Stimulus, ...] = ()

    def using(self, helper: str) -> "Surprise":
        """The same by another model."""
        return replace(self, helper=helper)

    def identity(self) -> Identity:
        """It learns from nothing."""
        return Identity({})

    def score(
        self, responses: Sequence[Response], helper: OpenModel, reporter: Reporter, kept: Path | None
    ) -> Sequence[float | None]:
        """Nats a letter behind the object's name, at most 10."""
        from lm_eval.api.instance import Instance  # slow to import: only where it is needed

        answering = helper.language_model(reporter)  # type: ignore[attr-defined]  # its model answers
        if isinstance(answering, Skip):
            raise ModelError(f"The model cannot answer: {answering.reason}")
        asked = [
            Instance("loglikelihood", {}, (f"{response.about}:", f" {response.text}"), at)
            for at, response in enumerate(responses)
        ]
        found = answering.lm.loglikelihood(asked)
        return [min(10.0, -nats / len(r.text)) for (nats, _), r in zip(found, responses, strict=True)]


@hookimpl
def register_models(register: Register[Model | ModelSource]) -> None:
    """Offer the letter counter."""
    register(LetterCounts())


@hookimpl
def register_metrics(register: Register[Metric]) -> None:
    """Offer the example metric."""
    register(MeanCorrelation())


@hookimpl
def register_scorers(register: Register[Scorer]) -> None:
    """Offer the example scorer."""
    register(Surprise())
