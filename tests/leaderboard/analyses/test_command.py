"""`brainbench analyse` as a user calls it."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from click.testing import CliRunner, Result

from brainbench.cli import main
from brainbench_leaderboard.analyses.catalog import NAMES
from brainbench_leaderboard.store import Leaderboard

Make = Callable[..., Any]


@pytest.fixture
def filled(board: Leaderboard, record: Make, people: Make) -> Path:
    """Five models of simulated data in two regions, one of them also with its responses."""
    rng = np.random.default_rng(0)
    for at in range(5):
        values = rng.normal(0.1 * at, 0.1, 8)
        made = {"parameters": 10 ** (7 + at), "parameters_with_head": 2 * 10 ** (7 + at), "layers": 2 + at}
        layers = {f"layer.{depth}": rng.normal(size=8) for depth in range(2 + at)}
        common: dict[str, Any] = {"made": made, "layers": layers, "simulated": True}
        board.add(record(f"lab/model-{at}", people(values), **common))
        board.add(record(f"lab/model-{at}", people(values / 2), region="somatomotor", **common))
    board.add(record("lab/model-4", people(values - 0.1), variant={"stage": "response"}, **common))
    return board.path


def asked(*words: object) -> Result:
    return CliRunner().invoke(main, ["analyse", *map(str, words)], terminal_width=200)


def test_tables_figures_and_an_index_are_written(filled: Path, tmp_path: Path) -> None:
    out = tmp_path / "new" / "analyses"
    some = ("scaling", "stage", "layers", "high-low")
    done = asked(*some, "--region", "default", "--db", filled, "--out", out)
    assert done.exit_code == 0, done.output
    index = json.loads((out / "analyses.json").read_text())
    found = {one["analysis"]: one for one in index["analyses"]}
    assert set(found) == {"scaling", "stage", "layers"}
    assert [one["analysis"] for one in index["lacking"]] == ["high-low"]
    assert all(one["run"].startswith("brainbench run --model") for one in index["lacking"])
    for one in found.values():
        assert "SIMULATED" in one["title"]
        assert one["simulated"] is True
        assert all("SIMULATED" in test["says"] for test in one["tests"])
        assert one["records"]
        table, tests, png, svg = (out / name for name in one["files"])
        rows = list(csv.DictReader(table.read_text().splitlines()))
        assert len(rows) == len(one["table"])
        assert len(list(csv.DictReader(tests.read_text().splitlines()))) == len(one["tests"])
        assert "SIMULATED DATA" in svg.read_text()
        assert "mathdefault" not in "".join(ElementTree.parse(svg).getroot().itertext())  # powers of ten
        assert is_drawn(png)
    scaling = found["scaling"]["tests"][0]
    for name in (
        "n",
        "value",
        "low",
        "high",
        "left_out_low",
        "left_out_high",
        "leverage",
        "p",
        "p_grid",
        "says",
    ):
        assert scaling[name] not in (None, ""), name
    with Leaderboard.reading(filled) as board:
        known = set(board.sources())
    assert all(set(one["records"]) <= known for one in found.values())
    assert index["made"]["brainbench"]


def test_names_from_elsewhere_are_no_formulas_no_mathematics_and_no_other_files(
    board: Leaderboard, record: Make, tmp_path: Path
) -> None:
    """People of a folder, a model's folder and two datasets whose names differ in nothing a file can tell."""
    people = {f"=HYPERLINK({at})": 0.1 * at for at in range(4)} | {"-1": 0.3, "@x": 0.2}
    for dataset in ("a/b", "A:b", "../../etc"):
        for region, of in (("default", people), ("somatomotor", {name: -by for name, by in people.items()})):
            board.add(record("lab/a$x^{$<script>", of, dataset=dataset, region=region))
    out = tmp_path / "out"
    done = asked("network", "--db", board.path, "--out", out)
    assert done.exit_code == 0, done.output
    index = json.loads((out / "analyses.json").read_text())
    assert len({name.casefold() for one in index["analyses"] for name in one["files"]}) == 4 * 3
    for one in index["analyses"]:
        table, tests, _, svg = (out / name for name in one["files"])
        rows = list(csv.reader(table.read_text().splitlines()))
        rows += list(csv.reader(tests.read_text().splitlines()))
        assert not [cell for row in rows for cell in row if cell[:1] in {"=", "+", "@"} or cell == "-1"]
        assert "'=HYPERLINK(3)" in table.read_text()
        assert {row["person"] for row in one["table"]} == set(people)  # as they are
        assert "a$x^{$" in svg.read_text()
        assert "<script" not in svg.read_text()


def is_drawn(path: Path) -> bool:
    """Whether the picture opens and is neither empty nor of one colour."""
    from matplotlib.image import imread

    picture = imread(path)
    return (
        min(picture.shape[:2]) > 200 and len(np.unique(picture.reshape(-1, picture.shape[-1]), axis=0)) > 20
    )


def test_without_a_name_there_is_all_that_there_is_material_for(filled: Path) -> None:
    told = json.loads(asked("--db", filled, "--json").stdout)
    found = {one["analysis"] for one in told["analyses"]}
    assert found == {"scaling", "stage", "network", "layers"}
    assert {one["analysis"] for one in told["lacking"]} == set(NAMES) - found


