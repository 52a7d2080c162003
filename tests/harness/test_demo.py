"""`brainbench run` without arguments: the whole system on things that ship with it, and no network."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from brainbench.cli import demo

# The command in a process that notes every attempt to reach a network, with a stand-in for the weights.
CODE = """
import socket, sys
from pathlib import Path
def refuse(*where, **more):
    Path({noted!r}).open("a").write(f"{{where}}\\n")
    raise OSError("no network here")
socket.getaddrinfo = socket.create_connection = refuse
socket.socket.connect = socket.socket.connect_ex = refuse
from brainbench_models import shipped
shipped.FOLDER = Path({folder!r})
sys.argv = ["brainbench", *{arguments!r}]
from brainbench.cli import main
main(prog_name="brainbench")
"""
Demo = Callable[..., "subprocess.CompletedProcess[str]"]


@dataclass(frozen=True)
class Place:
    """A folder for one database, and how to run the command on it."""

    folder: Path
    run: Demo

    @property
    def noted(self) -> Path:
        return self.folder / "network.txt"


def place(folder: Path, weights: Path, name: str = "b.db") -> Place:
    def run(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        code = CODE.format(noted=str(folder / "network.txt"), folder=str(weights), arguments=arguments)
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "COLUMNS"))}
        environment = {**clean, "BRAINBENCH_DB": str(folder / name), "HF_HOME": str(folder / "hf"), **more}
        return subprocess.run(
            [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
        )

    return Place(folder, run)


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> tuple[Place, Any, Any]:
    """The demo run twice on one database: without a terminal, and as in one of eighty columns."""
    here = place(tmp_path_factory.mktemp("demo"), tiny_model)
    return here, here.run("run"), here.run("run", COLUMNS="80")


def test_the_demo_scores_both_models_on_both_datasets(shown: tuple[Place, Any, Any]) -> None:
    here, first, _ = shown
    assert first.returncode == 0, first.stderr
    for name in (*demo.DATASETS, demo.TRAINED, demo.TWIN, "SIMULATED", "ceiling 0."):
        assert name in first.stdout
    assert " 0 were there, 0 failed" in first.stderr
    rows = json.loads(here.run("board", "--json").stdout)
    assert {demo.TRAINED, demo.TWIN, "baseline:words", "baseline:person"} < {row["model"] for row in rows}
    assert {row["dataset"] for row in rows} == set(demo.DATASETS)
    assert all(row["simulated"] and row["resolved"] for row in rows)
    assert {row["outcome"] for row in rows if not row["baseline"]} == {"scores"}
    assert "failure" not in {row["outcome"] for row in rows}


def test_no_network_is_tried_and_nothing_is_written_elsewhere(shown: tuple[Place, Any, Any]) -> None:
    here, _, _ = shown
    assert not here.noted.exists()
    assert {path.name.removesuffix("-wal").removesuffix("-shm") for path in here.folder.iterdir()} <= {
        "b.db",
        "b-page",
    }


def test_it_also_runs_where_the_hub_is_switched_off(shown: tuple[Place, Any, Any]) -> None:
    here, _, _ = shown
    chosen = ("--region", "control", "--items", "all", "--metric", "predictivity/paper", "--no-baselines")
    done = here.run("run", "--again", "--no-ceiling", *chosen, HF_HUB_OFFLINE="1")
    assert done.returncode == 0, done.stderr
    assert "2 cells: 2 computed" in done.stderr


def test_the_demo_ends_with_what_a_newcomer_wants_to_know(shown: tuple[Place, Any, Any]) -> None:
    here, first, _ = shown
    closing = first.stdout.partition("What was run")[2]
    assert "nobody was scanned" in " ".join(closing.split())
    for dataset in demo.DATASETS:
        assert f"{dataset}: in region" in closing
    assert str(here.folder / "b.db") in closing
    page = here.folder / "b-page" / "index.html"
    assert page.as_uri() in closing
    assert "run --model HuggingFaceTB/" in closing
    tables = (page.parent / "tables.html").read_text()
    for dataset in demo.DATASETS:
        assert f"SIMULATED {dataset}" in tables


def test_the_closing_says_the_numbers_of_the_table(shown: tuple[Place, Any, Any]) -> None:
    here, first, _ = shown
    said = " ".join(first.stdout.partition("What it says")[2].split())
    shown_rows = json.loads(here.run("board", "--json").stdout)
    rows = [row for row in shown_rows if row["model"] in (demo.TRAINED, demo.TWIN)]
    for dataset in demo.DATASETS:
        sentence = said.partition(f"{dataset}: in region ")[2].partition(". simulated")[0]
        region, items = sentence.split()[0], sentence.partition("(")[2].split()[0]
        first_metric = min((row["protocol"] != "robust", row["metric"], row["protocol"]) for row in rows)[1:]
        for row in rows:
            if (row["metric"], row["protocol"]) != first_metric:
                continue
            if (row["dataset"], row["region"], row["item_set"]) == (dataset, region, items):
                assert f"{row['score']:.3f}" in sentence


def scores(output: str) -> list[list[str]]:
    """The lines of the tables, as words."""
    return [line.split() for line in output.splitlines() if " 0." in line and "brainbench/tiny  " in line]


def test_a_second_run_computes_nothing_and_says_so(shown: tuple[Place, Any, Any]) -> None:
    _, first, second = shown
    assert second.returncode == 0
    assert ": 0 computed, " in second.stderr
    assert "Nothing was computed anew" in " ".join(second.stdout.split())
    assert "Nothing was computed anew" not in first.stdout
    assert scores(second.stdout) == scores(first.stdout)


def test_off_a_terminal_there_is_a_line_for_each_model_and_dataset_and_no_bar(
    shown: tuple[Place, Any, Any],
) -> None:
    here, first, second = shown
    lines = first.stderr.splitlines()
    rows = json.loads(here.run("board", "--json").stdout)
    done = {(row["model"], row["dataset"]) for row in rows if row["outcome"] == "scores"}
    assert len(lines) == len(done) + 2 + 1  # each model and the ceilings on each dataset, and the sum
    assert len(second.stderr.splitlines()) == 1
    assert "\x1b" not in first.stderr + first.stdout
    assert "\r" not in first.stderr + first.stdout


def test_as_json_the_demo_prints_rows_alone_and_still_writes_its_page(
    shown: tuple[Place, Any, Any],
) -> None:
    here, _, _ = shown
    page = here.folder / "b-page" / "index.html"
    page.unlink()
    done = here.run("run", "--json")
    assert done.returncode == 0
    assert json.loads(done.stdout) == json.loads(here.run("board", "--json").stdout)
    assert page.exists()


def test_the_tables_fit_a_terminal_of_eighty_columns(shown: tuple[Place, Any, Any]) -> None:
    tables = shown[2].stdout.partition("What was run")[0].splitlines()
    assert max(map(len, tables)) <= 80
    shown_tables = sum(line.startswith("SIMULATED") for line in tables)
    assert len(tables) < 28 * shown_tables  # one of them is a screenful
    # Each set of items has both models, and the best dull predictor.
    assert sum("±" in line and "score ±" not in line for line in tables) == 3 * 3 * shown_tables


def test_a_broken_install_is_said_once_and_the_twin_is_scored(tmp_path: Path) -> None:
    done = place(tmp_path, tmp_path / "nothing").run(
        "run", "--no-ceiling", "--no-baselines", "--region", "control"
    )
    assert done.returncode == 1
    assert done.stderr.count("which comes with brainbench, lacks config.json") == 2  # each of the models
    assert "no scores of both models" in done.stdout


@pytest.mark.parametrize(
    ("models", "datasets", "tasks", "expected"),
    [
        ((), (), (), ((demo.TRAINED, demo.TWIN), demo.DATASETS)),
        ((), ("deduction",), (), ((demo.TRAINED, demo.TWIN), ("deduction",))),
        (("a",), (), (), (("a",), ("deduction",))),
        (("a",), ("b",), (), (("a",), ("b",))),
        ((), (), ("t",), ((demo.TRAINED, demo.TWIN), ())),
        (("a",), (), ("t",), (("a",), ())),
        (("a",), ("b",), ("t",), (("a",), ("b",))),
    ],
)
def test_what_is_run_when_it_is_not_said(models: Any, datasets: Any, tasks: Any, expected: Any) -> None:
    assert demo.choose(models, datasets, tasks) == expected


def dataset(shares: Mapping[str, float]) -> Any:
    """A dataset with these shares of signal in its regions."""
    return SimpleNamespace(
        name="toy",
        regions=tuple(shares),
        item_sets=(SimpleNamespace(name="all"),),
        truth=lambda region, items: SimpleNamespace(share=shares[region]),
    )


def rows(**scores: tuple[float, float]) -> list[dict[str, Any]]:
    """Rows of the trained model and of its twin, by region, with a spread of .1."""
    usual = {"dataset": "toy", "item_set": "all", "metric": "m", "protocol": "p", "outcome": "scores"}
    limits = {"spread": 0.1, "ceiling": 0.6, "ceiling_like_for_like": 0.5, **dict.fromkeys(MARGIN)}
    return [
        {**usual, **limits, "region": region, "model": model, "score": score}
        for region, pair in scores.items()
        for model, score in zip((demo.TRAINED, demo.TWIN), pair, strict=True)
    ]


MARGIN = ("above", "above_by", "above_low", "above_high")


@pytest.mark.parametrize(
    ("margin", "says"),
    [
        (
            ("baseline:words", 0.3, 0.1, 0.5),
            ", clearly above the best dull predictor, words (+0.300 [0.100, 0.500]);",
        ),
        (
            ("baseline:words", 0.3, -0.1, 0.7),
            ", not clearly above the best dull predictor, words (+0.300 [-0.100",
        ),
        (
            ("untrained:m", -0.3, -0.5, -0.1),
            ", not above the best dull predictor, untrained:m (-0.300 [-0.500",
        ),
        (("baseline:words", 0.3, None, None), "m/p; its untrained twin"),
        ((None, None, None, None), "m/p; its untrained twin"),
    ],
)
def test_the_sentence_claims_no_more_than_the_scores_show(margin: Any, says: str) -> None:
    made = dataset({"here": 0.2, "there": 0.05, "nowhere": 0.0})
    shown = rows(here=(0.4, 0.1), there=(0.9, 0.9), nowhere=(0.02, 0.03))
    shown[0].update(zip(MARGIN, margin, strict=True))
    said = demo.meaning(made, shown)
    assert "scores 0.400 (ceiling 0.500) in m/p" in said
    assert "its untrained twin scores 0.100" in said
    assert said.startswith("toy: in region here (all items), where a signal is planted, the trained model")
    assert says in said
    assert said.endswith(
        "in nowhere, where none is, they reach 0.020 and 0.030, by chance and the choice of a layer."
    )


def test_a_robust_protocol_is_shown_and_spoken_of_in_place_of_a_published_one() -> None:
    made = dataset({"here": 0.2, "nowhere": 0.0})
    paper = rows(here=(0.9, 0.8), nowhere=(0.7, 0.7))
    robust = [{**row, "protocol": "robust", "score": row["score"] / 10} for row in paper]
    other = [{**row, "metric": "other"} for row in paper]
    assert demo.main_rows([*paper, *robust, *other]) == [*robust, *other]
    said = demo.meaning(made, [*paper, *robust])
    assert "scores 0.090 (ceiling 0.500) in m/robust; its untrained twin scores 0.080" in said
    assert said.endswith("they reach 0.070 and 0.070, by chance.")


def test_without_a_known_truth_nothing_is_said_of_it() -> None:
    made = dataset({"here": 0.2})
    del made.truth
    said = demo.meaning(made, rows(here=(0.4, 0.1)))
    assert "planted" not in said
    assert "scores 0.400" in said


def test_a_missing_score_leaves_its_sentence_out() -> None:
    made = dataset({"here": 0.2, "nowhere": 0.0})
    assert demo.meaning(made, rows(nowhere=(0.1, 0.1))) == ""
    assert demo.meaning(made, rows(here=(0.4, 0.1))[:1]) == ""
    assert "nowhere" not in demo.meaning(made, rows(here=(0.4, 0.1)))


def test_the_next_command_can_be_typed_where_brainbench_is_not_on_the_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", [".venv/bin/brainbench", "run"])
    monkeypatch.setenv("PATH", str(tmp_path))
    assert demo.program() == ".venv/bin/brainbench"
    (tmp_path / "brainbench").write_text("#!/bin/sh\n")
    (tmp_path / "brainbench").chmod(0o755)
    assert demo.program() == "brainbench"
    monkeypatch.setattr(sys, "argv", ["brainbench/__main__.py"])
    assert demo.program() == "brainbench"
