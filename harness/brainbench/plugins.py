"""Finding and loading plugins. A broken one harms only itself: it is named, and the rest works.

`load(discover())` gives a fresh catalog each time; there is no global registry.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from types import ModuleType
from typing import Any

import pluggy

from brainbench import hookspecs
from brainbench.catalog import Catalog, Provider, Registry, suggest
from brainbench.errors import PluginError, words_of
from brainbench.nouns import BrainDataset, DatasetSource, Intervention, Metric, Model, ModelSource, Task
from brainbench.protocols import (
    missing,
    require_dataset_values,
    require_plain_values,
    require_scorer_values,
)
from brainbench.scoring import Scorer

GROUP = "brainbench"
HOOKS = {
    name: getattr(hookspecs, name) for name in vars(hookspecs) if name.startswith("register_")
}  # the spec's functions are the only list of hooks


@dataclass(frozen=True, slots=True)
class Found:
    """An entry point of our group, not yet imported, and who provides it."""

    entry_point: EntryPoint
    provider: Provider


def discover() -> list[Found]:
    """All installed plugins, brainbench's own first, then by distribution and name."""
    found = []
    for point in entry_points(group=GROUP):
        name = point.dist.name if point.dist else "unknown distribution"
        version = point.dist.version if point.dist else ""
        found.append(Found(point, Provider(point.name, name, version)))
    unique = {(f.provider.distribution, f.entry_point.name, f.entry_point.value): f for f in found}
    return sorted(
        unique.values(),
        key=lambda f: (f.provider.distribution != "brainbench", f.provider.distribution, f.provider.plugin),
    )


def load(found: Iterable[Found]) -> Catalog:
    """Import each plugin and call its hooks; what fails is recorded in the catalog's problems."""
    catalog = Catalog()
    off = {
        name.strip() for name in os.environ.get("BRAINBENCH_DISABLE_PLUGINS", "").split(",") if name.strip()
    }
    taken: dict[str, Provider] = {}
    for plugin in found:
        provider = plugin.provider
        if provider.plugin in off:
            catalog.disabled.append(provider)
            continue
        if provider.plugin in taken:
            first = taken[provider.plugin]
            catalog.report(provider, f"its plugin name is already taken by {first.distribution}")
            continue
        taken[provider.plugin] = provider
        try:
            staged = _collect(plugin)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # a plugin may exit, skip or panic at import
            catalog.report(provider, _reason(error))
            continue
        catalog.plugins.append(provider)
        for registry, thing in staged:
            _add(catalog, registry, thing, provider)
    for name in sorted(off - {p.plugin for p in catalog.disabled}):
        nobody = Provider(name, "BRAINBENCH_DISABLE_PLUGINS", "")
        catalog.report(nobody, "it is to be switched off, but no such plugin is installed")
    return catalog


def _collect(plugin: Found) -> list[tuple[str, Any]]:
    """Everything that one plugin registers: (name of the catalog's registry, thing)."""
    module = plugin.entry_point.load()
    version = getattr(module, "BRAINBENCH_API", hookspecs.API_VERSION)
    if version != hookspecs.API_VERSION:
        raise PluginError(
            f"it was written for plugin interface {version}, and this brainbench has {hookspecs.API_VERSION}"
        )
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    manager.register(module, plugin.provider.plugin)
    _refuse_misspelt(module, manager)
    staged: list[tuple[str, Any]] = []
    for hook in HOOKS:
        getattr(manager.hook, hook)(register=_register(hook, staged))
    return staged


def _refuse_misspelt(module: ModuleType, manager: pluggy.PluginManager) -> None:
    callers = manager.get_hookcallers(module) or []
    for caller in callers:
        if not caller.has_spec():
            raise PluginError(
                f"it has a hook {caller.name!r}, which does not exist. {suggest(caller.name, HOOKS)}"
            )
    if not callers:
        raise PluginError("it has no hook: decorate register_... functions with brainbench.hookimpl")


def _register(hook: str, staged: list[tuple[str, Any]]) -> Callable[[Any], None]:
    """The callable handed to a hook: checks each thing's form at the very call."""
    protocols: dict[str, list[tuple[str, type[object]]]] = {
        "register_models": [("models", Model), ("sources", ModelSource)],
        "register_datasets": [("datasets", BrainDataset), ("dataset_sources", DatasetSource)],
        "register_metrics": [("metrics", Metric)],
        "register_interventions": [("interventions", Intervention)],
        "register_tasks": [("tasks", Task)],
        "register_scorers": [("scorers", Scorer)],
    }

    def register(thing: Any) -> None:
        faults = {}
        for registry, protocol in protocols[hook]:
            faults[registry] = missing(thing, protocol)
            if not faults[registry]:
                require_plain_values(thing)
                if registry == "datasets":
                    require_dataset_values(thing)
                elif registry == "scorers":
                    require_scorer_values(thing)
                staged.append((registry, thing))
                return
        fewest = min(faults.values(), key=len)
        kind = f"the class {thing.__name__}" if isinstance(thing, type) else type(thing).__name__
        raise PluginError(f"{hook} was given {kind}, which lacks {', '.join(fewest)}")

    return register


def _add(catalog: Catalog, registry: str, thing: Any, provider: Provider) -> None:
    target: Registry[Any] = getattr(catalog, registry)
    name = f"{thing.name}/{thing.protocol}" if registry == "metrics" else thing.name
    if name in target:
        first = target.entries[name][1]
        catalog.report(
            provider,
            f"its {target.kind} {name!r} is already registered by {first.plugin!r} of {first.distribution}",
        )
        return
    target.entries[name] = (thing, provider)


def _reason(error: BaseException) -> str:
    """Why a plugin could not be loaded, with the plugin's own line where one is known."""
    if isinstance(error, PluginError):
        return error.message
    if isinstance(error, pluggy.PluginValidationError):
        return f"a hook has the wrong arguments ({str(error).splitlines()[-1].strip()})"
    frames = inspect.getinnerframes(error.__traceback__) if error.__traceback__ else []
    where = f" (line {frames[-1].lineno} of {os.path.basename(frames[-1].filename)})" if frames else ""
    text = words_of(error)[:300]
    return f"it could not be loaded: {type(error).__name__}: {text}{where}"
