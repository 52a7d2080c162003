"""Betas of single trials of a realistic run against nilearn's FirstLevelModel, in time and in memory.

    python -m benchmarks.single_trials [volumes trials]

An image of 64 x 64 x 33 voxels, about a third of them in the mask, 300 volumes, 46 trials, 18 confounds, on
disk as NIfTI. Ours reads it once, masks, makes the design and fits by least squares all and separate, AR(1).
nilearn fits one model a trial for least squares separate (a few timed, the rest scaled), and one model for
least squares all, with a contrast for each trial. That both give the same betas is measured on a small image
in double precision: on one in single precision nilearn rounds the series, and some AR coefficients fall into
the next hundredth. Each side's memory is that of a process of its own. No speed is a goal; the same numbers
are, to 1e-6, and at most 4 GiB.
"""

from __future__ import annotations

import multiprocessing
import sys
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import nibabel
import numpy as np
import pandas
from benchmarks.measured import Row, peak_memory, report, timed
from numpy.typing import NDArray

from brainbench.scans.design import Event, design_of
from brainbench.scans.estimate import single_trial_betas
from brainbench.scans.images import open_image, read_series, scaled
from brainbench.scans.settings import CONFOUNDS, Settings

Array = NDArray[np.float64]
Method = Literal["lsa", "lss"]
SHAPE, SMALL = (64, 64, 33), (16, 16, 8)
VOLUMES, TRIALS, TR, FEW = 300, 46, 2.0, 2


def write_run(folder: Path, volumes: int, trials: int, shape: tuple[int, ...], dtype: str) -> None:
    """The image, its mask, the confounds and the events."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    x, y, z = np.ogrid[-1 : 1 : shape[0] * 1j, -1 : 1 : shape[1] * 1j, -1 : 1 : shape[2] * 1j]
    mask = x**2 + y**2 + z**2 < 0.72
    series = np.zeros((*shape, volumes), dtype=dtype)
    noise = rng.normal(size=(int(mask.sum()), volumes)).astype(dtype)
    rho = rng.uniform(0, 0.6, len(noise)).astype(dtype)
    for at in range(1, volumes):
        noise[:, at] += rho * noise[:, at - 1]
    series[mask] = 1000 + 10 * noise
    affine = np.diag([3.0, 3.0, 4.0, 1.0])
    image = nibabel.Nifti1Image(series, affine)
    image.header.set_zooms((3, 3, 4, TR))
    nibabel.save(image, folder / "bold.nii")
    nibabel.save(nibabel.Nifti1Image(mask.astype(np.uint8), affine), folder / "mask.nii")
    made = {name: rng.normal(size=volumes) for name in CONFOUNDS}
    pandas.DataFrame(made).to_csv(folder / "confounds.tsv", sep="\t", index=False)
    onsets = 4 + np.arange(trials) * (volumes * TR - 30) / trials
    frame = pandas.DataFrame({"onset": onsets, "duration": 6.0, "trial_type": "create"})
    frame.to_csv(folder / "events.tsv", sep="\t", index=False)


def ours(folder: Path, method: Method) -> Array:
    """Betas (trials x voxels), from the files."""
    settings = Settings(method=method, scaling="percent")
    image = open_image(folder / "bold.nii", 4)
    mask = np.asarray(nibabel.load(folder / "mask.nii").dataobj) > 0
    series = read_series(folder / "bold.nii", image, mask, settings)
    data, _ = scaled(series.data, settings.scaling)
    events = pandas.read_csv(folder / "events.tsv", sep="\t")
    listed = [Event(onset, 6.0, "create", {}) for onset in events.onset]
    confounds = pandas.read_csv(folder / "confounds.tsv", sep="\t").to_numpy()
    design = design_of(listed, range(len(listed)), confounds, settings, TR)
    return single_trial_betas(data, design.trials, design.others, method=method, noise="ar1")


def theirs(folder: Path, method: Method, few: int = FEW) -> Array:
    """The same by FirstLevelModel: all trials for "lsa", the first few for "lss"."""
    from nilearn.glm.first_level import FirstLevelModel

    events = pandas.read_csv(folder / "events.tsv", sep="\t")
    confounds = pandas.read_csv(folder / "confounds.tsv", sep="\t")
    names = [f"t{at:03d}" for at in range(len(events))]
    singles = [names] if method == "lsa" else [[name] for name in names[:few]]
    betas = []
    for own in singles:
        kinds = [name if name in own else "others" for name in names]
        model = FirstLevelModel(
            t_r=TR, hrf_model="spm", high_pass=0.009, noise_model="ar1", mask_img=folder / "mask.nii"
        )
        model = model.fit(folder / "bold.nii", events=events.assign(trial_type=kinds), confounds=confounds)
        for name in own:
            image = model.compute_contrast(name, output_type="effect_size")
            betas.append(np.ravel(model.masker_.transform(image)))
    return np.array(betas)


def _peak() -> float:
    """GiB; a started process inherits what `peak_memory` tells of its parent, but not this."""
    status = Path("/proc/self/status")
    if not status.exists():
        return peak_memory()
    (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 2**20


def _memory(work: Callable[..., Any], arguments: tuple[Any, ...], answer: Any) -> None:
    warnings.simplefilter("ignore")
    work(*arguments)
    answer.put(_peak())


def memory_of(work: Callable[..., Any], *arguments: Any) -> float:
    """GiB that a process of its own held at most, its libraries included."""
    context = multiprocessing.get_context("spawn")
    answer = context.Queue()
    process = context.Process(target=_memory, args=(work, arguments, answer))
    process.start()
    peak: float = answer.get()
    process.join()
    return peak


def row(folder: Path, method: Method, trials: int) -> Row:
    """One way of estimating, timed on both sides; `folder` has a large run and a small one."""
    small = ours(folder / "small", method), theirs(folder / "small", method)
    difference = float(np.abs(small[0][: len(small[1])] - small[1]).max() / np.abs(small[1]).std())
    folder = folder / "large"
    seconds, _ = timed(lambda: ours(folder, method))
    peer_seconds, _ = timed(lambda: theirs(folder, method))
    scale = 1.0 if method == "lsa" else trials / FEW
    peak, peer_peak = memory_of(ours, folder, method), memory_of(theirs, folder, method, 1)
    print(f"{method}: ours held {peak:.2f} GiB, nilearn {peer_peak:.2f} GiB: {peer_peak / peak:.2f} times")
    return Row(
        name=f"single trials, {'least squares all' if method == 'lsa' else 'least squares separate'}, AR(1)",
        ours=seconds,
        peer="nilearn FirstLevelModel",
        theirs=peer_seconds * scale,
        goal=0,
        timed="all of it" if method == "lsa" else f"{FEW} of {trials} models",
        difference=difference,
        allowed=1e-6,
        peak=peak,
    )


def main() -> None:
    """Both ways, on one run."""
    volumes, trials = (int(word) for word in sys.argv[1:3]) if len(sys.argv) > 2 else (VOLUMES, TRIALS)
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_run(folder / "small", volumes, trials, SMALL, "float64")
        write_run(folder / "large", volumes, trials, SHAPE, "float32")
        report("single_trials", [row(folder, method, trials) for method in ("lsa", "lss")])


if __name__ == "__main__":
    main()
