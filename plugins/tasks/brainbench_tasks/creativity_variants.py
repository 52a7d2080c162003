"""Other ways to hold models to a creativity dataset: another stage, another prompt, fewer trials.

A variant is asked for by places behind the dataset's name, as in `name@stage=response@prompt=short`, in any
order, each once. They are those of arXiv:2604.03480:

stage: "prompt" reads models while they are asked, "response" with their own ideas behind the question.
prompt: how they are asked, as in `creativity_prompts`.
rated: only a person's trials whose ideas raters liked ("high": a mean rating of `cutoff` or more) or did not
("low"); unrated trials are in neither. Who has fewer than `least` of them is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import ClassVar, cast

import numpy as np
from numpy.typing import NDArray

from brainbench.arrays import Behaviour, Participant, Recording
from brainbench.errors import DataError
from brainbench.nouns import BrainDataset, DatasetCard, Identity, Reporter
from brainbench.stimuli import ItemSet, Stimulus
from brainbench_tasks.creativity_places import FORMS, Places, Stage, places_of
from brainbench_tasks.creativity_prompts import CONSTANT, EMPTY, MAIN, stimulus

CREATE = ItemSet("create", {"task": "create"})
VARIANTS_VERSION = 1  # raised whenever the same place would give other stimuli or trials
_LEAST_PEOPLE = 2  # whom a ceiling compares with each other
Indices = NDArray[np.intp]


class HasVariants:
    """What makes a creativity dataset one that has variants, and whose questions models can be asked."""

    stage: ClassVar[Stage] = "prompt"
    creative: ClassVar[ItemSet] = CREATE
    variants: ClassVar[tuple[str, ...]] = FORMS

    def questions(self, reporter: Reporter) -> tuple[Stimulus, ...]:
        """What models are asked in words: the stimuli."""
        return self._dataset.stimuli(reporter)

    def at(self, places: str) -> BrainDataset:
        """The variant at all of these places, "key=value@key=value"; raises UsageError."""
        found = places_of(places)
        return CreativityVariant(self._dataset, found) if found != Places() else self._dataset

    @property
    def _dataset(self) -> BrainDataset:
        return cast(BrainDataset, self)


@dataclass(frozen=True)
class CreativityVariant:
    """A creativity dataset at places of its own. `of`: the dataset, whose people and scans it has.

    Rated trials: its items are those of the creative task of which somebody has such a trial.
    """

    of: BrainDataset
    places: Places

    creative: ClassVar[ItemSet] = CREATE

    @property
    def name(self) -> str:
        """The dataset's name and the places."""
        return f"{self.of.name}{self.places.suffix}"

    @property
    def version(self) -> int:
        """The dataset's."""
        return self.of.version

    @property
    def regions(self) -> tuple[str, ...]:
        """The dataset's."""
        return self.of.regions

    @property
    def simulated(self) -> bool:
        """As the dataset is."""
        return self.of.simulated

    @property
    def stage(self) -> Stage:
        """Whether models are read with their ideas."""
        return self.places.stage

    @property
    def item_sets(self) -> tuple[ItemSet, ...]:
        """The dataset's; only ideas are rated."""
        return (CREATE,) if self.places.rated else self.of.item_sets

    @property
    def card(self) -> DatasetCard:
        """The dataset's, and how this differs."""
        card = self.of.card
        return replace(card, caveats=(f"A variant of {self.of.name}: {self._told}.", *card.caveats))

    def identity(self, region: str) -> Identity:
        """All facts of the dataset, and the variant."""
        base = self.of.identity(region)
        facts = {
            **base.facts,
            "name": self.name,
            "variants_version": VARIANTS_VERSION,
            "variant": {"of": self.of.name, **asdict(self.places)},
        }
        return Identity(facts, base.resolved)

    def stimuli(self, reporter: Reporter) -> tuple[Stimulus, ...]:
        """The items as they are asked here; raises DataError where nobody has enough rated trials."""
        return tuple(_asked(one, self.places.prompt) for one in self._shown(reporter))

    def questions(self, reporter: Reporter) -> tuple[Stimulus, ...]:
        """What the stimuli ask; where these ask nothing, the main prompt."""
        prompt = MAIN if self.places.prompt in (EMPTY, CONSTANT) else self.places.prompt
        return tuple(_asked(one, prompt) for one in self._shown(reporter))

    def recording(self, region: str, reporter: Reporter) -> Recording:
        """The dataset's; of rated trials alone where these are asked for. Raises DataError."""
        whole = self.of.recording(region, reporter)
        if not self.places.rated:
            return whole
        rated = self._rated(reporter)
        kept = [
            _only(person, rated.trials[person.id])
            for person in whole.participants
            if person.id in rated.trials
        ]
        return replace(whole, participants=tuple(kept)).select(rated.items)

    def behaviour(self, reporter: Reporter) -> Behaviour | None:
        """What the dataset tells of everybody and these items, whatever the rating."""
        whole = self.of.behaviour(reporter)
        return whole if whole is None or not self.places.rated else _over(whole, self._rated(reporter).items)

    def _shown(self, reporter: Reporter) -> tuple[Stimulus, ...]:
        """The dataset's own stimuli for the items."""
        shown = self.of.stimuli(reporter)
        return tuple(shown[at] for at in self._rated(reporter).items) if self.places.rated else shown

    def _rated(self, reporter: Reporter) -> _Rated:
        behaviour = self.of.behaviour(reporter)
        if behaviour is None or behaviour.rating is None:
            raise DataError(
                f"Nobody rated the ideas of {self.of.name}: there are no trials with a high or a low rating."
            )
        creative = np.isin(np.arange(len(behaviour.items)), CREATE.indices(self.of.stimuli(reporter)))
        return _rated_trials(behaviour, creative, self.places)

    @property
    def _told(self) -> str:
        """The places in words."""
        places = self.places
        words = [f"models are asked the {places.prompt} prompt"]
        if places.stage == "response":
            words.append("and read with their own ideas behind it")
        if places.rated:
            side = f"at least {places.cutoff:g}" if places.rated == "high" else f"less than {places.cutoff:g}"
            words.append(f"on ideas of a mean rating of {side} (people with {places.least} or more)")
        return ", ".join(words)


