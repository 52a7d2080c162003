"""A regression that has learnt from human raters how original a response is, on a sentence encoder's vectors.

It learns on the training split of `human_ratings`, its penalty is chosen on the validation split, and the
test split is left to `held_out`. It is learnt when it is first needed, and kept. What was tried, and how far
it agrees with people about objects that it has not learnt from: docs/originality.md.
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
from brainbench_metrics.idea_vectors import ENCODER, HeldToRatings, scorable

if TYPE_CHECKING:
    from brainbench.ideas import Response
    from brainbench.scoring import Helps, Scorer
    from brainbench.stimuli import Stimulus
    from brainbench_metrics.human_ratings import Split
    from brainbench_metrics.judge_fit import JudgeFit

BRAINBENCH_API = 1

TRAIN: Split = "train"
VALIDATION: Split = "val"


@dataclass(frozen=True)
class TrainedJudge(HeldToRatings):
    """Ridge regression of human ratings on the vectors of object and response, held to 1 to 5."""

    helper: str = ENCODER
    penalties: tuple[float, ...] = (100.0, 300.0, 1000.0, 3000.0, 10_000.0, 30_000.0, 100_000.0)
    name: str = "trained-judge"
    version: int = 1

    helps: ClassVar[Helps] = "embeds"
    scale: ClassVar[tuple[float, float]] = (1.0, 5.0)
    questions: ClassVar[tuple[Stimulus, ...]] = ()

    @property
    def card(self) -> MethodCard:
        """What a reader must know of it."""
        return cards.trained_judge(self.penalties)

    def using(self, helper: str) -> TrainedJudge:
        """On another encoder's vectors, learnt anew."""
        return replace(self, helper=helper)

    def identity(self) -> Identity:
        """The ratings that it learns from and chooses on."""
        from brainbench_metrics.human_ratings import data_hash

        return Identity({"ratings": data_hash(TRAIN, VALIDATION)})

    def score(
        self, responses: Sequence[Response], helper: OpenModel, reporter: Reporter, kept: Path | None
    ) -> list[float | None]:
        """What people would rate it, as far as it has learnt; None for a blank one, or about nothing.

        Learns first where nothing is kept. Raises DataError where the ratings cannot be had or what is kept
        is spoilt, and ModelError for a helper that embeds nothing.
        """
        from brainbench_metrics.judge_fit import JudgeFit, features

        found: list[float | None] = [None] * len(responses)
        places = scorable(responses)
        if not places:
            return found
        learnt = self.identity().facts["ratings"]
        fit = JudgeFit.read(kept, learnt, self.penalties) if kept else None
        if fit is None:
            fit = self._learn(helper, reporter)
            if kept:
                fit.write(kept, learnt, self.penalties)
        predicted = fit.predict(features([responses[at] for at in places], helper, reporter))
        for at, rating in zip(places, np.clip(predicted, *self.scale), strict=True):
            found[at] = float(rating)
        return found

    def _learn(self, helper: OpenModel, reporter: Reporter) -> JudgeFit:
        from brainbench_metrics.human_ratings import ratings
        from brainbench_metrics.judge_fit import JudgeFit, examples

        train, validation = (
            examples(ratings(split, reporter), helper, reporter) for split in (TRAIN, VALIDATION)
        )
        return JudgeFit.learn(train, validation, self.penalties)


@hookimpl
def register_scorers(register: Register[Scorer]) -> None:
    """Offer it."""
    register(TrainedJudge())
