"""What a dataset offers for training on it, looked at before it is used (see BrainDataset)."""

from __future__ import annotations

from brainbench.errors import PluginError
from brainbench.nouns import BrainDataset
from brainbench.progress import SilentReporter
from brainbench.protocols import missing, require_plain_values
from brainbench.stimuli import Stimulus
from brainbench.task_nouns import Task


def validation_of_dataset(dataset: BrainDataset) -> Task | None:
    """The task on which training on this dataset stops early, if it has one; raises PluginError."""
    validation = getattr(dataset, "validation", None)
    found = validation() if validation is not None else None
    if found is None:
        return None
    if missing(found, Task):
        raise PluginError(f"validation() of dataset {dataset.name} gave {_kind(found)}, not a Task.")
    require_plain_values(found)
    return found  # type: ignore[no-any-return] # it has all that a Task has


def more_problems_of(dataset: BrainDataset, count: int, seed: int) -> tuple[Stimulus, ...] | None:
    """So many labelled problems beside the dataset's own; None where it makes none.

    Raises PluginError for anything but so many stimuli of the dataset's types, with ids and texts of their
    own and the right answer as the condition `label`, and what the dataset raises (UsageError for a count
    that it cannot make).
    """
    more = getattr(dataset, "more_problems", None)
    if more is None:
        return None
    found, call = more(count, seed), f"more_problems({count}, {seed}) of dataset {dataset.name}"
    if not isinstance(found, tuple) or not all(isinstance(item, Stimulus) for item in found):
        raise PluginError(f"{call} gave {_kind(found)}, not a tuple of Stimulus.")
    if len(found) != count:
        raise PluginError(f"{call} gave {len(found)} problems.")
    _require_new(found, dataset.stimuli(SilentReporter()), call)
    return found


def _require_new(found: tuple[Stimulus, ...], own: tuple[Stimulus, ...], call: str) -> None:
    """Each is a labelled problem of a type of the dataset's, and neither one of its own nor there twice."""
    ids, contents = {item.id for item in own}, {item.content for item in own}
    types = {item.conditions.get("type") for item in own}
    for item in found:
        if item.id in ids:
            raise PluginError(f"{call} gave the id {item.id!r} twice, or one that is the dataset's own.")
        if item.content in contents:
            raise PluginError(f"{call}: the problem {item.id!r} is there twice, or one of the dataset's own.")
        if not isinstance(item.conditions.get("label"), bool):
            raise PluginError(f"{call}: the condition 'label' of {item.id!r} is neither True nor False.")
        if item.conditions.get("type") not in types:
            raise PluginError(f"{call}: {item.id!r} is of no type that the dataset has.")
        ids.add(item.id)
        contents.add(item.content)


def _kind(found: object) -> str:
    """What it is, in a word."""
    return found.__name__ if isinstance(found, type) else type(found).__name__
