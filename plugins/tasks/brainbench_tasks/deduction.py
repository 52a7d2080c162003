"""The dataset `deduction`: fMRI of ten people judging syllogisms and transitive inferences.

Betas released with arXiv:2606.11893 (Nature Machine Intelligence 8, 1275-1289, 2026); problems and
behaviour from OpenNeuro ds003076. See the card for licences, citations and caveats.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from brainbench import hookimpl
from brainbench.arrays import Behaviour, FloatArray, Participant, Recording
from brainbench.errors import DataError
from brainbench.fetch import fetch
from brainbench.hookspecs import Register
from brainbench.nouns import BrainDataset, DatasetCard, DatasetSource, Identity, RegionPlace, Reporter
from brainbench.stimuli import ALL_ITEMS, ItemSet, Stimulus
from brainbench_tasks.deduction_card import PLACES, card
from brainbench_tasks.deduction_extra import extra_problems
from brainbench_tasks.deduction_files import (
    PARTICIPANTS,
    RUNS,
    VOXELS,
    WRONG_FILE_HINT,
    all_events,
    betas_of,
    data_hash,
)
from brainbench_tasks.deduction_items import (
    KEPT,
    N_TRIALS,
    TRIALS_PER_RUN,
    Trial,
    agreed_problems,
    item_name,
    item_type,
    read_run,
)
from brainbench_tasks.deduction_made import GeneratedDeduction
from brainbench_tasks.deduction_prompts import PROMPT_VERSION, stimulus
from brainbench_tasks.prepared import PreparedFolders

_ITEM_SETS = (
    ALL_ITEMS,
    ItemSet("syllogism", {"type": "syllogism"}),
    ItemSet("transitive", {"type": "transitive"}),
)
_VARIABLE = "all_voxels"
RESPONSE_WINDOW = 6.0  # seconds from the conclusion on


@dataclass(frozen=True)
class Deduction:
    """Ten participants, 70 problems, three regions; fetches only what is asked for."""

    name: str = "deduction"
    version: int = 1
    regions: tuple[str, ...] = tuple(VOXELS)
    simulated: bool = False

    design_conditions: ClassVar[tuple[str, ...]] = ("label", "premises_needed", "negated")
    region_places: ClassVar[Mapping[str, RegionPlace]] = PLACES

    @property
    def item_sets(self) -> tuple[ItemSet, ...]:
        """All 70 problems, the 36 syllogisms, the 34 transitive inferences."""
        return _ITEM_SETS

    @property
    def card(self) -> DatasetCard:
        """Licences, citations, sources and caveats."""
        return card()

    def identity(self, region: str) -> Identity:
        """Version, prompt version and the hash of the events and of the region's betas; no network."""
        return Identity(
            {
                "name": self.name,
                "version": self.version,
                "prompt_version": PROMPT_VERSION,
                "simulated": self.simulated,
                "region": region,
                "data": data_hash((*all_events(), *betas_of(region))),
            }
        )

    def stimuli(self, reporter: Reporter) -> tuple[Stimulus, ...]:
        """The 70 problems in the order of the recordings' items; raises DataError."""
        problems = agreed_problems(_all_trials(reporter))
        return tuple(
            stimulus(item_name(at), item_type(at), RUNS[at // TRIALS_PER_RUN][1], problems[at]) for at in KEPT
        )

    def recording(self, region: str, reporter: Reporter) -> Recording:
        """Betas (70 items x voxels, float32, % signal change), strata by type; raises DataError."""
        paths = fetch(betas_of(region), reporter)
        present = np.arange(len(KEPT))
        return Recording(
            region=region,
            items=tuple(item_name(at) for at in KEPT),
            participants=tuple(
                Participant(person, read_betas(path, VOXELS[region])[list(KEPT)], present)
                for person, path in zip(PARTICIPANTS, paths, strict=True)
            ),
            strata=tuple(item_type(at) for at in KEPT),
        )

    def behaviour(self, reporter: Reporter) -> Behaviour:
        """Correctness (no answer is wrong) and seconds from the conclusion on, (10 people x 70 items)."""
        trials = _all_trials(reporter)
        agreed_problems(trials)
        return Behaviour(
            participants=PARTICIPANTS,
            items=tuple(item_name(at) for at in KEPT),
            correct=np.array([[trials[person][at].correct for at in KEPT] for person in PARTICIPANTS]),
            response_time=np.array(
                [[trials[person][at].response_time for at in KEPT] for person in PARTICIPANTS]
            ),
            response_window=RESPONSE_WINDOW,
        )

    def validation(self) -> GeneratedDeduction | None:
        """On what training stops early: generated problems of the same design in other words."""
        return GeneratedDeduction().validation()

    def more_problems(self, count: int, seed: int) -> tuple[Stimulus, ...]:
        """So many (0 to 1600) of the same design in words of their own, balanced; raises UsageError.

        A smaller count gives the first of a larger one. Their condition `run` is 0: nobody was scanned.
        """
        return extra_problems(count, seed)


def read_betas(path: Path, voxels: int) -> FloatArray:
    """A participant's betas from MATLAB's format: (72 trials x voxels) as float32; raises DataError."""
    import scipy.io

    try:
        found = scipy.io.loadmat(path, variable_names=[_VARIABLE]).get(_VARIABLE)
    except Exception as error:  # scipy raises many kinds for a file that is no such file
        raise DataError(
            f"{path.name} cannot be read as a MATLAB file: {error}.", hint=WRONG_FILE_HINT
        ) from error
    if found is None:
        raise DataError(f"{path.name} has no variable {_VARIABLE}.", hint=WRONG_FILE_HINT)
    if found.shape != (N_TRIALS, voxels) or not np.issubdtype(found.dtype, np.floating):
        raise DataError(
            f"{path.name} holds {found.dtype} values of shape {found.shape} instead of real numbers of "
            f"shape {(N_TRIALS, voxels)}.",
            hint=WRONG_FILE_HINT,
        )
    if not np.isfinite(found).all():
        raise DataError(f"{path.name} holds values that are not finite.", hint=WRONG_FILE_HINT)
    return np.ascontiguousarray(found, dtype=np.float32)


def _all_trials(reporter: Reporter) -> dict[str, Sequence[Trial]]:
    """Every participant's 72 trials, in the order of the runs."""
    runs = [read_run(path) for path in fetch(all_events(), reporter)]
    return {
        person: [trial for run in runs[first : first + len(RUNS)] for trial in run]
        for person, first in zip(PARTICIPANTS, range(0, len(runs), len(RUNS)), strict=True)
    }


@hookimpl
def register_datasets(register: Register[BrainDataset | DatasetSource]) -> None:
    """Offer the dataset, and any that somebody prepared from scans of their own."""
    register(Deduction())
    register(PreparedFolders())
