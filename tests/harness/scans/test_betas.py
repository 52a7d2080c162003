"""Betas against nilearn's own models, and against what was planted."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import nibabel
import numpy as np
import pandas
import pytest
from numpy.typing import NDArray

from brainbench.errors import DataError
from brainbench.scans.estimate import single_trial_betas
from brainbench.scans.files import runs_of
from brainbench.scans.images import scaled
from brainbench.scans.person import FittedRun, fit_run
from brainbench.scans.settings import CONFOUNDS, Settings

SPACE = "MNI152NLin2009cAsym"
Method = Literal["lsa", "lss"]
Noise = Literal["ar1", "ols"]


def fitted(tree: Any, settings: Settings) -> FittedRun:
    (run,) = runs_of(tree.root, tree.root, "2001", ["dt"], SPACE)
    return fit_run(tree.job(Path("unused"), settings), run)


def nilearns(tree: Any, settings: Settings, kind: str) -> NDArray[np.float64]:
    """Betas of the trials of a kind by FirstLevelModel, one model a trial for LSS (trials x voxels)."""
    from nilearn.glm.first_level import FirstLevelModel
    from nilearn.image import math_img

    labels = nibabel.load(tree.atlas)
    mask = math_img("img > 0", img=labels)
    image = nibabel.load(tree.file("2001", "desc-preproc_bold.nii.gz"))
    if settings.scaling == "zscore":
        values = image.get_fdata()
        values = (values - values.mean(-1, keepdims=True)) / values.std(-1, keepdims=True, ddof=1)
        image = nibabel.Nifti1Image(values, image.affine)
    events = pandas.read_csv(tree.file("2001", "events.tsv"), sep="\t")[["onset", "duration", "trial_type"]]
    confounds = pandas.read_csv(tree.file("2001", "desc-confounds_timeseries.tsv"), sep="\t")
    confounds = confounds[list(CONFOUNDS)].bfill()
    at: list[int] = np.flatnonzero(events.trial_type == kind).tolist()
    own = {position: f"{kind}_stim{rank}" for rank, position in enumerate(at)}

    def model(singles: list[int]) -> list[NDArray[np.float64]]:
        named = events.assign(
            trial_type=[own[i] if i in singles else t for i, t in enumerate(events.trial_type)]
        )
        made = FirstLevelModel(
            t_r=2.0,
            hrf_model="spm",
            drift_model="cosine",
            high_pass=0.009,
            noise_model=settings.noise,
            standardize=False,
            signal_scaling=0 if settings.scaling == "percent" else False,
            mask_img=mask,
        ).fit(image, events=named, confounds=confounds)
        maps = [made.compute_contrast(own[i], output_type="effect_size") for i in singles]
        return [np.ravel(made.masker_.transform(one)) for one in maps]

    if settings.method == "lsa":
        return np.array(model(at))
    return np.array([model([i])[0] for i in at])


@pytest.mark.parametrize("noise", ["ols", "ar1"])
@pytest.mark.parametrize("method", ["lsa", "lss"])
@pytest.mark.filterwarnings("ignore")
def test_betas_are_nilearns(tree: Any, method: Method, noise: Noise) -> None:
    settings = Settings(method=method, noise=noise, scaling="percent" if method == "lss" else "zscore")
    found = fitted(tree, settings)
    kinds = [trial.condition for trial in found.trials]
    for kind in ("create", "object") if method == "lsa" else ("create",):
        theirs = nilearns(tree, settings, kind)
        ours = found.betas[[k == kind for k in kinds]]
        assert ours.shape == theirs.shape == (6, 320)
        np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-6 * np.abs(theirs).std())


def test_voxels_differ_in_their_noise_so_that_whitening_matters(tree: Any) -> None:
    white, coloured = (fitted(tree, Settings(noise=noise)).betas for noise in ("ols", "ar1"))
    assert 0.01 < np.abs(white - coloured).std() / white.std() < 0.5


@pytest.mark.parametrize("method", ["lsa", "lss"])
def test_what_was_planted_is_found(tree: Any, method: Method) -> None:
    found = fitted(tree, Settings(method=method, scaling="none"))
    inside = np.logical_or.reduce(list(found.masks.values())).ravel()
    planted = tree.planted["2001"][:, inside] * 10
    r = [np.corrcoef(a, b)[0, 1] for a, b in zip(found.betas, planted, strict=True)]
    other = [np.corrcoef(a, b)[0, 1] for a, b in zip(found.betas, np.roll(planted, 1, axis=0), strict=True)]
    assert min(r) > 0.8
    assert np.abs(other).max() < 0.3


def test_without_noise_least_squares_all_is_exact() -> None:
    rng = np.random.default_rng(0)
    x, others, betas = rng.normal(size=(80, 9)), rng.normal(size=(80, 5)), rng.normal(size=(9, 30))
    others = np.c_[
        others, others[:, :1] * 3, np.zeros(80), np.ones(80)
    ]  # repeated and empty columns harm nothing
    data = x @ betas + others @ rng.normal(size=(8, 30))
    found = single_trial_betas(data, x, others, method="lsa", noise="ols")
    np.testing.assert_allclose(found, betas, atol=1e-10)
    alone = single_trial_betas(data, x[:, :1], np.c_[x[:, 1:], others], method="lss", noise="ar1")
    np.testing.assert_allclose(alone, betas[:1], atol=1e-8)


def test_trials_that_cannot_be_told_apart_are_named() -> None:
    rng = np.random.default_rng(0)
    x, others = rng.normal(size=(50, 4)), np.ones((50, 1))
    x[:, 3] = x[:, 2]
    for method in ("lsa", "lss"):
        with pytest.raises(DataError, match="trial 3 of 4 cannot be told apart"):
            single_trial_betas(x @ np.ones((4, 2)), x, others, method=method, noise="ar1")
    x[:, 3] = 0
    with pytest.raises(DataError, match="trial 4 of 4"):
        single_trial_betas(x @ np.ones((4, 2)), x, others, method="lsa", noise="ols")


@pytest.mark.parametrize("how", ["zscore", "percent", "none"])
def test_voxels_without_signal_are_told_and_harm_no_other(how: str) -> None:
    rng = np.random.default_rng(0)
    data = rng.normal(100, 5, (40, 4))
    data[:, 1], data[3, 2] = 7.0, np.nan
    alone = scaled(data[:, [0, 3]].copy(), how)[0]
    found, signal = scaled(data, how)
    assert signal.tolist() == [True, False, False, True]
    np.testing.assert_array_equal(found[:, [0, 3]], alone)
    assert not found[:, 1:3].any()
    if how == "zscore":
        np.testing.assert_allclose(alone.std(axis=0, ddof=1), 1)
