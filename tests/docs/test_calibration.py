"""docs/calibration.md says what the simulations found, and the simulations are those of the code as it is."""

from __future__ import annotations

import importlib
import json
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
FOLDER, PAGE = ROOT / "docs/calibration", ROOT / "docs/calibration.md"
SCRIPTS: dict[str, tuple[str, ...]] = {
    "rsa_null": ("rsa_null.png", "rsa_layers.png"),
    "predictivity_null": ("predictivity_null.png",),
    "analyses_null": (),
    "ranks_null": (),
}
DRAWN = [name for name, plots in SCRIPTS.items() if plots]
FIRST = {  # runs of which the first repetition is made again
    "rsa_null": ("16 layers", "simulated-deduction-nuisance, reasoning, all"),
    "predictivity_null": ("simulated-deduction-null, reasoning, all, 10 people", "share 0.04", "columns 3"),
    "analyses_null": ("alike by size",),
    "ranks_null": ("equal: people missing", "planted: three groups of 4, 4 apart, and one model far away"),
}
ROUNDING = 0.011  # other processors add up in another order; of 99 shuffles, one may change its side


def script_of(name: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(ROOT)
    return importlib.import_module(f"benchmarks.{name}")


def held(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text())
    return found


def test_the_page_shows_what_the_files_hold() -> None:
    check = [sys.executable, str(ROOT / "tests/docs/calibration.py"), "--check"]
    done = subprocess.run(check, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", SCRIPTS)
def test_the_figures_are_those_of_the_code_as_it_is(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    script, kept = script_of(name, monkeypatch), held(name)
    settings = json.loads(json.dumps(script.SETTINGS))
    assert settings.keys() == kept["settings"].keys()
    for key in settings.keys() - {"versions"}:  # the page says which; another may give the same numbers
        assert settings[key] == kept["settings"][key], f"python -m benchmarks.{name}"
    draws = script.draws()
    assert set(kept["runs"]) == set(draws)
    for run in FIRST[name]:
        again = {column: float(value) for column, value in draws[run](0).items() if value is not None}
        shown = {column: float(kept["runs"][run][column][0]) for column in again}
        assert again == pytest.approx(shown, abs=ROUNDING), f"{run}: python -m benchmarks.{name}"


@pytest.mark.parametrize("name", SCRIPTS)
def test_the_summary_follows_from_the_repetitions(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    script, kept = script_of(name, monkeypatch), held(name)
    for part, rows in script.summaries(kept["runs"]).items():
        for made, shown in zip(rows, kept["summary"][part], strict=True):
            assert made.keys() == shown.keys()
            for key in made.keys() - {"name"}:
                assert made[key] == pytest.approx(shown[key], rel=1e-4, abs=1e-9), f"{shown['name']}: {key}"


def test_links_on_the_page_lead_to_files() -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", PAGE.read_text()):
        assert (PAGE.parent / target).exists(), target


def test_every_plot_is_on_the_page_and_small() -> None:
    shown = re.findall(r"!\[[^]]+\]\(calibration/([\w.]+)\)", PAGE.read_text())
    assert sorted(shown) == sorted(plot for plots in SCRIPTS.values() for plot in plots)
    for plot in shown:
        assert (FOLDER / plot).stat().st_size < 100_000


def test_what_the_page_says_of_rsa_follows_from_its_figures() -> None:
    kept = held("rsa_null")["summary"]
    (null,) = kept["null"]
    assert null["repetitions"] >= 200
    assert null["paper_lowest"] > 0, "`paper` was above zero in every repetition"
    assert null["robust_low"] < 0 < null["robust_high"]
    paper, highest, robust = kept["trend"]
    assert paper["slope_low"] > 0
    assert highest["slope_low"] > 0
    assert robust["slope_low"] < 0 < robust["slope_high"]
    for row in kept["layers"]:
        assert row["rejected_low"] <= 0.05 <= row["rejected_high"], row["name"]
    for row in kept["known"]:
        assert row["paper"] > 0.7
        if row["name"].startswith(("simulated-deduction-", "simulated-creativity-")):  # null and nuisance
            assert row["rejected_low"] <= 0.05, row["name"]
        if "nuisance" in row["name"]:
            assert row["aggregate_low"] > 0.05
            assert row["robust_low"] < 0 < row["robust_high"]
        assert ("aggregate" in row) == row["name"].endswith("all")


def test_what_the_page_says_of_predictivity_follows_from_its_figures() -> None:
    kept = held("predictivity_null")["summary"]
    for row in kept["cases"]:
        if any(word in row["name"] for word in ("null", "control", "nuisance", "lack")):
            assert row["rejected_low"] <= 0.05, f"{row['name']}: rejected above the level"
            assert row["robust_low"] < 0.005
            assert row["paper_low"] > 0
        if "nuisance" in row["name"]:
            assert row["paper_low"] > 0.2
    power = {row["percent"]: row for row in kept["power"]}
    assert power[2]["rejected_high"] < 0.5 < power[4]["rejected_low"]
    assert max(power[3]["covered"], power[4]["covered"]) < 0.9
    assert kept["columns"][0]["paper_low"] > 0
    for row in kept["columns"]:
        assert row["pooled_high"] < -0.2


def test_what_the_page_says_of_analyses_follows_from_its_figures() -> None:
    kept = {
        world: {row["name"]: row for row in rows} for world, rows in held("analyses_null")["summary"].items()
    }
    for rows in kept.values():
        for row in rows.values():
            assert row["shown_low"] <= 0.05, f"{row['name']}: shown above the level"
            assert row["value_low"] <= 0 <= row["value_high"] or abs(row["value"]) < 0.1, row["name"]
    alike = kept["alike_by_size"]
    for name in ("scaling: size", "originality", "network, over models"):
        assert alike[name]["rejected_low"] > 0.1, "p over models alone raises alarms"
        assert alike[name]["shown"] < 0.07
    assert kept["shared_by_all"]["network, over models"]["rejected_low"] > 0.3
    assert kept["shared_by_all"]["task-control"]["rejected_low"] > 0.2
    assert kept["shared_by_all"]["task-control"]["holds"] > 0.88


def test_what_the_page_says_of_ranks_follows_from_its_figures() -> None:
    kept = held("ranks_null")["summary"]
    for row in kept["equal"]:
        assert row["tables"] >= 1000
        if row["name"] in ("skewed and unequal", "skewed, one six times as noisy"):
            assert 0.05 < row["alarm_low"] < row["alarm_high"] <= 0.1
            assert 0.07 < row["alarm"] < 0.09, "about 8 of 100, says the page"
        else:
            assert row["alarm_low"] <= 0.05, f"{row['name']}: told apart above the level"
    planted = {row["name"]: row for row in kept["planted"]}
    for row in planted.values():
        assert row["alarm_low"] <= 0.05, row["name"]
        assert row["reversed"] == 0, row["name"]
    found = {name: row["found"] for name, row in planted.items()}
    assert found["one of 12 better by 1"] < 0.15
    assert found["one of 12 better by 3"] > 0.95
    assert abs(found["three groups of 4, 4 apart, and one model far away"] - 1) < 0.02
    assert found["two groups of 50, 2 apart"] < found["three groups of 4, 2 apart"]
    assert found["three groups of 4, 2 apart"] < found["three groups of 4, 2 apart, 20 people"]


@pytest.mark.parametrize("name", DRAWN)
def test_a_run_goes_on_where_it_stopped_and_is_drawn(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("matplotlib")
    script = script_of(name, monkeypatch)
    for number, few in {"PEOPLE": 12, "OBJECTS": 12, "VOXELS": 20}.items() if name == "rsa_null" else ():
        monkeypatch.setattr(script, number, few)
    script.main(1, tmp_path)
    file = tmp_path / f"{name}.json"
    first = json.loads(file.read_text())["runs"]
    script.main(2, tmp_path)
    second = json.loads(file.read_text())["runs"]
    assert {run: {key: values[:1] for key, values in of.items()} for run, of in second.items()} == first
    assert all(len(values) == 2 for of in second.values() for values in of.values())
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([file.name, *SCRIPTS[name]])
    assert "SIMULATED" in capsys.readouterr().out


def test_a_file_made_with_other_settings_is_not_gone_on_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repetitions = script_of("repetitions", monkeypatch)
    file = tmp_path / "x.json"
    repetitions.Kept({"people": 3}, file).repeat(2, {"a": lambda seed: {"value": seed / 3}})
    assert repetitions.Kept({"people": 3}, file).runs == {"a": {"value": [0.0, 0.333333]}}
    other = repetitions.Kept({"people": 4}, file)
    other.repeat(2, {"a": lambda seed: {"value": 1.0}})  # all there: nothing to refuse
    with pytest.raises(SystemExit, match="other settings"):
        other.repeat(3, {"a": lambda seed: {"value": 1.0}})
