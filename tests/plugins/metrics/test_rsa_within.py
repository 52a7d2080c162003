"""Robust RSA of items of several types: against regressions, and free of what type explains."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial.distance import pdist, squareform
from scipy.stats import binom, rankdata

from brainbench.arrays import Features, Participant, PersonalFeatures, Recording
from brainbench.progress import SilentReporter
from brainbench.records import Scores, Skip
from brainbench.statistics import blocks, pairs_of
from brainbench_metrics.rdm_comparison import ready
from brainbench_metrics.rsa import RobustRsa
from brainbench_metrics.rsa_categories import pair_categories
from brainbench_metrics.rsa_folds import exchangeable, halves, people_folds

Array = NDArray[np.float64]
Places = NDArray[np.intp]
QUIET = SilentReporter()
QUICK = RobustRsa(permutations=49, bootstraps=40)
TWO = ("a", "a", "b") * 8
THREE = ("b", "a", "c", "a") * 6


def score(layers: dict[str, Array], recording: Recording, metric: RobustRsa = QUICK) -> Scores:
    outcome = metric.score(Features(layers), recording, QUIET)
    assert isinstance(outcome, Scores), outcome
    return outcome


def ceiling(recording: Recording, metric: RobustRsa = QUICK) -> Scores:
    outcome = metric.ceiling(recording, QUIET)
    assert isinstance(outcome, Scores), outcome
    return outcome


def study(
    seed: int, strata: Sequence[str], *, people: int = 5, shared: float = 1, offset: float = 1, least: int = 0
) -> tuple[Array, Recording]:
    """A layer and people, each with offsets of every type; people hold so much of the layer beside noise."""
    rng = np.random.default_rng(seed)
    items = len(strata)
    kinds = (np.asarray(strata)[:, None] == np.unique(strata)).astype(float)
    x = rng.normal(size=(items, 12))
    made = []
    for at in range(people):
        held = shared * x @ rng.normal(size=(12, 20)) / 3 + rng.normal(size=(items, 20))
        held += offset * kinds @ rng.normal(size=(kinds.shape[1], 20))
        count = rng.integers(least, items + 1) if least else items
        there = np.sort(rng.choice(items, count, replace=False))
        made.append(Participant(f"p{at}", held[there], there))
    layer = x + offset * kinds @ rng.normal(size=(kinds.shape[1], 12))
    return layer, Recording("region", tuple(f"i{i}" for i in range(items)), tuple(made), tuple(strata))


def dummies(strata: Sequence[str], items: Places) -> Array:
    """Which unordered pair of strata each pair of the items is of (pairs x categories)."""
    both = ["".join(sorted((strata[i], strata[j]))) for at, i in enumerate(items) for j in items[at + 1 :]]
    return np.asarray(np.array(both)[:, None] == np.unique(both), dtype=float)


def left(vector: Array, design: Array) -> Array:
    return np.asarray(vector - design @ np.linalg.lstsq(design, vector, rcond=None)[0])


def tau(model: Array, brain: Array, design: Array) -> float:
    """Tau-a of each category of more than one pair, averaged by their numbers of pairs."""
    found, sizes = [], []
    for kind in design.T > 0:
        if (size := np.count_nonzero(kind)) > 1:
            signs = [np.sign(z[kind][:, None] - z[kind]) for z in (model, brain)]
            found.append((signs[0] * signs[1]).sum() / size / (size - 1))
            sizes.append(size)
    return float(np.average(found, weights=sizes))


def by_regression(
    x: Array, person: Participant, strata: Sequence[str], chosen: Places, metric: RobustRsa
) -> float:
    there = np.isin(person.present, chosen)
    items = person.present[there]
    model, brain = pdist(x[items], "correlation"), pdist(person.responses[there], "correlation")
    design = dummies(strata, items)
    if metric.comparator == "kendall":
        return tau(model, brain, design)
    if metric.comparator == "spearman":
        model, brain = rankdata(model), rankdata(brain)
    return float(np.corrcoef(left(model, design), left(brain, design))[0, 1])


def by_loop(
    layers: dict[str, Array],
    recording: Recording,
    metric: RobustRsa,
    r: Callable[[Array, Participant, Places], float],
) -> Array:
    """The headline of each person, then each layer's, from r of a layer and a person over some items."""
    split = halves(recording, metric.splits, metric.seed)
    assert not isinstance(split, Skip)
    people = recording.participants
    fold_of = people_folds(len(people), metric.folds, metric.splits, metric.seed)
    found = np.zeros(len(people))
    for at, half in split.blocks:
        train = np.array([[r(y, p, split.items(at, 1 - half)) for p in people] for y in layers.values()])
        for place, person in enumerate(people):
            best = int(train[:, fold_of[at] != fold_of[at, place]].mean(axis=1).argmax())
            found[place] += r(list(layers.values())[best], person, split.items(at, half)) / len(split.blocks)
    everything = np.arange(len(recording.items))
    return np.vstack([found, [[r(y, p, everything) for p in people] for y in layers.values()]])


