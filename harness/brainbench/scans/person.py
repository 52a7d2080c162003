"""One person, from the files of the scanner to betas, trials and a note of how they were made.

The sidecar is written last: what has one is complete. A person whose inputs and settings have the hashes that
the sidecar tells, and whose files are those that it tells, is not computed again.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainbench.errors import BrainbenchError, DataError, words_of
from brainbench.identity import fingerprint
from brainbench.kept_files import KeptFolder, as_json, write_files
from brainbench.provenance import version_of
from brainbench.scans.design import Design, design_of, mean_response, placed, read_confounds, read_events
from brainbench.scans.estimate import single_trial_betas
from brainbench.scans.files import Run, runs_of, sha256_of
from brainbench.scans.images import open_image, read_series, repetition_time, scaled
from brainbench.scans.job import EXTENSION, Job, Outcome, folder_of, stem
from brainbench.scans.outputs import arrays_of, region_facts, table_of
from brainbench.scans.regions import Mask, masks_on, require_signal
from brainbench.scans.responses import Trial, answered, person_key, trials_of
from brainbench.scans.settings import MEAN_RESPONSE, PREPARE_VERSION

PACKAGES = ("nilearn", "nibabel", "numpy", "scipy")


@dataclass(frozen=True, slots=True, eq=False)
class FittedRun:
    """What came of a run. betas (trials x voxels of any region), NaN where a voxel has no signal."""

    run: Run
    trials: list[Trial]
    betas: NDArray[np.float32]
    masks: dict[str, Mask]
    designs: tuple[Design, ...]
    mean: NDArray[np.float32]
    tsnr: NDArray[np.float32]
    affine: NDArray[np.float64]
    facts: Mapping[str, Any]


def prepare_person(job: Job, label: str) -> Outcome:
    """Prepare one person, or say why that cannot be done; only what stops everybody is raised."""
    try:
        return _prepare(job, label)
    except DataError as error:
        return Outcome(label, reason=" ".join(f"{error.message} {error.hint}".split()))
    except BrainbenchError:
        raise
    except MemoryError:
        return Outcome(label, reason="There is not enough memory; use fewer --jobs.")
    except Exception as error:  # whatever one person's files do, the others are prepared
        told = words_of(error)
        for folder in (job.bids, job.events, job.out):  # reasons are written into the folder
            told = told.replace(f"{folder}{os.sep}", "")
        return Outcome(label, reason=f"{type(error).__name__}: {told}")


def _prepare(job: Job, label: str) -> Outcome:
    tasks = [task for task, _ in job.study.tasks]
    runs = runs_of(job.bids, job.events, label, tasks, job.space, job.session)
    inputs = inputs_of(job, label, runs)
    if (kept := finished(job, label, inputs)) is not None:
        return Outcome(label, kept["trials"], kept["dropped"], reused=True)
    folder, start = folder_of(job.out, label), stem(job, label)
    sidecar = folder / f"{start}{EXTENSION}_betas.json"
    fitted = [fit_run(one, run) for one, run in zip(with_durations(job, runs), runs, strict=True)]
    require_one_grid(fitted)
    trials = [trial for one in fitted for trial in one.trials]
    rows, dropped = list(range(len(trials))), 0
    if job.responses is not None:
        kept_trials, dropped = answered(trials, job.responses, label)
        known = {id(trial) for trial in kept_trials}
        rows = [at for at, trial in enumerate(trials) if id(trial) in known]
    if not rows:
        raise DataError(f"sub-{label} has no usable trial: none of {len(trials)} was answered.")
    betas = np.concatenate([one.betas for one in fitted])[rows]
    files = arrays_of(betas, fitted[0].masks, start)
    chosen = [trials[at] for at in rows]
    files[f"{start}{EXTENSION}_trials.tsv"] = table_of(chosen, label, job)
    if job.report:
        from brainbench.scans.report import report_page

        files[f"{start}{EXTENSION}_report.html"] = report_page(job, label, fitted, betas, dropped).encode()
    notes = [note for one in fitted for note in one.facts["notes"]]
    told = {
        "inputs": inputs,
        "key": fingerprint(inputs),
        "trials": len(rows),
        "dropped": dropped,
        "runs": {one.run.name: one.facts for one in fitted},
        "grid": {
            "shape": list(fitted[0].mean.shape),
            "affine": fitted[0].affine.round(6).tolist(),
        },
        "regions": region_facts(fitted[0].masks, betas),
        "versions": {name: version_of(name) for name in PACKAGES},
        "files": {name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
        "Simulated": job.simulated,
    }
    write_files(folder, {**files, sidecar.name: as_json(told)})
    return Outcome(label, len(rows), dropped, notes=tuple(dict.fromkeys(notes)))


def with_durations(job: Job, runs: Sequence[Run]) -> list[Job]:
    """The job of each run: with seconds for "mean-response", that of the task; raises DataError."""
    if job.settings.duration != MEAN_RESPONSE:
        return [job] * len(runs)
    found: dict[str, list[float]] = {}
    for run in runs:
        known = mean_response(read_events(run.events), job.study, run.name)
        found.setdefault(run.entities["task"], []).extend([] if known is None else [known])
    if lacking := [task for task, seconds in found.items() if not seconds]:
        raise DataError(
            f"task-{lacking[0]} has no right answer with a response_time to take the duration from.",
            hint="Give --duration in seconds, or --duration events.",
        )
    seconds = {task: float(np.mean(known)) for task, known in found.items()}
    return [
        replace(job, settings=replace(job.settings, duration=seconds[run.entities["task"]])) for run in runs
    ]


def require_one_grid(fitted: Sequence[FittedRun]) -> None:
    """Raise DataError unless the runs have the same voxels."""
    first = fitted[0]
    for one in fitted[1:]:
        if one.mean.shape != first.mean.shape or not np.allclose(one.affine, first.affine, atol=1e-4):
            raise DataError(
                f"{one.run.name} and {first.run.name} have different grids.",
                hint="Choose a standard --space, in which all runs of a person lie over one another.",
            )


def inputs_of(job: Job, label: str, runs: Sequence[Run]) -> dict[str, Any]:
    """All that decides a person's betas and trials, by hash; names of files but no places."""
    answers = job.responses.people.get(person_key(label), {}) if job.responses is not None else None
    told = (
        None
        if answers is None
        else sorted((key, answer.response, answer.ratings) for key, answer in answers.items())
    )
    return {
        "version": PREPARE_VERSION,
        "settings": asdict(job.settings),
        "study": asdict(job.study),
        "space": job.space,
        "simulated": job.simulated,
        "files": {path.name: sha256_of(path) for run in runs for path in run.files},
        "responses": None if told is None else hashlib.sha256(repr(told).encode()).hexdigest(),
        "regions": {
            region.name: {"file": region.path.name, "sha256": sha256_of(region.path), "labels": region.labels}
            for region in job.regions
        },
    }


