"""The Divergent Association Task: ten words as different from each other as one can think of.

The task and its score are those of Olson, Nahas, Chmoulevitch, Cropper and Webb (2021, PNAS 118:e2022340118).
Here vectors are those of any encoder and not of GloVe, words are not looked up in a dictionary, and the
question is worded anew: scores are to be compared with each other, and not with published norms.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from brainbench import hookimpl
from brainbench.hookspecs import Register
from brainbench.nouns import Identity, MethodCard, OpenModel, Reporter
from brainbench.stimuli import Message, Stimulus
from brainbench_metrics import cards
from brainbench_metrics.idea_vectors import ENCODER, cosines, vectors_of

if TYPE_CHECKING:
    from brainbench.ideas import Response
    from brainbench.scoring import Helps, Scorer

BRAINBENCH_API = 1

WORDS = 7  # of the ten: some may be no words, and everybody is scored by as many
_ASKED = (
    "Write down ten nouns that differ from each other as much as possible, in all that they mean and are "
    "used for. Take single words only, things or ideas, and neither names nor technical terms. "
    "Write one word on each line, and nothing else."
)
_QUESTION = Stimulus("ten-words", (Message("user", _ASKED),), f"{_ASKED}\n\nThe ten words:\n", _ASKED)
_BETWEEN = re.compile(r"[\n,;]")
_NUMBERING = re.compile(r"^\s*(?:\(?\d+[.):]?|[-*\u2022])\s*")
_WORD = re.compile(r"[^\W\d_]+(?:['\u2019-][^\W\d_]+)*")


@dataclass(frozen=True)
class DivergentAssociation:
    """100 times the mean cosine distance between the first seven words: 0 where all mean the same."""

    helper: str = ENCODER
    name: str = "divergent-association"
    version: int = 1

    helps: ClassVar[Helps] = "embeds"
    scale: ClassVar[tuple[float, float]] = (
        0.0,
        100 * WORDS / (WORDS - 1),
    )  # seven vectors cannot all be opposite
    questions: ClassVar[tuple[Stimulus, ...]] = (_QUESTION,)

    @property
    def card(self) -> MethodCard:
        """What a reader must know of it."""
        return cards.divergent_association(WORDS)

    def using(self, helper: str) -> DivergentAssociation:
        """With another encoder."""
        return replace(self, helper=helper)

    def identity(self) -> Identity:
        """Nothing but the helper decides the scores."""
        return Identity({})

    def score(
        self, responses: Sequence[Response], helper: OpenModel, reporter: Reporter, kept: Path | None
    ) -> list[float | None]:
        """Of each list of words; None where it has fewer than seven that count. Keeps nothing."""
        del kept
        lists = [words_of_list(response.text)[:WORDS] for response in responses]
        found: list[float | None] = [None] * len(lists)
        places = [at for at, words in enumerate(lists) if len(words) == WORDS]
        if not places:
            return found
        vectors = vectors_of([word for at in places for word in lists[at]], helper, reporter)
        pairs = np.array(list(itertools.combinations(range(WORDS), 2)))
        for at, seven in zip(places, vectors.reshape(len(places), WORDS, -1), strict=True):
            distance = 1.0 - cosines(seven[pairs[:, 0]], seven[pairs[:, 1]])
            found[at] = 100 * float(distance.mean()) if np.isfinite(distance).all() else None
        return found


def words_of_list(text: str) -> list[str]:
    """The words that a list has, in lower case and in order.

    Its entries stand on lines, or between commas or semicolons; numbers and bullets before them, and full
    stops after them, are no part of them. An entry counts that is one word of two letters or more (hyphens
    and apostrophes may be inside) and was not there before; sentences, phrases and numbers are passed over.
    """
    entries = [_NUMBERING.sub("", entry).strip(" \t.*_\"'`") for entry in _BETWEEN.split(text)]
    words = [entry.lower() for entry in entries if len(entry) > 1 and _WORD.fullmatch(entry)]
    return list(dict.fromkeys(words))


@hookimpl
def register_scorers(register: Register[Scorer]) -> None:
    """Offer it."""
    register(DivergentAssociation())