def test_json_is_the_index_and_a_name_asks_for_one_analysis(filled: Path) -> None:
    done = asked("scaling", "--db", filled, "--json", "--region", "somatomotor")
    told = json.loads(done.stdout)
    (one,) = told["analyses"]
    assert one["analysis"] == "scaling"
    assert {row["region"] for row in one["table"]} == {"somatomotor"}
    assert {test["p_holm"] for test in one["tests"]} == {None}  # the primary test is of the first region
    assert told["asked"]["metric"] == "rsa/robust"


def test_the_first_region_is_compared_with_the_one_asked_for(filled: Path) -> None:
    told = json.loads(asked("network", "--db", filled, "--json", "--region", "somatomotor").stdout)
    assert {test["name"] for test in told["analyses"][0]["tests"]} == {"default - somatomotor"}


def test_the_terminal_says_what_is_lacking_and_what_to_run(filled: Path) -> None:
    done = asked("high-low", "stage", "--db", filled)
    assert done.exit_code == 0
    assert "SIMULATED aut v1" in done.output
    assert "prompt alone - prompt and response" in done.output
    assert "Cannot say:" in done.output
    (line,) = [line for line in done.output.splitlines() if line.startswith("Not to be had yet. high-low")]
    assert line.endswith("--dataset aut@rated=high --dataset aut@rated=low --metric rsa/robust")


def test_what_to_run_can_be_run_whatever_else_there_are_results_of(
    board: Leaderboard, record: Make, people: Make
) -> None:
    eight = people(np.zeros(8))
    board.add(record("lab/model", eight, dataset="deduction", items="all"))  # has no variants
    board.add(record("baseline:person", eight, dataset="deduction", items="all", kind="people"))
    lines = asked("stage", "scaling", "--db", board.path).output.splitlines()
    stage, scaling = (line for line in lines if line.startswith("Not to be had yet."))
    assert "--dataset simulated-creativity --dataset simulated-creativity@stage=response" in stage
    assert "baseline:person" not in scaling
    board.add(record("lab/model", eight, dataset="creativity:mine"))
    (stage,) = [
        line for line in asked("stage", "--db", board.path).output.splitlines() if "to be had" in line
    ]
    assert "--dataset path/to/mine --dataset path/to/mine@stage=response" in stage


def test_whatever_names_hold_a_terminal_and_a_figure_show_it_as_text(
    board: Leaderboard, record: Make, people: Make, tmp_path: Path
) -> None:
    evil = "<script>\x1b[31m$\\bad{$[/bold]\u4e2d"
    rng = np.random.default_rng(0)
    for at, region in enumerate(("default", "somatomotor")):
        layers = {f"layer.{depth}": rng.normal(size=8) for depth in range(3)}
        common: dict[str, Any] = {"region": region, "dataset": evil, "layers": layers}
        board.add(record(f"lab/{evil}", people(rng.normal(at, 1, 8)), **common))
    done = asked("network", "layers", "--db", board.path, "--out", tmp_path / "out")
    assert done.exit_code == 0, done.output
    assert "\x1b" not in done.output
    assert r"<script>\x1b[31m$\bad{$[/bold]" in done.output
    figures = sorted((tmp_path / "out").glob("*.svg"))
    assert len(figures) == 2
    for figure in figures:
        drawn = "".join(ElementTree.parse(figure).getroot().itertext())
        assert r"<script>\x1b[31m$\bad{$" in drawn


def test_a_table_fits_a_narrow_terminal_with_every_number_whole(filled: Path) -> None:
    done = CliRunner().invoke(main, ["analyse", "network", "--db", str(filled)], env={"COLUMNS": "80"})
    rows = [line for line in done.output.splitlines() if re.search(r"-?\d\.\d{3}, -?\d\.\d{3} ", line)]
    assert len(rows) == 6
    assert "95 % interval" in done.output
    assert max(map(len, done.output.splitlines())) <= 80
    assert "mean difference" in done.output


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["scalin"], "'scaling'"),
        (["--region", "defaul"], "'default'"),
        (["--model", "lab/model-9"], "lab/model-"),
        (["--dataset", "autt"], "'aut'"),
        (["--base", "lab/model-9"], "--base"),
        (["--metric", "rsa/rubust"], "rsa/robust"),
    ],
)
def test_what_there_is_not_is_named_with_what_there_is(filled: Path, words: list[str], named: str) -> None:
    done = asked(*words, "--db", filled)
    assert done.exit_code == 2
    assert named in done.output


def test_no_results_and_a_folder_that_cannot_be_made_are_one_sentence(filled: Path, tmp_path: Path) -> None:
    nothing = asked("--db", tmp_path / "none.db")
    assert nothing.exit_code == 1
    assert "There are no results" in nothing.output
    (tmp_path / "file").write_text("")
    done = asked("network", "--db", filled, "--out", tmp_path / "file" / "below")
    assert done.exit_code == 1
    assert "cannot be written" in done.output
