"""Ranks in which models that cannot be told apart share one.

A model's rank is 1 + the number of models that are significantly better than it. What follows from that:

- The model with the highest score has rank 1, and so has every model that none is better than.
- Ties are not transitive: A and B may be tied, and B and C, while A is better than C. So two models of one
  rank need not be tied, and models that are tied need not have one rank; the pairs say what was found.
- A model measured with much noise is harder to beat: it can have a better rank than a steadier model with
  a higher score. Ranks count what is known to be better, and little is known about it.
- The pairs are adjusted for one another, so a new model in the table can move the ranks of others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from brainbench.errors import UsageError
from brainbench.statistics.checks import Values, numbers, require_share
from brainbench.statistics.sign_flip import sign_flip_family


@dataclass(frozen=True, slots=True)
class Pair:
    """Two models: `better` has the higher mean, by `difference`. p: adjusted for all pairs."""

    better: str
    worse: str
    difference: float
    p: float
    significant: bool


@dataclass(frozen=True, slots=True)
class Ranking:
    """Models by falling mean score (a tie of means goes by name), their ranks, and all pairs in that order.

    smallest_p: what the test can reach with so many people. Where it is above alpha no models can be told
    apart, however they differ, and all have rank 1.
    """

    models: tuple[str, ...]
    means: tuple[float, ...]
    ranks: tuple[int, ...]
    pairs: tuple[Pair, ...]
    smallest_p: float

    @property
    def tied(self) -> tuple[tuple[str, str], ...]:
        """The pairs of models that were not told apart."""
        return tuple((pair.better, pair.worse) for pair in self.pairs if not pair.significant)


def rank_models(
    names: Sequence[str], scores: Values, *, seed: int, draws: int = 10_000, alpha: float = 0.05
) -> Ranking:
    """Rank models by the scores (models x people) that each person gives them.

    Every pair is compared by a two-sided sign-flip test of people's differences, adjusted by the maximum over
    all pairs: the chance that any pair is wrongly told apart is at most alpha, if differences are symmetric
    around zero under the null. It holds for other people and these items.

    Raises UsageError for fewer than two models, names that repeat or do not fit the scores, and alpha outside
    (0, 1); ShapeError for fewer than two people and values that are not finite.
    """
    require_share(alpha, "alpha")
    table = numbers(scores, "Scores (models x people)", 2, least=1)
    if len(names) < 2 or len(set(names)) != len(names) or len(names) != len(table):
        raise UsageError(
            f"A ranking needs two models or more, each name once; got {len(names)} names ({len(set(names))} "
            f"different) for {len(table)} rows of scores."
        )
    means = table.mean(axis=1)
    order = sorted(range(len(names)), key=lambda i: (-means[i], names[i]))
    couples = list(combinations(order, 2))
    differences = np.stack([table[high] - table[low] for high, low in couples], axis=1)
    tests = sign_flip_family(differences, seed=seed, draws=draws)
    pairs = tuple(
        Pair(
            names[high],
            names[low],
            float(tests.means[k]),
            float(tests.adjusted[k]),
            bool(tests.adjusted[k] <= alpha),
        )
        for k, (high, low) in enumerate(couples)
    )
    beaten = [pair.worse for pair in pairs if pair.significant]
    models = tuple(names[i] for i in order)
    return Ranking(
        models,
        tuple(float(means[i]) for i in order),
        tuple(1 + beaten.count(model) for model in models),
        pairs,
        2 / tests.patterns if tests.exact else 1 / (1 + tests.patterns),
    )
