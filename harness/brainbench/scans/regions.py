"""Regions of interest: labels of an atlas or masks, brought onto the grid of a person's image."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from brainbench.errors import DataError, UsageError, words_of
from brainbench.scans.files import entities_of
from brainbench.scans.images import Image, open_image

YEO7 = {"default": 7, "frontoparietal": 6, "somatomotor": 2}
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,39}")
_LEAST = 0.5  # of a mask has to lie in the image, and of its voxels there have to have a signal
_SPACES_HINT = "Give a mask in the image's space, or another --space."

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Region:
    """A region: where `path` holds one of the labels, or, without labels, anything above 0."""

    name: str
    path: Path
    labels: tuple[int, ...] = ()


def parse_region(spec: str) -> Region:
    """The region that NAME=PATH[:LABEL[+LABEL...]] says; raises UsageError."""
    name, _, rest = spec.partition("=")
    found = re.fullmatch(r"(.+?)(?::(\d+(?:\+\d+)*))?", rest)
    if found is None or not _NAME.fullmatch(name):
        raise UsageError(
            f"{spec!r} is no region: its form is NAME=PATH or NAME=PATH:LABEL, NAME of letters, digits and _."
        )
    labels = tuple(int(label) for label in found[2].split("+")) if found[2] else ()
    return Region(name, Path(found[1]), labels)


def yeo_networks(atlas: Path | None) -> list[Region]:
    """The default mode, frontoparietal and somatomotor networks of Yeo et al. (2011), of 7.

    From the atlas file given, or from nilearn, which fetches it once. Raises DataError where it cannot.
    """
    return [Region(name, atlas or _fetched_yeo(), (label,)) for name, label in YEO7.items()]


def _fetched_yeo() -> Path:
    from nilearn.datasets import fetch_atlas_yeo_2011

    try:
        atlas = fetch_atlas_yeo_2011(n_networks=7, thickness="thick", verbose=0)
    except Exception as error:  # requests and nilearn raise many kinds
        raise DataError(
            f"The Yeo atlas cannot be fetched: {words_of(error)}",
            hint="Name a file with its 7 networks by --atlas.",
        ) from error
    return Path(str(atlas["maps"]))


def require_regions(regions: Sequence[Region]) -> None:
    """Raise UsageError unless there are some, with different names, whose files exist."""
    if not regions:
        raise UsageError("No region is named.", hint="Add --region NAME=PATH[:LABEL].")
    names = [region.name.replace("_", "") for region in regions]  # as in the names of files
    if len(set(names)) != len(names):
        raise UsageError("Two regions have the same name.")
    for region in regions:
        if not region.path.is_file():
            raise UsageError(f"There is no file {region.path} for the region {region.name}.")


def masks_on(image: Image, regions: Sequence[Region], space: str, name: str) -> dict[str, Mask]:
    """Each region on the grid of a run's image, by nearest neighbour.

    Raises DataError where a region lies elsewhere than the image, or has no voxel.
    """
    return {region.name: _on_grid(image, region, space, name) for region in regions}


def _on_grid(image: Image, region: Region, space: str, name: str) -> Mask:
    import nibabel
    from nibabel.affines import apply_affine
    from nilearn.image import resample_to_img

    other = entities_of(region.path.name).get("space", "")
    if other and space and _family(other) != _family(space):
        raise DataError(
            f"Region {region.name} is in the space {other} and {name} in {space}.", hint=_SPACES_HINT
        )
    atlas = open_image(region.path, 3)
    values = np.nan_to_num(np.asarray(atlas.dataobj, dtype=np.float64))
    mask = np.isin(values, region.labels) if region.labels else values > 0
    if not mask.any():
        told = f"the label {' or '.join(map(str, region.labels))}" if region.labels else "a value above 0"
        raise DataError(f"{region.path.name} has no voxel with {told}, for the region {region.name}.")
    points = apply_affine(np.linalg.inv(image.affine) @ atlas.affine, np.argwhere(mask))
    inside = ((points >= -0.5) & (points <= np.array(image.shape[:3]) - 0.5)).all(axis=1).mean()
    if inside < _LEAST:
        raise DataError(
            f"Region {region.name} and {name} are in different spaces: {1 - inside:.0%} of the region lies "
            "outside the image.",
            hint=_SPACES_HINT,
        )
    target = nibabel.Nifti1Image(np.zeros(image.shape[:3], dtype=np.uint8), image.affine)
    moved = resample_to_img(
        nibabel.Nifti1Image(mask.astype(np.uint8), atlas.affine),
        target,
        interpolation="nearest",
        copy_header=True,
        force_resample=True,
    )
    resampled = np.asarray(moved.dataobj) > 0
    if not resampled.any():
        raise DataError(f"Region {region.name} has no voxel on the grid of {name}.", hint=_SPACES_HINT)
    return np.asarray(resampled)


def _family(space: str) -> str:
    """All MNI152 templates lie over one another to a few millimetres: one's atlas fits another's image."""
    return "MNI152" if space.startswith("MNI152") else space


def require_signal(masks: Mapping[str, Mask], signal: Mask, name: str) -> None:
    """Raise DataError where most voxels of a region have no signal: it lies beside the brain."""
    for region, mask in masks.items():
        share = float(signal[mask].mean())
        if share < _LEAST:
            raise DataError(
                f"Region {region} and {name} do not lie over one another: {1 - share:.0%} of the region's "
                "voxels have no signal.",
                hint=_SPACES_HINT,
            )
