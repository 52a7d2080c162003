"""The commands in this process, with a plugin that can go wrong in many ways."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from brainbench.cli import main as cli

PLUGIN = """
from contextlib import contextmanager
from dataclasses import dataclass, replace
import os
import numpy as np
from brainbench import hookimpl
from brainbench.arrays import Features, Participant, Recording
from brainbench.nouns import DatasetCard, Identity
from brainbench.records import Scores, Skip
from brainbench.stimuli import ALL_ITEMS, Message, Stimulus

FAULT = os.environ.get("FAULT", "")
TEXTS = ["a" * (i + 1) for i in range(20)]
STIMULI = tuple(Stimulus(t, (Message("user", t),), t, t) for t in TEXTS)

class Open:
    def features(self, stimuli, reporter):
        if FAULT == "exit": raise SystemExit(0)
        if FAULT == "interrupt": raise KeyboardInterrupt
        if FAULT == "escape": raise ValueError("\\x1b[2J cleared [red]x")
        rng = np.random.default_rng(0)
        return Features({"l": np.array([[len(s.text), len(s.text) ** 2 % 7] for s in stimuli], float)})
    def facts(self):
        return {"device": object()} if FAULT == "device" else {}

@dataclass(frozen=True)
class Model:
    name: str
    sound: bool = True
    def identity(self, options):
        return Identity({"name": self.name, "revision": ["x"] if FAULT == "revision" else "1"})
    @contextmanager
    def open(self, options, reporter):
        if self.sound:
            global FAULT
            kept, FAULT = FAULT, ""
            try: yield Open()
            finally: FAULT = kept
        else:
            yield Open()

@dataclass(frozen=True)
class Dataset:
    name: str = "small"
    version: int = 1
    regions: tuple = ("here",)
    item_sets: tuple = (ALL_ITEMS,)
    simulated: bool = True
    @property
    def card(self):
        if FAULT == "card": return None
        return DatasetCard("noise", "CC0", "nobody", ("nowhere",))
    def identity(self, region): return Identity({"name": "small", "data": "1"})
    def stimuli(self, reporter): return STIMULI
    def recording(self, region, reporter):
        rng = np.random.default_rng(1)
        people = tuple(Participant(f"p{i}", rng.normal(size=(20, 3)), np.arange(20)) for i in range(2))
        return Recording(region, tuple(TEXTS), people)
    def behaviour(self, reporter): return None

@dataclass(frozen=True)
class Metric:
    name: str = "simple"
    protocol: str = "paper"
    version: int = 1
    def score(self, features, recording, reporter):
        good = Scores(("l",), ("p0", "p1"), np.zeros((1, 2)) + .5, np.array([.5]), np.array([0.]), 0, "only")
        if FAULT == "details": return replace(good, details={"x": np.float32(1)})
        if FAULT == "twice": return replace(good, participants=("p", "p"))
        if FAULT == "choice": return replace(good, choice=None)
        if FAULT == "skip": return Skip(None)
        if FAULT == "smuggled": object.__setattr__(good, "participants", ("p", "p"))
        return good
    def ceiling(self, recording, reporter): return Skip("no such thing")

@dataclass(frozen=True)
class Source:
    name: str = "evil"
    pattern: str = "evil"
    def find(self, spec):
        if FAULT == "source": raise RuntimeError("torn")
        return 7 if FAULT == "seven" else None

@hookimpl
def register_models(register):
    register(Model("bad", sound=False)); register(Model("good")); register(Source())
