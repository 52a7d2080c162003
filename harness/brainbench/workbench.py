"""What is in memory while cells are computed: one open model, its features, one region's responses.

Each thing is made when first asked for and remembered until another takes its place. What could not be
made is remembered too, so that a model that does not open is tried once, not once a cell. Things are told
apart by the very objects of the plan: two may share a name.
"""

from __future__ import annotations

import time
from collections.abc import Hashable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from brainbench.adapter import Adaptable, Adapter
from brainbench.arrays import AnyFeatures, Features, PersonalFeatures, Recording
from brainbench.errors import NotApplicable, PluginError, ShapeError
from brainbench.loaded_data import LoadedData
from brainbench.nouns import (
    Identity,
    Model,
    ModelOptions,
    OpenBaseline,
    OpenModel,
    Reporter,
)
from brainbench.plan import NOTHING, AnyCell, Cell, TaskCell, needs_dataset
from brainbench.protocols import require_plain
from brainbench.records import Skip
from brainbench.responses import (
    Asking,
    Written,
    features_with_ideas,
    ideas_of,
    reads_ideas,
)
from brainbench.slots import Opened, OpenedSlot, Slot, phase
from brainbench.steering import Fits, Steering
from brainbench.stimuli import Stimulus
from brainbench.task_nouns import LanguageModel, OpenLanguageModel
from brainbench.training_run import Lesson, tune
from brainbench.tuning import Tunes

T = TypeVar("T")
Made = tuple[AnyFeatures, dict[str, Any]] | Skip


