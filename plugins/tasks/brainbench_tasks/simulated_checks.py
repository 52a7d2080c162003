"""What a simulated dataset can be made of, checked when it is made: one sentence, and what to do about it."""

from __future__ import annotations

from math import prod

from brainbench.errors import UsageError

PRESETS = ("planted", "null", "nuisance", "guide")
MOST_PEOPLE = 1_000
MOST_ALONG_AXIS = 200  # the correlation of an axis is a matrix, so long
MOST_VOXELS = 100_000
MOST_VOXELS_OF_ALL = 1_000_000  # people times voxels: some 300 MB a region


def require_makeable(preset: object, seed: object, version: object, people: object, grid: object) -> None:
    """Raise UsageError for a preset that there is not, and for a number that is none or asks for too much."""
    if not isinstance(preset, str) or preset not in PRESETS:
        raise UsageError(f"There is no preset {preset!r}.", hint=f"Choose one of {', '.join(PRESETS)}.")
    if not _whole(seed, 0):
        raise UsageError(
            f"The seed must be a whole number of at least 0; got {seed!r}.", hint="Give an int: seed=7, say."
        )
    if not _whole(version, 1):
        raise UsageError(
            f"The version must be a whole number of at least 1; got {version!r}.",
            hint="Leave it out for the present one.",
        )
    if not _whole(people, 1, MOST_PEOPLE):
        raise UsageError(
            f"The number of people must be a whole number from 1 to {MOST_PEOPLE:,}; got {people!r}.",
            hint="Give an int: people=8, say.",
        )
    if (
        not isinstance(grid, tuple)
        or len(grid) != 3
        or not all(_whole(axis, 1, MOST_ALONG_AXIS) for axis in grid)
        or prod(grid) > MOST_VOXELS
    ):
        raise UsageError(
            f"The grid must be a tuple of three whole numbers from 1 to {MOST_ALONG_AXIS}, {MOST_VOXELS:,} "
            f"voxels at most; got {grid!r}.",
            hint="Give the voxels along each axis: grid=(5, 4, 3), say.",
        )
    if isinstance(people, int) and people * prod(grid) > MOST_VOXELS_OF_ALL:
        raise UsageError(
            f"People and grid make {people * prod(grid):,} voxels together; "
            f"{MOST_VOXELS_OF_ALL:,} can be made at most.",
            hint="Give fewer people or a smaller grid.",
        )


def _whole(value: object, least: int, most: int | None = None) -> bool:
    """Whether it is an int (and not True or numpy's, which would be another seed) within the bounds."""
    return type(value) is int and value >= least and (most is None or value <= most)