@pytest.mark.parametrize("comparator", ["spearman", "pearson", "kendall"])
@pytest.mark.parametrize(("strata", "least"), [(TWO, 0), (TWO, 18), (THREE, 0), (THREE, 20)])
def test_scores_are_correlations_of_what_regressions_on_categories_leave(
    comparator: Any, strata: Sequence[str], least: int
) -> None:
    x, recording = study(1, strata, least=least)
    rng = np.random.default_rng(2)
    layers = {"x": x, "noise": rng.normal(size=(24, 9)), "part": x[:, :4] + rng.normal(size=(24, 4))}
    metric = replace(QUICK, comparator=comparator, splits=3, folds=3)
    result = score(layers, recording, metric)

    def within(y: Array, person: Participant, chosen: Places) -> float:
        return by_regression(y, person, strata, chosen, metric)

    expected = by_loop(layers, recording, metric, within)
    np.testing.assert_allclose(result.per_participant, expected, atol=1e-10, rtol=0)
    np.testing.assert_allclose(result.per_layer, np.tanh(np.arctanh(expected).mean(axis=1)), atol=1e-10)

    def over_all(y: Array, person: Participant, chosen: Places) -> float:
        return by_regression(y, person, "s" * 24, chosen, metric)

    (before, *_) = by_loop(layers, recording, metric, over_all)
    told = result.details["aggregate"]
    np.testing.assert_allclose(list(told["per_person"].values()), before, atol=1e-10, rtol=0)
    assert told["score"] == pytest.approx(np.tanh(np.arctanh(before).mean()), abs=1e-10)
    assert "type of task alone" in told["caution"]


def test_one_type_is_as_if_none_were_named() -> None:
    x, recording = study(3, TWO)
    one, none = (replace(recording, strata=labels) for labels in (("s",) * 24, ()))
    for metric in (QUICK, replace(QUICK, comparator="whitened cosine")):
        first, second = (score({"x": x}, those, metric) for those in (one, none))
        assert first.details == second.details
        assert "aggregate" not in first.details
        np.testing.assert_array_equal(first.per_participant, second.per_participant)
        bounds = [ceiling(those, metric).per_participant for those in (one, none)]
        np.testing.assert_array_equal(bounds[0], bounds[1])


def counted(x: Array, person: Participant, recording: Recording, weights: Array) -> float:
    """The score of one person where items count so often, ranks held fixed, by weighted regressions."""
    split = halves(recording, QUICK.splits, QUICK.seed)
    assert not isinstance(split, Skip)
    r = []
    for block in split.blocks:
        there = np.isin(person.present, split.items(*block))
        items = person.present[there]
        first, second = np.triu_indices(len(items), 1)
        root = np.sqrt(weights[items[first]] * weights[items[second]])
        design = dummies(recording.strata, items) * root[:, None]
        model = left(rankdata(pdist(x[items], "correlation")) * root, design)
        brain = left(rankdata(pdist(person.responses[there], "correlation")) * root, design)
        r.append(model @ brain / np.sqrt((model @ model) * (brain @ brain)))
    return float(np.mean(r))


def test_an_item_adds_what_counting_it_a_little_more_does() -> None:
    x, recording = study(4, TWO, people=3, least=18)
    result = score({"x": x}, recording)
    assert result.per_item is not None
    for row, own, person in zip(
        result.per_item, result.per_participant[0], recording.participants, strict=True
    ):
        assert np.nanmean(row) == pytest.approx(own, abs=1e-12)
        for item in person.present[:6]:
            step = np.zeros(24)
            step[item] = 1e-5
            up, down = (counted(x, person, recording, 1 + sign * step) for sign in (1, -1))
            slope = (up - down) / 2e-5
            assert row[item] - own == pytest.approx(len(person.present) * slope, abs=1e-6)


