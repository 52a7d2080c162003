"""Where a person's files lie in a folder of fMRIPrep derivatives, by their BIDS entities."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from brainbench.errors import DataError

_BOLD = "desc-preproc_bold.nii"
_ENTITY = re.compile(r"([a-zA-Z]+)-([a-zA-Z0-9+]+)")
_WHICH_RUN = ("sub", "ses", "task", "acq", "ce", "rec", "dir", "run", "echo")  # say which run it is


@dataclass(frozen=True, slots=True)
class Run:
    """The files of one run. sidecar: None where there is none."""

    name: str
    entities: Mapping[str, str]
    bold: Path
    sidecar: Path | None
    confounds: Path
    events: Path

    @property
    def files(self) -> tuple[Path, ...]:
        """All of them."""
        return tuple(p for p in (self.bold, self.sidecar, self.confounds, self.events) if p is not None)


def entities_of(name: str) -> dict[str, str]:
    """The BIDS entities of a file's name: {"sub": "2001", "task": "dt", "run": "01"}."""
    return dict(_ENTITY.findall(name))


def participants(bids: Path) -> list[str]:
    """The labels of all people ("2001") that have a folder there; raises DataError where nobody has."""
    if not bids.is_dir():
        raise DataError(f"There is no folder {bids}.", hint="Name one with fMRIPrep's derivatives.")
    found = sorted(p.name.removeprefix("sub-") for p in bids.glob("sub-*") if p.is_dir())
    if not found:
        raise DataError(f"{bids} has no folder sub-...", hint="Name a folder with fMRIPrep's derivatives.")
    return found


def runs_of(  # noqa: PLR0913, PLR0917 - BIDS has so many entities
    bids: Path, events: Path, label: str, tasks: Collection[str], space: str, session: str = ""
) -> list[Run]:
    """A person's runs of these tasks in a space, by task, session and run.

    events: the BIDS folder with events.tsv. Raises DataError where there is no run, or a file is missing.
    """
    images = [
        path
        for path in sorted((bids / f"sub-{label}").rglob(f"sub-{label}_*{_BOLD}*"))
        if path.name.endswith((".nii", ".nii.gz")) and entities_of(path.name).get("task") in tasks
    ]
    if session:
        images = [path for path in images if entities_of(path.name).get("ses") == session]
    spaces = sorted({entities_of(path.name).get("space", "") for path in images})
    chosen = [path for path in images if entities_of(path.name).get("space", "") == space]
    if not chosen:
        hint = f"There are images in {', '.join(spaces)}: see --space." if spaces else "See --task."
        raise DataError(
            f"sub-{label} has no {_BOLD}.gz of task {' or '.join(tasks)} in space {space}.", hint=hint
        )
    runs = [_run(path, bids, events) for path in chosen]
    names = [run.name for run in runs]
    if len(set(names)) != len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise DataError(
            f"sub-{label} has two images of {twice} in space {space}.", hint="Keep one resolution of it."
        )
    order = list(tasks)
    return sorted(runs, key=lambda run: (order.index(run.entities["task"]), run.name))


def _run(bold: Path, bids: Path, events: Path) -> Run:
    entities = entities_of(bold.name)
    which = {key: entities[key] for key in _WHICH_RUN if key in entities}
    name = "_".join(f"{key}-{value}" for key, value in which.items())
    sidecar = bold.parent / f"{bold.name.removesuffix('.gz').removesuffix('.nii')}.json"
    confounds = [
        path
        for path in sorted(bold.parent.glob("*_desc-confounds_*.tsv"))
        if path.stem.endswith(("_timeseries", "_regressors")) and _same(entities_of(path.name), which)
    ]
    if len(confounds) != 1:
        raise DataError(
            f"{name} has {len(confounds) or 'no'} confound tables ({name}_desc-confounds_timeseries.tsv).",
            hint="fMRIPrep writes it beside the image.",
        )
    found = _inherited(events, bold.parent.relative_to(bids), which)
    if found is None:
        raise DataError(
            f"{name} has no {name}_events.tsv.", hint="Name the BIDS folder that has it with --events."
        )
    return Run(name, entities, bold, sidecar if sidecar.exists() else None, confounds[0], found)


def _same(entities: Mapping[str, str], which: Mapping[str, str]) -> bool:
    return {key: entities[key] for key in _WHICH_RUN if key in entities} == dict(which)


def _inherited(root: Path, below: Path, which: Mapping[str, str]) -> Path | None:
    """The nearest events.tsv that applies to a run: its own, or one further up with fewer entities (BIDS)."""
    for folder in (root / below, *(root / parent for parent in below.parents)):
        fitting = [
            (len(found), path)
            for path in sorted(folder.glob("*_events.tsv"))
            if (found := entities_of(path.name)).items() <= which.items()
        ]
        if fitting:
            return max(fitting, key=lambda pair: pair[0])[1]
    return None


def sha256_of(path: Path) -> str:
    """A file's hash; raises DataError where it cannot be read."""
    digest = hashlib.sha256()
    try:
        with path.open("rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    except OSError as error:
        raise DataError(f"{path.name} cannot be read: {error.strerror}.") from error
    return digest.hexdigest()


def read_json(path: Path) -> dict[str, object]:
    """A JSON object; raises DataError for anything else."""
    try:
        found = json.loads(path.read_bytes())
    except OSError as error:
        raise DataError(f"{path.name} cannot be read: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path.name} is no JSON: {error}.") from error
    if not isinstance(found, dict):
        raise DataError(f"{path.name} holds no JSON object.")
    return found


def is_simulated(bids: Path) -> bool:
    """Whether the folder says of itself that nobody was scanned: "Simulated": true in its description."""
    path = bids / "dataset_description.json"
    return path.exists() and read_json(path).get("Simulated") is True
