"""Neural predictivity within task type, with everything that is chosen chosen inside: protocol `robust`.

The estimator is that of `nested_ridge` and `nested_scores`. Reasons for its parts:

- within strata (types of task), because one bit, the type, reaches what is published for whole models;
- features standardised over training items, since a few massive dimensions would otherwise be the layer;
- one penalty a person and layer by leave-one-out in the training items, scaled so that width does not matter;
- the layer by the same error, summed over people, so that what is reported was not used to choose;
- one correlation over held-out items and voxels, which is zero on average when nothing is there.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from brainbench.arrays import AnyFeatures, IntArray, Recording
from brainbench.errors import ShapeError, UsageError
from brainbench.nouns import MethodCard, Reporter
from brainbench.records import Scores, Skip
from brainbench.statistics import MaxStatistic
from brainbench_metrics import cards
from brainbench_metrics.nested_interval import interval_facts, item_values
from brainbench_metrics.nested_null import null_scores
from brainbench_metrics.nested_people import measured_people
from brainbench_metrics.nested_scores import Array, NestedScores, Problem, nested_scores
from brainbench_metrics.own_features import Matched
from brainbench_metrics.robust_aggregate import aggregate_facts
from brainbench_metrics.robust_ceiling import robust_ceiling
from brainbench_metrics.robust_problem import compared
from brainbench_metrics.unique_variance import unique_facts
from brainbench_metrics.within_strata import codes_of, repeated_folds

NESTED = "cross-validated"
_FLAT = "No layer's prediction varies between test items of the same stratum, in any fold."


@dataclass(frozen=True)
class RobustPredictivity:
    """How well ridge regression predicts responses to unseen items of the same type, by the layer it chose.

    The first row, "cross-validated", is the headline: in each fold the layer whose leave-one-out error
    within the training items is least, summed over people. The other rows are single layers, for looking
    at. Each is a mean over people of one correlation over held-out items and voxels (see
    `nested_scores`), spread is the standard deviation over people. Details: p of the headline with
    `permutations` shuffles within strata, and the score that is needed for p = .05; an interval over people
    and items from `draws` resamples; how often each layer was chosen; and, where items are of several
    strata, the aggregate over them, which a single bit may reach.

    alphas: penalties, in units of a training item's mean squared length. folds: of items, or of
    groups of items where the recording has them, stratified; `repeats` times. Features may differ between
    people (PersonalFeatures): each person is then predicted from their own.

    Time series: a dataset names the runs, stories or passages of its items in `Recording.groups`, and within
    a single long run blocks of neighbours (f"block{i // 50}"), many times longer than responses and features
    are alike, since the ends of blocks still know each other. Folds, what is left out to choose penalties,
    shuffles and resamples then keep each group whole. Groups of the same length and types change places;
    where no two are alike there is no p.
    """

    takes_personal: ClassVar[bool] = True

    name: str = "predictivity"
    protocol: str = "robust"
    version: int = 2
    alphas: tuple[float, ...] = (1e-1, 1.0, 1e1, 1e2, 1e3)
    folds: int = 5
    repeats: int = 2
    permutations: int = 1000
    draws: int = 1000
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.alphas or min(self.alphas) <= 0:
            raise UsageError("Predictivity needs ridge penalties above zero.", hint="Give positive alphas.")
        if self.folds < 2 or self.repeats < 1:
            raise UsageError("Predictivity needs at least two folds, once.", hint="Give folds=5, repeats=2.")
        if self.permutations < 19 or self.draws < 100:
            raise UsageError(
                "A p of .05 needs at least 19 permutations, and an interval 100 draws.",
                hint="Give permutations=1000, draws=1000; 10,000 for a publication.",
            )

    @property
    def card(self) -> MethodCard:
        """What a reader must know of it."""
        return cards.predictivity_robust(self.folds, self.repeats, self.permutations)

    def score(self, features: AnyFeatures, recording: Recording, reporter: Reporter) -> Scores | Skip:
        """Score every layer, and the choice among them, for every person.

        Raises ShapeError when features and recording hold different numbers of items, or a layer is called
        "cross-validated". Skips where items are too few for the folds or no layer varies within strata.
        """
        _check(features, recording)
        problem = self._problem(recording, codes_of(recording.strata, len(recording.items)))
        made = problem if isinstance(problem, Skip) else compared(problem, features)
        if isinstance(made, Skip):
            return made
        problem, matched = made
        people = len(problem.people.members)
        label = f"Predictivity in {recording.region}: {len(matched.names)} layers, {people} people"
        with reporter.task(label, len(problem.folds) + self.permutations) as advance:
            found = nested_scores(problem, advance)
            if found.flat.all():
                return Skip(_FLAT)
            null = null_scores(problem, self.permutations, self.seed, advance)
        details = {
            **self._tested(found, null),
            **interval_facts(found, problem, self.draws, self.seed),
            **self._choices(found, matched.names),
            **unique_facts(problem, matched.sources, found.chosen, recording.nuisances),
            **aggregate_facts(features, recording, self._problem),
            **problem.people.facts(),
        }
        scores = _scores(found, matched, problem, details)
        return replace(scores, items=recording.items, per_item=item_values(found, problem))

    def ceiling(self, recording: Recording, reporter: Reporter) -> Scores | Skip:
        """How well all other people predict each person, by the same estimator: see `robust_ceiling`."""
        return robust_ceiling(recording, self._problem, self.seed, reporter)

    def _problem(self, recording: Recording, strata: IntArray) -> Problem | Skip:
        """Folds, stratified and whole in groups, and people; nothing yet to predict them from.

        `strata` says whose means are taken away.
        """
        n_items = len(recording.items)
        groups = codes_of(recording.groups, n_items) if recording.groups else None
        folds = repeated_folds(
            codes_of(recording.strata, n_items), groups, self.folds, self.repeats, self.seed
        )
        if isinstance(folds, Skip):
            return folds
        people = measured_people(recording.participants, folds, strata)
        if not people.members:
            return Skip(next(iter(people.left_out.values())))
        return Problem((), folds, strata, groups, people, tuple(dict.fromkeys(self.alphas)))

    def _tested(self, found: NestedScores, null: Array | Skip) -> dict[str, Any]:
        """P value of the headline and the score that p = .05 needs, or why there is none."""
        if isinstance(null, Skip):
            return {"p": None, "p_reason": null.reason}
        counter = MaxStatistic(found.nested.mean(keepdims=True))
        counter.update(null[:, None])
        result = counter.result()
        return {
            "p": result.p,
            "p_of": "the headline against shuffles of items within strata, penalties and layers chosen anew",
            "permutations": len(null),
            "null_mean": float(null.mean()),
            "null_sd": float(null.std()),
            "critical_value_0.05": result.critical(0.05),
        }

    def _choices(self, found: NestedScores, layers: tuple[str, ...]) -> dict[str, Any]:
        times = np.bincount(found.chosen, minlength=len(layers))
        alphas = zip(dict.fromkeys(self.alphas), found.alphas.tolist(), strict=True)
        return {
            "folds": len(found.chosen),
            "share_of_folds_by_layer": {
                layers[row]: float(times[row] / times.sum()) for row in np.flatnonzero(times)
            },
            "highest_layer": layers[int(found.layers.mean(axis=1).argmax())],
            "alphas_chosen": {f"{alpha:g}": count for alpha, count in alphas},
        }


def _check(features: AnyFeatures, recording: Recording) -> None:
    if features.n_items != len(recording.items):
        raise ShapeError(
            f"Features have {features.n_items} items, the recording of {recording.region} "
            f"{len(recording.items)}.",
            hint="Select the same items from both.",
        )
    if NESTED in features.layers:
        raise ShapeError(f"A layer is called {NESTED!r}, which is the name of the headline's row.")


def _scores(
    found: NestedScores,
    matched: Matched[Array],
    problem: Problem,
    details: dict[str, Any],
) -> Scores:
    """Means and standard deviations over people; layers that predict nothing are not scored."""
    reason = "Its predictions do not vary between test items of the same stratum, in any fold."
    layers = matched.names
    unscored = matched.unscored | {layers[row]: reason for row in np.flatnonzero(found.flat)}
    table = np.vstack([found.nested, found.layers[~found.flat]])
    kept = [name for name, flat in zip(layers, found.flat, strict=True) if not flat]
    single = len(layers) == 1
    return Scores(
        layers=(NESTED, *kept),
        participants=tuple(person.id for person in problem.people.members),
        per_participant=table,
        per_layer=table.mean(axis=1),
        spread=table.std(axis=1, ddof=1) if table.shape[1] > 1 else np.zeros(len(table)),
        best=0,
        choice="the only layer" if single else "layer chosen in each fold's training items, within task type",
        spread_kind="SD",
        unscored=unscored,
        details=details,
    )
