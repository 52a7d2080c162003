"""All that the site is made from: standings, what they were made with, and what is known of the methods."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from brainbench.cards import DatasetCard, MethodCard, RegionPlace
from brainbench.provenance import now, version_of
from brainbench.text import plain
from brainbench_leaderboard.idea_view import Read
from brainbench_leaderboard.margins import Cells
from brainbench_leaderboard.origins import Sources
from brainbench_leaderboard.store import Leaderboard
from brainbench_leaderboard.stored_scores import LayerScores
from brainbench_leaderboard.values import Row

if TYPE_CHECKING:
    from brainbench.catalog import Catalog


@dataclass(frozen=True, slots=True)
class Cards:
    """What datasets and methods that are installed here say of themselves, by name.

    metrics: by "name/protocol". What is not installed, or says nothing of itself, is not among them.
    places: of datasets, by region, where that is known. beside: of interventions, the names of others
    without which their numbers cannot be judged. models: of models and baselines, what each is.
    """

    datasets: Mapping[str, DatasetCard] = field(default_factory=dict)
    metrics: Mapping[str, MethodCard] = field(default_factory=dict)
    interventions: Mapping[str, MethodCard] = field(default_factory=dict)
    scorers: Mapping[str, MethodCard] = field(default_factory=dict)
    tasks: Mapping[str, MethodCard] = field(default_factory=dict)
    places: Mapping[str, Mapping[str, RegionPlace]] = field(default_factory=dict)
    beside: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    models: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, catalog: Catalog) -> Cards:
        """Of everything registered."""
        return cls(
            {thing.name: thing.card for thing in catalog.datasets.values()},
            _methods((f"{thing.name}/{thing.protocol}", thing) for thing in catalog.metrics.values()),
            _methods((thing.name, thing) for thing in catalog.interventions.values()),
            _methods((thing.name, thing) for thing in catalog.scorers.values()),
            _methods((thing.name, thing) for thing in catalog.tasks.values()),
            places={thing.name: _places(thing) for thing in catalog.datasets.values()},
            beside={thing.name: _beside(thing) for thing in catalog.interventions.values()},
            models={thing.name: _about(thing) for thing in catalog.models.values()},
        )


@dataclass(frozen=True, slots=True)
class Board:
    """Everything that may be shown.

    scores, tasks and ideas are the rows of the store's `standings`, `task_standings` and `idea_standings`;
    sources their facts and provenance; layers, cells and texts read more of one record, by its fingerprint.
    """

    scores: tuple[Row, ...]
    tasks: tuple[Row, ...]
    ideas: tuple[Row, ...]
    sources: Sources
    cards: Cards
    layers: Callable[[str], LayerScores]
    cells: Callable[[str], Cells]
    texts: Read
    brainbench: str
    made: str

    @classmethod
    def of(cls, store: Leaderboard, cards: Cards | None = None) -> Board:
        """Of a results file, which has to stay open as long as the board is used."""
        return cls(
            tuple(store.standings()),
            tuple(store.task_standings()),
            tuple(store.idea_standings()),
            store.sources(),
            cards or Cards(),
            functools.cache(store.layer_scores),
            functools.cache(store.cells),
            store.ideas,
            version_of("brainbench") or "of unknown version",
            now(),
        )

    @property
    def models(self) -> tuple[str, ...]:
        """All models and baselines by name, each once."""
        rows = (*self.scores, *self.tasks, *self.ideas)
        return tuple(sorted({str(row["model"]) for row in rows}))

    @property
    def datasets(self) -> tuple[str, ...]:
        """All datasets by name, each once."""
        named = {row["dataset"] for row in (*self.scores, *self.ideas)}
        return tuple(sorted(str(name) for name in named if name is not None))


def _methods(things: Iterable[tuple[str, Any]]) -> dict[str, MethodCard]:
    cards = ((name, _card(thing)) for name, thing in things)
    return {name: card for name, card in cards if isinstance(card, MethodCard)}


def _card(thing: object) -> object:
    """What a plugin's method says of itself; one that fails to says nothing, and the site is still made."""
    try:
        return getattr(thing, "card", None)
    except Exception:
        return None


def _beside(thing: object) -> tuple[str, ...]:
    """Names of others without which an intervention's numbers cannot be judged."""
    named = getattr(thing, "beside", ())
    return tuple(str(name) for name in named) if isinstance(named, tuple | list) else ()


def _about(model: object) -> str:
    """What a model or baseline is, in its own words or its class's first line; nothing where it has none."""
    kind = type(model)
    written = (kind.__doc__ or "").strip().partition("\n")[0]
    if written.startswith(f"{kind.__name__}("):  # what dataclass writes where nobody did
        written = ""
    try:
        told = getattr(model, "about", written)
    except Exception:
        return ""
    return plain(told) if isinstance(told, str) else ""


def _places(dataset: Any) -> dict[str, RegionPlace]:
    """Those of its regions of which it says where they lie."""
    told = getattr(dataset, "region_places", {})
    known = told.items() if isinstance(told, Mapping) else ()
    return {region: place for region, place in known if isinstance(place, RegionPlace)}