@hookimpl
def register_datasets(register): register(Dataset())
@hookimpl
def register_metrics(register): register(Metric())
"""
Brainbench = Callable[..., Result]


@pytest.fixture
def brainbench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Brainbench]:
    """Run a command with the plugin installed, and its results in a file of its own."""
    (tmp_path / "small_plugin.py").write_text(PLUGIN)
    info = tmp_path / "small-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: small\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[brainbench]\nsmall = small_plugin\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("BRAINBENCH_DB", str(tmp_path / "b.db"))

    def brainbench(*arguments: str, fault: str = "") -> Result:
        sys.modules.pop("small_plugin", None)
        monkeypatch.setenv("FAULT", fault)
        result = CliRunner().invoke(cli, arguments, prog_name="brainbench")
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        assert "Traceback" not in result.output
        return result

    yield brainbench
    sys.modules.pop("small_plugin", None)


RUN = ("run", "--dataset", "small", "--metric", "simple", "--no-ceiling", "--no-baselines")


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("exit", "SystemExit"),
        ("escape", "\\x1b[2J cleared [red]x"),
        ("device", "plain JSON"),
    ],
)
def test_a_broken_model_fails_its_own_cell_and_the_next_model_is_scored(
    brainbench: Brainbench, fault: str, says: str
) -> None:
    result = brainbench(*RUN, "--model", "bad", "--model", "good", fault=fault)
    assert result.exit_code == 1
    assert says in result.output
    assert "\x1b[2J" not in result.output
    assert "2 cells: 1 computed, 0 were there, 1 failed" in result.output
    shown = brainbench("board")
    assert shown.exit_code == 0
    assert "failed" in shown.output
    assert "0.500" in shown.output


@pytest.mark.parametrize("fault", ["details", "twice", "choice", "skip", "smuggled"])
def test_a_broken_record_fails_its_own_cell_and_the_board_stays_readable(
    brainbench: Brainbench, fault: str
) -> None:
    metrics = ("--metric", "predictivity/paper")
    result = brainbench(*RUN, *metrics, "--model", "bad", fault=fault)
    assert result.exit_code == 1
    assert "2 cells: 1 computed, 0 were there, 1 failed" in result.output
    assert brainbench("board").exit_code == 0
    again = brainbench(*RUN, *metrics, "--model", "bad")
    assert "2 cells: 1 computed, 1 were there, 0 failed" in again.output


def test_a_revision_that_is_no_text_is_kept_as_text(brainbench: Brainbench) -> None:
    assert brainbench(*RUN, "--model", "good", fault="revision").exit_code == 0
    assert json.loads(brainbench("board", "--json").output)[0]["revision"] == "['x']"


@pytest.mark.parametrize(("fault", "says"), [("source", "torn"), ("seven", "lacks name")])
def test_a_broken_source_is_named_and_other_models_are_found(
    brainbench: Brainbench, tmp_path: Path, fault: str, says: str
) -> None:
    result = brainbench(*RUN, "--model", str(tmp_path), fault=fault)
    assert f"'evil' broke on '{tmp_path}'" in result.output
    assert says in result.output
    assert "is not a model folder" in result.output
    assert result.exit_code == 1


def test_a_broken_card_costs_the_plugin_its_place_and_nobody_else(brainbench: Brainbench) -> None:
    result = brainbench("list", "datasets", fault="card")
    assert result.exit_code == 0
    assert "the card of dataset 'small' has gaps" in result.output
    assert "deduction" in result.output


def test_a_metric_asked_for_twice_is_computed_once(brainbench: Brainbench) -> None:
    result = brainbench(*RUN, "--metric", "simple/paper", "--model", "good")
    assert "1 cell: 1 computed" in result.output


def test_again_computes_what_is_there(brainbench: Brainbench) -> None:
    brainbench(*RUN, "--model", "good")
    assert "0 computed, 1 were there" in brainbench(*RUN, "--model", "good").output
    assert "1 computed, 0 were there" in brainbench(*RUN, "--model", "good", "--again").output


def test_a_results_file_with_brackets_in_its_name_is_named_as_it_is(
    brainbench: Brainbench, tmp_path: Path
) -> None:
    path = tmp_path / "odd[red]name[.db"
    result = brainbench(*RUN, "--model", "good", "--db", str(path))
    assert result.exit_code == 0
    assert str(path) in result.output


@pytest.mark.parametrize("seed", ["-1", str(2**63)])
def test_a_seed_that_cannot_be_kept_is_refused(brainbench: Brainbench, seed: str) -> None:
    assert brainbench(*RUN, "--model", "good", "--seed", seed).exit_code == 2


def test_a_board_without_results_says_how_to_make_some(brainbench: Brainbench) -> None:
    result = brainbench("board")
    assert result.exit_code == 0
    assert "No results" in result.output


def test_lists_can_be_read_by_programs(brainbench: Brainbench) -> None:
    listed = json.loads(brainbench("list", "--json").output)
    assert {row["name"] for row in listed["models"]} >= {"bad", "good"}
    assert "small 1.0" in {row["provided by"] for row in listed["metrics"]}


def test_scores_as_json_stand_alone_on_standard_output(brainbench: Brainbench) -> None:
    result = brainbench(*RUN, "--model", "good", "--json")
    (row,) = json.loads(result.stdout)
    assert (row["model"], row["outcome"], row["score"]) == ("good", "scores", 0.5)
    assert json.loads(brainbench("board", "--json").stdout) == [row]
    assert "1 computed" in result.stderr


def test_json_shows_what_was_asked_for_and_a_failure_with_its_reason(brainbench: Brainbench) -> None:
    brainbench(*RUN, "--model", "good")
    result = brainbench(*RUN, "--model", "bad", "--json", fault="escape")
    (row,) = json.loads(result.stdout)
    assert (row["model"], row["outcome"], row["exception"]) == ("bad", "failure", "ValueError")
    assert result.exit_code == 1


@pytest.mark.parametrize(
    ("arguments", "fault", "code"),
    [
        (("--model", "good"), "", 0),
        (("--model", "bad"), "exit", 1),
        (("--model", "good", "--db", "/dev/null/b.db"), "", 1),
        (("--model", "nobody"), "", 2),
        (("--model", "good", "--region", "nowhere"), "", 2),
        (("--model", "good", "--nonsense"), "", 2),
        (("--model", "bad"), "interrupt", 130),
    ],
)
@pytest.mark.parametrize("form", [(), ("--json",)])
def test_exit_codes_are_those_of_the_help(
    brainbench: Brainbench, arguments: tuple[str, ...], fault: str, code: int, form: tuple[str, ...]
) -> None:
    result = brainbench(*RUN, *arguments, *form, fault=fault)
    assert result.exit_code == code
    assert form == () or code in (0, 1) or result.stdout == ""
    assert f"{code} " in brainbench("run", "--help").output.partition("Exit codes:")[2]


def test_one_line_is_said_for_each_model_and_dataset(brainbench: Brainbench) -> None:
    result = brainbench("run", "--dataset", "small", "--model", "good", "--metric", "simple")
    assert "done    good on small: 1 cell scored" in result.stderr
    assert "skipped ceiling on small, here, all items, simple/paper: no such thing" in result.stderr
    again = brainbench("run", "--dataset", "small", "--model", "good", "--metric", "simple")
    assert "done" not in again.stderr
    assert "skipped" not in again.stderr


def test_baselines_stand_in_every_run_unless_they_are_switched_off(brainbench: Brainbench) -> None:
    run = ("run", "--dataset", "small", "--metric", "simple", "--no-ceiling", "--model", "good", "--json")
    rows = {row["model"]: row for row in json.loads(brainbench(*run).stdout)}
    assert {"good", "baseline:characters", "baseline:words", "baseline:noise"} <= set(rows)
    assert rows["good"]["rank"] == 1
    assert rows["good"]["above"].startswith("baseline:")
    assert rows["good"]["above_by"] == 0
    assert rows["baseline:noise"]["rank"] is None
    assert rows["baseline:own-response-time"]["outcome"] == "skip"
    assert [row["model"] for row in json.loads(brainbench(*run, "--no-baselines").stdout)] == ["good"]


def test_a_baseline_that_a_dataset_lacks_is_not_news(brainbench: Brainbench) -> None:
    result = brainbench("run", "--dataset", "small", "--metric", "simple", "--no-ceiling", "--model", "good")
    assert "done    baseline:words on small" in result.stderr
    assert "skipped" not in result.stderr
    assert "has no own-response-time" in brainbench("board").output


def test_the_board_is_written_as_a_site(brainbench: Brainbench, tmp_path: Path) -> None:
    brainbench(*RUN, "--model", "good")
    result = brainbench("board", "publish", str(tmp_path / "page"))
    assert result.exit_code == 0
    page = tmp_path / "page" / "index.html"
    assert result.stdout == f"{page.as_uri()}\n"
    (table,) = (tmp_path / "page" / "tables").iterdir()
    assert "0.500" in table.read_text()
    other = brainbench("board", "--db", str(tmp_path / "none.db"), "publish", str(tmp_path / "other"))
    assert other.exit_code == 1
    assert "no results" in other.stderr
    assert brainbench("board", "--json", "publish", str(tmp_path)).exit_code == 2


def test_a_page_that_cannot_be_written_is_said_in_one_sentence(
    brainbench: Brainbench, tmp_path: Path
) -> None:
    brainbench(*RUN, "--model", "good")
    (tmp_path / "file").write_text("")
    result = brainbench("board", "publish", str(tmp_path / "file" / "page"))
    assert result.exit_code == 1
    assert "cannot be written" in result.stderr


def test_the_board_names_what_no_result_has(brainbench: Brainbench) -> None:
    brainbench(*RUN, "--model", "good")
    for option, name in (("--dataset", "smal"), ("--items", "al")):
        result = brainbench("board", option, name)
        assert result.exit_code == 2
        assert f"No result is called '{name}' (option {option})" in result.stderr
    assert brainbench("board", "--dataset", "small", "--items", "all").exit_code == 0
