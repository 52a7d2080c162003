"""Accuracy, its interval over problems, people beside the model, and pairs of runs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn.metrics import cohen_kappa_score

from brainbench.arrays import Behaviour
from brainbench.errors import DataError, ShapeError
from brainbench.task_pairs import compare
from brainbench.task_people import agreement, beside_people
from brainbench.task_scores import TaskItem, TaskScores


def made(table: Any, *, choices: tuple[str, ...] = ("True", "False")) -> TaskScores:
    """Right or wrong (problems x forms) as scores; the right answer is always True."""
    items = []
    for problem, forms in enumerate(table):
        for form, right in enumerate(forms):
            answer = "True" if right else "False"
            scores = (-1.0, -2.0) if right else (-2.0, -1.0)
            items.append(
                TaskItem(
                    f"{problem}.{form}", str(problem), bool(right), answer, "True", "0", choices, scores, ""
                )
            )
    return TaskScores(tuple(items))


def test_forms_of_a_problem_are_resampled_together() -> None:
    rng = np.random.default_rng(0)
    problems = rng.random(60) < 0.6
    alike = made(np.repeat(problems[:, None], 6, axis=1))
    alone = made(problems[:, None])
    assert alike.accuracy == alone.accuracy == pytest.approx(problems.mean())
    assert alike.interval.low == pytest.approx(alone.interval.low)
    assert alike.interval.high == pytest.approx(alone.interval.high)
    scattered = made(rng.random((60, 6)) < 0.6)
    assert scattered.interval.high - scattered.interval.low < 0.6 * (alone.interval.high - alone.interval.low)


def test_the_interval_of_independent_items_is_that_of_a_share() -> None:
    right = np.arange(200) < 130
    found = made(right[:, None]).interval
    wilson = binomtest(130, 200).proportion_ci(0.95, "wilson")
    assert found.low == pytest.approx(wilson.low, abs=0.012)
    assert found.high == pytest.approx(wilson.high, abs=0.012)


def test_problems_with_more_forms_weigh_more() -> None:
    found = made([[1, 1, 1, 1], [0], [1], [0, 0]])
    assert found.accuracy == 5 / 8
    assert found.interval.estimate == pytest.approx(5 / 8)


def test_two_or_three_problems_have_a_wide_interval_and_not_an_error() -> None:
    """`--limit 2`, for a quick look: too few for a bootstrap of this level."""
    two, three = made([[1, 1], [0, 1]]), made([[1], [0], [1]])
    assert (two.interval.low, two.interval.high, two.interval.method) == (0.0, 1.0, "Student")
    assert three.interval.low == 0.0
    pair = compare(made([[0, 0], [0, 0]]), two)
    assert (pair.difference, pair.interval.low, pair.interval.high) == (0.75, -1.0, 1.0)
    four = compare(made(np.zeros((4, 1))), made([[1], [0], [1], [1]]))
    assert four.interval.method == "expanded percentile"


def test_all_right_is_not_certain() -> None:
    found = made(np.ones((20, 6))).interval
    assert (found.estimate, found.high, found.method) == (1.0, 1.0, "Clopper-Pearson")
    assert found.low == pytest.approx(0.025 ** (1 / 20))
    assert made(np.zeros((1, 1))).interval.high == pytest.approx(0.975)


@pytest.mark.parametrize("problems", [1, 2, 3])
def test_a_few_problems_say_nothing_of_others(problems: int) -> None:
    before, after = made([[1, 0, 1]] * problems), made([[1, 1, 1]] * problems)
    found = before.interval
    assert found.estimate == pytest.approx(2 / 3)
    assert (found.low, found.high) == (0.0, 1.0)
    change = compare(before, after).interval
    assert change.estimate == pytest.approx(1 / 3)
    assert (change.low, change.high) == (-1.0, 1.0)


def test_impossible_scores_are_refused() -> None:
    whole = made([[1, 0]])
    for items in (
        (),
        (whole.items[0], whole.items[0]),
        (replace(whole.items[0], log_likelihoods=(float("nan"), -1.0)),),
        (replace(whole.items[0], log_likelihoods=(-1.0,)),),
    ):
        with pytest.raises(ShapeError):
            TaskScores(items)
    with pytest.raises(ShapeError):
        TaskScores(whole.items, details={"x": float("inf")})


def test_agreement_is_cohen_s_kappa_of_being_right() -> None:
    rng = np.random.default_rng(1)
    one, other = rng.random(70) < 0.8, rng.random(70) < 0.7
    found = agreement(one, other)
    assert found["kappa"] == pytest.approx(cohen_kappa_score(one, other))
    assert found["consistency"] == pytest.approx((one == other).mean())
    assert agreement(one, one)["kappa"] == pytest.approx(1)
    assert agreement(np.ones(5, bool), np.ones(5, bool))["kappa"] is None


def test_people_stand_beside_the_model_whatever_the_order_of_items() -> None:
    scores = made([[1], [0], [1], [1]])
    right = np.array([[1, 0, 1, 0], [1, 1, 1, 1]], dtype=bool)
    order = (2, 0, 3, 1)
    behaviour = Behaviour(
        ("a", "b"), tuple(scores.items[at].id for at in order), right[:, order], np.ones((2, 4))
    )
    found = beside_people(scores.items, behaviour)
    assert found["people"]["a"]["accuracy"] == 0.5
    assert found["people"]["a"]["consistency"] == 0.75
    assert found["people"]["b"]["kappa"] == 0
    assert found["accuracy"] == 0.75
    assert found["among_people"]["consistency"] == 0.5
    other = Behaviour(("a",), ("x",), np.ones((1, 1), bool), np.ones((1, 1)))
    with pytest.raises(DataError):
        beside_people(scores.items, other)


def test_pairs_count_gains_and_harms_by_item() -> None:
    before, after = made([[1, 1], [0, 0], [1, 0], [0, 0]]), made([[1, 0], [1, 1], [1, 1], [0, 0]])
    shuffled = TaskScores(after.items[::-1])
    found = compare(before, shuffled)
    assert (found.items.gained, found.items.harmed, found.items.both_right, found.items.both_wrong) == (
        3,
        1,
        2,
        2,
    )
    assert (found.gain, found.harm) == (3 / 8, 1 / 8)
    assert found.difference == found.interval.estimate == pytest.approx(after.accuracy - before.accuracy)
    assert found.items.p == pytest.approx(binomtest(3, 4).pvalue)
    assert found.over_problems is not None
    assert found.over_problems.mean == pytest.approx(np.mean([-0.5, 1, 0.5, 0]))


def test_the_interval_of_a_pair_is_over_problems() -> None:
    rng = np.random.default_rng(2)
    was, now = rng.random(80) < 0.5, rng.random(80) < 0.7
    alone = compare(made(was[:, None]), made(now[:, None]))
    six = compare(made(np.repeat(was[:, None], 6, 1)), made(np.repeat(now[:, None], 6, 1)))
    assert six.interval.low == pytest.approx(alone.interval.low)
    assert six.interval.high == pytest.approx(alone.interval.high)
    assert six.items.p < alone.items.p  # six forms of one problem are no six problems
    assert alone.over_problems is not None
    assert six.over_problems is not None
    assert six.over_problems.p == alone.over_problems.p


def test_no_change_is_no_difference() -> None:
    same = made([[1, 0], [1, 1]] * 2)
    found = compare(same, same)
    assert (found.difference, found.items.p, found.over_problems) == (0, 1, None)
    assert (found.interval.low, found.interval.high) == (0, 0)


def test_only_runs_on_the_same_items_are_compared() -> None:
    with pytest.raises(ShapeError, match="not of the same items"):
        compare(made([[1]]), made([[1, 0]]))
    other = made([[1]])
    with pytest.raises(ShapeError, match="different versions"):
        compare(made([[1]]), TaskScores((replace(other.items[0], expected="False"),)))


@pytest.mark.real
def test_the_ten_people_are_as_accurate_as_is_known(mirror: Path, tmp_path: Path, monkeypatch: Any) -> None:
    """Mean over the ten of all, of syllogisms and of transitive items: .8643, .8889 and .8382."""
    monkeypatch.setenv("BRAINBENCH_CACHE", str(tmp_path))
    from brainbench.plugins import discover, load
    from brainbench.progress import SilentReporter

    task: Any = load(discover()).tasks.get("deduction_items")
    behaviour = task.people(SilentReporter())
    items = made(np.ones((70, 1))).items
    named = tuple(replace(item, id=name) for item, name in zip(items, behaviour.items, strict=True))
    for part, mean in ((named, 0.8643), (named[:36], 0.8889), (named[36:], 0.8382)):
        found = beside_people(part, behaviour)
        assert found["accuracy"] == pytest.approx(mean, abs=5e-5)
        assert found["with_model"]["kappa"] == 0  # who is always right agrees by chance alone
    assert found["people"]["sub-1019"]["accuracy"] == pytest.approx(33 / 34)