def finished(job: Job, label: str, inputs: Mapping[str, Any]) -> dict[str, Any] | None:
    """The sidecar of a person who is there already, whole and from the same inputs; otherwise None."""
    folder = folder_of(job.out, label)
    name = f"{stem(job, label)}{EXTENSION}_betas.json"
    if not (folder / name).exists():
        return None
    try:
        told = KeptFolder(folder, "", "").read_object(name)
        same = told["key"] == fingerprint(inputs)
        whole = same and all(sha256_of(folder / file) == sha for file, sha in told["files"].items())
        whole = whole and (not job.report or any(file.endswith(".html") for file in told["files"]))
    except (DataError, KeyError, AttributeError, TypeError):
        return None
    return told if whole and isinstance(told.get("trials"), int) else None


def fit_run(job: Job, run: Run) -> FittedRun:
    """Betas of all trials of a run, in the order of their onsets; raises DataError."""
    settings = job.settings
    image = open_image(run.bold, 4)
    volumes = image.shape[3]
    tr, source = repetition_time(run, image, settings)
    events, groups = placed(read_events(run.events), job.study, settings, tr * volumes, run.name)
    positions: list[int] = sorted(at for group in groups for at in group)
    trials = trials_of(events, positions, job.study, run.name, run.entities["task"])
    confounds = read_confounds(run.confounds, settings.confounds, volumes)
    masks = masks_on(image, job.regions, job.space, run.name)
    union = np.logical_or.reduce(list(masks.values()))
    series = read_series(run.bold, image, union, settings)
    data, signal = scaled(series.data, settings.scaling)
    measured = data if signal.all() else data[:, signal]
    known = np.zeros(union.shape, dtype=np.bool_)
    known[union] = signal
    require_signal(masks, known, run.name)
    betas = np.full((len(positions), int(union.sum())), np.nan, dtype=np.float32)
    designs = []
    for group in groups:
        design = design_of(events, group, confounds, settings, tr)
        try:
            found = single_trial_betas(
                measured, design.trials, design.others, method=settings.method, noise=settings.noise
            )
        except DataError as error:
            raise DataError(f"{run.name}: {error.message}.", hint=error.hint) from error
        betas[np.ix_(np.searchsorted(positions, group), np.flatnonzero(signal))] = found
        designs.append(design)
    notes = [f"{run.name}: {note}" for design in designs for note in design.notes]
    if source == "fallback":
        notes.append(f"{run.name}: neither sidecar nor header tells the TR; {tr:g} s is assumed.")
    facts = {
        "tr": tr,
        "tr_from": source,
        "volumes": volumes,
        "columns": [design.matrix.shape[1] for design in designs],
        "notes": list(dict.fromkeys(notes)),
    }
    affine = np.asarray(image.affine, dtype=np.float64)
    return FittedRun(run, trials, betas, masks, tuple(designs), series.mean, series.tsnr, affine, facts)
