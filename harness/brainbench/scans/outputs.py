"""What is written of one person: arrays of each region, the table of trials, and counts for the sidecar."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainbench.scans.job import EXTENSION, Job
from brainbench.scans.regions import Mask
from brainbench.scans.responses import Trial
from brainbench.scans.tables import as_tsv

COLUMNS = (
    "participant_id",
    "trial_id",
    "stimulus_id",
    "condition",
    "shown",
    "run",
    "onset",
    "duration",
    "trial_type",
    "response",
    "rating",
)
Masks = Mapping[str, Mask]


def arrays_of(betas: NDArray[np.float32], masks: Masks, start: str) -> dict[str, bytes]:
    """A safetensors file for each region: betas (trials x voxels), and where each voxel lies (voxels x 3)."""
    from safetensors.numpy import save

    union = np.logical_or.reduce(list(masks.values()))
    files = {}
    for region, mask in masks.items():
        arrays = {
            "betas": np.ascontiguousarray(betas[:, mask[union]]),
            "voxels": np.argwhere(mask).astype(np.float32),
        }
        files[array_name(start, region)] = save(arrays)
    return files


def array_name(start: str, region: str) -> str:
    """The file of a region's betas."""
    return f"{start}_label-{region.replace('_', '')}{EXTENSION}_betas.safetensors"


def region_facts(masks: Masks, betas: NDArray[np.float32]) -> dict[str, Any]:
    """How many voxels each region has, and how many of these have no signal."""
    union = np.logical_or.reduce(list(masks.values()))
    return {
        region: {
            "voxels": int(mask.sum()),
            "without_signal": int(np.isnan(betas[:, mask[union]]).any(axis=0).sum()),
        }
        for region, mask in masks.items()
    }


def table_of(trials: Sequence[Trial], label: str, job: Job) -> bytes:
    """A row for each trial, as TSV."""
    raters = job.responses.raters if job.responses is not None else ()
    measured = [name for name in ("accuracy", "response_time") if any(name in t.event.row for t in trials)]
    described = list(trials[0].described) if trials else []
    rows = []
    for trial in trials:
        answer = trial.answer
        row: dict[str, object] = {
            "participant_id": f"sub-{label}",
            "trial_id": f"{trial.run.partition('_')[2]}_trial-{trial.position + 1:03d}",
            "stimulus_id": trial.stimulus,
            "condition": trial.condition,
            "shown": trial.shown,
            "run": trial.run.partition("_")[2],
            "onset": trial.event.onset,
            "duration": trial.event.duration,
            "trial_type": trial.event.trial_type,
            "response": answer.response if answer else None,
            "rating": answer.rating if answer else None,
            **dict(zip(raters, answer.ratings if answer else (), strict=False)),
            **{name: trial.event.row.get(name) for name in measured},
            **trial.described,
        }
        rows.append(row)
    return as_tsv(rows, (*COLUMNS, *raters, *measured, *described))
