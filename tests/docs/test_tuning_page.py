"""docs/fine-tuning.md shows what its script wrote. The answers here are made up: they are shown nowhere."""

from __future__ import annotations

import json
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from benchmarks.tuning_table import ARMS, BY_COUNT, BY_NAME, BY_TYPE, parts, written
from click.testing import CliRunner

from brainbench.cli import main as cli
from brainbench.nouns import ModelOptions
from brainbench.plan import TaskCell
from brainbench.plugins import discover, load
from brainbench.records import Record, Skip
from brainbench.task_scores import TaskItem, TaskScores
from brainbench_leaderboard.store import Leaderboard

ROOT = Path(__file__).parents[2]
tuning = runpy.run_path(str(ROOT / "tests/docs/tuning.py"))
rendered, PAGE, FIGURES = (tuning[name] for name in ("rendered", "PAGE", "FIGURES"))
CATALOG = load(discover())
PROBLEMS, SEEDS = 40, 3
TEXT = """# A page
<!-- commands -->
<!-- end commands -->
<!-- summary -->
<!-- end summary -->
<!-- table: brainbench/tiny | deduction | deduction_3 -->
<!-- end table -->
<!-- table: brainbench/tiny | deduction | deduction_3 | transfer -->
<!-- end table -->
<!-- table: brainbench/tiny | deduction | deduction_3 | extra -->
<!-- end table -->
<!-- alignment -->
<!-- end alignment -->
"""


def told(name: str, role: str, seed: int) -> dict[str, Any]:
    """What a run says of a training."""
    setting = name.partition("@")[2]
    return {
        "fingerprint": f"{name} {seed}",
        "kind": "lora",
        "role": role,
        "looks_at": ["labels"],
        "oracle": False,
        "seen": 0,
        "protocol": "validation",
        "seed": seed,
        "settings": {"setting": setting},
        "fitted": {"dataset": "deduction", "region": "md", "simulated": False, "items": 70, "people": 10},
        "training": {"epochs": 10 + seed, "best_epoch": 5, "seconds": 60.0 + seed, "trained": 8},
        "brain": None
        if name.startswith("label-only")
        else {"cosine": [0.1, 0.2], "cosine_heldout": [0.1, 0.15]},
        "perplexity": {"before": 8.0, "after": 10.0, "tokens": 500, "unit": "token"},
    }


