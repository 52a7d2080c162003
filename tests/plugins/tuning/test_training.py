"""The one training loop: what it computes, where it stops, and that an interruption changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from brainbench.checkpoints import STATE, Checkpoint
from brainbench.errors import ModelError
from brainbench.progress import SilentReporter
from brainbench_interventions.lessons import labels_and_brains
from brainbench_interventions.training import Course, Progress, Training
from brainbench_interventions.tuning_run import take_as_many

LABELS = np.arange(10) % 3 > 0
LESSON = labels_and_brains(LABELS, (), 0.0, balance=False)


class Stopped(Exception):  # noqa: N818 - stands for a kill
    pass


def train(
    line: Any, course: Course, validate: Callable[[], float] | None = None, kept: Checkpoint | None = None
) -> Progress:
    return Training(line, LESSON.rows, LESSON.loss, course, validate, kept).run("an arm", SilentReporter())


def from_list(accuracies: list[float]) -> Callable[[], float]:
    found: Iterator[float] = iter(accuracies)
    return lambda: next(found)


def test_steps_are_those_of_adamw_on_the_mean_over_items(line: Any) -> None:
    """Oracle: torch's own loop, over the whole batch at once."""
    import torch

    train(line, Course(epochs=7, rate=0.05))
    weight = torch.nn.Parameter(torch.zeros(3, 2))
    optimizer = torch.optim.AdamW([weight], lr=0.05, weight_decay=0.0)
    which = torch.tensor(np.where(LABELS, 0, 1))
    for _ in range(7):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(line.inputs @ weight, which).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    np.testing.assert_allclose(line.weights()["w"], weight.detach().numpy(), rtol=1e-5, atol=1e-7)


def test_accumulation_ends_with_the_epoch(line: Any) -> None:
    train(line, Course(epochs=2, accumulate=4))
    assert [len(rows) for rows in line.calls] == [4, 4, 2, 4, 4, 2]
    assert sorted(line.calls[0] + line.calls[1] + line.calls[2]) == list(range(10))
    assert line.calls[:3] != line.calls[3:]  # another order in each epoch


def test_the_order_follows_the_seed(line: Any) -> None:
    calls = []
    for seed in (0, 0, 1):
        other = type(line)()
        train(other, Course(epochs=1, accumulate=4, seed=seed))
        calls.append(other.calls)
    assert calls[0] == calls[1] != calls[2]


def test_the_best_epoch_is_kept(line: Any) -> None:
    found = train(line, Course(epochs=9, patience=3), from_list([0.5, 0.6, 0.8, 0.8, 0.7, 0.7]))
    assert (found.epoch, found.best) == (5, 2)
    other = type(line)()
    train(other, Course(epochs=2))
    np.testing.assert_array_equal(line.weights()["w"], other.weights()["w"])


def test_validations_may_be_rare(line: Any) -> None:
    asked: list[int] = []

    def validate() -> float:
        asked.append(len(line.calls))
        return [0.5, 0.6, 0.6, 0.9][len(asked) - 1]

    found = train(line, Course(epochs=8, every=3, patience=2), validate)
    assert (asked, found.epoch, found.best, found.reached) == ([0, 3, 6, 8], 8, 8, 0.9)
    other = type(line)()
    found = train(other, Course(epochs=20, every=3, patience=2), from_list([0.5, 0.6, 0.6, 0.6]))
    assert (found.epoch, found.best, found.waited, found.reached) == (9, 3, 2, 0.6)


def test_the_model_as_it_was_is_kept_where_nothing_is_better(line: Any) -> None:
    found = train(line, Course(epochs=9, patience=2), from_list([0.5, 0.5, 0.4]))
    assert (found.epoch, found.best) == (2, 0)
    assert not line.weights()["w"].any()


def test_without_validation_the_last_epoch_is_kept(line: Any) -> None:
    found = train(line, Course(epochs=4, patience=1))
    assert (found.epoch, found.best, found.accuracies) == (4, 4, ())
    assert line.weights()["w"].any()


@pytest.mark.parametrize("accumulate", [0, 4])
@pytest.mark.parametrize("after", [1, 3, 5])
def test_an_interrupted_training_goes_on_as_if_nothing_had_been(
    line: Any, tmp_path: Path, after: int, accumulate: int
) -> None:
    """Stopped in the middle of an epoch, with other weights in memory when it goes on."""
    course = Course(epochs=8, rate=0.05, accumulate=accumulate, patience=4)
    accuracies = [0.5, 0.6, 0.5, 0.7, 0.6, 0.6, 0.7, 0.6, 0.6]
    undisturbed = train(line, course, from_list(list(accuracies)))
    broken = type(line)()
    asked = from_list(accuracies[: after + 1])

    def until() -> float:
        try:
            return asked()
        except StopIteration:
            raise Stopped from None

    with pytest.raises(Stopped):
        train(broken, course, until, Checkpoint(tmp_path))
    resumed = type(line)()
    found = train(resumed, course, from_list(accuracies[after + 1 :]), Checkpoint(tmp_path))
    np.testing.assert_array_equal(resumed.weights()["w"], line.weights()["w"])
    assert (found.losses, found.accuracies) == (undisturbed.losses, undisturbed.accuracies)
    assert (found.epoch, found.best) == (undisturbed.epoch, undisturbed.best)


