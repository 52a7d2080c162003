"""The solver proves and disproves by hand-made problems, and agrees with every label there is."""

from pathlib import Path

import pytest

from brainbench.errors import UsageError
from brainbench.problems import Problem
from brainbench.progress import SilentReporter
from brainbench_tasks.deduction_authors import author_problems
from brainbench_tasks.deduction_files import PARTICIPANTS, events_of
from brainbench_tasks.deduction_generated import chain_problems, propositional_problems
from brainbench_tasks.deduction_items import DROPPED, read_run
from brainbench_tasks.deduction_solver import follows
from brainbench_tasks.task_words import VOCABULARIES


@pytest.mark.parametrize(
    ("premises", "conclusion", "expected"),
    [
        (("A is taller than B", "B is taller than C"), "A is taller than C", True),
        (("A is taller than B", "B is taller than C"), "C is not taller than A", True),
        (("A is taller than B", "C is taller than B"), "A is taller than C", False),
        (("A is taller than B", "C is taller than B"), "A is not taller than C", False),
        (("All wugs are red", "All red things are zibs", "Ann is a wug"), "Ann is a zib", True),
        (("All wugs are red", "Ann is red"), "Ann is a wug", False),
        (("All wugs are red", "Ann is not red"), "Ann is not a wug", True),
        (("All wugs are red", "Ann is not a wug"), "Ann is not red", False),
        (("If Ann is sad, then Ben is red", "Ann is sad"), "Ben is red", True),
        (("If Ann is sad, then Ben is red", "Ben is red"), "Ann is sad", False),
        (("If Ann is sad, then Ben is not red", "Ben is red"), "Ann is not sad", True),
        (("Ann is sad or Ben is red, or both", "Ann is not sad"), "Ben is red", True),
        (("Ann is sad or Ben is red, or both", "Ann is sad"), "Ben is not red", False),
        (("Ann is sad or Ben is red, or both", "Ann is sad"), "Ben is red", False),
    ],
)
def test_what_follows_follows(premises: tuple[str, ...], conclusion: str, expected: bool) -> None:
    assert follows(premises, conclusion) is expected
    assert follows(premises[::-1], conclusion) is expected


@pytest.mark.parametrize(
    "premises",
    [
        ("A is taller than B", "B is taller than C", "C is taller than A"),
        ("All wugs are red", "Ann is a wug", "Ann is not red"),
        ("Ann is sad or Ben is red", "Ann is not sad", "Ben is not red"),
    ],
)
def test_premises_that_contradict_each_other_prove_nothing(premises: tuple[str, ...]) -> None:
    with pytest.raises(UsageError, match="contradict"):
        follows(premises, premises[0])


@pytest.mark.parametrize(
    ("premises", "conclusion"),
    [
        (("A is taller than B", "B is older than C"), "A is taller than C"),
        (("All wugs are red", "Ann is a wug"), "Ben is red"),
        (("Ann sleeps",), "Ann is red"),
        (("If Ann sleeps, then Ben is red",), "Ben is red"),
    ],
)
def test_what_it_cannot_read_is_refused(premises: tuple[str, ...], conclusion: str) -> None:
    with pytest.raises(UsageError):
        follows(premises, conclusion)


@pytest.mark.parametrize("split", ["train", "validation", "test"])
@pytest.mark.parametrize(("premises", "each"), [(3, 30), (4, 20), (5, 6), (6, 3)])
def test_every_generated_label_is_proved(premises: int, each: int, split: str) -> None:
    words = VOCABULARIES[split]  # type: ignore[index] # the names of the splits
    for name, problem in chain_problems(premises, each, 7, words):
        assert follows(problem.premises, problem.conclusion) is problem.follows, name
    for name, asked in propositional_problems(each, 7, words):
        assert follows(asked.premises, asked.conclusion) is asked.follows, name


@pytest.mark.parametrize("premises", [3, 4, 5, 6])
def test_what_is_true_needs_as_many_premises_as_its_subtype_says(premises: int) -> None:
    for name, problem in chain_problems(premises, 4, 3, VOCABULARIES["test"]):
        if problem.follows:
            without = [
                follows(problem.premises[:at] + problem.premises[at + 1 :], problem.conclusion)
                for at in range(premises)
                if _still_said(problem, at)
            ]
            assert sum(not still for still in without) >= problem.premises_needed - 1, name


def _still_said(problem: Problem, at: int) -> bool:
    """Whether the rest is still about one person or one comparison (a syllogism's fact must stay)."""
    return problem.kind == "transitive" or at < len(problem.premises) - 1


@pytest.mark.real
def test_it_proves_the_scanner_s_labels_and_finds_the_two_circles(mirror: Path) -> None:
    from brainbench.fetch import fetch

    paths = fetch(events_of(PARTICIPANTS[0]), SilentReporter())
    problems = [trial.problem for path in paths for trial in read_run(path)]
    circles = []
    for at, problem in enumerate(problems):
        try:
            assert follows(problem.premises, problem.conclusion) is problem.follows
        except UsageError:
            circles.append(at)
    assert tuple(circles) == DROPPED


@pytest.mark.real
def test_it_proves_the_labels_of_the_authors_problems(mirror: Path) -> None:
    problems = author_problems(SilentReporter())
    assert len(problems) == 1600
    assert len({name for name, _ in problems}) == 1600
    for name, problem in problems:
        assert follows(problem.premises, problem.conclusion) is problem.follows, name
        assert not any(text.endswith(".") for text in (*problem.premises, problem.conclusion))
