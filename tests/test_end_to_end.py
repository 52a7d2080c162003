"""The command itself, in processes of its own, with a real model on the real data."""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.real
TESTS = Path(__file__).parent
Start = Callable[..., "subprocess.Popen[str]"]
NOISE = ("--model", "baseline:noise@56", "--model", "baseline:noise+type@56")
PAPER = ("--metric", "predictivity/paper")  # the one that is fast and whose numbers were published
ROBUST = ("--region", "deductive_reasoning", "--metric", "predictivity/robust", "--metric", "rsa/robust")
QUICK = ("--region", "deductive_reasoning", "--no-baselines", *PAPER)


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One cache of fetched files for all of these tests: fetching itself is tested elsewhere."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def start(mirror: Path, cache: Path) -> Start:
    """Start `brainbench ...` with its own results file."""

    def start(*arguments: str, db: Path, **more: str) -> subprocess.Popen[str]:
        places = {"BRAINBENCH_MIRROR": str(mirror), "BRAINBENCH_CACHE": str(cache), "BRAINBENCH_DB": str(db)}
        return subprocess.Popen(
            [sys.executable, "-m", "brainbench", *arguments],
            env={**os.environ, **places, "HF_HUB_OFFLINE": "1", **more},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return start


def finish(process: subprocess.Popen[str], code: int = 0) -> tuple[str, str]:
    out, err = process.communicate(timeout=900)
    assert process.returncode == code, err
    return out, err


def rows(db: Path, query: str) -> list[tuple[Any, ...]]:
    connection = sqlite3.connect(db)
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


def contents(db: Path) -> list[tuple[Any, ...]]:
    """Everything in the database but row numbers, times and the checkout's commit."""
    assert rows(db, "PRAGMA integrity_check") == [("ok",)]
    assert rows(db, "PRAGMA foreign_key_check") == []
    timeless = "json_remove(provenance, '$.started', '$.seconds', '$.features_seconds', '$.git_commit')"
    found = rows(
        db,
        f"""SELECT fingerprint, resolved, kind, outcome, model, revision, intervention, seed, dataset, region,
        item_set, metric, protocol, score, spread, best_layer, details, facts, {timeless} FROM records""",
    )
    found += rows(
        db,
        """SELECT r.fingerprint, l.position, l.layer, l.score, l.spread, l.unscored
        FROM layer_scores l JOIN records r ON r.id = l.record_id""",
    )
    found += rows(
        db,
        """SELECT r.fingerprint, p.position, p.participant, p.score
        FROM participant_scores p JOIN records r ON r.id = p.record_id""",
    )
    return sorted(found, key=repr)


def test_a_real_model_is_scored_on_the_real_data_and_only_once(
    start: Start, real_model: Path, tmp_path: Path
) -> None:
    db = tmp_path / "b.db"
    command = (
        "run",
        "--model",
        str(real_model),
        "--model",
        f"untrained:{real_model}",
        *NOISE,
        "--dataset",
        "deduction",
        *PAPER,
    )
    out, err = finish(start(*command, db=db))
    assert "126 cells: 126 computed, 0 were there, 0 failed" in err
    assert "stories260k" in out
    layers, people = 10, 10  # attention and layer output of five layers
    scored = "SELECT count(*) FROM records WHERE kind = '{}' AND outcome = 'scores' AND {}"
    assert rows(db, scored.format("score", "model LIKE '%stories260k'")) == [(18,)]
    types_do_not_vary = 6  # within one type, in three regions
    assert rows(db, scored.format("score", "model LIKE 'baseline:%'")) == [(11 * 9 - types_do_not_vary,)]
    assert rows(db, scored.format("ceiling", "1")) == [(9,)]
    per_person = """SELECT count(*) FROM participant_scores p JOIN records r ON r.id = p.record_id
        WHERE r.kind = 'score' AND r.model LIKE '%stories260k'"""
    assert rows(db, per_person) == [(18 * layers * people,)]
    before = contents(db)
    _, err = finish(start(*command, db=db))
    assert "0 computed, 126 were there" in err
    assert contents(db) == before
    check_board(json.loads(finish(start("board", "--json", db=db))[0]))
    finish(start(*command[:5], *ROBUST, db=db))
    tables = [sys.executable, str(TESTS / "docs/result_tables.py"), "--check", str(db)]
    readme = subprocess.run(tables, capture_output=True, text=True, check=False)
    assert readme.returncode == 0, f"a table of the README is not what was just measured: {readme.stdout}"


def check_board(board: list[dict[str, Any]]) -> None:
    """Known ceilings, identities and marks of the real run."""
    shown = {(row["region"], row["item_set"]): row for row in board if row["model"] == "stories260k"}
    main = shown["deductive_reasoning", "all"]
    assert main["revision"].startswith("sha256:")
    for items, ceiling in (("all", 0.2567), ("syllogism", 0.2987), ("transitive", 0.2802)):
        assert shown["deductive_reasoning", items]["ceiling"] == pytest.approx(ceiling, abs=1e-3)
    assert not main["simulated"]
    assert "maximum" in main["choice"]
    assert {row["rank"] for row in board if not row["baseline"]} == {1}
    assert {row["rank"] for row in board if row["baseline"]} == {None}
    assert main["above"] == "baseline:type"  # one bit reaches more than the model
    assert main["above_by"] == pytest.approx(main["score"] - 0.1987, abs=1e-4)
    assert main["above_low"] is None  # a difference of medians


def test_kill_9_at_random_moments_then_a_resume_ends_like_an_undisturbed_run(
    start: Start, real_model: Path, tmp_path: Path
) -> None:
    command = ("run", "--model", str(real_model), *QUICK)
    began = time.monotonic()
    finish(start(*command, db=tmp_path / "whole.db"))
    whole = time.monotonic() - began
    expected = contents(tmp_path / "whole.db")
    moments = random.Random(time.time_ns())
    found = []
    for attempt in range(10):
        db = tmp_path / f"killed{attempt}.db"
        process = start(*command, db=db)
        moment = moments.uniform(0.3, 1.0) * whole  # before that, Python is still importing
        time.sleep(moment)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        kept = len(rows(db, "SELECT 1 FROM records")) if db.exists() else 0
        found.append(kept)
        _, err = finish(start(*command, db=db))
        assert f"6 cells: {6 - kept} computed, {kept} were there" in err, f"killed after {moment:.2f} s"
        assert contents(db) == expected, f"killed after {moment:.2f} s with {kept} cells kept"
    # Of ten moments spread over two thirds of the run some must have hit it between its cells.
    assert any(0 < kept < 6 for kept in found), f"cells kept at each kill: {found}"


def test_ctrl_c_keeps_what_is_finished_and_says_so(start: Start, real_model: Path, tmp_path: Path) -> None:
    db = tmp_path / "b.db"
    process = start("run", "--model", str(real_model), *QUICK, db=db)
    assert process.stderr is not None
    assert "done" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    _, err = finish(process, code=130)
    assert "Stopped" in err
    assert "Traceback" not in err
    kept = len(rows(db, "SELECT 1 FROM records"))
    assert kept >= 1
    _, err = finish(start("run", "--model", str(real_model), *QUICK, db=db))
    assert f"{kept} were there" in err


def test_ctrl_c_before_anything_is_computed_is_no_failed_cell(
    start: Start, real_model: Path, tmp_path: Path
) -> None:
    process = start("run", "--model", str(real_model), *QUICK, db=tmp_path / "b.db")
    deadline = time.monotonic() + 60
    while not (tmp_path / "b.db").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, err = finish(process, code=130)
    assert "Stopped" in err
    assert "Traceback" not in err


def test_output_to_a_pipe_that_closes_or_a_terminal_without_unicode_is_no_disaster(
    start: Start, tmp_path: Path
) -> None:
    with start("list", db=tmp_path / "b.db") as closing:
        assert closing.stdout is not None
        assert closing.stderr is not None
        closing.stdout.close()
        assert "Traceback" not in closing.stderr.read()
    out, _ = finish(start("list", db=tmp_path / "b.db", PYTHONIOENCODING="ascii"))
    assert "predictivity" in out


def test_two_runs_at_once_on_one_database_both_finish_and_lose_nothing(
    start: Start, real_model: Path, tmp_path: Path
) -> None:
    db, alone = tmp_path / "shared.db", tmp_path / "alone.db"
    twins = [start("run", "--model", str(real_model), *QUICK, db=db) for _ in range(2)]
    other = start("run", "--model", f"untrained:{real_model}", *QUICK, "--no-ceiling", db=db)
    for process in (*twins, other):
        finish(process)
    finish(start("run", "--model", str(real_model), *QUICK, db=alone))
    finish(start("run", "--model", f"untrained:{real_model}", *QUICK, "--no-ceiling", db=alone))
    assert contents(db) == contents(alone)


@pytest.fixture(scope="session")
def third_party(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which the example plugin and the broken one are installed."""
    folder = tmp_path_factory.mktemp("site")
    pip = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "--no-index",
    ]
    for name in ("example_plugin", "broken_plugin"):
        subprocess.run([*pip, "--target", str(folder), str(TESTS / name)], check=True, capture_output=True)
    return folder


def test_a_third_partys_plugin_is_discovered_run_and_ranked_beside_a_broken_one(
    start: Start, real_model: Path, third_party: Path, tmp_path: Path
) -> None:
    db, path = tmp_path / "b.db", {"PYTHONPATH": str(third_party)}
    out, err = finish(start("list", db=db, **path))
    assert "brainbench-example 0.3.0" in out
    assert "a_library_that_was_renamed" in err
    assert "already registered by 'predictivity' of brainbench" in err
    models = ("--model", str(real_model), "--model", "example/letter-counts", "--metric", "mean-correlation")
    out, err = finish(start("run", *models, *QUICK, "--items", "all", "--no-ceiling", db=db, **path))
    assert "4 cells: 4 computed" in err
    assert "warning: Plugin 'broken' of brainbench-broken" in err
    out, _ = finish(start("board", "--json", db=db, **path))
    ranks = {(row["metric"], row["model"]): row["rank"] for row in json.loads(out)}
    for metric in ("predictivity", "mean-correlation"):
        assert sorted(rank for (name, _), rank in ranks.items() if name == metric) == [1, 2]
    off = {**path, "BRAINBENCH_DISABLE_PLUGINS": "broken,copycat"}
    _, err = finish(start("list", db=db, **off))
    assert err == ""


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("run", "--model", "stories", "--dataset", "deducton"), "Did you mean 'deduction'?"),
        (("run", "--model", "a b c", "--dataset", "deduction"), "no model called 'a b c'"),
        (("run", "--model", "{model}", "--region", "langage"), "Did you mean 'language'?"),
        (("run", "--model", "{model}", "--items", "some"), "Known: "),
        (("run", "--model", "{model}", "--metric", "rsaa"), "no metric called 'rsaa'"),
        (("run", "--model", "{model}", "--intervention", "steer"), "no intervention called 'steer'"),
        (("run", "--model", "{model}", "--dtype", "float8"), "--dtype"),
        (("run", "--model", "{model}", "--batch-size", "0"), "--batch-size"),
        (("run", "--model", "brainbench/tiny@main"), "comes with brainbench and has no revisions"),
        (("list", "brains"), "brains"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_a_wrong_argument_is_one_sentence_and_nothing_is_run(
    start: Start, real_model: Path, tmp_path: Path, arguments: tuple[str, ...], says: str
) -> None:
    db = tmp_path / "b.db"
    _, err = finish(start(*(a.format(model=real_model) for a in arguments), db=db), code=2)
    assert says in " ".join(err.split())
    assert "Traceback" not in err
    assert not db.exists()


def test_a_model_that_is_not_there_fails_its_cells_and_not_the_others(
    start: Start, real_model: Path, tmp_path: Path
) -> None:
    db, missing = tmp_path / "b.db", str(tmp_path / "no-such-model")
    models = ("--model", missing, "--model", str(real_model))
    _, err = finish(start("run", *models, *QUICK, "--items", "all", "--no-ceiling", db=db), code=1)
    assert "no-such-model" in err
    assert "Traceback" not in err
    assert "2 cells: 1 computed, 0 were there, 1 failed" in err
    assert rows(db, "SELECT outcome FROM records ORDER BY outcome") == [("failure",), ("scores",)]


def test_missing_data_is_a_failure_with_the_way_out(start: Start, real_model: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    places = {"BRAINBENCH_MIRROR": str(tmp_path / "empty"), "BRAINBENCH_CACHE": str(tmp_path / "cache")}
    _, err = finish(start("run", "--model", str(real_model), *QUICK, db=tmp_path / "b.db", **places), code=1)
    assert "BRAINBENCH_MIRROR" in err
    assert "Traceback" not in err
    assert rows(tmp_path / "b.db", "SELECT DISTINCT outcome, phase FROM records") == [("failure", "data")]
