"""Train a model by an intervention, or take what the same training left before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from brainbench.adapter import Adapter
from brainbench.errors import PluginError
from brainbench.identity import canonical, identify_training
from brainbench.nouns import BrainDataset, Identity, Intervention, Model, ModelOptions, OpenModel, Reporter
from brainbench.records import Skip
from brainbench.steering_fitting import learnt
from brainbench.trainings import Training, Trainings


@dataclass(frozen=True)
class Lesson:
    """Who is to be trained, how and on what; `identity` remembers what is slow to find out."""

    model: Model
    options: ModelOptions
    intervention: Intervention
    dataset: BrainDataset
    identity: Callable[[Model, ModelOptions], Identity] | None = None

    def trained(self, opened: OpenModel, reporter: Reporter) -> Adapter | Skip:
        """What training leaves, with facts "role", "model", "data" and "simulated"; or why there is none.

        What the same training left before is not trained again, and one that was interrupted goes on.
        Raises PluginError for an intervention that gives something else.
        """
        known = identify_training(self.model, self.options, self.intervention, self.dataset, self.identity)
        if not known.resolved:  # of what cannot be told apart nothing is kept
            return self._anew(opened, reporter, None)
        kept = Trainings().of(known.facts)
        with kept.alone(reporter):
            before = kept.finished()
            if before is not None and self._left(before):
                return before
            found = self._anew(opened, reporter, kept)
            if isinstance(found, Adapter):
                kept.keep(found)
            return found

    def _anew(self, opened: OpenModel, reporter: Reporter, kept: Training | None) -> Adapter | Skip:
        change: Any = self.intervention
        found = tune(change, opened, self.dataset, reporter, kept)
        if isinstance(found, Skip):
            return found
        return found.told(**self._learnt(found), seed=found.facts.get("seed", change.seed))

    def _learnt(self, found: Adapter) -> dict[str, Any]:
        ask = self.identity or (lambda model, options: model.identity(options))
        return learnt(self.intervention, ask(self.model, self.options), self.dataset, found.facts)

    def _left(self, kept: Adapter) -> bool:
        """Whether it says that this training left it: files may have been lost, or come from another."""
        if "model" not in kept.facts:
            return False
        change: Any = self.intervention
        wanted = {"intervention": change.name, "seed": change.seed, **self._learnt(kept)}
        told = {"intervention": change.name, **kept.facts}
        return all(canonical(told.get(name)) == canonical(fact) for name, fact in wanted.items())


def tune(
    change: Any,
    opened: OpenModel,
    dataset: BrainDataset | None,
    reporter: Reporter,
    kept: Training | None = None,
) -> Adapter | Skip:
    """What an intervention's `tune` gives; raises PluginError for anything else than an Adapter or a Skip."""
    found = change.tune(opened, dataset, reporter, kept.checkpoint if kept else None)
    if not isinstance(found, Adapter | Skip):
        raise PluginError(f"tune() of {change.name} gave {type(found).__name__}, not an Adapter.")
    return found
