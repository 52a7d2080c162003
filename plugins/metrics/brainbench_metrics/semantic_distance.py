"""How far a response lies from the object that it is about, as a sentence encoder sees them.

The oldest automatic measure of originality (Beaty and Johnson 2021, Behavior Research Methods 53:757, say),
here with sentence vectors. It learns from no ratings, and knows nothing of sense: a response that has nothing
to do with the object scores highest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from brainbench import hookimpl
from brainbench.hookspecs import Register
from brainbench.nouns import Identity, MethodCard, OpenModel, Reporter
from brainbench_metrics import cards
from brainbench_metrics.idea_vectors import ENCODER, HeldToRatings, cosines, scorable, vectors_of

if TYPE_CHECKING:
    from brainbench.ideas import Response
    from brainbench.scoring import Helps, Scorer
    from brainbench.stimuli import Stimulus

BRAINBENCH_API = 1


@dataclass(frozen=True)
class SemanticDistance(HeldToRatings):
    """1 - the cosine between the vectors of object and response, from 0 (the same) to 2 (opposite)."""

    helper: str = ENCODER
    name: str = "semantic-distance"
    version: int = 1

    helps: ClassVar[Helps] = "embeds"
    scale: ClassVar[tuple[float, float]] = (0.0, 2.0)
    questions: ClassVar[tuple[Stimulus, ...]] = ()

    @property
    def card(self) -> MethodCard:
        """What a reader must know of it."""
        return cards.semantic_distance()

    def using(self, helper: str) -> SemanticDistance:
        """With another encoder."""
        return replace(self, helper=helper)

    def identity(self) -> Identity:
        """Nothing but the helper decides the scores."""
        return Identity({})

    def score(
        self, responses: Sequence[Response], helper: OpenModel, reporter: Reporter, kept: Path | None
    ) -> list[float | None]:
        """The distance of each; None for a response that is blank, or about nothing. Keeps nothing."""
        del kept
        found: list[float | None] = [None] * len(responses)
        if places := scorable(responses):
            texts = [text for at in places for text in (responses[at].about, responses[at].text)]
            vectors = vectors_of(texts, helper, reporter)
            for at, cosine in zip(places, cosines(vectors[::2], vectors[1::2]), strict=True):
                found[at] = 1.0 - float(cosine) if np.isfinite(cosine) else None
        return found


@hookimpl
def register_scorers(register: Register[Scorer]) -> None:
    """Offer it."""
    register(SemanticDistance())
