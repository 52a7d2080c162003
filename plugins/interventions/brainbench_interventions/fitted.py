"""What all interventions that fit a Steering share: fit, then steer."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from brainbench.answers import Answers, WordAnswers
from brainbench.errors import NotApplicable
from brainbench.nouns import BrainDataset, OpenModel, Reporter
from brainbench.progress import SilentReporter
from brainbench.records import Skip
from brainbench.steering import Addition, Change, Steerable, Steering, Where
from brainbench_interventions.directions import Directions
from brainbench_interventions.material import Material, gather


@dataclass(frozen=True, kw_only=True)
class Fitted(ABC):
    """An intervention that fits a Steering on a model and a dataset; subclasses say how, in `steer_with`.

    region: "" is the dataset's first. module: which places are changed, "attention" or "layer", in the
    middle half of the layers or in all. strength multiplies what was fitted; 0 changes nothing.
    """

    name: str
    version: int = 1
    strength: float = 1.0
    where: Where = "last"
    region: str = ""
    module: str = "attention"
    every_layer: bool = False
    seed: int = 0

    def fit(
        self, model: OpenModel, dataset: BrainDataset, reporter: Reporter, answers: Answers | None = None
    ) -> Steering | Skip:
        """The steering, or why there is none.

        answers: asks the model whether it gets items right while it is steered. By default the likelier of
        the words True and False is its answer, where the model has a head.
        """
        material = gather(
            model,
            dataset,
            reporter,
            region=self.region,
            module=self.module,
            every_layer=self.every_layer,
        )
        if isinstance(material, Skip):
            return material
        if answers is None:
            answers = WordAnswers.of(model, dataset.stimuli(reporter))
        return self.steer_with(material, answers)

    @abstractmethod
    def steer_with(self, material: Material, answers: Answers | None) -> Steering | Skip:
        """Fit on what was gathered."""

    @contextmanager
    def apply(self, model: OpenModel, dataset: BrainDataset) -> Iterator[OpenModel]:
        """The steered model; raises NotApplicable where there is nothing to fit, or to steer."""
        steering = self.fit(model, dataset, SilentReporter())
        if isinstance(steering, Skip) or not isinstance(model, Steerable):
            reason = steering.reason if isinstance(steering, Skip) else "it cannot be steered"
            raise NotApplicable(f"The intervention {self.name} cannot be fitted: {reason}")
        with model.steered(steering) as steered:
            yield steered

    def facts(self, material: Material, **more: Any) -> dict[str, Any]:
        """Who fitted the steering, and on what: a test on any of `fitted_on` is no test of what is new."""
        parameters = dataclasses.asdict(self)
        made = {"intervention": parameters.pop("name"), "version": parameters.pop("version")}
        people = [person.id for person in material.people]
        told = {"parameters": parameters, "fitted_on": list(material.items), "people": people}
        return {**made, **told, **material.facts, **more}

    def steering(
        self,
        directions: Directions,
        looks_at: tuple[str, ...],
        facts: dict[str, Any],
        items: tuple[str, ...] = (),
    ) -> Steering | Skip:
        """Additions of `strength` times each direction, (width) or (items x width)."""
        changes: dict[str, Change] = {
            site: Addition(vector, self.strength) for site, vector in directions.items() if np.any(vector)
        }
        if not changes:
            return Skip("The fit found no direction at any place.")
        return Steering(changes, self.where, items, looks_at, facts)
