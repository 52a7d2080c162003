"""What can be made at all, and what makes one simulated dataset another: identities and pinned bytes."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from brainbench.errors import UsageError
from brainbench_tasks.simulated import SimulatedCreativity, SimulatedDeduction

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
        replace(SimulatedDeduction(), **fields)