def test_a_damaged_note_starts_anew(line: Any, tmp_path: Path) -> None:
    (tmp_path / STATE).write_bytes(b"no safetensors")
    found = train(line, Course(epochs=2), None, Checkpoint(tmp_path))
    assert found.epoch == 2
    assert Checkpoint(tmp_path).load() is not None


def test_a_note_of_other_weights_starts_anew(line: Any, tmp_path: Path) -> None:
    Checkpoint(tmp_path).save({"now/other": np.zeros(3, np.float32)}, {"epoch": 5})
    assert train(line, Course(epochs=2), None, Checkpoint(tmp_path)).epoch == 2


def test_fewer_items_at_once_stay_fewer_after_an_interruption(line: Any, tmp_path: Path) -> None:
    """Sums in another order have other last digits."""
    first = type(line)()
    first.batch = 2
    train(first, Course(epochs=1), None, Checkpoint(tmp_path))
    train(line, Course(epochs=2), None, Checkpoint(tmp_path))
    assert line.batch == 2


@pytest.mark.parametrize(
    "spoilt",
    [
        {"losses": 5},
        {"losses": ["a", "b"]},
        {"losses": [0.5]},
        {"epoch": "2"},
        {"epoch": -2},
        {"batch": -1},
        {"waited": 3},
        {"unknown": 1},
        None,
    ],
)
def test_a_note_that_is_of_no_training_starts_anew(line: Any, tmp_path: Path, spoilt: Any) -> None:
    kept = Checkpoint(tmp_path)
    train(line, Course(epochs=2), None, kept)
    found = kept.load()
    assert found is not None
    kept.save(found[0], {} if spoilt is None else {**found[1], **spoilt})
    resumed = type(line)()
    assert train(resumed, Course(epochs=3), None, kept).epoch == 3
    assert len(resumed.calls) == 3
    undisturbed = type(line)()
    train(undisturbed, Course(epochs=3))
    np.testing.assert_array_equal(resumed.weights()["w"], undisturbed.weights()["w"])


@pytest.mark.parametrize("spoil", [lambda array: array[:1], lambda array: array * np.nan])
def test_noted_weights_that_do_not_fit_start_anew(line: Any, tmp_path: Path, spoil: Any) -> None:
    kept = Checkpoint(tmp_path)
    train(line, Course(epochs=2), None, kept)
    found = kept.load()
    assert found is not None
    kept.save({name: spoil(array) for name, array in found[0].items()}, found[1])
    resumed = type(line)()
    train(resumed, Course(epochs=3), None, kept)
    assert len(resumed.calls) == 3


def test_a_training_that_leaves_the_finite_numbers_stops_and_says_what_to_do(
    line: Any, tmp_path: Path
) -> None:
    line.inputs[3, 0] = np.inf
    with pytest.raises(
        ModelError, match=r"left the finite numbers in epoch 1, with the rate 0\.05\."
    ) as caught:
        train(line, Course(epochs=9, rate=0.05), None, Checkpoint(tmp_path))
    assert caught.value.hint == "Choose a smaller one, as in @rate=0.005."


def test_answers_weigh_alike_where_they_are_balanced(line: Any) -> None:
    lesson = labels_and_brains(LABELS, (), 0.0, balance=True)
    rows = list(lesson.rows)
    by_answer = {
        answer: [float(lesson.loss([row], line.outputs([row]))) for row in rows if LABELS[row] == answer]
        for answer in (True, False)
    }
    assert sum(by_answer[True]) == pytest.approx(sum(by_answer[False]))
    assert float(lesson.loss(rows, line.outputs(rows))) == pytest.approx(10 * np.log(2))


@pytest.mark.parametrize(("noted", "taken"), [(2, 2), (0, 4), ("2", 4), (None, 4)])
def test_all_is_computed_anew_with_as_many_items_at_once(
    line: Any, tmp_path: Path, noted: Any, taken: int
) -> None:
    """Also what comes before the loop, the states that maps are fitted on."""
    kept = Checkpoint(tmp_path)
    kept.save({"now/w": np.zeros(3, np.float32)}, {"batch": noted})
    take_as_many(line, kept)
    assert line.batch == taken
    take_as_many(line, None)
    assert line.batch == taken
