"""The datasets `simulated-deduction` and `simulated-creativity`: made-up brains in which the truth is known.

No brain was measured. Stimuli, sets of items, people with their own voxels, behaviour and noise are like the
real ones; what the responses hold is planted by the formula of `simulated_brain`, and `truth` says what. Four
presets: `planted` (features of reasoning, or the meaning of objects), `null` (nothing), `nuisance` (only task
type, text length and response time) and `guide` (the right answer, or the rating). Everything follows from
version, preset and seed (and from the number of people and voxels): `dataclasses.replace(dataset, seed=7)`
gives another draw.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from brainbench import hookimpl
from brainbench.arrays import Behaviour, Participant, Recording
from brainbench.errors import UsageError
from brainbench.hookspecs import Register
from brainbench.nouns import BrainDataset, DatasetCard, Identity, RegionPlace, Reporter
from brainbench.stimuli import ALL_ITEMS, ItemSet, Stimulus
from brainbench_tasks import (
    creativity_prompts,
    deduction_prompts,
    simulated_brain,
    simulated_card,
    simulated_creativity,
    simulated_deduction,
)
from brainbench_tasks.creativity_variants import HasVariants
from brainbench_tasks.simulated_brain import NUISANCES, Design, Grid, Shares, Truth, responses, stream
from brainbench_tasks.simulated_checks import PRESETS, require_makeable
from brainbench_tasks.simulated_scores import expected_score

if TYPE_CHECKING:
    from brainbench_tasks.deduction_made import GeneratedDeduction


@dataclass(frozen=True)
class _Simulated:
    """What both datasets share. `grid`: voxels along the three axes of every region."""

    preset: str = "planted"
    seed: int = 0
    version: int = 1
    people: int = 8
    grid: Grid = (5, 4, 3)

    simulated: ClassVar[bool] = True
    experiment: ClassVar[str]
    regions: ClassVar[tuple[str, ...]]
    item_sets: ClassVar[tuple[ItemSet, ...]]
    prompt_version: ClassVar[int]
    shares: ClassVar[Mapping[str, tuple[Shares, ...]]]
    constants: ClassVar[Callable[[], tuple[object, ...]]]
    design: ClassVar[Callable[[int, str, int, int], Design]]

    def __post_init__(self) -> None:
        require_makeable(self.preset, self.seed, self.version, self.people, self.grid)

    @property
    def name(self) -> str:
        """The experiment, and the preset unless it is `planted`."""
        suffix = "" if self.preset == "planted" else f"-{self.preset}"
        return f"simulated-{self.experiment}{suffix}"

    @property
    def card(self) -> DatasetCard:
        """What is planted in which region, by which formula."""
        return simulated_card.card(
            self.experiment, self.preset, dict(zip(self.regions, self._shares, strict=True))
        )

    def identity(self, region: str) -> Identity:
        """All that decides stimuli and responses, shares and tables included: there are no files."""
        shares = self._of(region)
        constants = repr((simulated_brain.constants(), type(self).constants()))
        return Identity(
            {
                "name": self.name,
                "version": self.version,
                "prompt_version": self.prompt_version,
                "simulated": self.simulated,
                "region": region,
                "preset": self.preset,
                "seed": self.seed,
                "people": self.people,
                "grid": list(self.grid),
                "signal_share": shares.signal,
                "nuisance_share": shares.nuisance,
                "constants": hashlib.sha256(constants.encode()).hexdigest()[:16],
                "data": f"generated, {self.preset}, seed {self.seed}",
            }
        )

    def stimuli(self, reporter: Reporter) -> tuple[Stimulus, ...]:
        """The stimuli, the same for all presets of a seed."""
        return self._made.stimuli

    def recording(self, region: str, reporter: Reporter) -> Recording:
        """Made-up betas (items x voxels, float32, in % signal change), strata by task type."""
        shares, made = self._of(region), self._made
        people = []
        for at, name in enumerate(made.behaviour.participants):
            rng = stream(self.name, self.version, self.seed, region, name)
            there = np.flatnonzero(made.present[at])
            people.append(Participant(name, responses(made, at, shares, self.grid, rng)[there], there))
        return Recording(region, made.behaviour.items, tuple(people), made.strata)

    def behaviour(self, reporter: Reporter) -> Behaviour:
        """What the made-up people answered, and how fast; the same for all presets of a seed."""
        return self._made.behaviour

    def truth(self, region: str, items: str = "all") -> Truth:
        """What is planted in a region over a set of items, its share, and what it is expected to score."""
        shares, made = self._of(region), self._made
        chosen = next((found for found in self.item_sets if found.name == items), None)
        if chosen is None:
            names = ", ".join(found.name for found in self.item_sets)
            raise UsageError(f"{self.name} has no set of items {items!r}.", hint=f"Choose one of {names}.")
        index = list(chosen.indices(made.stimuli))
        share = shares.signal * float(made.carries[index].mean())
        return Truth(
            names=made.names,
            values=made.features[index],
            share=share,
            nuisance_names=NUISANCES,
            nuisances=made.nuisances[:, index],
            nuisance_share=shares.nuisance,
            ceiling=sqrt(share),
            expected_score=expected_score(
                share, len(made.names), float(made.present[:, index].sum(axis=1).mean())
            ),
        )

    @property
    def _made(self) -> Design:
        return type(self).design(self.version, self.preset, self.seed, self.people)

    @property
    def _shares(self) -> tuple[Shares, ...]:
        return self.shares[self.preset]

    def _of(self, region: str) -> Shares:
        if region not in self.regions:
            raise UsageError(
                f"The dataset {self.name} has no region {region!r}.",
                hint=f"Choose one of {', '.join(self.regions)}.",
            )
        return self._shares[self.regions.index(region)]


@dataclass(frozen=True)
class SimulatedDeduction(_Simulated):
    """70 deduction problems of the real design; SIMULATED responses of people who judge them."""

    experiment: ClassVar[str] = "deduction"
    regions: ClassVar[tuple[str, ...]] = simulated_deduction.REGIONS
    item_sets: ClassVar[tuple[ItemSet, ...]] = (
        ALL_ITEMS,
        ItemSet("syllogism", {"type": "syllogism"}),
        ItemSet("transitive", {"type": "transitive"}),
    )
    prompt_version: ClassVar[int] = deduction_prompts.PROMPT_VERSION
    shares: ClassVar[Mapping[str, tuple[Shares, ...]]] = simulated_deduction.SHARES
    constants: ClassVar[Callable[[], tuple[object, ...]]] = staticmethod(simulated_deduction.constants)
    design: ClassVar[Callable[[int, str, int, int], Design]] = staticmethod(simulated_deduction.design)

    @property
    def chains(self) -> frozenset[str]:
        """What its problems are made of (Problem.chain), the same for all presets of a seed."""
        problems = simulated_deduction.made_problems(self.version, self.seed)
        return frozenset(problem.chain for problem in problems)

    def validation(self) -> GeneratedDeduction | None:
        """On what training stops early: that of `deduction_3_tiny`; None for a draw that shares a problem.

        The draws that are registered share none: the set is made without theirs.
        """
        from brainbench_tasks.deduction_extra import tiny_validation

        return tiny_validation(self.chains)

    def more_problems(self, count: int, seed: int) -> tuple[Stimulus, ...]:
        """So many (0 to 1600) of the same design, balanced, no form of a dataset's or task's problem.

        A smaller count gives the first of a larger one. Their condition `run` is 0: nobody was scanned.
        Raises UsageError.
        """
        from brainbench_tasks.deduction_extra import extra_tiny_problems

        return extra_tiny_problems(count, seed, self.chains)


@dataclass(frozen=True)
class SimulatedCreativity(HasVariants, _Simulated):
    """23 objects, new uses and a control task; SIMULATED responses of people who think about them."""

    experiment: ClassVar[str] = "creativity"
    regions: ClassVar[tuple[str, ...]] = simulated_creativity.REGIONS
    region_places: ClassVar[Mapping[str, RegionPlace]] = simulated_creativity.PLACES
    item_sets: ClassVar[tuple[ItemSet, ...]] = (
        ALL_ITEMS,
        ItemSet("create", {"task": "create"}),
        ItemSet("object", {"task": "object"}),
    )
    prompt_version: ClassVar[int] = creativity_prompts.PROMPT_VERSION
    shares: ClassVar[Mapping[str, tuple[Shares, ...]]] = simulated_creativity.SHARES
    constants: ClassVar[Callable[[], tuple[object, ...]]] = staticmethod(simulated_creativity.constants)
    design: ClassVar[Callable[[int, str, int, int], Design]] = staticmethod(simulated_creativity.design)


@hookimpl
def register_datasets(register: Register[BrainDataset]) -> None:
    """Offer both experiments in all presets."""
    for made in (SimulatedDeduction, SimulatedCreativity):
        for preset in PRESETS:
            register(made(preset))
