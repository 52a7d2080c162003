"""Where alignment peaks: relative depth, medians over people, and how sure the peak is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from brainbench_leaderboard.analyses.catalog import analyse
from brainbench_leaderboard.analyses.figures import Curves
from brainbench_leaderboard.analyses.material import Asked, Material
from brainbench_leaderboard.analyses.profiles import bins_of, profiles
from brainbench_leaderboard.store import Leaderboard
from brainbench_leaderboard.stored_scores import LayerScores

Make = Callable[..., Any]


def of_layers(peak: float, count: int, noise: float) -> dict[str, Any]:
    """Scores of nine people by layer, highest at a depth."""
    rng = np.random.default_rng(3)
    depth = (np.arange(count) + 1) / count
    table = -((depth - peak) ** 2)[:, None] + noise * rng.normal(size=(count, 9))
    return {f"layer.{at}": row.tolist() for at, row in enumerate(table)}


def test_a_planted_peak_is_found_with_a_narrow_interval_and_noise_has_a_wide_one(
    board: Leaderboard, record: Make, people: Make
) -> None:
    nine = people(np.zeros(9))
    board.add(record("planted", nine, layers=of_layers(0.7, 20, 0.004), made={"layers": 20}))
    flat = {name: np.random.default_rng(at).normal(size=9) for at, name in enumerate(of_layers(0, 20, 0))}
    board.add(record("flat", nine, layers=flat, made={"layers": 20}))
    ((finding,), _) = analyse(Material.read(board, Asked()), ["layers"])
    found = {test.more["model"]: test for test in finding.tests}
    planted, noise = found["planted"].interval, found["flat"].interval
    assert planted is not None
    assert noise is not None
    assert found["planted"].value == pytest.approx(0.7, abs=0.051)
    assert planted[0] <= 0.7 <= planted[1]
    assert planted[1] - planted[0] <= 0.2
    assert noise[1] - noise[0] >= 0.4
    assert all(test.p is None for test in finding.tests)  # that there is a peak is no test
    bins = [row for row in finding.table if row["model"] == "planted"]
    assert [row["bin"] for row in bins] == list(range(1, 11))
    assert {row["layers_in_bin"] for row in bins} == {2}
    assert max(bins, key=lambda row: row["median"])["bin"] == 7
    by_hand = np.array([of_layers(0.7, 20, 0.004)[f"layer.{at}"] for at in (12, 13)])
    assert bins[6]["median"] == pytest.approx(np.median(by_hand.mean(axis=0)))
    assert finding.figure is not None
    panels = [panel for panel in finding.figure.panels if isinstance(panel, Curves)]
    curve = next(c for panel in panels for c in panel.curves if c.name == "planted")
    assert curve.peak in curve.x  # what is dotted is where a layer lies


def test_where_in_depth_alignment_goes_with_size_is_found_and_for_other_people_too(
    board: Leaderboard, record: Make, people: Make
) -> None:
    """Eight models of ten layers: the last three score higher in larger ones; one twin is no such model."""
    rng, sizes = np.random.default_rng(5), 10 ** np.linspace(6, 10, 8)
    nine = people(np.zeros(9))
    for at, size in enumerate(sizes):
        layers = {f"layer.{d}": rng.normal(0.05 * at * (d > 6), 0.02, 9) for d in range(10)}
        board.add(record(f"m{at}", nine, layers=layers, made={"layers": 10, "parameters": int(size)}))
    twin = {f"layer.{d}": np.full(9, 5.0) + rng.normal(size=9) for d in range(10)}
    board.add(
        record("untrained:m0", nine, layers=twin, kind="untrained", made={"layers": 10, "parameters": 9})
    )
    ((finding,), _) = analyse(Material.read(board, Asked()), ["layers"])
    tests = [test for test in finding.tests if test.p is not None]
    assert [test.more["bin"] for test in tests] == list(range(1, 11))
    assert {test.n for test in tests} == {8}
    found = {test.more["bin"] for test in tests if (test.p_grid or 0) <= 0.05 and test.more["others_low"] > 0}
    assert found == {8, 9, 10}
    by_hand = [row["median"] for row in finding.table if row["bin"] == 9 and row["model"].startswith("m")]
    assert tests[8].value == pytest.approx(np.corrcoef(np.log10(sizes.astype(int)), by_hand)[0, 1])
    assert tests[8].name == "alignment at depth 0.8 to 0.9 and log10 of parameters"


def test_whole_layers_are_drawn_before_their_parts(board: Leaderboard, record: Make, people: Make) -> None:
    parts = {f"{part}.{at}": np.full(9, at) for part in ("attention", "layer") for at in range(3)}
    for items in ("create", "object"):
        board.add(record("lab/model", people(np.zeros(9)), items=items, layers=parts, made={"layers": 3}))
    ((finding,), _) = analyse(Material.read(board, Asked()), ["layers"])
    assert finding.figure is not None
    titles = [panel.title.rpartition(": ")[2] for panel in finding.figure.panels]
    assert titles == ["layer", "layer", "attention", "attention"]


def test_parts_have_profiles_of_their_own_and_what_has_no_number_or_no_score_is_left_out() -> None:
    names = ("cross-validated", "attention.0", "attention.1", "layer.0", "layer.1", "layer.3", "lone.0")
    table = np.arange(21.0).reshape(7, 3)
    table[4] = np.nan
    stored = LayerScores(names, ("a", "b", "c"), table, table.mean(axis=1))
    attention, layer = profiles(stored, 4)
    assert (attention.part, attention.depths.tolist()) == ("attention", [0.25, 0.5])
    assert (layer.part, layer.depths.tolist()) == ("layer", [0.25, 1.0])
    assert layer.scores.tolist() == table[[3, 5]].tolist()
    assert layer.peak() == 1.0
    assert profiles(stored, None)[0].depths.tolist() == [0.25, 0.5]  # the highest number stands for the depth


def test_one_person_does_not_make_the_peak() -> None:
    table = np.array([[0.1, 0.1, 0.1, 0.1, 9.0], [0.2, 0.2, 0.2, 0.2, 0.0]])
    (profile,) = profiles(LayerScores(("layer.0", "layer.1"), tuple("abcde"), table, table.mean(axis=1)), 2)
    assert profile.median().tolist() == pytest.approx([0.1, 0.2])
    assert profile.peak() == 1.0


def test_depths_on_a_border_are_in_the_lower_bin() -> None:
    thirds = np.arange(1, 31) / 30
    assert bins_of(thirds).tolist() == [at // 3 for at in range(30)]
    assert bins_of(np.array([0.1, 0.1001, 0.3, 1.0])).tolist() == [0, 1, 2, 9]
