"""The real betas of the reasoning study, and plain loops to check the fast arithmetic against."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from brainbench.arrays import Participant, Recording

Array = NDArray[np.float64]
Betas = Callable[[str], list[Array]]
MakeRecording = Callable[..., Recording]
PlainRidge = Callable[..., tuple[Array, list[float]]]

ALPHAS = (1e-3, 1e-2, 1e-1, 1.0, 1e1, 1e2, 1e3)
BETAS = (
    "pkuxmq/Brain-guided_LLM/f4c6f6b1b737a3885e198185456c7f1241fd2149/fmri_data/"
    "preprocessed_data_glmsinglesep_newdrroi_topksep/top-10%/all_extracted_beta_"
)
LEFT_OUT = (43, 49)  # two problems that contradict themselves


@pytest.fixture(scope="session")
def betas(mirror: Path) -> Betas:
    """Ten people's responses (70 items x voxels) in a region: 36 syllogisms, then 34 transitive problems."""
    from scipy.io import loadmat

    def load(region: str) -> list[Array]:
        files = sorted((mirror / f"{BETAS}{region}").glob("*/*.mat"))
        assert len(files) == 10
        return [np.delete(loadmat(file)["all_voxels"], LEFT_OUT, axis=0).astype(np.float64) for file in files]

    return load


@pytest.fixture(scope="session")
def make_recording() -> MakeRecording:
    """A recording of people's responses; `present` gives each person's items, all by default."""

    def make(
        responses: Sequence[Array], strata: Sequence[str] = (), present: Sequence[Sequence[int]] = ()
    ) -> Recording:
        n_items = len(strata) or max(len(person) for person in responses)
        items = [np.asarray(p, dtype=np.intp) for p in present] or [np.arange(n_items)] * len(responses)
        people = [
            Participant(f"p{i}", person, there)
            for i, (person, there) in enumerate(zip(responses, items, strict=True))
        ]
        return Recording("region", tuple(f"i{i}" for i in range(n_items)), tuple(people), tuple(strata))

    return make


@pytest.fixture(scope="session")
def plain_ridge() -> PlainRidge:
    """scikit-learn and scipy in a plain loop: r (folds x voxels), NaN where undefined; alpha in each fold."""
    from scipy.stats import pearsonr
    from sklearn.linear_model import RidgeCV
    from sklearn.model_selection import StratifiedKFold

    def fit(
        x: Array, y: Array, strata: Sequence[str] = (), alphas: Sequence[float] = ALPHAS
    ) -> tuple[Array, list[float]]:
        r = np.full((5, y.shape[1]), np.nan)
        chosen = []
        splitter = StratifiedKFold(5, shuffle=True, random_state=1)
        for fold, (train, test) in enumerate(splitter.split(x, strata or ["one"] * len(x))):
            ridge = RidgeCV(alphas=alphas).fit(x[train].astype(np.float64), y[train])
            chosen.append(float(ridge.alpha_))
            predicted = ridge.predict(x[test].astype(np.float64)).reshape(len(test), -1)
            for voxel in range(y.shape[1]):
                if min(np.ptp(predicted[:, voxel]), np.ptp(y[test, voxel])) > 1e-12:
                    with warnings.catch_warnings():
                        warnings.simplefilter("ignore")  # scipy warns of small spreads
                        r[fold, voxel] = pearsonr(predicted[:, voxel], y[test, voxel]).statistic
        return r, chosen

    return fit
