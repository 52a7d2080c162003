"""Commands on models' pages: they parse, ask exactly what was asked, and give the very same fingerprints."""

from __future__ import annotations

import itertools
import shlex
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brainbench.cli import main
from brainbench.cli.common import installed
from brainbench.cli.planning import make_plan
from brainbench.identity import identify
from brainbench.plan import AnyCell
from brainbench.records import Record, Skip
from brainbench_leaderboard.site.board import Board, Cards
from brainbench_leaderboard.site.model_commands import commands
from brainbench_leaderboard.site.model_rows import Everyone
from brainbench_leaderboard.store import Leaderboard

DATASETS, METRICS = ("deduction", "uses"), ("rsa/robust", "rsa/paper")
REGIONS, ITEMS = ("left", "right"), ("all", "even")
CHANGES, DTYPES = ("none", "nari"), ("float32", "bfloat16")
GRID = tuple(itertools.product(DATASETS, METRICS, REGIONS, ITEMS, CHANGES, DTYPES))


def parsed(words: list[str]) -> dict[str, Any]:
    """The options of `brainbench run`, as its own parser reads a command."""
    assert words[:2] == ["brainbench", "run"]
    run = main.commands["run"]
    with run.make_context("run", words[2:]) as context:
        return dict(context.params)


def shown(board: Board, model: str) -> list[dict[str, Any]]:
    """The commands of a model's page, as the shell and the parser read them."""
    everyone = Everyone.of(board)
    found = commands(board, everyone, everyone.models[model])
    return [parsed(shlex.split(" ".join(one.words))) for one in found]


def row(
    at: int, dataset: str, metric: str, region: str, items: str, change: str, dtype: str
) -> dict[str, Any]:
    """What commands read of a row of standings."""
    name, _, protocol = metric.partition("/")
    return {
        **{"model": "m/m", "revision": "a" * 40, "dataset": dataset, "metric": name, "protocol": protocol},
        **{"region": region, "region_position": REGIONS.index(region), "item_set": items, "rank": None},
        **{"item_set_position": ITEMS.index(items), "intervention": change, "dtype": dtype, "seed": 0},
        **{"sampling": None, "baseline": 0, "outcome": "scores", "question": "", "fingerprint": str(at)},
        **{"started": None, "seconds": None},
    }


def board_of(rows: tuple[dict[str, Any], ...]) -> Board:
    nothing: Any = None
    return Board(rows, (), (), {}, Cards(), nothing, nothing, nothing, "", "")


@given(st.sets(st.sampled_from(GRID), min_size=1))
def test_commands_ask_exactly_what_was_asked(chosen: set[tuple[str, ...]]) -> None:
    rows = tuple(row(at, *one) for at, one in enumerate(sorted(chosen)))
    known: dict[str, tuple[set[str], set[str]]] = {}
    for one in rows:
        regions, items = known.setdefault(one["dataset"], (set(), set()))
        regions.add(one["region"])
        items.add(one["item_set"])
    asked = [
        (dataset, *rest)
        for told in shown(board_of(rows), "m/m")
        for dataset in told["datasets"]
        for rest in itertools.product(
            told["metrics"],
            told["regions"] or known[dataset][0],
            told["item_sets"] or known[dataset][1],
            told["interventions"],
            [told["dtype"]],
        )
    ]
    assert sorted(asked) == sorted(chosen)  # all of it, nothing else, and nothing twice


def test_a_score_is_held_to_the_baseline_of_its_own_seed() -> None:
    dull = [{**row(at, *GRID[0]), "model": "baseline:words", "baseline": 1, "seed": at} for at in range(3)]
    rows = tuple({**one, "score": score} for one, score in zip(dull, (0.3, 0.1, 0.2), strict=True))
    everyone = Everyone.of(board_of(rows))
    for seed, score in ((1, 0.1), (2, 0.2), (7, 0.3)):  # where none has its seed, the best
        found = everyone.best_dull({"question": "", "above": "baseline:words", "seed": seed})
        assert found
        assert found["score"] == score


def test_a_whole_grid_is_one_command_for_each_way_of_running_a_model() -> None:
    rows = tuple(row(at, *one) for at, one in enumerate(GRID))
    plain, half = shown(board_of(rows), "m/m")
    assert plain["models"] == half["models"] == (f"m/m@{'a' * 40}",)
    assert (plain["dtype"], half["dtype"]) == ("float32", "bfloat16")
    assert plain["regions"] == plain["item_sets"] == ()


def test_no_two_commands_have_one_heading() -> None:
    board = board_of(tuple(row(at, *one) for at, one in enumerate(GRID)))
    told = commands(board, Everyone.of(board), Everyone.of(board).models["m/m"])
    assert len({one.title for one in told}) == len(told) == 2


RUNS = (
    "--dataset simulated-deduction --dataset simulated-creativity --metric rsa --metric predictivity/robust",
    "--dataset simulated-deduction --metric rsa/paper --region language --items all --items transitive",
    "--dataset simulated-deduction --metric rsa/paper --pooling mean --dtype bfloat16 --seed 3",
    "--dataset simulated-deduction --metric rsa/robust --intervention nari-general --intervention none",
    "--dataset simulated-deduction --metric rsa/robust --intervention narf-label@language --trainings 2",
    "--dataset simulated-creativity@stage=response --metric rsa/robust --ideas 2 --temperature 0.35",
    "--task deduction_3_tiny --task deduction_items --limit 5",
    "--task deduction_3_tiny --dataset simulated-deduction-guide --metric none --intervention nari-general "
    "--intervention random-direction --intervention none --protocol paper --limit 4",
    "--task deduction_items --dataset simulated-deduction --metric none --intervention narf --trainings 2",
    "--dataset simulated-creativity --metric none --scorer llm-judge@brainbench/tiny --idea-tokens 9",
    "--metric none --scorer divergent-association@brainbench/tiny --idea-seed 7",
)


FEWEST = {"brainbench/tiny": 10, "untrained:brainbench/tiny": 1, "baseline:words": 1}  # one is in another


def cells_of(catalog: Any, told: dict[str, Any]) -> list[AnyCell]:
    """What a command computes of its own models: not what stands beside them."""
    alone = {"ceilings": False, "baselines": False}
    return list(make_plan(catalog, **{**told, **alone}))


@pytest.fixture(scope="module")
def catalog() -> Any:
    return installed()


def test_the_commands_of_a_page_give_the_same_fingerprints(catalog: Any, tmp_path: Path) -> None:
    """All that the embedded model, its twin and a baseline can be asked, and how each can be run."""
    asked = [
        (model, parsed(["brainbench", "run", "--model", model, *shlex.split(options)]))
        for model in ("brainbench/tiny", "untrained:brainbench/tiny", "baseline:words")
        for options in RUNS[: 2 if model != "brainbench/tiny" else None]
    ]
    made: dict[str, set[str]] = {}
    with Leaderboard(tmp_path / "b.db") as store:
        for model, told in asked:
            for cell in cells_of(catalog, told):
                known = identify(cell)
                assert known.resolved
                provenance = {"dtype": cell.options.dtype, "started": "2026-01-01", "seconds": 1.0}
                why = Skip("not computed here")
                store.add(Record(cell, known.fingerprint, known.facts, True, why, provenance))
                made.setdefault(model, set()).add(known.fingerprint)
        board = Board.of(store)
    for model, fingerprints in made.items():
        again = [
            identify(cell).fingerprint for told in shown(board, model) for cell in cells_of(catalog, told)
        ]
        assert len(again) == len(set(again))
        assert set(again) == fingerprints
        assert len(shown(board, model)) == FEWEST[model]
