"""Preparing everybody: what is written, resumed after a kill, and refused with a sentence."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from click.testing import CliRunner, Result

from brainbench.cli import main as cli
from brainbench.errors import DataError, UsageError
from brainbench.progress import SilentReporter
from brainbench.scans.files import sha256_of
from brainbench.scans.prepare import Prepared, default_name, prepare
from brainbench.scans.prepared import PreparedFolder, open_folder
from brainbench.scans.regions import Region, parse_region
from brainbench.scans.settings import Settings
from brainbench.scans.tables import read_table

DAMAGES: dict[str, tuple[Callable[[Any], object], str]] = {}


def prepared(tree: Any, out: Path, settings: Settings | None = None, **more: Any) -> Prepared:
    return prepare(tree.job(out, settings), SilentReporter(), name="test", **more)


def hashes(out: Path) -> dict[str, str]:
    return {str(p.relative_to(out)): sha256_of(p) for p in sorted(out.rglob("*")) if p.is_file()}


def opened(out: Path) -> PreparedFolder:
    folder = open_folder(out)
    assert folder is not None
    return folder


def command(tree: Any, out: Path, *more: str) -> list[str]:
    given = {"--bids": tree.root, "--responses": tree.table, "--out": out, "--atlas": tree.atlas}
    return ["data", "prepare", "creativity", *(str(w) for pair in given.items() for w in pair), *more]


def invoked(tree: Any, out: Path, *more: str) -> Result:
    return CliRunner().invoke(cli, command(tree, out, *more))


def test_a_folder_holds_betas_trials_and_how_they_were_made(tree: Any, tmp_path: Path) -> None:
    done = prepared(tree, tmp_path)
    assert [(o.person, o.trials, o.dropped) for o in done.outcomes] == [
        ("2001", 12, 0),
        ("2002", 12, 0),
        ("2003", 11, 1),
    ]
    folder = opened(tmp_path)
    assert (folder.name, folder.study, folder.simulated) == ("test", "creativity", True)
    assert folder.regions == ("default", "frontoparietal", "somatomotor")
    recording = folder.recording("default", lambda steps: None)
    assert [p.responses.shape for p in recording.participants] == [(12, 160), (12, 160), (11, 160)]
    assert recording.items[0] == "create-box"
    assert recording.items[5] == "create-sock"
    assert 5 not in recording.participants[2].present
    rows = folder.trials("sub-2003")
    table = read_table(tree.table)
    for row in rows:  # by id: the table's order is another
        (told,) = [
            t
            for t in table
            if (t["id"], t["condition"], t["stimuli"].lower()) == ("2003", row["condition"], row["shown"])
        ]
        assert row["rater2"] in {"n/a", told["rater2"], f"{float(told['rater2'] or 'nan'):g}"}
    rated = folder.behaviour().rating
    assert rated is not None
    at = next(i for i, r in enumerate(rows) if r["condition"] == "create")
    marks = [float(rows[at][f"rater{n}"]) for n in (1, 2, 3, 4)]
    assert rated[2, recording.items.index(rows[at]["stimulus_id"])] == np.mean(marks)
    sidecar = json.loads(next(tmp_path.rglob("sub-2001*_betas.json")).read_text())
    assert sidecar["inputs"]["settings"]["hrf"] == "spm"
    assert len(sidecar["inputs"]["files"]) == 4
    assert str(tmp_path) not in json.dumps(sidecar)


def test_items_lie_at_the_trial_that_showed_them(tree: Any, tmp_path: Path) -> None:
    """Patterns of the same object correlate between people, and only those."""
    prepared(tree, tmp_path, only=["2001", "sub-2002"])
    recording = opened(tmp_path).recording("frontoparietal", lambda steps: None)
    a, b = (person.responses for person in recording.participants)
    r = np.corrcoef(a, b)[:12, 12:]
    assert np.diag(r).min() > 0.5
    assert r[~np.eye(12, dtype=bool)].max() < np.diag(r).min()


def test_nothing_is_computed_twice_and_what_changed_is(make_tree: Any, tmp_path: Path) -> None:
    tree = make_tree(("2001", "2002"))
    prepared(tree, tmp_path)
    before = hashes(tmp_path)
    assert all(outcome.reused for outcome in prepared(tree, tmp_path).outcomes)
    assert hashes(tmp_path) == before
    tree.rewrite(
        tree.file("2002", "desc-confounds_timeseries.tsv"), lambda frame: frame.assign(csf=frame["trans_x"])
    )
    same, other = prepared(tree, tmp_path).outcomes
    assert (same.reused, other.reused, other.reason) == (True, False, "")
    assert "Matrix is singular" in other.notes[0]  # what nilearn says of the design is passed on
    next(tmp_path.rglob("sub-2001*label-default*")).write_bytes(b"torn")
    with pytest.raises(DataError, match="not the file that"):
        opened(tmp_path).recording("default", lambda steps: None)
    assert [o.reused for o in prepared(tree, tmp_path).outcomes] == [False, True]
    assert not any(o.reused for o in prepared(tree, tmp_path, Settings(noise="ols")).outcomes)
    identity = opened(tmp_path).hashes("default")
    prepared(tree, tmp_path)
    assert opened(tmp_path).hashes("default") != identity


def test_a_killed_run_goes_on_and_ends_as_if_nothing_had_been(tree: Any, tmp_path: Path) -> None:
    words = [sys.executable, "-m", "brainbench", *command(tree, tmp_path / "killed", "--no-report")]
    running = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not list((tmp_path / "killed").rglob("*_betas.json")) and time.monotonic() < deadline:
        time.sleep(0.005)
    running.send_signal(signal.SIGKILL)
    running.wait()
    assert open_folder(tmp_path / "killed") is None or running.returncode == 0
    done = prepared(tree, tmp_path / "killed")
    assert done.outcomes[0].reused
    prepared(tree, tmp_path / "whole")
    left = {name: sha for name, sha in hashes(tmp_path / "killed").items() if "/." not in name}
    assert left == hashes(tmp_path / "whole")


def test_several_processes_change_no_byte(make_tree: Any, tmp_path: Path) -> None:
    tree = make_tree(("2001", "2002"))
    for jobs in (1, 2):
        prepared(tree, tmp_path / str(jobs), jobs=jobs)
    assert hashes(tmp_path / "1") == hashes(tmp_path / "2")


def damage(sentence: str) -> Callable[[Callable[[Any], object]], Callable[[Any], object]]:
    def keep(spoil: Callable[[Any], object]) -> Callable[[Any], object]:
        DAMAGES[spoil.__name__] = (spoil, sentence)
        return spoil

    return keep


@damage("lacks the columns csf, csf_derivative1")
def no_csf(tree: Any) -> None:
    path = tree.file("2001", "desc-confounds_timeseries.tsv")
    tree.rewrite(path, lambda frame: frame.drop(columns=["csf", "csf_derivative1"]))


@damage("has no confound tables")
def no_confounds(tree: Any) -> None:
    tree.file("2001", "desc-confounds_timeseries.tsv").unlink()


@damage("has 119 rows, and the image 120 volumes")
def short_confounds(tree: Any) -> None:
    tree.rewrite(tree.file("2001", "desc-confounds_timeseries.tsv"), lambda frame: frame.iloc[:-1])


@damage("the TR is 3 s in the sidecar and 2 s in the image's header")
def other_tr(tree: Any) -> None:
    tree.file("2001", "desc-preproc_bold.json").write_text('{"RepetitionTime": 3.0}')


@damage("outside the run of 240 s")
def late_event(tree: Any) -> None:
    def late(frame: Any) -> Any:
        frame.loc[len(frame) - 1, "onset"] = "238.0"
        return frame

    tree.rewrite(tree.file("2001", "events.tsv"), late)


@damage("trials without a row in responses.csv: create 'teapot' in")
def unknown_object(tree: Any) -> None:
    def renamed(frame: Any) -> Any:
        at = frame.index[(frame.trial_type == "create") & (frame.stimulus == "rope")]
        frame.loc[at, "stimulus"] = "teapot"
        return frame

    tree.rewrite(tree.file("2001", "events.tsv"), renamed)


@damage("rows without a trial in responses.csv: object 'shoe'")
def lost_event(tree: Any) -> None:
    tree.rewrite(
        tree.file("2001", "events.tsv"),
        lambda frame: frame[~((frame.trial_type == "object") & (frame.stimulus == "shoe"))],
    )


@damage("has no row in responses.csv")
def unknown_person(tree: Any) -> None:
    tree.table.write_text(tree.table.read_text().replace("2001,", "2002,"))


@damage("has no usable trial: none of 12 was answered")
def silent(tree: Any) -> None:
    text = tree.table.read_text()
    for thing in ("brick", "shoe", "rope", "box", "knife", "sock"):
        text = text.replace(f"as <b>{thing}</b>", "")
    tree.table.write_text(text)


@damage("Region default and sub-2001_task-dt_run-01 are in different spaces: 100%")
def elsewhere(tree: Any) -> None:
    image = nibabel.load(tree.atlas)
    affine = image.affine.copy()
    affine[:3, 3] += 2000
    nibabel.save(nibabel.Nifti1Image(np.asarray(image.dataobj), affine), tree.atlas)


@damage("100% of the region's voxels have no signal")
def beside_the_brain(tree: Any) -> None:
    path = tree.file("2001", "desc-preproc_bold.nii.gz")
    image = nibabel.load(path)
    values = image.get_fdata()
    values[1:6] = 0
    nibabel.save(nibabel.Nifti1Image(values, image.affine, image.header), path)


@damage("no voxel with the label 7")
def other_atlas(tree: Any) -> None:
    image = nibabel.load(tree.atlas)
    nibabel.save(nibabel.Nifti1Image(np.minimum(np.asarray(image.dataobj), 3), image.affine), tree.atlas)


@damage("cannot be read to its end")
def torn_image(tree: Any) -> None:
    path = tree.file("2001", "desc-preproc_bold.nii.gz")
    path.write_bytes(path.read_bytes()[:200_000])


@damage("has no sub-2001_task-dt_run-01_events.tsv")
def no_events(tree: Any) -> None:
    tree.file("2001", "events.tsv").unlink()


@damage("There are images in MNI152NLin2009cAsym")
def other_space(tree: Any) -> None:
    tree.space = "T1w"


def test_who_cannot_be_prepared_is_named_with_the_reason(one: Any, tmp_path: Path) -> None:
    """Each damage alone, on the same person, whose files are as before after it."""
    kept = {
        path: path.read_bytes() for path in (*one.root.rglob("*.*"), one.table, one.atlas) if path.is_file()
    }
    for spoil, sentence in DAMAGES.values():
        spoil(one)
        job = one.job(tmp_path / spoil.__name__)
        if hasattr(one, "space"):
            job = replace(job, space=one.space)
        with pytest.raises(DataError) as caught:
            prepare(job, SilentReporter(), name="test")
        assert sentence in caught.value.message, spoil.__name__
        assert caught.value.message.startswith("Nobody of 1 could be prepared. sub-2001: ")
        assert open_folder(tmp_path / spoil.__name__) is None
        for path, content in kept.items():
            path.write_bytes(content)
    assert prepared(one, tmp_path / "good").outcomes[0].trials == 11


def test_one_is_left_out_and_the_others_are_prepared(make_tree: Any, tmp_path: Path) -> None:
    tree = make_tree(("2001", "2002"))
    other_tr(tree)
    result = invoked(tree, tmp_path, "--no-report")
    assert result.exit_code == 1
    assert "left out: sub-2001: sub-2001_task-dt_run-01: the TR is 3 s" in result.output
    assert opened(tmp_path).people == ("sub-2002",)
    assert read_table(tmp_path / "participants.tsv")[0]["left_out"].startswith(
        "sub-2001_task-dt_run-01: the TR"
    )
    assert invoked(tree, tmp_path, "--no-report", "--tr", "2").exit_code == 0
    assert opened(tmp_path).people == ("sub-2001", "sub-2002")


def test_wrong_options_stop_the_run_before_any_work(tree: Any, tmp_path: Path) -> None:
    twice = tmp_path / "twice.csv"
    twice.write_text(tree.table.read_text() + "2001,create,brick,again,1,1,1,1\n")
    for more, code, sentence in (
        (("--region", f"x={tree.atlas}"), 2, "--atlas and --region"),
        (("--high-pass", "nan"), 2, "high_pass must be"),
        (("--duration", "soon"), 2, "A duration is"),
        (("--participant", "7"), 2, "no participant '7'"),
        (("--name", "a b"), 2, "cannot be called"),
        (("--responses", str(twice)), 1, "is a second one of 2001 for create 'brick'"),
        (("--responses", str(tree.atlas)), 1, "no table of text"),
    ):
        result = invoked(tree, tmp_path / "out", *more)
        assert (result.exit_code, sentence in result.output) == (code, True), (more, result.output)
    assert not (tmp_path / "out").exists()


def test_the_report_shows_what_was_done_and_escapes_what_files_say(one: Any, tmp_path: Path) -> None:
    hostile = "<i>hostile</i>"
    one.rewrite(
        one.file("2001", "desc-confounds_timeseries.tsv"),
        lambda frame: frame.rename(columns={"csf": hostile}),
    )
    result = invoked(one, tmp_path, "--report", "--confound", "trans_x", "--confound", hostile)
    assert result.exit_code == 0, result.output
    (page,) = tmp_path.rglob("*_report.html")
    text = page.read_text()
    assert text.count("data:image/png;base64,") == 5  # two models, regions, tSNR, betas
    assert "SIMULATED" in text
    assert "<i>" not in text
    assert "&lt;i&gt;hostile" in text
    assert all(f">{name}<" in text for name in ("default", "frontoparietal", "somatomotor"))


@pytest.mark.parametrize("spec", ["x", "=a.nii", "1a=b.nii", "a b=c.nii"])
def test_nonsense_is_no_region(spec: str) -> None:
    with pytest.raises(UsageError):
        parse_region(spec)


def test_a_region_may_be_any_mask_or_several_labels() -> None:
    assert parse_region("dr=C:/x/dr.nii") == Region("dr", Path("C:/x/dr.nii"))
    assert parse_region("all=a.nii:2+17") == Region("all", Path("a.nii"), (2, 17))
    assert default_name(Path("/tmp/my data!")) == "my-data"
