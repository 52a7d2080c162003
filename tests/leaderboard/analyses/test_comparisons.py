"""Within models: people are paired by id; whoever is on one side alone is left out and counted."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy import stats

from brainbench.records import Skip
from brainbench_leaderboard.analyses.catalog import analyse
from brainbench_leaderboard.analyses.material import Asked, Material
from brainbench_leaderboard.analyses.paired import MeanDifference, pairs, weighted
from brainbench_leaderboard.analyses.results import Finding
from brainbench_leaderboard.margins import Cells
from brainbench_leaderboard.store import Leaderboard

Make = Callable[..., Any]
PLANTED = 0.2


def only(board: Leaderboard, name: str, **asked: Any) -> Finding:
    ((finding,), _) = analyse(Material.read(board, Asked(**asked)), [name])
    return finding


def shuffled(scores: dict[str, float], seed: int = 1) -> dict[str, float]:
    names = list(scores)
    np.random.default_rng(seed).shuffle(names)
    return {name: scores[name] for name in names}


@pytest.fixture
def values() -> Any:
    """Scores of ten people who differ a lot."""
    return np.random.default_rng(0).normal(0, 1, 10)


CASES = [
    ("stage", {}, {"variant": {"stage": "response"}}),
    ("network", {}, {"region": "somatomotor"}),
    ("task-control", {}, {"items": "object"}),
    ("high-low", {"variant": {"rated": "high", "cutoff": 2.0, "least": 8}},
     {"variant": {"rated": "low", "cutoff": 2.0, "least": 8}}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "first", "second"), CASES, ids=[case[0] for case in CASES])
@pytest.mark.parametrize("planted", [PLANTED, 0.0])
def test_what_is_planted_is_found_in_people_paired_by_id(
    board: Leaderboard,
    record: Make,
    people: Make,
    values: Any,
    name: str,
    first: Any,
    second: Any,
    planted: float,
) -> None:
    noise = 0.05 * np.random.default_rng(2).normal(size=10)
    noise -= noise.mean()
    board.add(record("m", people(values), **first))
    board.add(record("m", shuffled(people(values - planted + noise)), **second))
    finding = only(board, name)
    (test,) = finding.tests
    differences = planted - noise
    assert test.value == pytest.approx(planted)
    assert test.interval == pytest.approx(tuple(stats.ttest_1samp(differences, 0).confidence_interval()))
    exact = np.mean(
        [
            abs(np.mean(signs * differences)) >= abs(differences.mean()) - 1e-12
            for signs in map(np.array, itertools.product((1, -1), repeat=10))
        ]
    )
    assert test.p == pytest.approx(exact)
    assert ("This shows a difference" in test.says) == (planted > 0)
    without = [np.delete(differences, at).mean() for at in range(10)]
    assert test.left_out == pytest.approx((min(without), max(without)))
    assert test.leverage == f"p{int(np.abs(np.array(without) - planted).argmax()):02}"
    assert "other people and these items" in test.says
    by_person = {row["person"]: row["difference"] for row in finding.table}
    assert by_person == pytest.approx({f"p{at:02}": value for at, value in enumerate(differences)})


def test_who_has_one_of_two_scores_is_left_out_and_counted(
    board: Leaderboard, record: Make, people: Make, values: Any
) -> None:
    variant = {"cutoff": 1.75, "least": 8}
    high, low = people(values), people(values - PLANTED)
    for name in ("p00", "p05"):
        del high[name]
    del low["p09"]
    board.add(record("m", high, variant={"rated": "high", **variant}))
    board.add(record("m", low, variant={"rated": "low", **variant}))
    board.add(record("m", low, variant={"rated": "low", **variant, "cutoff": 2.25}))
    finding = only(board, "high-low")
    (test,) = finding.tests  # the other cutoff has no counterpart
    assert test.n == 7
    assert test.value == pytest.approx(PLANTED)
    assert (test.more["only_first"], test.more["only_second"]) == (1, 2)
    assert any("8 or more" in note for note in finding.notes)
    assert any("one of its two scores only: 3 people" in note for note in finding.notes)


def test_too_few_people_in_both_are_no_comparison_and_said(
    board: Leaderboard, record: Make, people: Make
) -> None:
    board.add(record("m", people([0.1, 0.2, 0.3])))
    board.add(record("m", people([0.1, 0.2, 0.4]), region="somatomotor"))
    skip = Skip("2 items are too few.")
    board.add(replace(record("m", people([0.1, 0.2])), fingerprint="none", outcome=skip))
    findings, (lacking,) = analyse(Material.read(board, Asked()), ["network"])
    assert not findings
    assert "there are results of 3 people" in lacking.sentence
    assert "1 results have no score, as in: 2 items are too few" in lacking.sentence
    assert lacking.command == "brainbench run --model m --dataset aut --metric rsa/robust"


def test_a_published_protocol_is_analysed_with_what_it_does_said(
    board: Leaderboard, record: Make, people: Make, values: Any
) -> None:
    for region, shift in (("default", PLANTED), ("somatomotor", 0.0)):
        noise = 0.01 * np.random.default_rng(len(region)).normal(size=10)
        board.add(record("m", people(values + shift + noise), region=region, protocol="paper"))
    finding = only(board, "network", metric="rsa/paper")
    assert finding.tests[0].value == pytest.approx(PLANTED, abs=0.02)
    assert any("finds something in noise" in note for note in finding.notes)


def test_nothing_is_paired_across_models_metrics_poolings_or_prompts(
    board: Leaderboard, record: Make, people: Make, values: Any
) -> None:
    board.add(record("m", people(values)))
    other: dict[str, Any] = {"region": "somatomotor"}
    board.add(record("n", people(values), **other))
    board.add(record("m", people(values), **other, pooling="mean"))
    board.add(record("m", people(values), **other, items="all"))
    board.add(record("m", people(values), **other, variant={"prompt": "short"}))
    board.add(record("m", people(values), **other, protocol="paper"))
    board.add(record("m", people(values), **other, dataset="elsewhere"))
    findings, _ = analyse(Material.read(board, Asked()), ["network"])
    assert not findings


def test_people_who_share_items_have_an_interval_for_other_items_too(
    board: Leaderboard, record: Make, people: Make
) -> None:
    """One effect a person and none an item, or the reverse: the interval knows which."""
    rng = np.random.default_rng(0)
    names = [f"i{at}" for at in range(20)]
    base = rng.normal(size=(8, 20)) + 3 * rng.normal(size=(8, 1))
    by_item = base - 0.1 - 0.5 * rng.normal(size=20) + 0.01 * rng.normal(size=(8, 20))
    for region, table, order in (
        ("default", base, np.arange(8)),
        ("somatomotor", by_item, rng.permutation(8)),
    ):
        scores = {f"p{person}": float(table[person].mean()) for person in order}
        board.add(record("m", scores, region=region, table=table[order], item_names=names))
    finding = only(board, "network")
    (test,) = finding.tests
    items = (base - by_item).mean(axis=0)
    theirs = stats.ttest_1samp(items, 0).confidence_interval()
    assert test.over == "people and items"
    assert test.p is not None
    assert test.p < 0.01  # over these people and these very items
    assert test.interval == pytest.approx(tuple(theirs), abs=0.06)  # a bootstrap of 1,000
    assert "Interval and corrected p value do not agree" in test.says


def test_items_of_two_sides_are_resampled_as_what_they_are() -> None:
    """Shared items stay together; of disjoint ones each side has its own."""
    rng = np.random.default_rng(0)
    names = tuple(f"i{at}" for at in range(12))
    table = rng.normal(size=(6, 12))
    who = tuple("abcdef")
    same = pairs(
        Cells(who, table.mean(axis=1), names, table),
        Cells(who, table.mean(axis=1) - 1, names, table - 1 + 1e-3 * rng.normal(size=table.shape)),
    )
    assert same is not None
    assert same.interval is not None
    assert same.interval.high - same.interval.low < 0.01
    backwards = Cells(who, table.mean(axis=1) - 1, names[::-1], table[:, ::-1] - 1 + 1e-3)
    turned = pairs(Cells(who, table.mean(axis=1), names, table), backwards)
    assert turned is not None
    assert turned.interval is None  # one item at a time, there is one difference
    others = tuple(f"j{at}" for at in range(12))
    apart = pairs(
        Cells(who, table.mean(axis=1), names, table), Cells(who, table.mean(axis=1) - 1, others, table - 1)
    )
    assert apart is not None
    assert apart.interval is not None
    assert apart.interval.high - apart.interval.low > 0.3
    first, second = np.full((2, 3), np.nan), np.full((2, 3), np.nan)
    first[:, 0], second[:, 1:] = [1, 2], [[3, 5], [7, np.nan]]
    statistic = MeanDifference(first, second)
    every = np.arange(2), np.arange(3)
    assert statistic(*every) == pytest.approx(((1 - 4) + (2 - 7)) / 2)
    assert statistic(np.array([0, 0]), np.array([0, 1, 1])) == pytest.approx(1 - 3)
    assert statistic(np.array([0, 1]), np.array([0, 2, 2])) == pytest.approx(1 - 5)  # the second has no item
    assert np.isnan(statistic(np.array([0, 1]), np.array([0, 0, 0])))


def test_over_models_their_mean_differences_are_tested(
    board: Leaderboard, record: Make, people: Make, values: Any
) -> None:
    shifts = np.array([0.1, 0.12, 0.09, 0.15, 0.11, 0.13])
    for at, shift in enumerate(shifts):
        board.add(record(f"m{at}", people(values)))
        board.add(record(f"m{at}", people(values - shift), variant={"stage": "response"}))
    board.add(record("untrained:m0", people(values), kind="untrained"))
    board.add(record("untrained:m0", people(values + 9), kind="untrained", variant={"stage": "response"}))
    (over,) = [test for test in only(board, "stage").tests if test.of == "models"]
    assert over.n == 6
    assert over.value == pytest.approx(shifts.mean())
    assert over.p == pytest.approx(2 / 2**6)
    assert over.interval == pytest.approx(tuple(stats.ttest_1samp(shifts, 0).confidence_interval()))
    assert over.leverage == "m3"


def test_variants_of_a_base_model_are_compared_with_it_where_both_are(
    board: Leaderboard, record: Make, people: Make, values: Any
) -> None:
    rated = {"rated": "high", "cutoff": 2.0, "least": 8}
    noise = 0.03 * np.random.default_rng(7).normal(size=10)
    for model, shift in (("lab/base", 0.0), ("lab/tuned", 0.3), ("lab/other", 0.6)):
        for variant in (None, rated):
            board.add(
                record(
                    model,
                    shuffled(people(values + (noise + shift) * (shift > 0)), len(model)),
                    variant=variant,
                )
            )
    board.add(record("lab/tuned", people(values), variant={**rated, "rated": "low"}))
    finding = only(board, "post-training", base="lab/base", models=("lab/tuned",))
    assert [(test.more["model"], test.n) for test in finding.tests] == [("lab/tuned", 10)] * 2
    assert [test.value for test in finding.tests] == pytest.approx([0.3 + noise.mean()] * 2)
    assert finding.tests[0].more["first_sign"] == "0"  # its interval, -0.1 to 0.4, holds zero
    findings, (lacking,) = analyse(Material.read(board, Asked(base="lab/base")), ["post-training"])
    assert not findings
    assert "--base lab/base --model VARIANT" in lacking.command


def test_nothing_is_paired_across_other_data_or_other_ways_to_draw_ideas(
    board: Leaderboard, record: Make, people: Make, values: Any
) -> None:
    response: dict[str, Any] = {"stage": "response"}
    rated = {**response, "cutoff": 2.0, "least": 8}
    board.add(record("m", people(values)))
    board.add(record("m", people(values), variant=response, content="prepared anew"))
    board.add(drawn(record("m", people(values), variant={**rated, "rated": "high"}), 4))
    board.add(drawn(record("m", people(values), variant={**rated, "rated": "low"}), 2))
    findings, _ = analyse(Material.read(board, Asked()), ["stage", "high-low"])
    assert not findings
    board.add(record("m", people(values - PLANTED), variant=response, started="2026-02-01"))
    board.add(drawn(record("m", people(values - 0.1), variant={**rated, "rated": "low"}), 4))
    findings, _ = analyse(Material.read(board, Asked()), ["stage", "high-low"])
    assert [test.value for finding in findings for test in finding.tests] == pytest.approx([PLANTED, 0.1])


def drawn(made: Any, count: int) -> Any:
    """With ideas, so many to an object."""
    facts = {**made.facts, "ideas": {"count": count}}
    started = f"2026-0{count}-01"
    return replace(
        made,
        facts=facts,
        fingerprint=f"{made.fingerprint}-{count}",
        provenance={**made.provenance, "started": started},
    )


def test_ceilings_that_differ_are_said(board: Leaderboard, record: Make, people: Make, values: Any) -> None:
    for region, shift, ceiling in (("default", PLANTED, 0.4), ("somatomotor", 0.0, 0.1)):
        noise = 0.01 * np.random.default_rng(len(region)).normal(size=10)
        made = record("m", people(values + shift + noise), region=region)
        board.add(made)
        cell = replace(made.cell, model=None, intervention=None)
        of_people = replace(made.outcome, per_layer=np.array([ceiling]))
        board.add(replace(made, cell=cell, fingerprint=region, outcome=of_people))
    (test,) = only(board, "network").tests
    assert (test.more["first_ceiling"], test.more["second_ceiling"]) == (0.4, 0.1)
    assert "do not have the same ceiling: 0.400 and 0.100" in test.says


@pytest.mark.parametrize("shared", [True, False])
def test_a_difference_that_all_models_owe_to_the_same_items_is_not_shown(
    board: Leaderboard, record: Make, people: Make, shared: bool
) -> None:
    """Each model has it: over models it is sure. But it hangs on a few items, or on people."""
    rng = np.random.default_rng(0)
    names = [f"i{at}" for at in range(16)]
    luck = np.where(np.arange(16) < 3, 2.0, 0.0) if shared else np.full(16, 0.4)
    for model in range(8):
        for region, more in (("default", luck), ("somatomotor", 0.0)):
            table = more + 0.1 * rng.normal(size=(10, 16))
            board.add(record(f"m{model}", people(table.mean(axis=1)), region=region, table=table,
                             item_names=names))  # fmt: skip
    (over,) = [test for test in only(board, "network").tests if test.of == "models"]
    assert over.p is not None
    assert over.p < 0.01
    assert over.interval is not None
    assert over.interval[0] > 0
    assert over.more["others"] == "people and items"
    assert (over.more["others_low"] < 0) == shared
    assert ("all models share may have made it" in over.says) == shared
    assert ("This shows a difference" in over.says) != shared


def test_models_are_summed_by_person_and_item_whatever_their_order() -> None:
    table = np.random.default_rng(0).normal(size=(4, 5))
    whole = Cells(tuple("abcd"), table.mean(axis=1), tuple("vwxyz"), table)
    turned = Cells(tuple("dcb"), table[:0:-1].mean(axis=1), tuple("zyxwv"), table[:0:-1, ::-1])
    found = weighted([whole, turned], [2.0, -1.0])
    assert found is not None
    assert found.per_item is not None
    assert (found.people, found.items) == (tuple("bcd"), tuple("vwxyz"))
    assert found.scores == pytest.approx(table[1:].mean(axis=1))
    assert found.per_item == pytest.approx(table[1:])
    alone = weighted([whole, Cells(tuple("dcb"), turned.scores)], [2.0, -1.0])
    assert alone is not None
    assert alone.per_item is None  # one of them does not know its items
    assert alone.scores == pytest.approx(table[1:].mean(axis=1))
    assert weighted([whole, Cells(("e",), np.ones(1))], [1.0, 1.0]) is None
