"""Neural predictivity as in the paper on brain-guided reasoning, and its human-to-human ceiling.

Xiao, Du and Lin 2026, "Beyond representational alignment with brain-guided language models for robust
reasoning", arXiv:2606.11893, after the authors' public code.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from brainbench import hookimpl
from brainbench.arrays import AnyFeatures, FloatArray, IntArray, Recording
from brainbench.errors import ShapeError, UsageError
from brainbench.hookspecs import Register
from brainbench.nouns import MethodCard, Metric, Reporter
from brainbench.records import Scores, Skip
from brainbench_metrics import cards
from brainbench_metrics.ceiling import ceiling_scores
from brainbench_metrics.layers import LayerScores, score_layers, varies
from brainbench_metrics.own_features import matched
from brainbench_metrics.people import Person, people_facts, prepare_people
from brainbench_metrics.predictivity_robust import RobustPredictivity

_GROUPED = (
    "The paper's shuffled folds would split the groups of items (runs or stories) that belong together."
)


@dataclass(frozen=True)
class Predictivity:
    """How well ridge regression predicts each voxel's response to unseen items from a layer's features.

    Stratified shuffled folds; in each a ridge regression with intercept, one penalty for all voxels of a
    person chosen by leave-one-out within the training items, features not scaled. Pearson's r of each
    voxel in each fold; mean over folds, median over voxels, median over people; the headline is the
    highest layer. A mean over folds and not r over all held-out items, which is biased below zero.

    A voxel without variance is left out, and so is a fold in which the prediction or the voxel is
    constant; both are counted in the details. A layer whose features do not vary is not scored. Features may
    differ between people (PersonalFeatures): each person is then predicted from their own.
    """

    takes_personal: ClassVar[bool] = True

    name: str = "predictivity"
    protocol: str = "paper"
    version: int = 1
    alphas: tuple[float, ...] = (1e-3, 1e-2, 1e-1, 1.0, 1e1, 1e2, 1e3)
    folds: int = 5
    random_state: int = 1

    def __post_init__(self) -> None:
        if not self.alphas or min(self.alphas) <= 0:
            raise UsageError("Predictivity needs ridge penalties above zero.", hint="Give positive alphas.")
        if self.folds < 2:
            raise UsageError("Predictivity needs at least two folds.", hint="Give folds=2 or more.")

    @property
    def card(self) -> MethodCard:
        """What a reader must know of it."""
        return cards.predictivity_paper(self.folds, self.alphas)

    def score(self, features: AnyFeatures, recording: Recording, reporter: Reporter) -> Scores | Skip:
        """Score every layer for every person.

        Raises ShapeError when features and recording hold different numbers of items. Skips when folds
        would split groups, when there are too few items, and when no layer can be scored.
        """
        if features.n_items != len(recording.items):
            raise ShapeError(
                f"Features have {features.n_items} items, the recording of {recording.region} "
                f"{len(recording.items)}.",
                hint="Select the same items from both.",
            )
        if recording.groups:
            return Skip(_GROUPED)
        people, left_out = prepare_people(recording, self.folds, self.random_state)
        if not people:
            return Skip(next(iter(left_out.values())))
        items = {person.id: person.items for person in people}
        found = matched(features, items, _if_varying, "vary between the items beyond rounding")
        if isinstance(found, Skip):
            return found
        people = [person for person in people if person.id in found.of]
        of = np.array([found.of[person.id] for person in people])
        n_layers = len(found.names) * len(found.sources)
        label = f"Predictivity in {recording.region}: {len(found.names)} layers, {len(people)} people"
        with reporter.task(label, n_layers) as advance:
            result = score_layers(found.sources, of, people, self._distinct_alphas, advance)
        return self._scores(found.names, people, result, dict(found.unscored), left_out | found.left_out)

    def ceiling(self, recording: Recording, reporter: Reporter) -> Scores | Skip:
        """How well people predict each other, extrapolated to infinitely many people: see ceiling_scores."""
        if recording.groups:
            return Skip(_GROUPED)
        return ceiling_scores(recording, self._distinct_alphas, self.folds, self.random_state, reporter)

    @property
    def _distinct_alphas(self) -> tuple[float, ...]:
        """The alphas without repeats: the first of a tie wins, so a repeat never could."""
        return tuple(dict.fromkeys(self.alphas))

    def _scores(
        self,
        names: tuple[str, ...],
        people: list[Person],
        result: LayerScores,
        unscored: dict[str, str],
        left_out: dict[str, str],
    ) -> Scores | Skip:
        """Aggregate over people; a layer that lacks a score for anyone is not scored."""
        complete = np.count_nonzero(result.scored, axis=1) == len(people)
        for row in np.flatnonzero(~complete):
            person = people[int(np.argmin(result.scored[row]))]
            unscored[names[row]] = f"No fold has a prediction that varies, for participant {person.id}."
        if not complete.any():
            return Skip(f"No layer can be scored; {names[0]}: {unscored[names[0]]}")
        layers = tuple(name for name, kept in zip(names, complete, strict=True) if kept)
        per_participant = result.medians[complete]
        per_layer = np.median(per_participant, axis=1)
        return Scores(
            layers=layers,
            participants=tuple(person.id for person in people),
            per_participant=per_participant,
            per_layer=per_layer,
            spread=np.median(np.abs(per_participant - per_layer[:, None]), axis=1),
            best=int(per_layer.argmax()),
            choice=_choice(len(layers)),
            spread_kind="MAD",
            unscored=unscored,
            details=self._details(layers, per_participant, people, result, left_out),
        )

    def _details(
        self,
        layers: tuple[str, ...],
        per_participant: FloatArray,
        people: list[Person],
        result: LayerScores,
        left_out: dict[str, str],
    ) -> dict[str, Any]:
        best = per_participant.argmax(axis=0)
        fits = max(1, int(result.chosen.sum()))
        counts = zip(self._distinct_alphas, result.chosen.tolist(), strict=True)
        smallest, largest = (
            int(result.chosen[place(self._distinct_alphas)]) for place in (np.argmin, np.argmax)
        )
        return {
            "best_layer_per_person": {
                person.id: layers[row] for person, row in zip(people, best, strict=True)
            },
            "alphas_chosen": {f"{alpha:g}": count for alpha, count in counts},
            "share_at_smallest_alpha": smallest / fits,
            "share_at_largest_alpha": largest / fits,
            "share_of_undefined_folds": result.undefined / result.folds,
            **people_facts(people, left_out),
        }


def _if_varying(array: FloatArray, rows: IntArray) -> FloatArray:
    return array if varies(array[rows]) else array[:, :0]


def _choice(n_layers: int) -> str:
    if n_layers == 1:
        return "the only layer scored"
    return f"maximum over {n_layers} layers on the same data (optimistic)"


@hookimpl
def register_metrics(register: Register[Metric]) -> None:
    """Offer the paper's protocol, and ours."""
    register(Predictivity())
    register(RobustPredictivity())