def record(name: str, right: Any, seed: int = 0, role: str = "control") -> Record:
    """A cell of deduction_3; `right` (problems,), half of them syllogisms, or the reason of a skip."""
    outcome: Any = Skip(right) if isinstance(right, str) else None
    if outcome is None:
        kinds = ["syllogism" if at < PROBLEMS / 2 else "transitive" for at in range(PROBLEMS)]
        items = tuple(
            TaskItem(f"{kind}-{at}", f"{kind}-{at}", bool(ok), "True" if ok else "False", "True", "0" * 64)
            for at, (kind, ok) in enumerate(zip(kinds, right, strict=True))
        )
        by = {"type": {"syllogism": 0.5, "transitive": 0.75}}
        outcome = TaskScores(items, by, {"tuning": told(name, role, seed)} if name != "none" else {})
    source = None if name == "none" else CATALOG.datasets.get("deduction")
    change = CATALOG.find_intervention(name)
    cell = TaskCell(
        CATALOG.find_model("brainbench/tiny"),
        ModelOptions(),
        change,
        CATALOG.tasks.get("deduction_3"),
        100,
        source,
    )
    facts = {"task": "deduction_3", "limit": 100, "learnt_from": {"name": "deduction"} if source else None}
    provenance = {"dtype": "float32", "started": "2026-01-01", "seconds": 1.0}
    return Record(cell, f"{name} {seed}", facts, True, outcome, provenance)


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the script would write, of made-up answers: 20 of 40 right untrained, and so many in each arm."""
    database = tmp_path_factory.mktemp("db") / "made_up.db"
    first = np.arange(PROBLEMS)
    arms = {"narf-label": 30, "label-only": 26, "narf-label-random-fmri": 28, "narf-label@extra=64": 36}
    arms |= {"label-only@extra=64": 34, "narf-label@syllogism": 22, "label-only@syllogism": 20}
    with Leaderboard(database) as store:
        store.add(record("none", first % 2 == 0))
        for name, right in arms.items():
            role = "brain" if name.startswith("narf-label") and "fmri" not in name else "control"
            for seed in range(SEEDS):
                store.add(record(name, (first * 7) % PROBLEMS < right + seed - 1, seed, role))
        store.add(record("narf", "Nothing was repaired."))
    found = {"commands": {"real": "brainbench run --model brainbench/tiny"}, **written(database)}
    scored = {"region": "md", "item_set": "all", "metric": "predictivity", "protocol": "paper"}
    found["alignment"] = [
        {**scored, "intervention": name, "score": score}
        for name, score in (("none", 0.1), ("narf-label", 0.2))
    ]
    return json.loads(json.dumps(found))  # type: ignore[no-any-return]


def test_each_arm_is_told_over_its_trainings_beside_label_only_and_its_best_control(
    held: dict[str, Any],
) -> None:
    lines = rendered(TEXT, held).splitlines()
    (row,) = [line for line in lines if line.startswith("| **`narf-label`** | 0.750 ± 0.025")]
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert [cell.partition(" [")[0] for cell in cells[2:5]] == ["+0.250", "+0.100", "+0.050"]
    assert cells[4].endswith("`narf-label-random-fmri`")
    assert cells[5:] == ["11", "61", "0.100 → 0.200", "0.100 → 0.150", "1.25"]
    (alone,) = [line for line in lines if line.startswith("| `label-only` | 0.650")]
    assert alone.split("|")[4:6] == ["  ", "  "]
    assert "As it is: 0.500 [" in lines[lines.index("<!-- end summary -->") + 2]
    assert "`narf`: Nothing was repaired." in lines
    (said,) = [line for line in lines if line.startswith("- `narf-label` trained on `deduction`")]
    assert "over `label-only` in 3 trainings, +0.050" in said
    assert "brainbench run --model brainbench/tiny --db tuning.db" in lines


def test_transfer_more_labels_and_alignment_have_tables_of_their_own(held: dict[str, Any]) -> None:
    lines = rendered(TEXT, held).splitlines()
    rows = [line for line in lines if "`narf-label`** | syllogisms" in line]
    by_type = held["arms"][[arm["intervention"] for arm in held["arms"]].index("narf-label@syllogism")]
    assert len(rows) == 1
    for kind in ("syllogism", "transitive"):
        change = by_type["change_by_type"][kind]
        assert f"{change['difference']:+.3f} [{change['low']:+.3f}, {change['high']:+.3f}]" in rows[0]
    both = [by_type["change_by_type"][kind]["difference"] for kind in ("syllogism", "transitive")]
    assert np.mean(both) == pytest.approx(by_type["against_base"]["difference"])
    assert both[0] != both[1]
    assert [line.split(" [")[0] for line in lines if line.startswith(("| 0 |", "| 64 |"))] == [
        "| 0 | 0.650 ± 0.025 | 0.750 ± 0.025 | +0.100",
        "| 64 | 0.850 ± 0.025 | 0.900 ± 0.025 | +0.050",
    ]
    assert "| md | all | 0.100 |  | 0.200 |" in lines


def test_a_table_of_nothing_is_an_error_and_a_second_rendering_changes_nothing(held: dict[str, Any]) -> None:
    once = rendered(TEXT, held)
    assert rendered(once, held) == once
    with pytest.raises(ValueError, match="deduction_9"):
        rendered(TEXT.replace("deduction_3 -->", "deduction_9 -->"), held)


@pytest.mark.parametrize("part", parts())
def test_everything_that_the_script_runs_exists(part: str) -> None:
    command = parts()[part]
    run = cli.commands["run"]
    context = run.make_context("run", command[1:], resilient_parsing=True)
    for name in context.params["interventions"]:
        assert CATALOG.find_intervention(name).name == name
    for name in context.params["tasks"]:
        assert CATALOG.tasks.get(name).name == name
    for name in context.params["datasets"]:
        assert CATALOG.datasets.get(name).name == name
    assert CliRunner().invoke(cli, [*command, "--help"]).exit_code == 0


def test_the_page_shows_its_figures_and_the_script_s_commands() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "tests/docs/tuning.py"), "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert PAGE.exists() == FIGURES.exists()
    if FIGURES.exists():
        kept = json.loads(FIGURES.read_text())
        assert [name for name in kept["commands"] if name not in BY_NAME] == [
            name for name in parts() if name not in BY_NAME
        ]
        assert "/" not in json.dumps(kept).replace("brainbench/tiny", "").replace("predictivity/paper", "")
        for name in (*ARMS, *BY_TYPE, *BY_COUNT):
            assert f"`{name.partition('@')[0]}`" in PAGE.read_text()
