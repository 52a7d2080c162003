"""Several runs, inherited events, missing sidecars, voxels without signal, and who says what the TR is."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pandas
import pytest

from brainbench.errors import DataError
from brainbench.progress import SilentReporter
from brainbench.scans.files import runs_of
from brainbench.scans.images import open_image, repetition_time
from brainbench.scans.prepare import Prepared, prepare
from brainbench.scans.prepared import PreparedFolder, open_folder
from brainbench.scans.settings import Settings

SPACE = "MNI152NLin2009cAsym"


def prepared(tree: Any, out: Path, settings: Settings | None = None) -> tuple[Prepared, PreparedFolder]:
    done = prepare(tree.job(out, settings), SilentReporter(), name="test")
    folder = open_folder(out)
    assert folder is not None
    return done, folder


def spoil(tree: Any, label: str, where: Any, value: float) -> None:
    path = tree.file(label, "desc-preproc_bold.nii.gz")
    image = nibabel.load(path)
    values = image.get_fdata()
    values[where] = value
    nibabel.save(nibabel.Nifti1Image(values, image.affine, image.header), path)


def test_what_was_shown_in_two_runs_is_told_apart_by_run_and_averaged(one: Any, tmp_path: Path) -> None:
    """A second run with other data; its events are those of the first, inherited from the top folder."""
    func = one.file("2001", "x").parent
    shutil.move(one.file("2001", "events.tsv"), one.root / "task-dt_events.tsv")
    for path in list(func.iterdir()):
        if path.suffix != ".json":
            shutil.copy(path, func / path.name.replace("run-01", "run-02"))
    with pytest.raises(
        DataError, match=r"trials without a row in responses.csv.* in sub-2001_task-dt_run-02"
    ):
        prepared(one, tmp_path / "one")
    table = pandas.read_csv(one.table, keep_default_na=False)
    pandas.concat([table.assign(run=1), table.assign(run="02", response="other")]).to_csv(
        one.table, index=False
    )
    second = func / "sub-2001_task-dt_run-02_space-MNI152NLin2009cAsym_desc-preproc_bold.nii.gz"
    image = nibabel.load(second)
    rng = np.random.default_rng(9)
    noisy = image.get_fdata() + rng.normal(0, 20, image.shape)
    nibabel.save(nibabel.Nifti1Image(noisy, image.affine, image.header), second)
    done, folder = prepared(one, tmp_path / "two")
    assert (done.outcomes[0].trials, done.outcomes[0].dropped, done.stimuli) == (23, 1, 12)
    (person,) = folder.recording("default", lambda steps: None).participants
    assert person.responses.shape == (12, 160)
    rows = folder.trials("sub-2001")
    assert {(row["run"], row["response"][:2]) for row in rows} == {
        ("task-dt_run-01", "as"),
        ("task-dt_run-02", "ot"),
    }
    from safetensors.numpy import load_file

    betas = load_file(next((tmp_path / "two").rglob("*label-default*")))["betas"]
    brick = [at for at, row in enumerate(rows) if row["stimulus_id"] == "object-brick"]
    assert len(brick) == 2
    assert not np.allclose(*betas[brick])
    items = [row["stimulus_id"] for row in folder.stimuli()]
    np.testing.assert_allclose(
        person.responses[items.index("object-brick")], betas[brick].mean(axis=0), rtol=1e-6
    )


def test_who_says_what_the_tr_is(one: Any) -> None:
    def told(settings: Settings | None = None) -> tuple[float, str]:
        (run,) = runs_of(one.root, one.root, "2001", ["dt"], SPACE)
        return repetition_time(run, open_image(run.bold, 4), settings or Settings())

    path, sidecar = (one.file("2001", f"desc-preproc_bold.{ending}") for ending in ("nii.gz", "json"))
    assert told() == (2.0, "sidecar")
    assert told(Settings(tr=1.5)) == (1.5, "given")
    sidecar.unlink()
    assert told() == (2.0, "header")
    image = nibabel.load(path)
    image.header.set_zooms((15, 15, 15, 2500.0))
    image.header.set_xyzt_units("mm", "msec")
    nibabel.save(image, path)
    assert told() == (2.5, "header")
    image.header.set_zooms((15, 15, 15, 0.0))
    nibabel.save(image, path)
    assert told(Settings(fallback_tr=3.0)) == (3.0, "fallback")
    sidecar.write_text('{"RepetitionTime": "two"}')
    with pytest.raises(DataError, match="'two' as RepetitionTime"):
        told()


def test_a_tr_that_nobody_tells_is_said(one: Any, tmp_path: Path) -> None:
    one.file("2001", "desc-preproc_bold.json").write_text("{}")
    path = one.file("2001", "desc-preproc_bold.nii.gz")
    image = nibabel.load(path)
    image.header.set_zooms((15, 15, 15, 0.0))
    nibabel.save(image, path)
    done, _ = prepared(one, tmp_path)
    assert done.outcomes[0].notes == (
        "sub-2001_task-dt_run-01: neither sidecar nor header tells the TR; 2 s is assumed.",
    )


def test_voxels_are_compared_where_everybody_has_a_signal(make_tree: Any, tmp_path: Path) -> None:
    tree = make_tree(("2001", "2002"))
    spoil(tree, "2001", np.s_[2:4, 3, 3], 0.0)
    spoil(tree, "2002", np.s_[3:5, 3, 3, 7], np.nan)
    _, folder = prepared(tree, tmp_path)
    people = folder.recording("default", lambda steps: None).participants
    assert [person.responses.shape[1] for person in people] == [157, 157]
    assert [
        p.responses.shape[1] for p in folder.recording("somatomotor", lambda steps: None).participants
    ] == [80, 80]
    spoil(tree, "2001", np.s_[2:4, 3:6], 0.0)
    spoil(tree, "2002", np.s_[4:6, 3:10], 0.0)
    _, folder = prepared(tree, tmp_path)
    with pytest.raises(DataError, match="have a signal in everybody; fewest in sub-2002"):
        folder.recording("default", lambda steps: None)


def test_smoothing_and_the_slice_time_change_betas(tree: Any, tmp_path: Path) -> None:
    made = []
    for at, settings in enumerate((Settings(), Settings(smoothing=20), Settings(slice_time_ref=0.5))):
        prepare(tree.job(tmp_path / str(at), settings), SilentReporter(), name="x", only=["2001"])
        folder = open_folder(tmp_path / str(at))
        assert folder is not None
        made.append(folder.recording("default", lambda steps: None).participants[0].responses)
    roughness = [np.abs(np.diff(one, axis=1)).mean() / np.abs(one).mean() for one in made]
    assert roughness[1] < roughness[0]
    assert 0.01 < np.abs(made[2] - made[0]).std() / made[0].std() < 0.9
