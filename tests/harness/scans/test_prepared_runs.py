"""From files of a scanner to scores: `data prepare`, then `run --dataset FOLDER`."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pandas
import pytest
from click.testing import CliRunner

from brainbench import testing
from brainbench.cli import main as cli
from brainbench.errors import UsageError
from brainbench.plugins import discover, load
from brainbench.progress import SilentReporter
from brainbench.scans.prepare import prepare

CATALOG = load(discover())


@pytest.fixture(scope="module")
def folder(tree: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("prepared") / "mine"
    prepare(tree.job(out), SilentReporter(), name="mine")
    return out


def test_a_prepared_folder_is_a_dataset(folder: Path) -> None:
    dataset = CATALOG.find_dataset(str(folder))
    assert dataset.name == "creativity:mine"
    testing.check_dataset(dataset)
    first = dataset.stimuli(SilentReporter())[0]
    assert (first.id, first.conditions["task"]) == ("create-box", "create")
    assert first.content.startswith("Think about a box. Which unusual things")
    assert [s.name for s in dataset.item_sets] == ["all", "create", "object"]


def test_a_prepared_folder_has_variants_also_with_an_at_sign_in_its_path(
    folder: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "now@take=2" / "mine@take=2"
    shutil.copytree(folder, copy)
    base = CATALOG.find_dataset(str(copy))
    assert base.name == "creativity:mine"
    short = CATALOG.find_dataset(f"{copy}@prompt=short@stage=response")
    assert short.name == "creativity:mine@stage=response@prompt=short"
    told = {**short.identity("default").facts}
    assert (told.pop("variant")["of"], told.pop("variants_version")) == ("creativity:mine", 1)
    assert told == {**base.identity("default").facts, "name": short.name}
    asked = short.stimuli(SilentReporter())
    assert [item.id for item in asked] == [item.id for item in base.stimuli(SilentReporter())]
    assert asked[0].text.startswith("Say in a few words the most unusual thing")
    testing.check_dataset(CATALOG.find_dataset(f"{copy}@rated=high@least=2"))
    with pytest.raises(UsageError, match="There is no dataset called"):
        CATALOG.find_dataset(f"{copy}s@rated=high")


def test_models_are_scored_against_it(folder: Path, tmp_path: Path) -> None:
    words = ["run", "--model", "brainbench/tiny", "--dataset", str(folder), "--metric", "rsa/paper"]
    words += ["--region", "default", "--items", "all", "--no-baselines", "--json"]
    words += ["--db", str(tmp_path / "b.db")]
    done = CliRunner().invoke(cli, words)
    assert done.exit_code == 0, done.output
    (row,) = json.loads(done.stdout)
    assert (row["dataset"], row["simulated"], row["outcome"]) == ("creativity:mine", 1, "scores")
    assert row["participants"] == 3
    assert row["ceiling"] > 0.3  # the same patterns are planted in everybody


def test_a_folder_that_was_touched_or_is_broken_is_refused(folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    stimuli = copy / "stimuli.tsv"
    stimuli.write_text(stimuli.read_text().replace("brick", "trick"))
    dataset = CATALOG.find_dataset(str(copy))
    with pytest.raises(Exception, match=r"stimuli.tsv is not the file"):
        dataset.stimuli(SilentReporter())
    description = copy / "dataset_description.json"
    told = json.loads(description.read_text())
    del told["brainbench"]["people"]
    description.write_text(json.dumps(told))
    with pytest.raises(UsageError, match="is not as `brainbench data prepare` writes it"):
        CATALOG.find_dataset(str(copy))
    with pytest.raises(UsageError, match="does not say where it lies"):
        CATALOG.find_dataset("creativity:mine")
    description.write_text("{}")
    with pytest.raises(UsageError, match="There is no dataset called"):
        CATALOG.find_dataset(str(copy))


def deduction_files(tree: Any, root: Path) -> None:
    """The one person's image as a run of syllogisms, with events like those of OpenNeuro ds003076."""
    func = root / "sub-2001" / "func"
    func.mkdir(parents=True)
    rows: list[dict[str, Any]] = []
    for at in range(8):
        needed, truth = 2 + at % 2, at % 3 > 0
        name = f"{needed}_{str(truth).lower()}_affirm"
        words = {f"premise{n}": f"All {'abcdefgh'[at]}{n}s are b{n}" for n in (1, 2, 3)}
        conclusion = f"All {'abcdefgh'[at]}1s are b3"
        stim = {"stim_file": f"{'abcdefgh'[at]}_{name}.wav", "conclusion": conclusion, **words}
        answer = {"accuracy": 1.0, "response_time": 1.0 + at / 10}
        rows.append({"onset": 28.0 * at, "duration": 12.0, "trial_type": name, **answer, **stim})
        empty = dict.fromkeys(stim, "n/a")
        rows.append({"onset": 28.0 * at + 15, "duration": 3.0, "trial_type": "control", **answer, **empty})
    name = "sub-2001_task-Syllogisms_run-01"
    pandas.DataFrame(rows).to_csv(func / f"{name}_events.tsv", sep="\t", index=False)
    for ending in ("desc-preproc_bold.nii.gz", "desc-preproc_bold.json", "desc-confounds_timeseries.tsv"):
        space = "_space-MNI152NLin2009cAsym" if "preproc" in ending else ""
        shutil.copy(tree.file("2001", ending), func / f"{name}{space}_{ending}")


def test_deduction_is_prepared_from_the_onset_of_the_conclusion(tree: Any, tmp_path: Path) -> None:
    deduction_files(tree, tmp_path / "bids")
    mask = tmp_path / "dr.nii"
    finer = np.diag([7.5, 7.5, 7.5, 1.0])
    finer[:3, 3] = (-80, -110, -60)
    values = np.zeros((24, 28, 20), dtype=np.float32)
    values[8:12, 8:16, 8:12] = 0.7
    nibabel.save(nibabel.Nifti1Image(values, finer), mask)
    words = ["data", "prepare", "deduction", "--bids", tmp_path / "bids", "--out", tmp_path / "out"]
    words += ["--region", f"reasoning={mask}", "--simulated", "--no-report"]
    done = CliRunner().invoke(cli, [str(word) for word in words])
    assert done.exit_code == 0, done.output
    dataset = CATALOG.find_dataset(str(tmp_path / "out"))
    assert dataset.name == "deduction:out"
    assert dataset.simulated
    testing.check_dataset(dataset)
    stimuli = dataset.stimuli(SilentReporter())
    assert len(stimuli) == 8
    assert all(stimulus.conditions["type"] == "syllogism" for stimulus in stimuli)
    assert stimuli[0].content.startswith("Premises:\n1. All a1s are b1.")
    (person,) = dataset.recording("reasoning", SilentReporter()).participants
    assert person.responses.shape == (8, 2 * 4 * 2)
    trials = pandas.read_csv(next((tmp_path / "out").rglob("*_trials.tsv")), sep="\t")
    assert trials["onset"].tolist() == [28.0 * at + 6 for at in range(8)]
    assert trials["duration"].unique().tolist() == pytest.approx([1.35])
    behaviour = dataset.behaviour(SilentReporter())
    assert behaviour is not None
    assert behaviour.correct is not None
    assert behaviour.correct.all()
