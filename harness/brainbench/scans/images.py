"""Reading a run's image in pieces: only the voxels of the masks are ever held."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainbench.errors import DataError, words_of
from brainbench.scans.estimate import Array
from brainbench.scans.files import Run, read_json
from brainbench.scans.settings import Settings

Image = Any  # a nibabel image: its types would only be guesses
_PIECE = 1 << 26  # bytes of float64 that are read at a time
_TR_TOLERANCE = 1e-3
_UNITS = {"msec": 1e-3, "usec": 1e-6}


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """What is read of a run: data (volumes x voxels of the mask), and mean and tSNR (x, y, z) of all."""

    data: Array
    mean: NDArray[np.float32]
    tsnr: NDArray[np.float32]


def open_image(path: Path, dimensions: int) -> Image:
    """A NIfTI file, its voxels not yet read; raises DataError unless it is one of so many dimensions."""
    import nibabel

    try:
        image = nibabel.load(path)
    except Exception as error:  # nibabel raises many kinds for a file that is no image
        told = words_of(error).replace(str(path), path.name)  # reasons are written into the folder
        raise DataError(f"{path.name} cannot be read as an image: {told}") from error
    shape = image.shape
    if dimensions == 3 and len(shape) == 4 and shape[3] == 1:
        image = image.slicer[..., 0]
    if len(image.shape) != dimensions or 0 in shape:
        raise DataError(f"{path.name} has the shape {shape} instead of {dimensions} dimensions.")
    return image


def repetition_time(run: Run, image: Image, settings: Settings) -> tuple[float, str]:
    """Seconds between two volumes, and who says so; raises DataError where sidecar and header differ."""
    if settings.tr is not None:
        return settings.tr, "given"
    told = _of_sidecar(run.sidecar)
    header = _of_header(image)
    if told is not None and header is not None and abs(told - header) > _TR_TOLERANCE:
        raise DataError(
            f"{run.name}: the TR is {told:g} s in the sidecar and {header:g} s in the image's header.",
            hint="Say which is right with --tr.",
        )
    if told is not None:
        return told, "sidecar"
    return (header, "header") if header is not None else (settings.fallback_tr, "fallback")


def _of_sidecar(path: Path | None) -> float | None:
    found = read_json(path).get("RepetitionTime") if path is not None else None
    usable = isinstance(found, int | float) and not isinstance(found, bool) and 0 < found < 100
    if found is not None and path is not None and not usable:
        raise DataError(f"{path.name} has {found!r} as RepetitionTime, which is no number of seconds.")
    return float(found) if isinstance(found, int | float) else None


def _of_header(image: Image) -> float | None:
    unit = image.header.get_xyzt_units()[1]
    value = float(image.header.get_zooms()[3]) * _UNITS.get(unit, 1.0)
    return value if math.isfinite(value) and value > 0 else None


def read_series(path: Path, image: Image, mask: NDArray[np.bool_], settings: Settings) -> Series:
    """The mask's voxels (in C order) of all volumes; raises DataError for a damaged or an endless file."""
    volumes = image.shape[3]
    data = np.empty((volumes, int(mask.sum())))
    total, squares = np.zeros(mask.shape), np.zeros(mask.shape)
    try:
        for start, piece in _pieces(path, image, settings.smoothing):
            data[start : start + piece.shape[3]] = piece[mask].T
            total += piece.sum(axis=3)
            squares += np.einsum("xyzt,xyzt->xyz", piece, piece)
    except (OSError, EOFError, ValueError) as error:
        raise DataError(f"{path.name} cannot be read to its end: {words_of(error)}") from error
    with np.errstate(all="ignore"):
        mean = total / volumes
        spread = np.sqrt(np.maximum(squares / volumes - mean**2, 0) * volumes / max(volumes - 1, 1))
        tsnr = np.where(spread > 1e-6 * np.abs(mean), mean / spread, 0)
    return Series(
        data,
        np.nan_to_num(mean, posinf=0, neginf=0).astype(np.float32),
        np.nan_to_num(tsnr).astype(np.float32),
    )


def _pieces(path: Path, image: Image, smoothing: float) -> Iterator[tuple[int, Array]]:
    """Some volumes after the other, float64; the file stays open, so that it is unpacked once."""
    import nibabel

    each = max(1, _PIECE // (8 * int(np.prod(image.shape[:3]))))
    with _kept_open(path) as opened:
        for start in range(0, image.shape[3], each):
            piece = np.asarray(opened.dataobj[..., start : start + each], dtype=np.float64)
            if smoothing:
                from nilearn.image import smooth_img

                smooth = smooth_img(nibabel.Nifti1Image(piece, image.affine), smoothing)
                piece = np.asarray(smooth.dataobj, dtype=np.float64)
            yield start, piece


@contextmanager
def _kept_open(path: Path) -> Iterator[Image]:
    """The image, its file open until the block is left."""
    import nibabel

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # nibabel leaves closing to the collector
        opened = nibabel.load(path, keep_file_open=True)
        try:
            yield opened
        finally:
            opener = getattr(opened.dataobj, "_opener", None)
            if opener is not None:
                opener.close_if_mine()


def scaled(data: Array, how: str) -> tuple[Array, NDArray[np.bool_]]:
    """The series (volumes x voxels) scaled, in place, and which voxels have a signal at all.

    "zscore" divides by the standard deviation (n - 1), "percent" gives percent of the mean (of 1 where that
    is less), as nilearn does. Voxels without signal are constant or not finite; their series is 0.
    """
    with np.errstate(all="ignore"):
        spread = data.std(axis=0, ddof=1)
        signal = np.isfinite(spread) & (spread > np.finfo(np.float64).eps * np.abs(data).max(axis=0))
    data[:, ~signal] = 0
    if how == "zscore":
        data -= data.mean(axis=0)
        data /= np.where(signal, spread, 1)
    elif how == "percent":
        mean = np.maximum(data.mean(axis=0), 1)
        data /= mean
        data -= 1
        data *= 100
        data[:, ~signal] = 0
    return data, signal
