"""How a model's texts are drawn."""

from __future__ import annotations

import math
from dataclasses import dataclass

from brainbench.errors import ShapeError


@dataclass(frozen=True, slots=True)
class Sampling:
    """How a model's texts are drawn. The defaults are those of arXiv:2604.03480.

    count: texts for each question. temperature: 0 takes the likeliest word each time, and then every text of
    a question is the same. top_p: words are drawn from the likeliest that together have this probability.
    tokens: the most that one text may have. seed: decides all texts, whatever the batches.
    """

    count: int = 4
    temperature: float = 0.7
    top_p: float = 0.95
    tokens: int = 1024
    seed: int = 0

    def __post_init__(self) -> None:
        if self.count < 1 or self.tokens < 1 or self.seed < 0:
            raise ShapeError("Sampling: count and tokens must be 1 or more, and the seed 0 or more.")
        if not (math.isfinite(self.temperature) and self.temperature >= 0 and 0 < self.top_p <= 1):
            raise ShapeError("Sampling: temperature must be 0 or more, and top_p above 0 and at most 1.")
