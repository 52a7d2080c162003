"""Train a model by an intervention, or take what the same training left before."""

from __future__ import annotations

from brainbench.adapter import Adapter
from brainbench.errors import PluginError
from brainbench.nouns import BrainDataset, OpenModel, Reporter
from brainbench.records import Skip
from brainbench.trainings import Training
from brainbench.tuning import Tunes


def trained(
    change: Tunes, model: OpenModel, dataset: BrainDataset | None, reporter: Reporter, kept: Training | None
) -> Adapter | Skip:
    """What training leaves, or why there is none; `kept` None: nothing is kept, nor gone on from."""
    if kept is None:
        return _require(change, change.tune(model, dataset, reporter, None))  # type: ignore[arg-type]
    with kept.alone():
        before = kept.finished()
        if before is not None:
            return before
        found = _require(change, change.tune(model, dataset, reporter, kept.checkpoint))  # type: ignore[arg-type]
        if isinstance(found, Adapter):
            kept.keep(found)
        return found


def _require(change: Tunes, found: object) -> Adapter | Skip:
    if not isinstance(found, Adapter | Skip):
        name = getattr(change, "name", type(change).__name__)
        raise PluginError(f"tune() of {name} gave {type(found).__name__}, not an Adapter.")
    return found
