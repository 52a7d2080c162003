"""What all interventions that fit a Steering share: fit, then steer."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from brainbench.answers import Answers, WordAnswers
from brainbench.errors import NotApplicable
from brainbench.nouns import BrainDataset, OpenModel, Reporter
from brainbench.problems import KINDS_OF_PROBLEM
from brainbench.progress import SilentReporter
from brainbench.records import Skip
from brainbench.steering import Addition, Change, Role, Steerable, Steering, Where
from brainbench_interventions.directions import Directions
from brainbench_interventions.material import Material, gather

# What an addition's length may be multiplied by. Nothing comes first: it is kept where nothing is better.
STRENGTHS = (0.0, 0.25, 0.5, 1.0, 2.0, 4.0)
# Of directions whose sign means nothing (a random one; towards True, which may be right or wrong) both ways
# are tried, so that a control never loses by its sign: these have more tries than what they control for.
BOTH_WAYS = (*STRENGTHS, *(-strength for strength in STRENGTHS[1:]))


@dataclass(frozen=True, kw_only=True)
class Fitted(ABC):
    """An intervention that fits a Steering on a model and a dataset; subclasses say how, in `steer_with`.

    region: "" is the dataset's first. types: only items of these types of problem are fitted on; () all.
    module: which places are changed, "attention" or "layer", in the middle half of the layers or in all.
    strength multiplies what was fitted; 0 changes nothing. strengths: what it may be multiplied by in turn,
    of which one is chosen on problems that are not the test's; () where there is nothing to choose.
    """

    name: str
    version: int = 1
    strength: float = 1.0
    where: Where = "last"
    region: str = ""
    types: tuple[str, ...] = ()
    module: str = "attention"
    every_layer: bool = False
    seed: int = 0
    strengths: tuple[float, ...] = STRENGTHS

    @property
    @abstractmethod
    def what(self) -> str:
        """What is done, and what that controls for: a clause without an end."""

    @property
    @abstractmethod
    def guided(self) -> bool:
        """Whether people's responses guide it, as they are."""

    @property
    def about(self) -> str:
        """One sentence on what it does, and what it controls for."""
        where = f", in the region {self.region}" if self.region else ""
        which = f", fitted on {' and '.join(self.types)} items only" if self.types else ""
        return f"{self.what}{where}{which}."

    @property
    def role(self) -> Role:
        """Any region but the dataset's own first is a control, too."""
        return "brain" if self.guided and not self.region else "control"

    def at(self, place: str) -> Self:
        """The same on another region, or fitted on one type of problem; its name is "name@place".

        Whether a dataset has that place is found out when it is fitted.
        """
        name = f"{self.name}@{place}"
        if place in KINDS_OF_PROBLEM:
            return dataclasses.replace(self, name=name, types=(place,))
        return dataclasses.replace(self, name=name, region=place)

    def fit(
        self, model: OpenModel, dataset: BrainDataset, reporter: Reporter, answers: Answers | None = None
    ) -> Steering | Skip:
        """The steering, or why there is none.

        answers: asks the model whether it gets items right while it is steered. By default the likelier of
        the words True and False is its answer, where the model has a head.
        """
        if self.region == dataset.regions[0]:  # as a control for itself it would stand beside itself
            return Skip(f"{self.region} is the first region of {dataset.name}: leave @{self.region} out.")
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
        if unknown := [kind for kind in self.types if kind not in material.kinds]:
            return Skip(f"Dataset {dataset.name} has no items of the type {unknown[0]!r}.")
        if self.types:
            material = material.select(np.flatnonzero(np.isin(material.types, self.types)))
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
        told = {
            "role": self.role,
            "parameters": parameters,
            "fitted_on": list(material.items),
            "people": people,
        }
        return {**made, **told, **material.facts, **more}

    def steering(
        self,
        directions: Directions,
        looks_at: tuple[str, ...],
        facts: dict[str, Any],
        items: tuple[str, ...] = (),
        key: str = "",
    ) -> Steering | Skip:
        """Additions of `strength` times each direction, (width) or (items x width); see Steering."""
        changes: dict[str, Change] = {
            site: Addition(vector, self.strength) for site, vector in directions.items() if np.any(vector)
        }
        if not changes:
            return Skip("The fit found no direction at any place.")
        return Steering(changes, self.where, items, looks_at, facts, key)
