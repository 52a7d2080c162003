"""Which datasets and tasks records may be of: those installed here, by their identity, and those allowed.

A submission's names are only ever looked up among what plugins registered: no source is asked, so that none
of them is taken for the path of a folder.
"""

from __future__ import annotations

import shlex
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from brainbench.catalog import Catalog
from brainbench.errors import words_of
from brainbench.identity import canonical
from brainbench.identity_parts import provider, task_identity
from brainbench.nouns import BrainDataset
from brainbench.variants import UnknownNameError, find_variant
from brainbench_leaderboard.exchange.format import Document
from brainbench_leaderboard.exchange.plain_json import Refused


@dataclass
class Known:
    """What is installed, and the names that are allowed without being it."""

    catalog: Catalog
    datasets: Collection[str] = ()
    tasks: Collection[str] = ()
    _datasets: dict[str, BrainDataset | None] = field(default_factory=dict)
    _regions: dict[str, dict[str, str]] = field(default_factory=dict)
    _tasks: dict[str, str | None] = field(default_factory=dict)

    def require(self, document: Document) -> None:
        """Raise Refused for a record of something that is not known, or that says of it what is not so."""
        facts, kind = document["facts"], document["kind"]
        if kind in ("score", "ceiling"):
            self._require_cell(document)
        elif kind == "task":
            self._require_task(facts["task"])
        elif kind == "ideas" and (asks := facts.get("dataset")) is not None:
            self._require_dataset(asks, "facts.dataset")
            self._require_simulated(asks, document["simulated"])
        if kind == "ideas" and document["dataset"] is None and document["simulated"]:
            raise Refused("it has no dataset that could be", "simulated")
        if (source := facts.get("learnt_from")) is not None:
            self._require_dataset(source, "facts.learnt_from")

    def _require_cell(self, document: Document) -> None:
        """A dataset's region and items, as they are and where they stand there."""
        facts = document["facts"]
        self._require_dataset(facts["dataset"], "facts.dataset", document["region"])
        self._require_simulated(facts["dataset"], document["simulated"])
        found = self.dataset(document["dataset"])
        if found is None or document["dataset"] in self.datasets:
            return
        sets = {one.name: one for one in found.item_sets}
        if document["item_set"] not in sets:
            raise Refused(f"{found.name} has no such set", "item_set")
        if canonical(facts["item_set"].get("where")) != canonical(dict(sets[document["item_set"]].where)):
            raise Refused(f"it is not what {found.name} calls {document['item_set']}", "facts.item_set.where")
        if document["region_position"] != found.regions.index(document["region"]):
            raise Refused(f"it is not where {found.name} has it", "region_position")
        if document["item_set_position"] != list(sets).index(document["item_set"]):
            raise Refused(f"it is not where {found.name} has it", "item_set_position")

    def _require_simulated(self, facts: Document, said: bool) -> None:
        """Neither may simulated data pose as real, nor the reverse."""
        installed = self.dataset(facts["name"])
        known = bool(installed.simulated) if installed is not None else bool(facts.get("simulated", False))
        if said != known or facts.get("simulated", known) != known:
            raise Refused(f"{facts['name']} {'is' if known else 'is not'} simulated", "simulated")

    def _require_dataset(self, facts: Document, where: str, region: str | None = None) -> None:
        name = facts["name"]
        if name in self.datasets:
            return
        if (found := self.dataset(name)) is None:
            allow = _allow("dataset", name)
            raise Refused(f"no dataset called {name!r} is installed here; {allow}", where)
        regions = self._identities(found)
        if region is not None and region not in regions:
            raise Refused(f"{name} has no region {region!r}", "region")
        wanted = regions.values() if region is None else [regions[region]]
        if canonical(facts) not in wanted:
            allow = _allow("dataset", name)
            raise Refused(f"the data of {name!r} is not what is installed here; {allow}", where)

    def _require_task(self, facts: Document) -> None:
        name = facts["name"]
        if name in self.tasks:
            return
        if name not in self.catalog.tasks:
            allow = _allow("task", name)
            raise Refused(f"no task called {name!r} is installed here; {allow}", "facts.task")
        if name not in self._tasks:
            task = self.catalog.tasks.get(name)
            self._tasks[name] = _told(lambda: {**task_identity(task).facts, "provider": provider(task)}, name)
        if canonical(facts) != self._tasks[name]:
            allow = _allow("task", name)
            raise Refused(f"{name!r} does not ask what is installed here; {allow}", "facts.task")

    def dataset(self, name: str) -> BrainDataset | None:
        """The registered dataset of this name, or the variant of one; None where there is none."""
        if name not in self._datasets:
            try:
                found: BrainDataset | None = find_variant(name, self.catalog.datasets.get)
            except UnknownNameError:
                found = None
            except Exception as error:  # a plugin refuses the places, or breaks on them
                raise Refused(f"{name!r} is no dataset: {words_of(error).rstrip('.')}", "dataset") from error
            self._datasets[name] = found if found is None or found.name == name else None
        return self._datasets[name]

    def _identities(self, found: BrainDataset) -> dict[str, str]:
        """By region, the facts of a dataset as canonical text."""
        if found.name not in self._regions:
            by = provider(found)
            self._regions[found.name] = {
                region: _told(lambda at=region: {**found.identity(at).facts, "provider": by}, found.name)
                for region in found.regions
            }
        return self._regions[found.name]


def _allow(what: str, name: str) -> str:
    """What to type; a stranger's name must not do more in a shell than name."""
    return f"if you trust whoever sends it, allow it with --allow-{what} {shlex.quote(name)}"


def _told(ask: Any, name: str) -> str:
    try:
        return canonical(ask())
    except Exception as error:
        raise Refused(
            f"{name!r} cannot be identified here: {words_of(error).rstrip('.')}", "facts"
        ) from error
