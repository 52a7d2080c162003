"""An adapter that was trained before and kept, as an intervention: `adapter:PATH`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import InitVar, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from brainbench import steering_intervention as known
from brainbench.adapter import Adaptable, Adapter
from brainbench.errors import NotApplicable, UsageError
from brainbench.nouns import BrainDataset, OpenModel, Reporter
from brainbench.records import Skip
from brainbench.steering import Role

if TYPE_CHECKING:
    from brainbench.checkpoints import Checkpoint

PREFIX = "adapter:"


@dataclass(frozen=True, eq=False)
class SavedAdapter:
    """A model tuned as it was kept: nothing is trained again.

    It is known by what it holds and not by where it lies, so that a copy elsewhere gives the same result.
    """

    adapter: InitVar[Adapter]
    name: str = field(init=False)
    fingerprint: str = field(init=False)
    version: int = field(init=False, default=1)

    needs_dataset: ClassVar[bool] = False

    def __post_init__(self, adapter: Adapter) -> None:
        object.__setattr__(self, "_kept", adapter)  # no field: its fingerprint says all that decides numbers
        object.__setattr__(self, "fingerprint", adapter.fingerprint)
        name = f"{PREFIX}{known.label(adapter.facts)}@{self.fingerprint[:8]}"
        object.__setattr__(self, "name", name)

    @property
    def kept(self) -> Adapter:
        """What it tunes by."""
        found: Adapter = self.__dict__["_kept"]
        return found

    @property
    def role(self) -> Role:
        """As its facts say; where they do not, "brain" only if its training has seen brain responses."""
        return known.role(self.kept.facts, self.kept.looks_at)

    @property
    def seed(self) -> int:
        """Of its training, as its facts say; 0 where they do not."""
        said = self.kept.facts.get("seed")
        return said if type(said) is int else 0

    @property
    def about(self) -> str:
        """What it is."""
        return f"a kept adapter, {self.fingerprint[:8]}"

    def tune(
        self, model: OpenModel, dataset: BrainDataset | None, reporter: Reporter, kept: Checkpoint | None
    ) -> Adapter | Skip:
        """What was kept, for a model that can take it."""
        del dataset, reporter, kept
        return self.kept if isinstance(model, Adaptable) else Skip("the model cannot be fine-tuned.")

    @contextmanager
    def apply(self, model: OpenModel, dataset: BrainDataset | None) -> Iterator[OpenModel]:
        """The tuned model; raises NotApplicable where nothing in it can be tuned, ModelError for a misfit."""
        del dataset
        if not isinstance(model, Adaptable):
            raise NotApplicable(f"{self.name} cannot be applied: the model cannot be fine-tuned.")
        with model.adapted(self.kept) as adapted:
            yield adapted


def saved(spec: str) -> SavedAdapter:
    """The intervention that `adapter:PATH` names; raises UsageError without a path, or DataError."""
    from brainbench.adapter_files import load

    path = spec.removeprefix(PREFIX)
    if not path.strip():
        raise UsageError(f"{spec!r} names no adapter.", hint=f"Write {PREFIX}PATH.")
    return SavedAdapter(load(Path(path)))
