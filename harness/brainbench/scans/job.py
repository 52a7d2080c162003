"""What is asked of one person, as a value that travels to another process, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from brainbench.scans.regions import Region
from brainbench.scans.responses import Responses
from brainbench.scans.settings import Settings, Study

EXTENSION = "_desc-singletrial"


@dataclass(frozen=True, slots=True)
class Job:
    """Everything that decides what is written, and where. report: also the HTML page of each person."""

    bids: Path
    events: Path
    out: Path
    study: Study
    settings: Settings
    regions: tuple[Region, ...]
    space: str
    responses: Responses | None = None
    session: str = ""
    simulated: bool = False
    report: bool = True


@dataclass(frozen=True, slots=True)
class Outcome:
    """One person: prepared, or left out for a reason. trials: kept; dropped: without an answer."""

    person: str
    trials: int = 0
    dropped: int = 0
    reused: bool = False
    reason: str = ""
    notes: tuple[str, ...] = ()


def stem(job: Job, label: str) -> str:
    """How the files of a person begin."""
    return f"sub-{label}_space-{job.space}" if job.space else f"sub-{label}"


def folder_of(out: Path, label: str) -> Path:
    """Where they lie."""
    return out / f"sub-{label}" / "func"
