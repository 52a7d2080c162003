"""What is in memory of a dataset: its stimuli, and one region's responses to them, checked when they come."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from brainbench.arrays import Behaviour, Recording
from brainbench.errors import DataError
from brainbench.nouns import BrainDataset, Reporter
from brainbench.nuisances import nuisances
from brainbench.slots import Slot, phase
from brainbench.stimuli import ItemSet, Stimulus


@dataclass
class LoadedData:
    """Of one dataset and region at a time; datasets are told apart as objects. All raise DataError."""

    _stimuli: Slot[tuple[Stimulus, ...]] = field(default_factory=Slot)
    _recording: Slot[Recording] = field(default_factory=Slot)

    def stimuli(self, dataset: BrainDataset, reporter: Reporter) -> tuple[Stimulus, ...]:
        """All that there are."""

        def make() -> tuple[Stimulus, ...]:
            with phase("data"):
                stimuli = tuple(dataset.stimuli(reporter))
                if not stimuli or not all(isinstance(stimulus, Stimulus) for stimulus in stimuli):
                    raise DataError(f"Dataset {dataset.name} has no stimuli, or things that are none.")
                return stimuli

        return self._stimuli.get(id(dataset), make)

    def recording(self, dataset: BrainDataset, region: str, reporter: Reporter) -> Recording:
        """The responses to all items, and with them what dull predictors say of these."""
        stimuli, name = self.stimuli(dataset, reporter), dataset.name

        def make() -> Recording:
            with phase("data"):
                recording = dataset.recording(region, reporter)
                if not isinstance(recording, Recording):
                    raise DataError(f"Dataset {name}: recording() gave {type(recording).__name__}.")
                if recording.items != tuple(stimulus.id for stimulus in stimuli):
                    raise DataError(f"Dataset {name}: items of {region} are not its stimuli.")
                behaviour = dataset.behaviour(reporter)
                if behaviour is not None and not isinstance(behaviour, Behaviour):
                    raise DataError(f"Dataset {name}: behaviour() gave {type(behaviour).__name__}.")
                design = getattr(dataset, "design_conditions", ())
                dull = nuisances(stimuli, recording.strata, design, behaviour)
                return replace(recording, nuisances={**dull, **recording.nuisances})

        return self._recording.get((id(dataset), region), make)

    def items(self, dataset: BrainDataset, item_set: ItemSet, reporter: Reporter) -> tuple[int, ...]:
        """Where the items of a set stand among the stimuli."""
        items = item_set.indices(self.stimuli(dataset, reporter))
        if not items:
            raise DataError(f"Dataset {dataset.name} has no items in its set {item_set.name!r}.")
        return items
