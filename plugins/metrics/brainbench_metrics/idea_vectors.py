"""What scorers of ideas share: vectors of texts, and the ratings that they are held to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from brainbench.arrays import FloatArray
from brainbench.errors import ModelError
from brainbench.scoring import OpenEncoder

if TYPE_CHECKING:
    from brainbench.ideas import Rated, Response
    from brainbench.nouns import OpenModel, Reporter

# A small sentence encoder, at a commit: 22 million parameters, Apache-2.0.
ENCODER = "sentence-transformers/all-MiniLM-L6-v2@c9745ed1d9f207416be6d2e6f8de32d1f16199bf"


def vectors_of(texts: Sequence[str], helper: OpenModel, reporter: Reporter) -> FloatArray:
    """One vector a text (texts x width), each different text embedded once.

    Raises ModelError for a helper that embeds nothing, and whose vectors are not finite.
    """
    if not isinstance(helper, OpenEncoder):
        raise ModelError(
            "The helper of this scorer has to embed sentences, which this model does not.",
            hint=f"Name a sentence encoder after @, such as {ENCODER.partition('@')[0]}.",
        )
    different = list(dict.fromkeys(texts))
    found = helper.embed(different, reporter)
    if len(found) != len(different) or not np.isfinite(found).all():
        raise ModelError(
            "The helper of this scorer gave vectors that are not finite, or not one for each text."
        )
    rows = {text: row for row, text in enumerate(different)}
    return found[[rows[text] for text in texts]]


def cosines(one: FloatArray, other: FloatArray) -> NDArray[np.float64]:
    """The cosine between the vectors of each row; NaN where one of them is nothing."""
    x, y = one.astype(np.float64), other.astype(np.float64)
    scale = np.sqrt((x * x).sum(axis=-1) * (y * y).sum(axis=-1))
    with np.errstate(invalid="ignore", divide="ignore"):
        found: NDArray[np.float64] = np.clip((x * y).sum(axis=-1) / scale, -1.0, 1.0)
    return found


def scorable(responses: Sequence[Response]) -> list[int]:
    """The places of the responses that have an object and say something."""
    return [at for at, response in enumerate(responses) if response.about.strip() and response.text.strip()]


class HeldToRatings:
    """A scorer of originality, which human ratings can be held against."""

    def held_out(self, reporter: Reporter) -> tuple[Rated, ...]:
        """The test split of the human ratings, without responses that other splits hold, too."""
        from brainbench_metrics.human_ratings import held_out

        return held_out(reporter)
