"""fMRIPrep's derivatives in small: real NIfTI, JSON and TSV files under real names, with planted betas."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pandas
import pytest
from numpy.typing import NDArray

from brainbench.scans.job import Job
from brainbench.scans.regions import Region
from brainbench.scans.responses import read_responses
from brainbench.scans.settings import CONFOUNDS, CREATIVITY, Settings

Array = NDArray[np.float64]
Patterns = Mapping[tuple[str, str], Array]  # by condition and object, each (all voxels,)
SHAPE, TR = (12, 14, 10), 2.0
GAP = 19.0  # seconds from a trial to the next
SPACE = "MNI152NLin2009cAsym"
AFFINE = np.array([[15.0, 0, 0, -80], [0, 15.0, 0, -110], [0, 0, 15.0, -60], [0, 0, 0, 1]])
OBJECTS = ("brick", "shoe", "rope", "box", "knife", "sock")
LABELS = ("2001", "2002", "2003")
REGIONS = {"default": 7, "frontoparietal": 6, "somatomotor": 2}


@dataclass
class Tree:
    """A folder of derivatives, and what was planted: betas of each person (trials x all voxels)."""

    root: Path
    atlas: Path
    table: Path
    planted: dict[str, Array] = field(default_factory=dict)

    @property
    def regions(self) -> tuple[Region, ...]:
        return tuple(Region(name, self.atlas, (label,)) for name, label in REGIONS.items())

    def file(self, label: str, ending: str) -> Path:
        folder = self.root / f"sub-{label}" / "func"
        space = f"_space-{SPACE}" if "preproc" in ending else ""
        return folder / f"sub-{label}_task-dt_run-01{space}_{ending}"

    def job(self, out: Path, settings: Settings | None = None, **more: Any) -> Job:
        return Job(
            bids=self.root,
            events=self.root,
            out=out,
            study=CREATIVITY,
            settings=settings or Settings(),
            regions=self.regions,
            space=SPACE,
            responses=read_responses(self.table, CREATIVITY),
            report=False,
            **more,
        )

    def rewrite(self, path: Path, change: Callable[[pandas.DataFrame], pandas.DataFrame]) -> None:
        frame = pandas.read_csv(path, sep="\t", keep_default_na=False, dtype=str)
        change(frame).to_csv(path, sep="\t", index=False)


def label_image() -> NDArray[np.int16]:
    """Three boxes in the middle of the grid."""
    labels = np.zeros(SHAPE, dtype=np.int16)
    labels[2:6, 3:11, 3:8], labels[6:8, 3:11, 3:8], labels[8:10, 3:11, 3:8] = 7, 6, 2
    return labels


def events_of(rng: np.random.Generator, things: Sequence[str], gap: float) -> pandas.DataFrame:
    order = rng.permutation([(kind, thing) for kind in ("create", "object") for thing in things])
    rows: list[dict[str, Any]] = []
    for at, (kind, thing) in enumerate(order):
        rows.append({"onset": 4 + gap * at, "duration": 3.0, "trial_type": "cue", "stimulus": "n/a"})
        rows.append({"onset": 9 + gap * at, "duration": 6.0, "trial_type": kind, "stimulus": thing})
    return pandas.DataFrame(rows)


def confounds_of(rng: np.random.Generator, volumes: int) -> pandas.DataFrame:
    values = {name: rng.normal(0, 1, volumes).cumsum() / 10 for name in CONFOUNDS if "derivative" not in name}
    values["global_signal"] += 500
    made = {}
    for name, series in values.items():
        made[name] = series
        made[f"{name}_derivative1"] = np.r_[np.nan, np.diff(series)]
    return pandas.DataFrame({**made, "std_dvars": rng.normal(size=volumes)})


def regressors(events: pandas.DataFrame, volumes: int) -> Array:
    """Of the trials alone, in the order of their onsets (volumes x trials)."""
    from nilearn.glm.first_level import make_first_level_design_matrix

    trials = events[events.trial_type != "cue"].reset_index(drop=True)
    frame = trials.assign(trial_type=[f"t{at:02d}" for at in range(len(trials))])[
        ["onset", "duration", "trial_type"]
    ]
    made = make_first_level_design_matrix(TR * np.arange(volumes), frame, hrf_model="spm", drift_model=None)
    found: Array = made[sorted(name for name in made if name != "constant")].to_numpy()
    return found


def coloured(rng: np.random.Generator, rho: Array, volumes: int) -> Array:
    """AR(1) noise (volumes x voxels)."""
    noise = rng.normal(size=(volumes, len(rho)))
    for at in range(1, volumes):
        noise[at] += rho * noise[at - 1]
    return noise


def write_person(
    tree: Tree,
    label: str,
    patterns: Patterns,
    noise: float,
    things: Sequence[str] = OBJECTS,
    gap: float = GAP,
) -> None:
    rng = np.random.default_rng(int(label))
    voxels, volumes = int(np.prod(SHAPE)), int((2 * len(things) * gap + 12) / TR)
    events, confounds = events_of(rng, things, gap), confounds_of(rng, volumes)
    trials = events[events.trial_type != "cue"]
    betas = np.array([patterns[row.trial_type, row.stimulus] for row in trials.itertuples()])
    betas += rng.normal(0, 0.3, betas.shape)
    series = 1000 + regressors(events, volumes) @ betas * 10
    series += confounds[list(CONFOUNDS)].bfill().to_numpy() @ rng.normal(0, 0.2, (len(CONFOUNDS), voxels))
    series += 5 * np.cos(np.pi * np.arange(volumes) / volumes)[:, None]
    series += noise * coloured(rng, rng.uniform(0.05, 0.6, voxels), volumes)
    tree.planted[label] = betas
    folder = tree.file(label, "x").parent
    folder.mkdir(parents=True)
    image = nibabel.Nifti1Image(series.T.reshape(*SHAPE, volumes), AFFINE)
    image.header.set_zooms((15, 15, 15, TR))
    image.header.set_xyzt_units("mm", "sec")
    nibabel.save(image, tree.file(label, "desc-preproc_bold.nii.gz"))
    tree.file(label, "desc-preproc_bold.json").write_text(
        json.dumps({"RepetitionTime": TR, "SkullStripped": False, "TaskName": "dt"})
    )
    confounds.to_csv(tree.file(label, "desc-confounds_timeseries.tsv"), sep="\t", index=False, na_rep="n/a")
    events.to_csv(tree.file(label, "events.tsv"), sep="\t", index=False)


def write_table(path: Path, labels: Sequence[str]) -> None:
    """Answers in an order of their own, rated by four; one trial of the last person has none."""
    rng = np.random.default_rng(5)
    rows = []
    for label in labels:
        for kind, thing in rng.permutation([(k, o) for k in ("create", "object") for o in OBJECTS]):
            answer = "" if (label, kind, thing) == (labels[-1], "create", "sock") else f"as <b>{thing}</b>"
            marks = rng.integers(1, 6, 4).astype(float) if kind == "create" else np.full(4, np.nan)
            row = {"id": label, "condition": kind, "stimuli": thing.upper(), "response": answer}
            rows.append({**row, **{f"rater{at + 1}": mark for at, mark in enumerate(marks)}})
    pandas.DataFrame(rows).to_csv(path, index=False)


def new_tree(folder: Path) -> Tree:
    """Derivatives of nobody yet."""
    root = folder / "derivatives"
    root.mkdir()
    description = {"Name": "fMRIPrep", "BIDSVersion": "1.9.0", "DatasetType": "derivative", "Simulated": True}
    (root / "dataset_description.json").write_text(json.dumps(description))
    tree = Tree(root, folder / "atlas_space-MNI152NLin6Asym_dseg.nii.gz", folder / "responses.csv")
    nibabel.save(nibabel.Nifti1Image(label_image(), AFFINE), tree.atlas)
    return tree


@pytest.fixture(scope="session")
def networks() -> dict[str, NDArray[np.bool_]]:
    """Which voxels (all,) are of each region."""
    return {name: (label_image() == number).ravel() for name, number in REGIONS.items()}


@pytest.fixture(scope="session")
def write_tree(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Tree]:
    """Makes a new tree of anybody's patterns; the table of responses is the caller's."""

    def write(people: Mapping[str, Patterns], things: Sequence[str], gap: float, noise: float) -> Tree:
        tree = new_tree(tmp_path_factory.mktemp("scans"))
        for label, patterns in people.items():
            write_person(tree, label, patterns, noise, things, gap)
        return tree

    return write


@pytest.fixture(scope="session")
def make_tree(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Tree]:
    """Makes a new tree; patterns are shared by all people."""

    def make(labels: Sequence[str] = LABELS, noise: float = 2.0) -> Tree:
        tree = new_tree(tmp_path_factory.mktemp("scans"))
        rng = np.random.default_rng(1)
        voxels = int(np.prod(SHAPE))
        patterns = {(k, o): rng.normal(1, 1, voxels) for k in ("create", "object") for o in OBJECTS}
        for label in labels:
            write_person(tree, label, patterns, noise)
        write_table(tree.table, labels)
        return tree

    return make


@pytest.fixture(scope="session")
def tree(make_tree: Callable[..., Tree]) -> Tree:
    """Three people; for reading alone."""
    return make_tree()


@pytest.fixture
def one(make_tree: Callable[..., Tree]) -> Tree:
    """One person, whose files a test may spoil."""
    return make_tree(("2001",))
