"""The baseline intervention: the model as it is."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from brainbench import hookimpl
from brainbench.hookspecs import Register
from brainbench.nouns import BrainDataset, Intervention, MethodCard, OpenModel
from brainbench_interventions import cards


@dataclass(frozen=True)
class NoIntervention:
    """Changes nothing; what every other intervention is compared with."""

    name: str = "none"
    version: int = 1

    @property
    def card(self) -> MethodCard:
        """What a reader must know of it."""
        return cards.none()

    def apply(self, model: OpenModel, dataset: BrainDataset) -> AbstractContextManager[OpenModel]:
        """The model itself."""
        del dataset
        return nullcontext(model)


@hookimpl
def register_interventions(register: Register[Intervention]) -> None:
    """Offer the baseline."""
    register(NoIntervention())
