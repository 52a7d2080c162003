"""Across models: size, depth, ideas; what is planted is found, and what is not is not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy import stats

from brainbench_leaderboard.analyses.catalog import analyse
from brainbench_leaderboard.analyses.material import Asked, Material
from brainbench_leaderboard.analyses.results import Finding, Result
from brainbench_leaderboard.store import Leaderboard

SIZES = np.logspace(8.4, 10.9, 12)


def run(board: Leaderboard, *names: str, **asked: Any) -> tuple[list[Finding], Any]:
    return analyse(Material.read(board, Asked(**asked)), names)


def only(board: Leaderboard, name: str, **asked: Any) -> Finding:
    ((finding,), _) = run(board, name, **asked)
    return finding


def one_of(finding: Finding, name: str, statistic: str = "Pearson r") -> Result:
    (test,) = [t for t in finding.tests if t.name == f"alignment and {name}" and t.statistic == statistic]
    return test


def test_alignment_that_rises_with_size_is_found_by_scipys_numbers(
    board: Leaderboard, models: Callable[..., None]
) -> None:
    rng = np.random.default_rng(0)
    score = 0.1 * np.log10(SIZES) + 0.05 * rng.normal(size=12)
    models(SIZES, score, 20 + rng.integers(0, 30, 12))
    finding = only(board, "scaling")
    size = one_of(finding, "log10 of parameters")
    count = SIZES.astype(int)
    assert size.value == pytest.approx(stats.pearsonr(np.log10(count), score).statistic)
    assert size.interval is not None
    assert size.interval[0] > 0.2
    assert size.p is not None
    assert size.p < 0.01
    assert size.p_bonferroni == pytest.approx(3 * size.p)  # two of the three declared were not run
    linear = one_of(finding, "parameters (billions)")
    assert linear.value == pytest.approx(stats.pearsonr(count, score).statistic)
    rho = one_of(finding, "log10 of parameters", "Spearman rho")
    assert rho.value == pytest.approx(stats.spearmanr(count, score).statistic)
    assert "This shows that the two go together." in size.says
    assert "holds for other models" in size.says
    raw = [test.p for test in finding.tests if test.p is not None]
    corrected = [test.p_grid for test in finding.tests if test.p is not None]
    assert corrected == pytest.approx(stats.false_discovery_control(raw).tolist())
    assert {row["parameters_used"] for row in finding.table} == set(count.tolist())


def test_no_relation_is_not_shown_and_not_called_absent(
    board: Leaderboard, models: Callable[..., None]
) -> None:
    models(SIZES, 0.2 + 0.05 * np.random.default_rng(4).normal(size=12))
    size = one_of(only(board, "scaling"), "log10 of parameters")
    assert size.p is not None
    assert size.p > 0.2
    assert "does not show" in size.says
    assert "no evidence that there is none" in size.says


def test_size_that_only_goes_with_depth_is_high_raw_and_nothing_given_the_layers(
    board: Leaderboard, models: Callable[..., None]
) -> None:
    rng = np.random.default_rng(0)
    depth = np.array([16, 18, 22, 24, 28, 30, 32, 36, 40, 48, 56, 64, 72, 80])
    size = 10 ** (8.5 + depth / 30 + 0.12 * rng.normal(size=14))
    models(size, depth / 300 + 0.012 * rng.normal(size=14), depth)
    finding = only(board, "scaling")
    assert one_of(finding, "log10 of parameters").value > 0.8
    given = one_of(finding, "log10 of parameters, given layers", "partial r")
    assert abs(given.value) < 0.3
    assert given.p is not None
    assert given.p > 0.2
    assert one_of(finding, "layers, given log10 of parameters", "partial r").value > 0.4


def test_sizes_come_from_the_weights_and_never_from_the_name(
    board: Leaderboard, record: Callable[..., Any], people: Callable[..., Any]
) -> None:
    for at, size in enumerate((5e8, 1.5e9, 3e9, 7e9)):
        made = {"parameters": int(size), "layers": 24}
        board.add(record(f"Qwen2.5-{9 - at}B", people([0.1 * at] * 3 + [0.1]), made=made))
    finding = only(board, "scaling")
    assert one_of(finding, "parameters (billions)").value > 0.9
    assert "without the head" in finding.notes[0]  # these records do not know theirs


def test_fewer_than_four_models_are_said_and_not_computed(
    board: Leaderboard, models: Callable[..., None], record: Callable[..., Any], people: Callable[..., Any]
) -> None:
    models(SIZES[:3], [0.1, 0.2, 0.3])
    twin = people([0.1, 0.2, 0.3, 0.4])
    board.add(record("untrained:lab/model-0", twin, kind="untrained", made={"parameters": 9, "layers": 2}))
    findings, (lacking,) = run(board, "scaling")
    assert not findings
    assert "four trained ones" in lacking.sentence
    assert lacking.command == (
        "brainbench run --model lab/model-2 --model lab/model-1 --model lab/model-0 --model MODEL-4"
        " --dataset aut --metric rsa/robust"
    )


def test_a_model_counts_once_with_its_newest_result_of_the_question_that_most_answered(
    board: Leaderboard, models: Callable[..., None], record: Callable[..., Any], people: Callable[..., Any]
) -> None:
    models(SIZES[:5], [0.1, 0.2, 0.3, 0.4, 0.5])
    made = {"parameters": 10**9, "parameters_with_head": 10**9, "layers": 24}
    for started, score in (("2026-02-01", 0.7), ("2025-02-01", 0.9)):
        board.add(record("lab/model-0", people([score] * 4), made=made, started=started, score=score))
    board.add(record("lab/model-1", people([0.9] * 4), made=made, started="2026-03-01", content="v2"))
    board.add(record("lab/model-2", people([0.9] * 4), made=made, started="2026-03-01", resolved=False))
    board.add(record("lab/steered", people([0.9] * 4), made=made, intervention="nari"))
    material = Material.read(board, Asked())
    found = {entry.model: entry.score for entry in material.entries}
    assert found == pytest.approx(
        {"lab/model-0": 0.7, "lab/model-1": 0.2, "lab/model-2": 0.3, "lab/model-3": 0.4, "lab/model-4": 0.5}
    )
    assert material.set_aside == 3


def test_real_and_simulated_data_never_share_a_finding_and_simulated_is_marked(
    board: Leaderboard, models: Callable[..., None]
) -> None:
    models(SIZES[:6], [0.1, 0.3, 0.2, 0.4, 0.3, 0.5], dataset="real")
    models(SIZES[:6], [0.3, 0.1, 0.3, 0.4, 0.2, 0.3], dataset="made", simulated=True)
    findings, _ = run(board, "scaling")
    assert sorted((f.dataset, "SIMULATED" in f.title) for f in findings) == [("made", True), ("real", False)]
    for finding in findings:
        assert all(("SIMULATED" in test.says) == finding.simulated for test in finding.tests)
        (primary,) = [test for test in finding.tests if test.primary]
        assert primary.p is not None
        assert primary.p_bonferroni == pytest.approx(min(1, 3 * primary.p))  # a family for each dataset


def test_alignment_and_ideas_are_joined_by_the_model_as_it_was_run(
    board: Leaderboard, models: Callable[..., None], ideas: Callable[..., Any]
) -> None:
    rng = np.random.default_rng(0)
    score = rng.uniform(0.2, 1.5, 12)
    alignment = 0.2 * score + 0.03 * rng.normal(size=12)
    short = {"variant": {"prompt": "short"}, "pooling": "mean"}
    models(SIZES, alignment, **short)
    models(SIZES, alignment, region="frontoparietal", **short)
    models(SIZES, rng.normal(size=12), region="somatomotor", **short)
    for at in rng.permutation(12):
        board.add(ideas(f"lab/model-{at}", score[at]))
        board.add(ideas(f"lab/model-{at}", 9 - score[at], started="2025-01-01"))  # older
        board.add(ideas(f"lab/model-{at}", 9 - score[at], revision="r0", started="2026-03-01"))
        board.add(ideas(f"lab/model-{at}", 9 - score[at], seed=7, started="2026-03-01"))
        board.add(ideas(f"lab/model-{at}", 9 - score[at], dataset="other"))
    for at in range(5):  # asked in another way: fewer models
        board.add(ideas(f"lab/model-{at}", 9 - score[at], temperature=1.0, started="2026-05-01"))
    finding = only(board, "originality")
    found = {(t.where, t.statistic): t for t in finding.tests}
    default = found["default, create items, ideas by far@encoder", "Pearson r"]
    assert default.value == pytest.approx(stats.pearsonr(score, alignment).statistic)
    assert default.p is not None
    assert default.p_bonferroni == pytest.approx(min(1, 3 * default.p))
    assert "is not known: `brainbench scorer validate far@encoder`" in default.says
    assert found["somatomotor, create items, ideas by far@encoder", "Pearson r"].primary == ""
    assert {t.primary for t in finding.tests} == {
        "", "first region x ideas, far@encoder", "second region x ideas, far@encoder"
    }  # fmt: skip
    assert {row["ideas_dataset"] for row in finding.table} == {"aut@prompt=short"}


def test_ideas_that_have_nothing_to_do_with_alignment_are_not_shown_to(
    board: Leaderboard, models: Callable[..., None], ideas: Callable[..., Any]
) -> None:
    rng = np.random.default_rng(5)
    models(SIZES, rng.normal(size=12))
    for at in range(12):
        board.add(ideas(f"lab/model-{at}", rng.uniform(0.2, 1.5), dataset="aut"))
    (pearson, _) = only(board, "originality").tests
    assert pearson.p is not None
    assert pearson.p > 0.2
    assert not pearson.primary  # declared for the short prompt and the mean over tokens
    assert "does not show" in pearson.says
    _, (lacking,) = run(board, "originality", dataset="aut", scorer="near")
    assert "--scorer near" in lacking.command


@pytest.mark.parametrize("owed_to", ["items", "models"])
def test_a_slope_that_models_owe_to_the_items_they_share_is_not_shown(
    board: Leaderboard, record: Callable[..., Any], people: Callable[..., Any], owed_to: str
) -> None:
    rng = np.random.default_rng(1)
    names = [f"i{at}" for at in range(16)]
    luck = np.where(np.arange(16) < 3, 2.0, 0.0) if owed_to == "items" else np.full(16, 0.4)
    slopes = []
    for at, size in enumerate(SIZES):
        table = 0.1 * at * luck + 0.05 * rng.normal(size=(8, 16))
        made = {"parameters": int(size), "parameters_with_head": int(size), "layers": 24}
        board.add(record(f"m{at}", people(table.mean(axis=1)), made=made, table=table, item_names=names))
        slopes.append(table)
    test = only(board, "scaling").tests[0]
    assert test.value > 0.9
    x = np.log10(np.array(SIZES, dtype=float))
    weights = (x - x.mean()) / ((x - x.mean()) ** 2).sum()
    by_item = np.einsum("m,mpi->i", weights, np.array(slopes)) / 8
    theirs = stats.ttest_1samp(by_item, 0).confidence_interval()  # items alone: people hardly differ
    found = test.more["others_low"], test.more["others_high"]
    assert found == pytest.approx(tuple(theirs), abs=0.01 + 0.1 * float(theirs.high - theirs.low))
    assert ("people and items that all models share may have made it" in test.says) == (owed_to == "items")
    assert ("This shows that the two go together" in test.says) == (owed_to == "models")


def test_ideas_to_another_version_of_the_questions_are_not_joined(
    board: Leaderboard, models: Callable[..., None], ideas: Callable[..., Any]
) -> None:
    models(SIZES[:5], [0.1, 0.3, 0.2, 0.4, 0.3])
    for at in range(5):
        made = ideas(f"lab/model-{at}", 0.2 * at)
        board.add(replace(made, cell=replace(made.cell, dataset=replace(made.cell.dataset, version=2))))
    findings, _ = run(board, "originality")
    assert not findings


def test_numbers_of_several_kinds_are_said(
    board: Leaderboard, models: Callable[..., None], record: Callable[..., Any], people: Callable[..., Any]
) -> None:
    models(SIZES[:4], [0.1, 0.3, 0.2, 0.4])
    assert not any("run in" in note for note in only(board, "scaling").notes)
    made = {"parameters": 10**9, "parameters_with_head": 10**9, "layers": 24, "dtype": "bfloat16"}
    board.add(record("lab/large", people([0.1] * 4), made=made))
    assert any("run in bfloat16 and float32" in note for note in only(board, "scaling").notes)


def test_a_model_under_two_names_counts_once(
    board: Leaderboard, models: Callable[..., None], record: Callable[..., Any], people: Callable[..., Any]
) -> None:
    models(SIZES[:5], [0.1, 0.3, 0.2, 0.4, 0.3])
    models(SIZES[:5], [0.1, 0.3, 0.2, 0.4, 0.3], region="somatomotor")
    made = {"parameters": 10**9, "parameters_with_head": 10**9, "layers": 24}
    for region in ("default", "somatomotor"):
        board.add(record(f"lab/model-0@{'a' * 40}", people([0.6, 0.5, 0.7, 0.6]), made=made, region=region,
                         started="2026-02-01"))  # fmt: skip
    finding = only(board, "scaling")
    assert {test.n for test in finding.tests} == {5}
    assert f"lab/model-0@{'a' * 40}" in {row["model"] for row in finding.table}
    assert [test.n for test in only(board, "network").tests if test.of == "models"] == [5]


@pytest.mark.parametrize(("dataset", "primary"), [("aut@prompt=short", True), ("aut", False)])
def test_ideas_to_another_prompt_are_not_what_was_declared(
    board: Leaderboard, models: Callable[..., None], ideas: Callable[..., Any], dataset: str, primary: bool
) -> None:
    models(SIZES[:5], [0.1, 0.3, 0.2, 0.4, 0.3], variant={"prompt": "short"}, pooling="mean")
    for at in range(5):
        board.add(ideas(f"lab/model-{at}", 0.2 + 0.1 * at, dataset=dataset))
    tests = only(board, "originality").tests
    assert any(test.primary for test in tests) == primary


def test_what_others_would_make_of_size_given_the_layers(
    board: Leaderboard, record: Callable[..., Any], people: Callable[..., Any]
) -> None:
    """Alignment follows the layers alone: given these, other items leave nothing of size."""
    rng = np.random.default_rng(2)
    names = [f"i{at}" for at in range(16)]
    depths = np.round(20 + 2 * np.arange(12) + 6 * rng.normal(size=12))
    for region in ("default", "somatomotor"):
        for at, (size, depth) in enumerate(zip(SIZES, depths, strict=True)):
            table = 0.01 * depth + 0.02 * rng.normal(size=(8, 16))
            made = {"parameters": int(size), "parameters_with_head": int(size), "layers": int(depth)}
            board.add(
                record(f"m{at}", people(table.mean(axis=1)), made=made, table=table, item_names=names,
                       region=region)
            )  # fmt: skip
    tests = only(board, "scaling").tests
    assert {test.where for test in tests if test.primary} == {"default, create items"}
    size, given = (
        next(test for test in tests if test.name == f"alignment and log10 of parameters{rest}")
        for rest in ("", ", given layers")
    )
    assert size.more["others_low"] > 0
    assert given.more["others_low"] < 0 < given.more["others_high"]
