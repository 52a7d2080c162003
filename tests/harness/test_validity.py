"""A scorer's agreement with people, against scipy and against what was planted."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from scipy import stats

from brainbench.errors import NotApplicable, PluginError, ShapeError, UsageError
from brainbench.ideas import Rated, Response
from brainbench.nouns import OpenModel, Reporter
from brainbench.progress import SilentReporter
from brainbench.scoring import Scorer
from brainbench.statistics import correlations
from brainbench.validity import agreement, validate


def rated(counts: dict[str, int], seed: int = 0) -> list[Rated]:
    """Responses whose text is their rating, about objects of which the later are rated higher."""
    rng = np.random.default_rng(seed)
    made = []
    for place, (name, count) in enumerate(counts.items()):
        for value in np.round(rng.normal(place, 1, count), 1):
            made.append(Rated(Response(name, f"{value}"), float(value)))
    return made


@dataclass(frozen=True)
class Noisy:
    """Reads the rating off the text, with noise; texts that hold `fails` it cannot score."""

    people: tuple[Rated, ...] = ()
    noise: float = 1.0
    name: str = "noisy"
    version: int = 3
    fails: str = "nothing"
    extra: int = 0
    seen: list[int] = field(default_factory=list)

    def held_out(self, reporter: Reporter) -> tuple[Rated, ...]:
        return self.people

    def score(
        self, responses: Sequence[Response], helper: OpenModel, reporter: Reporter, kept: Path | None
    ) -> list[float | None]:
        self.seen.append(len(responses))
        noise = np.random.default_rng(1).normal(0, self.noise, len(responses) + self.extra)
        made: list[float | None] = [
            None if self.fails in r.text else float(r.text) + e
            for r, e in zip(responses, noise, strict=False)
        ]
        return made + [0.0] * self.extra


def held(scorer: Any, limit: int | None = None) -> Any:
    return validate(cast(Scorer, scorer), cast(OpenModel, None), SilentReporter(), None, limit)


def test_correlations_are_scipys_and_the_mean_within_objects_counts_each_object_alike() -> None:
    people = tuple(rated({"brick": 60, "box": 20, "hat": 9}))
    found = held(Noisy(people))
    scored = Noisy().score([p.response for p in people], cast(OpenModel, None), SilentReporter(), None)
    scores = [float(score or 0) for score in scored]
    ratings = [p.rating for p in people]
    assert found.pearson.estimate == pytest.approx(stats.pearsonr(scores, ratings)[0], abs=1e-12)
    assert found.spearman.estimate == pytest.approx(stats.spearmanr(scores, ratings)[0], abs=1e-12)
    r = [stats.pearsonr(scores[a:b], ratings[a:b])[0] for a, b in ((0, 60), (60, 80))]
    assert found.by_object.estimate == pytest.approx(np.mean(r), abs=1e-12)
    facts = found.facts()
    assert json.loads(json.dumps(facts, allow_nan=False)) == facts
    assert {name: entry["n"] for name, entry in facts["by_object"].items()} == {"brick": 60, "box": 20}
    assert facts["by_object"]["box"]["r"] == pytest.approx(r[1], abs=1e-12)
    assert (facts["version"], facts["unscored"], facts["drawn_by"]) == (3, 0, None)


def test_the_mean_of_an_object_agrees_over_all_and_never_within() -> None:
    people = rated({"brick": 50, "box": 50, "hat": 50})
    levels = {"brick": 0.0, "box": 1.0, "hat": 2.0}
    found = agreement("levels", 1, people, [levels[p.response.about] for p in people])
    assert found.pearson.estimate > 0.5
    assert found.by_object is None
    assert found.facts()["by_object"]["hat"] == {"n": 50, "r": None}


def test_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    """Of scores with a correlation of 0.6 within each of two objects."""
    rng, held_it, widths = np.random.default_rng(0), 0, []
    for _ in range(150):
        x = rng.normal(size=80)
        y = 0.6 * x + 0.8 * rng.normal(size=80)
        found = correlations(x, y, ["a"] * 40 + ["b"] * 40, least=10, seed=0, draws=200)
        held_it += found.pearson.low <= 0.6 <= found.pearson.high
        widths.append(found.pearson.standard_error)
    assert 0.87 <= held_it / 150 <= 0.985
    assert np.mean(widths) == pytest.approx((1 - 0.36) / np.sqrt(80), rel=0.15)  # what theory says


def test_objects_of_few_responses_are_resampled_together_and_not_each_by_itself() -> None:
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=(2, 30))
    found = correlations(x, y, [f"{i}" for i in range(30)], least=10, seed=0, draws=500)
    assert found.within is None
    assert found.by_stratum == {}
    assert found.pearson.standard_error == pytest.approx(1 / np.sqrt(30), rel=0.4)


def test_what_could_not_be_scored_is_counted_and_left_out() -> None:
    people = tuple(rated({"brick": 40}))
    found = held(Noisy(people, noise=0.0, fails="-"))
    lost = sum("-" in p.response.text for p in people)
    assert found.unscored == lost > 0
    assert found.pearson.estimate == pytest.approx(1)
    assert found.responses == 40


def test_a_limit_draws_at_random_and_always_the_same() -> None:
    people = tuple(rated({"brick": 40, "box": 40}))
    scorer = Noisy(people)
    one, two = held(scorer, 30), held(scorer, 30)
    assert one == two
    assert scorer.seen == [30, 30]
    assert (one.responses, one.held_out, one.facts()["drawn_by"]) == (30, 80, 0)
    with pytest.raises(UsageError, match="2 responses"):
        held(scorer, 2)


def test_what_says_nothing_is_a_sentence() -> None:
    people = tuple(rated({"brick": 12}))
    with pytest.raises(NotApplicable, match="only 0 of 12"):
        held(Noisy(people, fails="."))
    with pytest.raises(NotApplicable, match="do not vary"):
        agreement("same", 1, people, [1.0] * 12)
    with pytest.raises(NotApplicable, match="no human ratings"):
        held(object.__new__(type("Bare", (), {"name": "bare"})))
    with pytest.raises(PluginError, match="13 scores for 12"):
        held(Noisy(people, extra=1))
    with pytest.raises(PluginError, match="not finite"):
        agreement("wild", 1, people, [float("nan")] * 12)
    with pytest.raises(ShapeError, match="5 and 4"):
        correlations(np.arange(5.0), np.arange(4.0), ["a"] * 5, least=3, seed=0)


def test_units_are_resampled_within_their_strata() -> None:
    """Three of forty make the whole correlation: where a resample could lack them, there would be none."""
    rng = np.random.default_rng(0)
    x, y = (np.r_[rng.normal(size=37), np.full(3, 100.0) + rng.normal(size=3)] for _ in range(2))
    found = correlations(x, y, ["many"] * 37 + ["few"] * 3, least=3, seed=0, draws=500)
    assert found.pearson.low > 0.99