@pytest.mark.parametrize("comparator", ["spearman", "pearson", "kendall", "cosine", "whitened cosine"])
def test_what_is_left_of_a_shuffle_within_types_is_the_shuffle_of_what_is_left(comparator: Any) -> None:
    """So the null may move vectors that were freed once; and its mean over all shuffles is zero."""
    x, recording = study(5, THREE)
    categories = pair_categories(recording.strata)
    vector = pdist(x, "correlation")
    (freed,), _ = ready(vector[None], comparator, categories=categories)
    moved = []
    for block in blocks(0, 300):
        for order in block.permutations(24, recording.strata):
            turn = np.ix_(order, order)
            (again,), _ = ready(squareform(squareform(vector)[turn])[None], comparator, categories=categories)
            moved.append(squareform(squareform(freed, checks=False)[turn], checks=False))
            np.testing.assert_allclose(again, moved[-1], atol=1e-12)
    assert np.linalg.norm(np.mean(moved, axis=0)) < 0.1  # of length 1 each


@pytest.mark.parametrize("least", [0, 19])
@pytest.mark.parametrize("comparator", ["spearman", "pearson", "kendall"])
def test_nilis_bounds_are_those_of_a_plain_loop(comparator: Any, least: int) -> None:
    _, recording = study(6, TWO, least=least)
    metric = replace(QUICK, comparator=comparator)
    found = ceiling(recording, metric)
    pooled = np.full((5, 276), np.nan)
    ranked = comparator != "pearson"
    for row, person in enumerate(recording.participants):
        vector = pdist(person.responses, "correlation")
        level = left(rankdata(vector) if ranked else vector, dummies(TWO, person.present))
        level /= len(vector) if ranked else np.sqrt(np.mean(level**2))
        pooled[row, pairs_of(person.present, 24)] = level
    design = dummies(TWO, np.arange(24))
    for row, person in enumerate(recording.participants):
        rest = np.delete(pooled, row, axis=0)
        own = ~np.isnan(pooled[row]) & ~np.isnan(rest).all(axis=0)
        place = {pair: at for at, pair in enumerate(pairs_of(person.present, 24))}
        mine = pdist(person.responses, "correlation")[[place[pair] for pair in np.flatnonzero(own)]]
        for at, those in enumerate((rest, pooled)):
            mean = np.nanmean(those[:, own], axis=0).round(13)
            if comparator == "kendall":
                expected = tau(mine, mean, design[own])
            else:
                one, other = (left(rankdata(z) if ranked else z, design[own]) for z in (mine, mean))
                expected = float(np.corrcoef(one, other)[0, 1])
            assert found.per_participant[at, row] == pytest.approx(expected, abs=1e-10)


@pytest.mark.parametrize("comparator", ["spearman", "pearson", "kendall", "whitened cosine"])
def test_the_best_of_models_lies_between_the_bounds(comparator: Any) -> None:
    """The pattern that everybody has, with the types' offsets: above the lower, below the upper bound."""
    metric = replace(QUICK, comparator=comparator, permutations=1)
    found = []
    for seed in range(5):
        rng = np.random.default_rng(seed)
        kinds = np.array([label == "a" for label in TWO], dtype=float)[:, None]
        truth = rng.normal(size=(24, 30)) + 1.5 * kinds * rng.normal(size=(1, 30))
        people = [truth + 2 * rng.normal(size=truth.shape) for _ in range(6)]
        recording = Recording(
            "region",
            tuple(f"i{i}" for i in range(24)),
            tuple(Participant(f"p{at}", y, np.arange(24)) for at, y in enumerate(people)),
            TWO,
        )
        bounds = ceiling(recording, metric).per_layer
        result = score({"truth": truth}, recording, metric)
        found.append([bounds[0], result.per_layer[1], bounds[1], result.details["aggregate"]["score"]])
    lower, of_truth, upper, aggregate = np.mean(found, axis=0)
    assert lower < of_truth < upper < 1
    assert aggregate > 1.5 * of_truth


@pytest.mark.parametrize("strata", [TWO, THREE])
def test_types_alone_give_nothing_and_keep_the_level(strata: Sequence[str]) -> None:
    """100 studies where only offsets of types are on both sides: the mean is zero, the aggregate is not.

    At the level .05 more than 11 rejections have a chance of .005.
    """
    metric = RobustRsa(permutations=199, bootstraps=40, splits=2)
    scores, before, p = [], [], []
    for seed in range(100):
        x, recording = study(seed, strata, people=4, shared=0, offset=2)
        other = np.random.default_rng([seed, 1]).normal(size=(24, 12))
        result = score({"x": x, "noise": other}, recording, metric)
        scores.append(result.headline)
        before.append(result.details["aggregate"]["score"])
        p.append(result.details["null"]["p"])
    assert abs(np.mean(scores)) < 2.6 * np.std(scores) / 10  # a chance of .01
    assert np.mean(before) > 0.25
    assert np.mean(before) > 10 * abs(np.mean(scores))
    assert binom.sf(np.count_nonzero(np.array(p) <= 0.05) - 1, 100, 0.05) > 0.004


