"""Representational similarity analysis: are items that differ for a layer those that differ in the brain.

Two protocols. `paper` is that of Ismayilzada et al. 2026 (arXiv:2604.03480): ratio, clipping and best layer
together are not zero where nothing is shared (`benchmarks/rsa_null.py`). `robust`, ours, is.

Features that are quantities (`Features.quantities`: a length, a response time) are compared by the Euclidean
distance of standardised columns, whatever a protocol's distance: a correlation over one or three named
columns is undefined or says nothing. Where features differ between people (PersonalFeatures), each person's
RDM is compared with that person's own, and who has none is left out. The details name the distance and the
people.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import ClassVar, cast

from brainbench import hookimpl
from brainbench.arrays import AnyFeatures, Recording
from brainbench.errors import UsageError
from brainbench.hookspecs import Register
from brainbench.nouns import MethodCard, Metric, Reporter
from brainbench.records import Scores, Skip
from brainbench_metrics import cards
from brainbench_metrics.rdm import DISTANCES, Distance
from brainbench_metrics.rdm_comparison import Comparator, require_comparator
from brainbench_metrics.rsa_ceiling import nili_ceiling
from brainbench_metrics.rsa_paper import paper_ceiling, paper_scores
from brainbench_metrics.rsa_ready import Settings
from brainbench_metrics.rsa_robust import robust_scores


@dataclass(frozen=True)
class Rsa:
    """Spearman of correlation-distance RDMs over each person's noise ceiling, as published.

    For each person, over the items that the person has: Spearman of the person's RDM and the layer's. The
    ceiling is Spearman of the person's RDM and that of the mean pattern of the others, which takes everyone's
    voxels to correspond. People with a ceiling at or below `lowest_ceiling` are dropped; the ratio is
    clipped to -1 and 1; median over people; the headline is the highest layer. Everything on the way is
    in the details.
    """

    takes_personal: ClassVar[bool] = True
    name: str = "rsa"
    protocol: str = "paper"
    version: int = 2
    lowest_ceiling: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.lowest_ceiling < 1:
            raise UsageError(
                f"The lowest ceiling must be from 0 to below 1; got {self.lowest_ceiling}.",
                hint="The paper has 0, and 0.1 and 0.2 as variants.",
            )

    @property
    def card(self) -> MethodCard:
        """What a reader must know of it."""
        return cards.rsa_paper(self.lowest_ceiling)

    def score(self, features: AnyFeatures, recording: Recording, reporter: Reporter) -> Scores | Skip:
        """Score every layer for everyone who is kept.

        Raises ShapeError when features and recording hold different numbers of items. Skips where no layer's
        distances vary, where voxels cannot correspond and where nobody has a ceiling.
        """
        with reporter.task(f"RSA (paper) in {recording.region}", 1) as advance, _one_thread():
            made = paper_scores(features, recording, self.lowest_ceiling)
            advance(1)
        return made

    def ceiling(self, recording: Recording, reporter: Reporter) -> Scores | Skip:
        """The leave-one-out ceiling: median over people. Scores are ratios to it, so their own limit is 1."""
        with _one_thread():
            return paper_ceiling(recording, self.lowest_ceiling)


@dataclass(frozen=True)
class RobustRsa:
    """Mean over people of the raw correlation of RDMs, at a layer chosen on other people and other items.

    No ratio, no clipping, nobody dropped for a low ceiling. In each of `splits` random halvings of the items
    (balanced over strata, groups whole) and for each of `folds` folds of people: the layer with the highest
    mean correlation in one half over the other people is scored on the fold, in the other half. Means over
    people go through Fisher's z. The first row, "cross-validated", is this; the others are the layers over
    all items, from which nothing may be picked without the adjusted p values in the details.

    Over items of several strata (types of task), which two types a pair is of explains much of its distance:
    every comparison is within these categories of pairs. Each one's mean is taken from ranks (or distances,
    by the comparator; a cosine is Pearson's then) on both sides; so for the ceiling and the null, too.

    Details: p value of `permutations` shuffles of the model's items within strata and groups, the choice of
    layer included; the interval of `bootstraps` resamples of people and items; the layers chosen; the
    scores with the RDMs of the recording's nuisances partialled out, too; with several strata the aggregate
    over all pairs, which type alone may reach. Nili's bounds are the ceiling. Kendall's is tau-a, within
    each category averaged by numbers of pairs, slow beyond 50 items; its p values are those of Spearman's
    products.
    """

    takes_personal: ClassVar[bool] = True
    name: str = "rsa"
    protocol: str = "robust"
    version: int = 2
    distance: Distance = "correlation"
    comparator: Comparator = "spearman"
    splits: int = 4
    folds: int = 2
    permutations: int = 10_000
    bootstraps: int = 300
    seed: int = 0

    def __post_init__(self) -> None:
        require_comparator(self.comparator)
        if self.distance not in DISTANCES:
            raise UsageError(
                f"There is no distance {self.distance!r}.", hint=f"Give one of {', '.join(DISTANCES)}."
            )
        if (
            self.splits < 1
            or self.folds < 2
            or self.permutations < 1
            or self.bootstraps < 40
            or self.seed < 0
        ):
            raise UsageError(
                "RSA needs a split of the items, two folds of people, a permutation, 40 bootstraps "
                "and a seed of 0 or more.",
                hint="The defaults are 4, 2, 10,000, 300 and 0.",
            )

    @property
    def card(self) -> MethodCard:
        """What a reader must know of it."""
        return cards.rsa_robust(self.distance, self.comparator, self.splits, self.permutations)

    def score(self, features: AnyFeatures, recording: Recording, reporter: Reporter) -> Scores | Skip:
        """Score every layer for every person, and their best by cross-validation.

        Raises ShapeError when features and recording hold different numbers of items. Skips with fewer
        than 8 items or 2 people, and where no layer's distances vary within categories of pairs.
        """
        how = Settings(
            self.distance,
            self.comparator,
            self.splits,
            self.folds,
            self.permutations,
            self.bootstraps,
            self.seed,
        )
        with reporter.task(f"RSA (robust) in {recording.region}", 1) as advance, _one_thread():
            made = robust_scores(features, recording, how)
            advance(1)
        return made

    def ceiling(self, recording: Recording, reporter: Reporter) -> Scores | Skip:
        """Nili's bounds: how well the mean RDM of the others (lower), and of all (upper), fits a person's."""
        with _one_thread():
            return nili_ceiling(recording, self.distance, self.comparator)


def _one_thread() -> AbstractContextManager[object]:
    """BLAS on one thread: on several it sums in another order, and the last bits of a score would differ."""
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    return cast("AbstractContextManager[object]", threadpool_limits(limits=1, user_api="blas"))


@hookimpl
def register_metrics(register: Register[Metric]) -> None:
    """Offer both protocols."""
    register(Rsa())
    register(RobustRsa())
