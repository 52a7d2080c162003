"""The same seed gives the same bits, however the work is cut up and on however many threads."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from brainbench.errors import ShapeError
from brainbench.statistics import BLOCK, Block, blocks

EVERYTHING = """
import numpy as np
from brainbench.statistics import *
rng = np.random.default_rng(0)
table = rng.normal(size=(40, 300))
found = [
    percentile_interval(table[:, 0], seed=3, draws=500), bca_interval(table[:, 0], seed=3, draws=500),
    two_factor_interval(mean_of(table), table.shape, seed=3, draws=200),
    corrected_two_factor_interval(mean_of(table), table.shape, seed=3, draws=200),
    two_way_interval(table), sign_flip(table[:, 1], seed=3, draws=500),
    compare_models(table, table[::-1] * 1.1, seed=3, draws=300),
    rank_models("abcdefgh", table[:8], seed=3, draws=500),
    simulated_power(0.3, VarianceComponents(1, 1, 1), Design(10, 10), seed=3, draws=200),
]
print(repr(found))
family = sign_flip_family(table, seed=3, draws=500)
print(family.adjusted.tobytes().hex(), family.means.tobytes().hex())
"""


def test_a_longer_series_begins_with_the_shorter() -> None:
    short = np.concatenate([block.choices(7) for block in blocks(5, BLOCK + 30)])
    long = np.concatenate([block.choices(7) for block in blocks(5, 3 * BLOCK)])
    assert short.shape == (BLOCK + 30, 7)
    assert (long[: BLOCK + 30] == short).all()


def test_blocks_give_the_same_draws_in_any_order_and_on_any_thread() -> None:
    in_turn = [block.permutations(9) for block in blocks(2, 6 * BLOCK)]
    with ThreadPoolExecutor(4) as pool:
        backwards = list(pool.map(lambda block: block.permutations(9), list(blocks(2, 6 * BLOCK))[::-1]))
    assert all((a == b).all() for a, b in zip(in_turn, backwards[::-1], strict=True))


def test_blocks_and_seeds_differ() -> None:
    draws = [Block(seed, index, BLOCK).signs(20).tobytes() for seed in (0, 1) for index in (0, 1)]
    assert len(set(draws)) == 4


def test_people_and_items_are_drawn_independently() -> None:
    people, items = Block(0, 0, BLOCK).choices_of_two(8, 8)
    assert (people != items).any(axis=1).all()
    assert people.min() == 0
    assert people.max() == 7


def test_the_seed_s_streams_are_numpy_s_spawned_ones() -> None:
    spawned = np.random.default_rng(np.random.SeedSequence(11).spawn(3)[2])
    assert Block(11, 2, BLOCK).rng().random() == spawned.random()


def test_shuffles_keep_within_strata_and_reach_every_place() -> None:
    strata = ["a", "b", "a", "b", "b", "a", "c"]
    shuffled = np.concatenate([block.permutations(7, strata) for block in blocks(0, 2 * BLOCK)])
    labels = np.array(strata)
    assert (labels[shuffled] == labels).all()
    assert (np.sort(shuffled, axis=1) == np.arange(7)).all()
    assert {tuple(row) for row in shuffled[:, [0, 2, 5]].tolist()} == {
        (0, 2, 5), (0, 5, 2), (2, 0, 5), (2, 5, 0), (5, 0, 2), (5, 2, 0),
    }  # fmt: skip


def test_strata_are_shuffled_independently() -> None:
    shuffled = Block(0, 0, BLOCK).permutations(8, ["a"] * 4 + ["b"] * 4)
    assert ((shuffled[:, :4] + 4) != shuffled[:, 4:]).any()


@pytest.mark.parametrize("strata", [["a", "b", "c"], ["a", "a"]])
def test_strata_that_leave_nothing_to_shuffle_are_refused(strata: list[str]) -> None:
    with pytest.raises(ShapeError, match="cannot be shuffled"):
        Block(0, 0, 1).permutations(3, strata)


def test_no_result_depends_on_the_number_of_threads() -> None:
    said = set()
    for threads in ("1", "4"):
        environment = os.environ | {"OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads}
        done = subprocess.run(
            [sys.executable, "-c", EVERYTHING], env=environment, capture_output=True, text=True, check=True
        )
        said.add(done.stdout)
    assert len(said) == 1
    assert "Interval" in said.pop()