@pytest.mark.parametrize("comparator", ["spearman", "pearson", "kendall", "cosine", "whitened cosine"])
def test_what_is_planted_within_types_is_found(comparator: Any) -> None:
    metric = replace(QUICK, permutations=199, comparator=comparator)
    for seed in range(3):
        x, recording = study(seed, TWO, shared=1.5, offset=2)
        result = score({"x": x, "noise": np.random.default_rng(9).normal(size=(24, 12))}, recording, metric)
        assert result.details["null"]["p"] < 0.02
        assert result.headline > 0.1
        assert abs(result.details["null"]["null_mean"]) < 0.05
        assert result.details["most_often"] == "x"


def test_a_layer_that_knows_the_type_only_is_not_scored() -> None:
    x, recording = study(7, THREE)
    kinds = (np.array(THREE)[:, None] == np.unique(THREE)).astype(float)
    only = kinds @ np.random.default_rng(8).normal(size=(3, 30))
    result = score({"x": x, "type": only}, recording)
    assert result.layers == ("cross-validated", "x")
    assert "between pairs of the same types" in result.unscored["type"]
    assert result.details["aggregate"]["score"] > 0.3, "there it is a layer"
    outcome = QUICK.score(Features({"type": only}), recording, QUIET)
    assert isinstance(outcome, Skip)
    assert "between pairs of the same types" in outcome.reason


def test_too_few_pairs_for_the_categories_are_a_reason() -> None:
    x, recording = study(9, ("a", "b") * 4)
    outcome = QUICK.score(Features({"x": x}), recording, QUIET)
    assert isinstance(outcome, Skip)
    assert "Has 6 pairs in a half of the items, too few for their 3 categories." in outcome.reason
    x, recording = study(10, TWO)
    metric, person = replace(QUICK, splits=1), recording.participants[2]
    split = halves(recording, 1, metric.seed)
    assert not isinstance(split, Skip)
    first = split.items(0, 0)
    of_b = np.isin(first, np.arange(2, 24, 3))
    few = np.sort([*first[of_b][:2], *first[~of_b][:2], *split.items(0, 1)])  # four, and a whole half
    short = replace(person, responses=person.responses[few], present=few)
    people = (*recording.participants[:2], short, *recording.participants[3:])
    result = score({"x": x}, replace(recording, participants=people), metric)
    assert result.details["people_left_out"] == {
        "p2": "Has 6 pairs in a half of the items, too few for their 3 categories."
    }
    assert "p2" in result.details["aggregate"]["per_person"]
    every = replace(recording, strata=tuple(f"s{i}" for i in range(24)))
    outcome = QUICK.score(Features({"x": x}), every, QUIET)
    assert isinstance(outcome, Skip)
    bounds = QUICK.ceiling(every, QUIET)
    assert isinstance(bounds, Skip)
    assert "too few pairs" in bounds.reason


def test_groups_of_one_item_do_not_set_types_free() -> None:
    _, recording = study(11, TWO)
    alone = replace(recording, groups=tuple(f"g{i}" for i in range(24)))
    assert exchangeable(alone) == TWO
    assert exchangeable(replace(alone, strata=())) == ()


@pytest.mark.parametrize("strata", [TWO, ()])
def test_who_lacks_the_only_control_is_compared_without_it(strata: tuple[str, ...]) -> None:
    x, recording = study(12, TWO)
    rng = np.random.default_rng(13)
    times = {f"p{at}": Features({"t": rng.uniform(1, 9, (24, 1))}, quantities=True) for at in range(4)}
    known = replace(recording, strata=strata, nuisances={"time": PersonalFeatures(times)})
    found = score({"x": x}, known).details["partial"]
    assert found["people_without_control"] == {"time": ["p4"]}
    assert found["controls"] == [*(["strata of both items"] if strata else []), "time"]
    bare = score({"x": x}, replace(known, nuisances={}))
    if strata:
        assert bare.details["partial"]["cross-validated"] == bare.headline
