"""How far a scorer of ideas agrees with people: its scores beside human ratings that it never learnt from."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from brainbench.errors import NotApplicable, PluginError, UsageError
from brainbench.ideas import Rated
from brainbench.nouns import OpenModel, Reporter
from brainbench.statistics import Correlations, Interval, correlations

if TYPE_CHECKING:
    from brainbench.scoring import Scorer

LEAST = 10  # responses that an object needs for a correlation of its own
DRAWS = 2000
SEED = 0


@dataclass(frozen=True)
class Validity:
    """A scorer's agreement with human ratings; `correlations` are over all responses, and by object.

    version: the scorer's. responses: how many people's responses were given to it; unscored: how many of them
    it could not score, which no correlation knows of. held_out: how many there are, of which `responses` were
    drawn at random. Intervals resample responses within each object: they speak of other responses about
    these same objects. Several responses are of one person; the ratings do not say which, so that intervals
    are somewhat too narrow.
    """

    scorer: str
    version: int
    responses: int
    held_out: int
    unscored: int
    correlations: Correlations

    @property
    def pearson(self) -> Interval:
        """Pearson's r with the ratings over all scored responses: the headline."""
        return self.correlations.pearson

    @property
    def spearman(self) -> Interval:
        """Spearman's correlation over all scored responses."""
        return self.correlations.spearman

    @property
    def by_object(self) -> Interval | None:
        """The mean over objects of Pearson's r within each, every object counting alike; None without any."""
        return self.correlations.within

    def facts(self) -> dict[str, Any]:
        """All of it as plain JSON, with what the intervals are of."""
        return {
            "scorer": self.scorer,
            "version": self.version,
            "responses": self.responses,
            "held_out": self.held_out,
            "drawn_by": SEED if self.responses < self.held_out else None,
            "unscored": self.unscored,
            "pearson": _plain(self.pearson),
            "spearman": _plain(self.spearman),
            "by_object_mean": _plain(self.by_object) if self.by_object else None,
            "by_object": {
                name: {"n": found.n, "r": found.r} for name, found in self.correlations.by_stratum.items()
            },
            "least": LEAST,
            "level": self.pearson.level,
            "interval": f"percentile bootstrap, {DRAWS} draws of responses within objects, seed {SEED}",
        }


def validate(
    scorer: Scorer, helper: OpenModel, reporter: Reporter, kept: Path | None, limit: int | None = None
) -> Validity:
    """Hold a scorer with its opened helper to its `held_out` responses, or a random `limit` of them.

    `kept` as for Scorer.score. Raises NotApplicable for a scorer without human ratings, and where too few
    responses could be scored to say anything; UsageError for a limit of fewer than three; and what the
    scorer raises.
    """
    held_out: Sequence[Rated] = held_out_of(scorer, reporter)
    chosen = drawn(held_out, limit)
    scores = list(scorer.score([rated.response for rated in chosen], helper, reporter, kept))
    if len(scores) != len(chosen):
        raise PluginError(f"Scorer {scorer.name} gave {len(scores)} scores for {len(chosen)} responses.")
    return agreement(scorer.name, scorer.version, chosen, scores, held_out=len(held_out))


def held_out_of(scorer: Scorer, reporter: Reporter) -> tuple[Rated, ...]:
    """The responses that a scorer is held to. Raises NotApplicable where it has none."""
    find = getattr(scorer, "held_out", None)
    if find is None:
        raise NotApplicable(
            f"Scorer {scorer.name} has no human ratings to be held to.",
            hint="It scores something that the rated responses are not: see brainbench list scorers.",
        )
    return tuple(find(reporter))


def drawn(held_out: Sequence[Rated], limit: int | None) -> list[Rated]:
    """All of them, or so many at random, always the same and in their order."""
    if limit is None or limit >= len(held_out):
        return list(held_out)
    if limit < 3:
        raise UsageError(
            f"No correlation can be had of {limit} responses.", hint="Give a limit of 3 or more."
        )
    places = random.Random(SEED).sample(range(len(held_out)), limit)
    return [held_out[at] for at in sorted(places)]


def agreement(
    scorer: str,
    version: int,
    chosen: Sequence[Rated],
    scores: Sequence[float | None],
    *,
    held_out: int | None = None,
) -> Validity:
    """The Validity of scores already made, one for each rated response; raises as `validate`."""
    known = [(rated, float(score)) for rated, score in zip(chosen, scores, strict=True) if score is not None]
    values = np.array([score for _, score in known])
    ratings = np.array([rated.rating for rated, _ in known])
    if not np.isfinite(values).all():
        raise PluginError(f"Scorer {scorer} gave a score that is not finite.")
    if len(known) < 3 or np.ptp(values) == 0 or np.ptp(ratings) == 0:
        why = f"only {len(known)} of {len(chosen)} could be scored" if len(known) < 3 else "they do not vary"
        raise NotApplicable(f"The scores of {scorer} cannot be correlated with ratings: {why}.")
    found = correlations(
        values,
        ratings,
        [rated.response.about for rated, _ in known],
        least=LEAST,
        seed=SEED,
        draws=DRAWS,
    )
    return Validity(
        scorer,
        version,
        len(chosen),
        len(chosen) if held_out is None else held_out,
        len(chosen) - len(known),
        found,
    )


def _plain(interval: Interval) -> Mapping[str, float]:
    return {"r": interval.estimate, "low": interval.low, "high": interval.high}
