"""What is installed: everything that plugins registered, by name, and what went wrong on the way."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar, cast

from brainbench.errors import UsageError, words_of
from brainbench.nouns import (
    BrainDataset,
    DatasetSource,
    Intervention,
    Metric,
    Model,
    ModelSource,
    Task,
    is_baseline,
)
from brainbench.protocols import NAME, require, require_scorer_values
from brainbench.scoring import Scorer
from brainbench.variants import UnknownNameError, find_variant

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Provider:
    """Who offers a thing: the entry point's name and its distribution."""

    plugin: str
    distribution: str
    version: str

    def __str__(self) -> str:
        return f"{self.distribution} {self.version}".strip()


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a plugin, or one of its things, is not there: one sentence."""

    provider: Provider
    sentence: str


@dataclass(slots=True)
class Registry(Generic[T]):
    """Things of one kind by name."""

    kind: str
    entries: dict[str, tuple[T, Provider]] = field(default_factory=dict)

    def __iter__(self) -> Iterator[str]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)

    def values(self) -> list[T]:
        """The things, in the order in which they were registered."""
        return [thing for thing, _ in self.entries.values()]

    def get(self, name: str) -> T:
        """The thing called `name`; raises UsageError that lists what there is."""
        if name in self.entries:
            return self.entries[name][0]
        raise UnknownNameError(f"There is no {self.kind} called {name!r}.", hint=suggest(name, self.entries))


@dataclass(slots=True)
class Catalog:
    """All registries of one start of brainbench, and the plugins that could not be used."""

    models: Registry[Model] = field(default_factory=lambda: Registry("model"))
    sources: Registry[ModelSource] = field(default_factory=lambda: Registry("model source"))
    datasets: Registry[BrainDataset] = field(default_factory=lambda: Registry("dataset"))
    dataset_sources: Registry[DatasetSource] = field(default_factory=lambda: Registry("dataset source"))
    metrics: Registry[Metric] = field(default_factory=lambda: Registry("metric"))
    interventions: Registry[Intervention] = field(default_factory=lambda: Registry("intervention"))
    tasks: Registry[Task] = field(default_factory=lambda: Registry("task"))
    scorers: Registry[Scorer] = field(default_factory=lambda: Registry("scorer"))
    plugins: list[Provider] = field(default_factory=list)
    disabled: list[Provider] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def find_model(self, spec: str) -> Model:
        """The registered model called `spec`, or the one that a source knows by that name.

        Raises UsageError when nobody knows it, when two sources do, or when its source refuses it.
        """
        return self._find("Model", spec, self.models, self.sources, Model)

    def find_dataset(self, spec: str) -> BrainDataset:
        """The registered dataset called `spec`, or the one that a source knows, as for models; or a variant.

        A variant is named by places, "name@key=value@key=value" (see BrainDataset).
        """
        known = (self.datasets, self.dataset_sources, BrainDataset)
        return find_variant(spec, lambda name: self._find("Dataset", name, *known))

    def _find(
        self,
        kind: str,
        spec: str,
        registered: Registry[T],
        sources: Registry[ModelSource] | Registry[DatasetSource],
        protocol: type[object],
    ) -> T:
        if spec in registered or not len(sources):
            return registered.get(spec)
        found = {name: thing for name in sources if (thing := self._ask(sources, name, spec, protocol))}
        if len(found) == 1:
            return cast(T, next(iter(found.values())))
        if found:
            raise UsageError(
                f"{kind} {spec!r} is ambiguous: the sources {' and '.join(sorted(found))} both know it.",
                hint="Switch one off with BRAINBENCH_DISABLE_PLUGINS.",
            )
        forms = "; ".join(f"{source.pattern} ({source.name})" for source in sources.values())
        raise UnknownNameError(
            f"There is no {kind.lower()} called {spec!r}.",
            hint=f"{suggest(spec, registered.entries) if registered else ''} Name it as {forms}.".strip(),
        )

    def _ask(
        self,
        sources: Registry[ModelSource] | Registry[DatasetSource],
        source: str,
        spec: str,
        protocol: type[object],
    ) -> Model | BrainDataset | None:
        """What a source answers; one that breaks knows nothing, and is named among the problems.

        Raises UsageError when the source does: the name is its own, and wrong.
        """
        asked, provider = sources.entries[source]
        try:
            if (thing := asked.find(spec)) is not None:
                require(thing, protocol, f"What source {source!r} found")
            return thing
        except (KeyboardInterrupt, UsageError):
            raise
        except BaseException as error:
            reason = f"{type(error).__name__}: {words_of(error)}"
            self.report(provider, f"its {sources.kind} {source!r} broke on {spec!r}: {reason}")
            return None

    def report(self, provider: Provider, reason: str) -> None:
        """Add a problem, as one sentence that names the plugin and its distribution."""
        reason = reason.encode("utf-8", "backslashreplace").decode()
        sentence = f"Plugin {provider.plugin!r} of {provider.distribution}: {reason.rstrip('.')}."
        self.problems.append(Problem(provider, " ".join(sentence.split())))

    def baselines_of(self, models: Sequence[Model]) -> list[Model]:
        """What shows how far one comes without what these models are tested for, none of them twice.

        The `untrained` twin of each that has one, and every registered baseline.
        """
        twins = [getattr(model, "untrained", None) for model in models]
        found = [*twins, *(model for model in self.models.values() if is_baseline(model))]
        by_name = {model.name: model for model in found if model is not None}
        return [model for name, model in by_name.items() if name not in {chosen.name for chosen in models}]

    def find_intervention(self, spec: str) -> Intervention:
        """The registered intervention called `spec`, or for "name@place" that one at a place.

        Several places one after the other, "name@place@place". Raises UsageError for a name that nobody
        answers to.
        """
        name, *places = spec.split("@")
        if spec in self.interventions or not places:
            return self.interventions.get(spec)
        found = self.interventions.get(name)
        for place in places:
            if NAME.fullmatch(place) is None:
                raise UsageError(
                    f"{spec!r} does not name a place or a setting after each @.",
                    hint=f"Name a region of the dataset or a type of problem, as in {name}@md, or key=value "
                    "where it has settings.",
                )
            if not hasattr(found, "at"):
                raise UsageError(f"The intervention {name!r} is the same everywhere: it takes no @{place}.")
            made = found.at(place)
            require(made, Intervention, f"What {name!r} gave for @{place}")
            found = cast(Intervention, made)
        return found

    def find_scorer(self, spec: str) -> Scorer:
        """The registered scorer called `spec`, or for "name@model" the same with that model's help.

        All behind the first @ names the model, which may have a revision of its own. Raises UsageError for
        a name that nobody answers to, and where no model is named and the scorer knows none by itself.
        """
        name, _, helper = spec.partition("@")
        found = self.scorers.get(name)
        if helper:
            made: object = found.using(helper)
            require(made, Scorer, f"What {name!r} gave for @{helper}")
            found = cast(Scorer, made)
            require_scorer_values(found)
        if not found.helper:
            raise UsageError(
                f"The scorer {name!r} needs a model to help it.", hint=f"Name one, as in {name}@org/name."
            )
        return found

    def find_metrics(self, spec: str) -> list[Metric]:
        """The metric "name/protocol", or every protocol of the metric "name"."""
        if spec in self.metrics:
            return [self.metrics.get(spec)]
        found = [metric for metric in self.metrics.values() if metric.name == spec]
        return found or [self.metrics.get(spec)]

    def provider_versions(self) -> dict[str, str]:
        """Versions of all distributions that offer plugins."""
        return {provider.distribution: provider.version for provider in self.plugins}


def suggest(name: str, known: Mapping[str, Any] | list[str] | tuple[str, ...]) -> str:
    """A closing sentence for an unknown name: what was probably meant, or what there is."""
    names = sorted(known)
    if close := difflib.get_close_matches(name, names, n=1):
        return f"Did you mean {close[0]!r}?"
    if not names:
        return "None is installed."
    return f"Known: {', '.join(names[:12])}{', ...' if len(names) > 12 else ''}."
