"""What can be made at all, and what makes one simulated dataset another: identities and pinned bytes."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from brainbench import problem_words
from brainbench.errors import UsageError
from brainbench.progress import SilentReporter
from brainbench_tasks import simulated_brain, simulated_creativity, simulated_deduction
from brainbench_tasks.simulated import SimulatedCreativity, SimulatedDeduction
from brainbench_tasks.simulated_brain import Shares
from brainbench_tasks.simulated_checks import PRESETS

QUIET = SilentReporter()
Simulated = SimulatedDeduction | SimulatedCreativity
EVERY: list[Simulated] = [
    kind(preset, seed=3, people=2, grid=(2, 2, 1))
    for kind in (SimulatedDeduction, SimulatedCreativity)
    for preset in PRESETS
]
# Stimuli, strata, behaviour and responses of version 1, with version 2 of the creativity prompts. On failure:
# raise the version of all of them, or PROMPT_VERSION where only what is asked changed.
PINNED = {
    "simulated-deduction": "f8b941a20c18d628",
    "simulated-deduction-null": "8d7be082607b5a70",
    "simulated-deduction-nuisance": "816a32964b20c878",
    "simulated-deduction-guide": "30468f0a65b50c66",
    "simulated-creativity": "0d3ac9788af2391c",
    "simulated-creativity-null": "e61114360e25955d",
    "simulated-creativity-nuisance": "5e602dcfdd32de5a",
    "simulated-creativity-guide": "324850fccc814c24",
}

NO_SEEDS: list[object] = [-1, True, 7.0, 7.5, float("nan"), "7", None, np.int64(7)]
NO_PEOPLE: list[object] = [0, -1, True, "8", 2.5, None, 1001, 10**9]
NO_GRIDS: list[object] = [
    (),
    5,
    "543",
    None,
    [5, 4, 3],
    (5, 4),
    (5.0, 4, 3),
    (5, 4, 0),
    (5, 4, True),
    (5, 4, 3, 2),
    (100_000, 1, 1),
    (201, 1, 1),
    (200, 200, 3),
]
NO_VERSIONS: list[object] = [0, "1", 1.0, True, None]
REFUSED = [
    *[({"preset": value}, f"no preset {value!r}") for value in ("strong", None, ["null"], 1)],
    *[({"seed": value}, "The seed must be") for value in NO_SEEDS],
    *[({"people": value}, "The number of people must be") for value in NO_PEOPLE],
    *[({"grid": value}, "The grid must be") for value in NO_GRIDS],
    *[({"version": value}, "The version must be") for value in NO_VERSIONS],
    ({"people": 1000, "grid": (20, 20, 20)}, "8,000,000 voxels together"),
]


@pytest.mark.parametrize(("fields", "words"), REFUSED, ids=lambda value: str(value)[:40])
def test_what_cannot_be_made_is_refused_at_once_and_says_what_to_give(
    fields: dict[str, Any], words: str
) -> None:
    for kind in (SimulatedDeduction, SimulatedCreativity):
        with pytest.raises(UsageError) as caught:
            replace(kind(), **fields)
        assert words in caught.value.message
        assert caught.value.hint
        if len(fields) == 1:
            (given,) = fields.values()
            assert repr(given) in caught.value.message


def test_the_largest_that_can_be_made_is_not_refused() -> None:
    for fields in ({"people": 1000}, {"grid": (200, 25, 20)}, {"seed": 2**80}):
        made = replace(SimulatedDeduction(), **fields)
        assert all(getattr(made, name) == value for name, value in fields.items())


def drawn(dataset: Simulated) -> str:
    """A hash of all that a dataset hands out."""
    behaviour = dataset.behaviour(QUIET)
    told = repr((dataset.stimuli(QUIET), behaviour.items, behaviour.participants))
    digest = hashlib.sha256(told.replace(", response='')", ")").encode())  # models have said nothing yet
    for array in (behaviour.correct, behaviour.response_time, behaviour.rating):
        digest.update(b"none" if array is None else array.tobytes())
    for region in dataset.regions:
        recording, truth = dataset.recording(region, QUIET), dataset.truth(region)
        digest.update(
            repr((region, recording.strata, truth.names, truth.share, truth.nuisance_share)).encode()
        )
        for person in recording.participants:
            digest.update(person.responses.tobytes() + np.asarray(person.present, dtype=np.int64).tobytes())
    return digest.hexdigest()[:16]


@pytest.mark.parametrize("dataset", EVERY, ids=lambda dataset: dataset.name)
def test_what_is_drawn_stays_what_it_was_until_the_version_is_raised(dataset: Simulated) -> None:
    assert drawn(dataset) == PINNED[dataset.name]


def entry(array: dict[Any, Any], key: object, value: object) -> Callable[[pytest.MonkeyPatch], None]:
    """A change of one entry of a table."""
    return lambda patch: patch.setitem(array, key, value)


CHANGES: list[tuple[Simulated, Callable[[pytest.MonkeyPatch], None]]] = [
    (
        SimulatedDeduction(),
        entry(simulated_deduction.SHARES, "planted", (Shares(0.3), Shares(0.2), Shares())),
    ),
    (SimulatedCreativity("guide"), entry(simulated_creativity.SHARES, "guide", (Shares(0.3),) * 3)),
    (SimulatedCreativity("nuisance"), entry(simulated_creativity.SHARES, "nuisance", (Shares(0, 0.3),) * 3)),
    (SimulatedCreativity(), entry(simulated_creativity.OBJECTS, "brick", (2, 2, 0, 0, 1, 1))),
    (SimulatedCreativity(), lambda patch: patch.setattr(simulated_creativity, "HARDEST", 4)),
    (SimulatedDeduction(), lambda patch: patch.setattr(simulated_deduction, "TIME_LIMIT", 5.0)),
    (SimulatedDeduction("null"), lambda patch: patch.setattr(simulated_brain, "SMOOTHNESS", 0.9)),
    (SimulatedDeduction(), lambda patch: patch.setattr(problem_words, "NAMES", ("Abe", "Ben"))),
]


@pytest.mark.parametrize(("dataset", "change"), CHANGES)
def test_a_changed_share_table_or_constant_makes_another_identity(
    dataset: Simulated, change: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = dataset.identity(dataset.regions[0]).facts
    change(monkeypatch)
    assert dataset.identity(dataset.regions[0]).facts != before


def test_the_same_voxels_along_other_axes_make_another_identity() -> None:
    grids = [(3, 4, 5), (5, 4, 3), (4, 3, 5), (60, 1, 1)]
    facts = {repr(SimulatedDeduction(grid=grid).identity("reasoning").facts) for grid in grids}
    assert len(facts) == 4


def test_an_identity_makes_no_design(monkeypatch: pytest.MonkeyPatch) -> None:
    for kind in (SimulatedDeduction, SimulatedCreativity):
        monkeypatch.setattr(kind, "design", None)
        assert kind(seed=99).identity(kind.regions[0]).facts["seed"] == 99


def test_a_design_that_is_handed_out_often_cannot_be_changed() -> None:
    for module in (simulated_deduction, simulated_creativity):
        made = module.design(1, "planted", 0, 2)
        for array in (made.features, made.carries, made.nuisances, made.present):
            with pytest.raises(ValueError, match="read-only"):
                array.flat[0] = 0