@dataclass(frozen=True)
class _Rated:
    """trials: of each person who has enough, positions among the dataset's items; items: of anybody."""

    trials: Mapping[str, Indices]
    items: tuple[int, ...]


def _rated_trials(behaviour: Behaviour, creative: NDArray[np.bool_], places: Places) -> _Rated:
    """The trials on one side of the cutoff; raises DataError where fewer than two people have enough."""
    assert behaviour.rating is not None
    assert places.cutoff is not None
    assert places.least is not None
    # NaN, where nobody rated, is on neither side
    rating = behaviour.rating
    side = creative & (rating >= places.cutoff if places.rated == "high" else rating < places.cutoff)
    enough = {
        person: np.flatnonzero(row)
        for person, row in zip(behaviour.participants, side, strict=True)
        if row.sum() >= places.least
    }
    if len(enough) < _LEAST_PEOPLE:
        what = (
            f"rated {places.cutoff:g} or higher"
            if places.rated == "high"
            else f"rated below {places.cutoff:g}"
        )
        counts = side.sum(axis=1)
        raise DataError(
            f"Only {len(enough)} of {len(counts)} people have {places.least} or more trials {what}, and "
            f"{_LEAST_PEOPLE} are needed; they have {counts.min()} to {counts.max()}.",
            hint="Choose another @cutoff, or a smaller @least.",
        )
    return _Rated(enough, tuple(int(at) for at in np.unique(np.concatenate(list(enough.values())))))


def _asked(shown: Stimulus, prompt: str) -> Stimulus:
    """The same item behind a prompt."""
    task, noun = str(shown.conditions["task"]), str(shown.conditions["object"])
    return replace(stimulus(task, noun, prompt), id=shown.id, conditions=shown.conditions)


def _only(person: Participant, trials: Indices) -> Participant:
    """A person with no other trials than these."""
    kept = np.isin(person.present, trials)
    return replace(person, responses=person.responses[kept], present=person.present[kept])


def _over(behaviour: Behaviour, items: tuple[int, ...]) -> Behaviour:
    """The same people on fewer items."""
    index, correct, rating = list(items), behaviour.correct, behaviour.rating
    return replace(
        behaviour,
        items=tuple(behaviour.items[at] for at in items),
        correct=None if correct is None else correct[:, index],
        response_time=behaviour.response_time[:, index],
        rating=None if rating is None else rating[:, index],
    )
