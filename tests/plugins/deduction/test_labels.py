"""The labels of the deduction problems on the real public files, proved by an independent solver."""

import csv
import itertools
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from brainbench.fetch import fetch
from brainbench.progress import SilentReporter
from brainbench_tasks.deduction import Deduction
from brainbench_tasks.deduction_files import PARTICIPANTS, events_of
from brainbench_tasks.deduction_items import DROPPED, Problem, read_run

MIRROR = os.environ.get("BRAINBENCH_MIRROR", "")
pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not MIRROR, reason="BRAINBENCH_MIRROR does not name a mirror of the public files"),
]
QUIET = SilentReporter()


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An empty cache for this module."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("cache")
        patch.setenv("BRAINBENCH_CACHE", str(folder))
        yield folder


@pytest.fixture(scope="module")
def problems() -> list[Problem]:
    """All 72, also the two that are left out."""
    paths = fetch(events_of(PARTICIPANTS[0]), QUIET)
    return [trial.problem for path in paths for trial in read_run(path)]


def test_the_labels_are_46_true_and_24_false() -> None:
    stimuli = Deduction().stimuli(QUIET)
    true_false = {}
    for found in Deduction().item_sets:
        labels = [stimuli[at].conditions["label"] for at in found.indices(stimuli)]
        assert all(isinstance(label, bool) for label in labels)
        true_false[found.name] = (labels.count(True), labels.count(False))
    assert true_false == {"all": (46, 24), "syllogism": (24, 12), "transitive": (22, 12)}


def test_there_are_18_affirmed_truths_of_each_kind_and_few_of_the_rest(problems: list[Problem]) -> None:
    for kind in (problems[:36], problems[36:]):
        counts = {name: [p.subtype for p in kind].count(name) for name in {p.subtype for p in kind}}
        assert counts == {
            f"{needed}_{truth}_{form}": 9 if (truth, form) == ("true", "affirm") else 3
            for needed, truth, form in itertools.product((2, 3), ("true", "false"), ("affirm", "negate"))
        }


def test_negated_means_that_the_conclusion_says_not(problems: list[Problem]) -> None:
    assert [problem.negated for problem in problems] == [
        " not " in problem.conclusion for problem in problems
    ]
    texts = [text for problem in problems for text in (*problem.premises, problem.conclusion)]
    assert all(text == " ".join(text.split()) for text in texts)


def test_the_trial_type_would_have_been_wrong_for_18_transitive_problems(problems: list[Problem]) -> None:
    named = []
    for path in fetch(events_of(PARTICIPANTS[0]), QUIET):
        with path.open(newline="") as stream:
            named += [row["trial_type"] for row in csv.DictReader(stream, delimiter="\t")]
    named = [name for name in named if name != "control"]
    wrong = [at for at, problem in enumerate(problems) if problem.subtype != named[at]]
    assert len(wrong) == 18
    assert all(at >= 36 and problems[at].premises_needed == 3 for at in wrong)
    assert all(problems[at].subtype[1:] == named[at][1:] for at in wrong)


def syllogism_models(problem: Problem) -> tuple[int, int]:
    """Of the possible worlds that the premises allow: how many there are, how many grant the conclusion.

    A world says of the one person whether it is of the kind, has the first and has the second property.
    """
    (_, kind, _, first), (_, *_, second) = problem.premises[0].split(), problem.premises[1].split()
    place = {kind.removesuffix("s"): 0, first: 1, second: 2}

    def holds(sentence: str, world: tuple[bool, ...]) -> bool:
        words = sentence.split()
        return world[place[words[-1]]] != ("not" in words)

    worlds = [
        world
        for world in itertools.product((False, True), repeat=3)
        if world[0] <= world[1] <= world[2] and holds(problem.premises[2], world)
    ]
    return len(worlds), sum(holds(problem.conclusion, world) for world in worlds)


def transitive_models(problem: Problem) -> tuple[int, int]:
    """As above; a world gives each person a rank, ties allowed."""
    names = sorted({word for text in problem.premises for word in text.split() if word[0].isupper()})
    assert len({next(w for w in p.split() if w.endswith("er")) for p in problem.premises}) == 1

    def holds(sentence: str, world: dict[str, int]) -> bool:
        words = sentence.split()
        return (world[words[0]] > world[words[-1]]) != ("not" in words)

    ranks = (
        dict(zip(names, r, strict=True)) for r in itertools.product(range(len(names)), repeat=len(names))
    )
    worlds = [world for world in ranks if all(holds(premise, world) for premise in problem.premises)]
    return len(worlds), sum(holds(problem.conclusion, world) for world in worlds)


def test_a_solver_proves_every_label_and_finds_the_two_circular_problems(problems: list[Problem]) -> None:
    circular = []
    for at, problem in enumerate(problems):
        worlds, granting = (syllogism_models if at < 36 else transitive_models)(problem)
        if not worlds:
            circular.append(at)
        else:
            assert problem.follows == (worlds == granting), problem
    assert tuple(circular) == DROPPED == (43, 49)
    assert problems[43].premises == (
        "Ebb is bigger than Pit",
        "Pit is bigger than Ann",
        "Ann is bigger than Ebb",
    )
    assert problems[49].premises == (
        "Wes is older than Pam",
        "Pam is older than Tim",
        "Tim is older than Wes",
    )
