"""The page of one person: what the model was, where the masks lie, how steady the signal is, what came out.

One HTML file without scripts; nilearn's plots are in it as PNG, and whatever comes from files is escaped.
"""

from __future__ import annotations

import base64
import io
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib import resources
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from brainbench.provenance import now, version_of
from brainbench.scans.job import Job

if TYPE_CHECKING:
    from brainbench.scans.person import FittedRun

_TEMPLATE = "report.html"


@dataclass(frozen=True, slots=True)
class Picture:
    """A plot, base64 of its PNG, and what it shows."""

    title: str
    png: str


def report_page(
    job: Job, label: str, fitted: Sequence[FittedRun], betas: NDArray[np.float32], dropped: int
) -> str:
    """The page; betas (trials kept x voxels of any region)."""
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    template = environment.from_string(resources.files(__package__).joinpath(_TEMPLATE).read_text("utf-8"))
    masks = fitted[0].masks
    union = np.logical_or.reduce(list(masks.values()))
    rows = []
    for name, mask in masks.items():
        inside = betas[:, mask[union]]
        signal = np.isfinite(inside).all(axis=0)
        tsnr = np.mean([one.tsnr[mask].astype(np.float64).mean() for one in fitted])
        rows.append(
            (name, int(mask.sum()), int((~signal).sum()), f"{tsnr:.1f}", f"{inside[:, signal].std():.3g}")
        )
    return template.render(
        person=f"sub-{label}",
        study=job.study.name,
        simulated=job.simulated,
        trials=len(betas),
        dropped=dropped,
        settings=sorted(asdict(job.settings).items()),
        runs=[(one.run.name, one.facts) for one in fitted],
        regions=rows,
        pictures=_pictures(fitted, betas),
        made=now(),
        version=version_of("brainbench"),
    )


def _pictures(fitted: Sequence[FittedRun], betas: NDArray[np.float32]) -> list[Picture]:
    with _drawing():
        found = [_design(one, at) for one in fitted for at in range(len(one.designs))]
        return [*found, _masks(fitted[0]), _tsnr(fitted[0]), _carpet(fitted[0], betas)]


@contextmanager
def _drawing() -> Iterator[None]:
    """Without a window, and without the warnings of others' plots."""
    import matplotlib as mpl

    with warnings.catch_warnings(), mpl.rc_context():
        warnings.simplefilter("ignore")
        mpl.use("Agg")
        yield


def _png(title: str, figure: Any) -> Picture:
    import matplotlib.pyplot as plt

    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=70, bbox_inches="tight", metadata={"Software": None})
    plt.close(figure)
    return Picture(title, base64.b64encode(stream.getvalue()).decode())


def _design(one: FittedRun, at: int) -> Picture:
    import matplotlib.pyplot as plt
    import pandas
    from nilearn.plotting import plot_design_matrix

    design = one.designs[at]
    figure, axes = plt.subplots(figsize=(9, 6))
    plot_design_matrix(
        pandas.DataFrame(design.matrix, columns=[name.replace("$", r"\$") for name in design.columns]),
        axes=axes,
    )
    which = f", model {at + 1}" if len(one.designs) > 1 else ""
    return _png(f"Design matrix of {one.run.name}{which}", figure)


def _volume(one: FittedRun, values: NDArray[Any]) -> Any:
    import nibabel

    return nibabel.Nifti1Image(values, one.affine)


def _masks(one: FittedRun) -> Picture:
    import matplotlib.pyplot as plt
    from nilearn.plotting import plot_roi

    labels = np.zeros(one.mean.shape, dtype=np.int16)
    for at, mask in enumerate(one.masks.values()):
        labels[mask] = at + 1
    figure = plt.figure(figsize=(9, 3.5))
    plot_roi(
        _volume(one, labels),
        bg_img=_volume(one, one.mean),
        figure=figure,
        cmap="tab10",
        vmin=1,
        vmax=10,
        colorbar=False,
    )
    names = ", ".join(f"{at + 1} {name}" for at, name in enumerate(one.masks))
    return _png(f"Regions on the mean image of {one.run.name}: {names}", figure)


def _tsnr(one: FittedRun) -> Picture:
    import matplotlib.pyplot as plt
    from nilearn.plotting import plot_epi

    figure = plt.figure(figsize=(9, 3.5))
    top = float(np.percentile(one.tsnr[one.tsnr > 0], 98)) if (one.tsnr > 0).any() else 1.0
    plot_epi(_volume(one, one.tsnr), figure=figure, colorbar=True, cmap="inferno", vmin=0, vmax=top)
    return _png(f"Temporal signal-to-noise ratio of {one.run.name}", figure)


def _carpet(one: FittedRun, betas: NDArray[np.float32]) -> Picture:
    import matplotlib.pyplot as plt
    from nilearn.plotting import plot_carpet

    union = np.logical_or.reduce(list(one.masks.values()))
    volumes = np.zeros((*union.shape, len(betas)), dtype=np.float32)
    volumes[union] = np.nan_to_num(betas).T
    figure, axes = plt.subplots(figsize=(9, 4.5))
    mask = _volume(one, union.astype(np.int8))
    plot_carpet(_volume(one, volumes), mask_img=mask, axes=axes, figure=figure, t_r=1.0, detrend=False)
    axes.set_xlabel("trial")
    return _png("Betas: voxels by trials, each voxel standardised", figure)
