"""Scorers as a protocol: what gives each of a model's texts a number, and how that is held to people."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol, Self, runtime_checkable

from brainbench.arrays import FloatArray
from brainbench.ideas import Response

if TYPE_CHECKING:
    from brainbench.nouns import Identity, OpenModel, Reporter
    from brainbench.stimuli import Stimulus

Helps = Literal["embeds", "answers"]


@runtime_checkable
class OpenEncoder(Protocol):
    """An open model that can also embed sentences: what an `OpenModel` may have beyond its features."""

    def embed(self, texts: Sequence[str], reporter: Reporter, /) -> FloatArray:
        """One vector a text (texts x width), float32, pooled as the model's maker meant."""
        ...


@runtime_checkable
class Scorer(Protocol):
    """Gives texts numbers with the help of one model. Best a frozen dataclass: its fields are its parameters.

    A scorer may have one more method, `held_out(reporter)`: responses of people with human ratings (a tuple
    of Rated) which it has not learnt from, and to which `brainbench scorer validate` holds it; and a property
    `card`, a MethodCard: what the board's page of it says.
    """

    @property
    def name(self) -> str:
        """Unique among registered scorers, without its helper: "semantic-distance"."""
        ...

    @property
    def version(self) -> int:
        """Raised whenever the same texts would get other scores."""
        ...

    @property
    def helper(self) -> str:
        """The model it needs, named as for --model; "" where there is none by default."""
        ...

    @property
    def helps(self) -> Helps:
        """What that model does: it embeds sentences (see OpenEncoder), or answers (OpenLanguageModel)."""
        ...

    @property
    def scale(self) -> tuple[float, float]:
        """The lowest and the highest score that there can be."""
        ...

    @property
    def questions(self) -> tuple[Stimulus, ...]:
        """What models are asked for it; () where a dataset's questions are asked (see AsksForIdeas)."""
        ...

    def using(self, helper: str, /) -> Self:
        """The same with another helper: what `--scorer name@model` asks for."""
        ...

    def identity(self) -> Identity:
        """What decides the scores, beside name, version, fields and helper: the data it learns from, say."""
        ...

    def score(
        self, responses: Sequence[Response], helper: OpenModel, reporter: Reporter, kept: Path | None, /
    ) -> Sequence[float | None]:
        """A finite number for each response, higher for more creative; None for one that cannot be scored.

        `kept`: a folder of this scorer with this very helper, for what is slow to learn (it may not exist
        yet); None where nothing may be kept. Raises DataError and ModelError.
        """
        ...
