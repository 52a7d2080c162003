"""Which public files the deduction dataset is made of, with their hashes.

The table lies in deduction_files.json: for the events and for the betas the repository, its commit and
the sha256 of each file. Participants, runs and regions are those of the paper's released data.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Iterable
from importlib import resources
from typing import Any

from brainbench.errors import UsageError
from brainbench.fetch import Repository, RepositoryFile

PARTICIPANTS = tuple(
    f"sub-{number}" for number in (1001, 1004, 1008, 1014, 1017, 1019, 1022, 1027, 1030, 1034)
)
# Type and run, in the order of the rows of the betas.
RUNS = (("syllogism", 1), ("syllogism", 2), ("transitive", 1), ("transitive", 2))
# Voxels per participant: the tenth of the region's mask that the task contrasts choose.
VOXELS = {"deductive_reasoning": 313, "language": 1359, "md": 3082}
WRONG_FILE_HINT = "The file is not the published one: remove it from the cache, or correct the mirror."

_TASKS = {"syllogism": "Syllogisms", "transitive": "Transitive"}
_BETAS_FOLDER = "fmri_data/preprocessed_data_glmsinglesep_newdrroi_topksep/top-10%"


def events_of(participant: str) -> tuple[RepositoryFile, ...]:
    """A participant's four events.tsv, in the order of RUNS."""
    return tuple(
        _file("events", f"{participant}/func/{participant}_task-{_TASKS[kind]}_run-{run:02d}_events.tsv")
        for kind, run in RUNS
    )


def all_events() -> tuple[RepositoryFile, ...]:
    """The events of all participants: for each in turn, those of `events_of`."""
    return tuple(file for participant in PARTICIPANTS for file in events_of(participant))


def betas_of(region: str) -> tuple[RepositoryFile, ...]:
    """A region's betas, one file per participant; raises UsageError when there is no such region."""
    if region not in VOXELS:
        raise UsageError(
            f"The dataset deduction has no region {region!r}.", hint=f"Choose one of {', '.join(VOXELS)}."
        )
    return tuple(
        _file("betas", f"{_BETAS_FOLDER}/all_extracted_beta_{region}/{person}/{person}.mat")
        for person in PARTICIPANTS
    )


def data_hash(files: Iterable[RepositoryFile]) -> str:
    """One sha256 over the paths and hashes of `files`, whatever their order."""
    lines = sorted(f"{file.sha256}  {'/'.join(file.parts)}\n" for file in files)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def repository(kind: str) -> Repository:
    """The repository and commit of the "events" or of the "betas"."""
    entry = _table()[kind]
    return Repository(entry["repository"], entry["commit"])


def _file(kind: str, path: str) -> RepositoryFile:
    return RepositoryFile(repository(kind), path, _table()[kind]["sha256"][path])


@functools.cache
def _table() -> dict[str, Any]:
    text = resources.files(__package__).joinpath("deduction_files.json").read_text("utf-8")
    table: dict[str, Any] = json.loads(text)
    return table
