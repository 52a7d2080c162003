"""A steering that was fitted before and kept, as an intervention: `steering:PATH`."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import InitVar, dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from brainbench.errors import NotApplicable, UsageError
from brainbench.nouns import BrainDataset, OpenModel, Reporter
from brainbench.protocols import NAME
from brainbench.records import Skip
from brainbench.steering import Role, Steerable, Steering

PREFIX = "steering:"


@dataclass(frozen=True, eq=False)
class SavedSteering:
    """Steers as it was kept: nothing is fitted again, and no strength is chosen.

    It is known by what it holds and not by where it lies, so that a copy elsewhere gives the same result.
    """

    steering: InitVar[Steering]
    name: str = field(init=False)
    fingerprint: str = field(init=False)
    version: int = field(init=False, default=1)

    needs_dataset: ClassVar[bool] = False
    strengths: ClassVar[tuple[float, ...]] = ()

    def __post_init__(self, steering: Steering) -> None:
        object.__setattr__(self, "_kept", steering)  # no field: its fingerprint says all that decides numbers
        object.__setattr__(self, "fingerprint", steering.fingerprint)
        object.__setattr__(self, "name", f"{PREFIX}{label(steering.facts)}@{steering.fingerprint[:8]}")

    @property
    def kept(self) -> Steering:
        """What it steers by."""
        found: Steering = self.__dict__["_kept"]
        return found

    @property
    def role(self) -> Role:
        """As its facts say; where they do not, "brain" only if its fit has seen brain responses."""
        return role(self.kept.facts, self.kept.looks_at)

    @property
    def about(self) -> str:
        """What it is."""
        return f"a kept steering, {self.fingerprint[:8]}"

    def fit(self, model: OpenModel, dataset: BrainDataset | None, reporter: Reporter) -> Steering | Skip:
        """What was kept, for a model that can be steered."""
        del dataset, reporter
        return self.kept if isinstance(model, Steerable) else Skip("the model cannot be steered.")

    @contextmanager
    def apply(self, model: OpenModel, dataset: BrainDataset | None) -> Iterator[OpenModel]:
        """The steered model; raises NotApplicable where nothing in it can be steered, or ModelError."""
        del dataset
        if not isinstance(model, Steerable):
            raise NotApplicable(f"{self.name} cannot be applied: the model cannot be steered.")
        with model.steered(self.kept) as steered:
            yield steered


def label(facts: Mapping[str, Any]) -> str:
    """Who made what has these facts, as a part of a name."""
    by = facts.get("intervention")
    if isinstance(by, str) and len(by) <= 60 and NAME.fullmatch(by):
        return by
    return "imported" if "imported" in facts else "unnamed"


def role(facts: Mapping[str, Any], looks_at: Collection[str]) -> Role:
    """As the facts say; where they do not, "brain" only if brain responses were looked at."""
    said = facts.get("role")
    if said not in ("brain", "control"):
        said = "brain" if "responses" in looks_at else "control"
    return "brain" if said == "brain" else "control"


def saved(spec: str) -> SavedSteering:
    """The intervention that `steering:PATH` names; raises UsageError without a path, or DataError."""
    from brainbench.steering_reading import read

    path = spec.removeprefix(PREFIX)
    if not path.strip():
        raise UsageError(f"{spec!r} names no steering.", hint=f"Write {PREFIX}PATH.")
    return SavedSteering(read(Path(path)))