@dataclass
class Workbench:
    """Makes what a cell needs, in the order of a plan, and forgets what the next cell does not need."""

    reporter: Reporter
    _identities: dict[tuple[int, ModelOptions], Identity] = field(default_factory=dict)
    _model: OpenedSlot = field(default_factory=OpenedSlot)
    _helper: OpenedSlot = field(default_factory=OpenedSlot)
    _changed: OpenedSlot = field(default_factory=OpenedSlot)
    _fitted: Slot[Steering | Skip] = field(default_factory=Slot)
    _tuned: Slot[Adapter | Skip] = field(default_factory=Slot)
    _tried: Slot[dict[Hashable, Any]] = field(default_factory=Slot)
    _untouched: Slot[dict[Hashable, Any]] = field(default_factory=Slot)
    _features: Slot[Made] = field(default_factory=Slot)
    written: Slot[Written | Skip] = field(default_factory=Slot)
    _data: LoadedData = field(default_factory=LoadedData)

    def identity(self, model: Model, options: ModelOptions) -> Identity:
        """The model's identity, found out once: hashing weights or asking a hub is slow."""
        key = (id(model), options)
        if key not in self._identities:
            self._identities[key] = model.identity(options)
        return self._identities[key]

    def stimuli(self, cell: Asking) -> tuple[Stimulus, ...]:
        """All stimuli of the cell's dataset."""
        return self._data.stimuli(_require(cell.dataset), self.reporter)

    def recording(self, cell: Cell) -> Recording:
        """The responses in the cell's region to the items of its set."""
        whole = self._whole_recording(cell)
        with phase("data"):
            return whole.select(self._items(cell))

    def _whole_recording(self, cell: Cell) -> Recording:
        return self._data.recording(cell.dataset, cell.region, self.reporter)

    def features(self, cell: Cell) -> Made:
        """The features of the items of the cell's set and facts on how they were made, or a Skip."""
        model = _require(cell.model)
        model_key, change_key = self._keys(cell)
        opened = self._open(cell, model_key, change_key)
        key = (*change_key, cell.region) if isinstance(opened, OpenBaseline) else change_key

        def make() -> Made:
            started = time.monotonic()
            with phase("features"):
                features = self._read(opened, cell)
                if isinstance(features, Skip):
                    return features
                if features.n_items != len(self.stimuli(cell)):
                    raise ShapeError(
                        f"Model {model.name} gave features of {features.n_items} "
                        f"items for {len(self.stimuli(cell))} stimuli."
                    )
                facts = {**opened.facts(), "features": dict(features.made)}
                require_plain(facts, f"Facts of model {model.name}")
            return features, {**facts, "features_seconds": round(time.monotonic() - started, 3)}

        made = self._features.get(key, make)
        if isinstance(made, Skip):
            return made
        features, facts = made
        if isinstance(features, PersonalFeatures) and not getattr(cell.metric, "takes_personal", False):
            return Skip(f"{cell.metric_name} does not score features that differ between people.")
        return features.select(self._items(cell)), facts

    def _read(self, opened: Opened, cell: Cell) -> AnyFeatures | Skip:
        if isinstance(opened, OpenBaseline):
            name = _require(cell.intervention).name
            if name != "none":
                return Skip(f"A baseline is no model that {name!r} could change.")
            found = opened.features_of(self.stimuli(cell), self._whole_recording(cell), self.reporter)
        elif reads_ideas(cell, opened):
            found = features_with_ideas(cell, opened, self)
        else:
            found = opened.features(self.stimuli(cell), self.reporter)
        if not isinstance(found, Features | PersonalFeatures | Skip):
            raise ShapeError(f"features() gave {_kind(found)}, not Features.")
        return found

    def ideas(self, cell: Asking) -> Written | Skip:
        """What the cell's model, changed as the cell wants it, writes, and facts on how; or a Skip.

        A Cell's model is asked all questions of its dataset; a ScorerCell's the scorer's own, or where it has
        none those of the dataset's creative items.
        """
        return ideas_of(cell, self)

    def changed(self, cell: AnyCell) -> Opened:
        """The cell's model in memory, changed as the cell wants it."""
        return self._open(cell, *self._keys(cell))

    def language_model(self, cell: TaskCell) -> tuple[LanguageModel, Mapping[str, Any]] | Skip:
        """The cell's model, changed as the cell wants it and ready to answer, and facts; or a Skip."""
        change, source = cell.intervention, cell.dataset
        if needs_dataset(change) and source is None:
            return Skip(f"{change.name!r} is learnt from brain data: name a dataset, too.")
        return self.language(cell, self._open(cell, *self._keys(cell)))

    def unchanged(self, cell: TaskCell) -> Opened:
        """The cell's model as it is without any change."""
        model_key, _ = self._keys(cell)
        self._undo()
        return self._model.enter(model_key, "open", lambda: cell.model.open(cell.options, self.reporter))

    def fitted(self, cell: TaskCell, model: OpenModel) -> Steering | Skip:
        """What the cell's intervention fits on the unchanged model."""
        change = cell.intervention
        assert isinstance(change, Fits)

        def make() -> Steering | Skip:
            with phase("intervention"):
                found = change.fit(model, cell.dataset, self.reporter)  # type: ignore[arg-type]
                if not isinstance(found, Steering | Skip):
                    raise PluginError(f"fit() of {change.name} gave {_kind(found)}, not a Steering.")
                return found

        return self._fitted.get(self._keys(cell)[1], make)

    def tuned(self, cell: AnyCell, model: OpenModel) -> Adapter | Skip:
        """What the cell's intervention trains on the unchanged model, or trained before and kept."""
        change = cell.intervention
        assert isinstance(change, Tunes)

        def make() -> Adapter | Skip:
            with phase("intervention"):
                if cell.dataset is None or not needs_dataset(cell.intervention):  # was trained before
                    return tune(change, model, cell.dataset, self.reporter)
                who, by = _require(cell.model), _require(cell.intervention)
                return Lesson(who, cell.options, by, cell.dataset, self.identity).trained(
                    model, self.reporter
                )

        return self._tuned.get(self._keys(cell)[1], make)

    def tried(self, cell: TaskCell) -> dict[Hashable, Any]:
        """What was found of the cell's fit so far: the strengths for one task may be chosen for another."""
        return self._tried.get(self._keys(cell)[1], dict)

    def untouched(self, cell: TaskCell) -> dict[Hashable, Any]:
        """What was found of the cell's model while nothing changes it."""
        return self._untouched.get(self._keys(cell)[0], dict)

    def language(self, cell: AnyCell, opened: Opened) -> tuple[LanguageModel, Mapping[str, Any]] | Skip:
        """An open model of the cell ready to answer, and facts on how it is run; or a Skip."""
        if not isinstance(opened, OpenLanguageModel):
            return Skip(f"{_require(cell.model).name} is no language model: it answers nothing.")
        with phase("open"):
            found = opened.language_model(self.reporter)
            if isinstance(found, Skip):
                return found
            if not isinstance(found, LanguageModel):
                raise PluginError(f"language_model() gave {_kind(found)}, not a LanguageModel.")
            facts = dict(opened.facts()) if isinstance(opened, OpenModel) else {}
            require_plain(facts, f"Facts of model {_require(cell.model).name}")
        return found, facts

    def helper(self, model: Model, options: ModelOptions) -> Opened:
        """A scorer's open model, until another model is opened: two may not fit into memory."""
        return self._helper.enter((id(model), options), "open", lambda: model.open(options, self.reporter))

    def put_away(self) -> None:
        """Close the model that is scored; what was found of it is remembered."""
        self._changed.clear()
        self._model.clear()

    def close(self) -> None:
        """Undo interventions and close models."""
        self._helper.clear()
        self._changed.clear()
        self._fitted.clear()
        self._tuned.clear()
        self._model.clear()

    def _keys(self, cell: AnyCell) -> tuple[tuple[Hashable, ...], tuple[Hashable, ...]]:
        """What an open model, and the same one changed, are known by."""
        model_key = (id(_require(cell.model)), cell.options)
        return model_key, (*model_key, id(cell.intervention), id(cell.dataset))

    def _open(self, cell: AnyCell, model_key: Hashable, change_key: Hashable) -> Opened:
        if self._changed.key != change_key:
            self._undo()
        if self._model.key != model_key:
            self._helper.clear()
        asked, change = _require(cell.model), _require(cell.intervention)
        model = self._model.enter(model_key, "open", lambda: asked.open(cell.options, self.reporter))
        if isinstance(model, OpenBaseline) or (cell.dataset is None and change.name == NOTHING):
            return model
        source: Any = cell.dataset  # None only for a change that needs none
        if isinstance(change, Tunes):
            return self._changed.enter(change_key, "intervention", lambda: self._adapted(cell, model))
        return self._changed.enter(change_key, "intervention", lambda: change.apply(model, source))

    def _adapted(self, cell: AnyCell, model: OpenModel) -> AbstractContextManager[OpenModel]:
        name, found = _require(cell.intervention).name, self.tuned(cell, model)
        if isinstance(found, Skip):
            raise NotApplicable(f"The intervention {name} cannot be trained: {found.reason}")
        if not isinstance(model, Adaptable):
            raise NotApplicable(f"{_require(cell.model).name} is no model whose weights could be changed.")
        return model.adapted(found)

    def _undo(self) -> None:
        """Undo a change, before another is made; a model on which it may still act is opened anew."""
        self._changed.clear()
        if not self._changed.clean:
            self._model.clear()

    def _items(self, cell: Cell) -> tuple[int, ...]:
        return self._data.items(cell.dataset, cell.item_set, self.reporter)


def _kind(thing: object) -> str:
    return type(thing).__name__


def _require(thing: T | None) -> T:
    assert thing is not None
    return thing
