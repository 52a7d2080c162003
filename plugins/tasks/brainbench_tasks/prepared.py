"""Datasets from folders that `brainbench data prepare` wrote: named by their path, asked in our own words.

The creativity prompts are those of `creativity_prompts`, the deduction prompts those of `deduction_prompts`.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path

from brainbench.arrays import Behaviour, Recording
from brainbench.errors import DataError, UsageError
from brainbench.nouns import BrainDataset, DatasetCard, Identity, Reporter
from brainbench.scans.prepared import PreparedFolder, open_folder
from brainbench.stimuli import ALL_ITEMS, ItemSet, Stimulus
from brainbench_tasks import creativity_prompts, deduction_prompts
from brainbench_tasks.creativity_variants import HasVariants
from brainbench_tasks.deduction_items import scanned_problem

_TEXTS = ("premise1", "premise2", "premise3", "conclusion", "stim_file")
_ARTICLE = re.compile(r"^an? (?=\w)", re.IGNORECASE)  # the prompts have one of their own
_PAPERS = {
    "creativity": "The method is that of Ismayilzada et al., arXiv:2604.03480 (2026).",
    "deduction": "The task is that of Lytle, Prado, Booth: OpenNeuro ds003076 (2020).",
}


@dataclass(frozen=True, eq=False)
class _Prepared(ABC):
    """What both experiments share."""

    folder: PreparedFolder
    version: int = 1

    @property
    def name(self) -> str:
        """The experiment, and what the folder is called."""
        return f"{self.folder.study}:{self.folder.name}"

    @property
    def regions(self) -> tuple[str, ...]:
        """As they were named when the data was prepared, the main one first."""
        return self.folder.regions

    @property
    def simulated(self) -> bool:
        """As the files from the scanner said."""
        return self.folder.simulated

    @property
    def item_sets(self) -> tuple[ItemSet, ...]:
        """All items, and those of each condition where there are several."""
        conditions = self.folder.conditions
        sets = [ItemSet(name, {self._condition: name}) for name in conditions if len(conditions) > 1]
        return (ALL_ITEMS, *sets)

    @property
    def card(self) -> DatasetCard:
        """That it is somebody's own data, and how it was made."""
        people = len(self.folder.people)
        made = "SIMULATED: nobody was scanned" if self.simulated else f"fMRI of {people} people"
        return DatasetCard(
            description=f"{made}; single-trial betas of `brainbench data prepare {self.folder.study}`.",
            licence="That of the scans: brainbench does not know it.",
            citation=_PAPERS[self.folder.study],
            sources=(f"the prepared folder {self.folder.name}",),
            caveats=(
                "The prompts are worded by brainbench: scores of a model need not equal those printed in the "
                "paper.",
                "Trials were estimated from the same runs: neighbouring ones share noise.",
            ),
        )

    @property
    def _condition(self) -> str:
        """What a stimulus calls its condition."""
        return "task" if self.folder.study == "creativity" else "type"

    @property
    def _prompt_version(self) -> int:
        if self.folder.study == "creativity":
            return creativity_prompts.PROMPT_VERSION
        return deduction_prompts.PROMPT_VERSION

    def identity(self, region: str) -> Identity:
        """Versions, and the hashes of all files that decide stimuli and responses."""
        return Identity(
            {
                "name": self.name,
                "version": self.version,
                "prompt_version": self._prompt_version,
                "simulated": self.simulated,
                "region": region,
                "data": self.folder.hashes(region),
            }
        )

    def stimuli(self, reporter: Reporter) -> tuple[Stimulus, ...]:
        """What was shown to anybody, by condition and words; raises DataError."""
        del reporter
        made = tuple(self._stimulus(row) for row in self.folder.stimuli())
        if len({stimulus.id for stimulus in made}) != len(made):
            raise DataError(f"Two stimuli of {self.folder.name} have the same words.")
        return made

    def recording(self, region: str, reporter: Reporter) -> Recording:
        """Betas (items x voxels, float32), strata by condition; raises DataError."""
        with reporter.task(f"Reading {region}", len(self.folder.people)) as advance:
            return self.folder.recording(region, advance)

    def behaviour(self, reporter: Reporter) -> Behaviour:
        """Response times, right answers and mean ratings (people x items), where the tables tell them."""
        del reporter
        return self.folder.behaviour()

    @abstractmethod
    def _stimulus(self, row: dict[str, str]) -> Stimulus:
        """What was shown, from a row of the folder's table."""


class PreparedCreativity(HasVariants, _Prepared):
    """Objects, for each of which people thought of a new use or, in the control task, of its properties."""

    def _stimulus(self, row: dict[str, str]) -> Stimulus:
        if row["condition"] not in creativity_prompts.TASKS:
            known = " and ".join(creativity_prompts.TASKS)
            raise DataError(
                f"There is no prompt for the condition {row['condition']!r}.", hint=f"There are {known}."
            )
        noun = _ARTICLE.sub("", row["shown"])
        made = creativity_prompts.stimulus(row["condition"], noun)
        return Stimulus(row["stimulus_id"], made.messages, made.text, made.content, made.conditions)


class PreparedDeduction(_Prepared):
    """Problems of three premises and a conclusion that people judged."""

    design_conditions = ("label", "premises_needed", "negated")

    def _stimulus(self, row: dict[str, str]) -> Stimulus:
        where = row["stimulus_id"]
        if lacking := [name for name in _TEXTS if name not in row]:
            raise DataError(f"The stimuli of {self.folder.name} lack {', '.join(lacking)}.")
        return deduction_prompts.stimulus(where, row["condition"], 0, scanned_problem(where, row))


_KINDS = {"creativity": PreparedCreativity, "deduction": PreparedDeduction}


@dataclass(frozen=True)
class PreparedFolders:
    """Any folder that `brainbench data prepare` wrote, by its path."""

    name: str = "prepared"
    pattern: str = "path/to/folder (of `brainbench data prepare`)"

    def find(self, spec: str) -> BrainDataset | None:
        """The dataset in the folder `spec`; None where there is none. Raises UsageError for a broken one."""
        if spec.partition(":")[0] in _KINDS and not Path(spec).exists():
            raise UsageError(
                f"{spec!r} is what a prepared dataset is called, which does not say where it lies.",
                hint="Name its folder.",
            )
        try:
            folder = open_folder(Path(spec).expanduser())
        except DataError as error:
            raise UsageError(error.message, hint=error.hint) from error
        except (OSError, ValueError, RuntimeError):  # no name of a file
            return None
        if folder is None:
            return None
        if folder.study not in _KINDS:
            raise UsageError(f"{spec} is of an unknown experiment, {folder.study!r}.")
        return _KINDS[folder.study](folder)
