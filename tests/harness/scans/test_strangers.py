"""What strangers do: another dataset's folder as --out, files that are none, killed parents, odd names."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from filelock import FileLock

from brainbench.errors import DataError, UsageError
from brainbench.progress import SilentReporter
from brainbench.scans.estimate import single_trial_betas
from brainbench.scans.files import Run
from brainbench.scans.person import with_durations
from brainbench.scans.prepare import prepare
from brainbench.scans.responses import Answer
from brainbench.scans.settings import CONFOUNDS, DEDUCTION, Settings


def test_a_folder_holds_one_experiment_and_one_process_at_a_time(tree: Any, tmp_path: Path) -> None:
    job = tree.job(tmp_path)
    prepare(job, SilentReporter(), name="one", only=["2001"])
    with pytest.raises(UsageError, match="holds another dataset"):
        prepare(replace(job, study=DEDUCTION), SilentReporter(), name="two")
    lock = FileLock(tmp_path / ".lock")
    with lock, pytest.raises(UsageError, match="Another process prepares"):
        prepare(job, SilentReporter(), name="one", only=["2001"])
    assert prepare(job, SilentReporter(), name="one", only=["2001"]).stimuli == 12


@pytest.mark.parametrize("name", ["dataset_description.json", "participants.tsv"])
def test_a_folder_of_another_dataset_is_left_alone(tree: Any, tmp_path: Path, name: str) -> None:
    theirs = {"dataset_description.json": '{"Name": "raw"}', "participants.tsv": "participant_id\tage\n"}[
        name
    ]
    (tmp_path / name).write_text(theirs)
    with pytest.raises(UsageError, match="holds another dataset"):
        prepare(tree.job(tmp_path), SilentReporter(), name="x", only=["2001"])
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [(name, theirs)]


def test_a_reason_tells_no_place_of_the_machine(make_tree: Any, tmp_path: Path) -> None:
    tree = make_tree(("2001", "2002"))
    tree.file("2001", "desc-preproc_bold.nii.gz").write_bytes(b"")
    done = prepare(tree.job(tmp_path), SilentReporter(), name="x")
    assert "cannot be read as an image" in done.outcomes[0].reason
    assert str(tree.root) not in (tmp_path / "participants.tsv").read_text()


def test_the_mean_response_is_that_of_a_tasks_runs(tree: Any, tmp_path: Path) -> None:
    runs = []
    for name, seconds in (("a_run-1", (1.0, 1.0, 9.0)), ("a_run-2", (3.0, 9.0, 9.0)), ("b_run-1", (5.0,))):
        path = tmp_path / f"{name}_events.tsv"
        rows = [f"{at}\t1\tcreate\t{s}\t{int(s < 9)}\n" for at, s in enumerate(seconds)]
        path.write_text("onset\tduration\ttrial_type\tresponse_time\taccuracy\n" + "".join(rows))
        runs.append(Run(name, {"task": name[0]}, path, None, path, path))
    job = tree.job(tmp_path, Settings(duration="mean-response"))
    assert [one.settings.duration for one in with_durations(job, runs)] == [2.0, 2.0, 5.0]
    path.write_text(path.read_text().replace("5.0", "n/a"))
    with pytest.raises(DataError, match="task-b has no right answer"):
        with_durations(job, runs)
    plain = replace(job, settings=Settings())
    assert with_durations(plain, runs) == [plain] * 3


def test_a_trial_whose_response_is_not_in_the_run_is_named() -> None:
    x = np.random.default_rng(0).normal(size=(50, 3))
    x[:, 2] = 0
    x[-1, 2] = 1e-9  # what rounding leaves of a trial in the last volume
    with pytest.raises(DataError, match="trial 3 of 3"):
        single_trial_betas(x @ np.ones((3, 2)), x, np.ones((50, 1)), method="lsa", noise="ols")


def test_no_process_outlives_a_killed_parent(tree: Any, tmp_path: Path) -> None:
    given = {"--bids": tree.root, "--responses": tree.table, "--out": tmp_path, "--atlas": tree.atlas}
    words = [
        sys.executable,
        "-m",
        "brainbench",
        "data",
        "prepare",
        "creativity",
        "--no-report",
        "--jobs",
        "2",
    ]
    words += [str(word) for pair in given.items() for word in pair]
    running = subprocess.Popen(
        words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        while not list(tmp_path.rglob("*_betas.json")) and running.poll() is None:
            time.sleep(0.005)
        running.kill()
        running.wait()
        deadline = time.monotonic() + 5
        while _alive(running.pid) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not _alive(running.pid)
    finally:
        if _alive(running.pid):
            os.killpg(running.pid, signal.SIGKILL)


def _alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def test_names_with_dollars_are_no_formulas(one: Any, tmp_path: Path) -> None:
    one.rewrite(
        one.file("2001", "events.tsv"),
        lambda frame: frame.assign(trial_type=frame.trial_type.replace("cue", r"$\x$")),
    )
    prepare(replace(one.job(tmp_path), report=True), SilentReporter(), name="x")
    assert json.loads((tmp_path / "dataset_description.json").read_text())["Name"] == "x"


def test_a_rating_is_the_mean_of_those_who_rated() -> None:
    assert Answer("x", (1.0, float("nan"), 4.0, float("nan"))).rating == 2.5
    assert np.isnan(Answer("x", (float("nan"),)).rating)


def test_the_defaults_are_those_of_the_paper() -> None:
    made = Settings()
    assert (made.method, made.noise, made.hrf, made.drift) == ("lsa", "ar1", "spm", "cosine")
    assert (made.high_pass, made.scaling, made.smoothing, made.fallback_tr) == (0.009, "zscore", 0.0, 2.0)
    assert len(CONFOUNDS) == 18
