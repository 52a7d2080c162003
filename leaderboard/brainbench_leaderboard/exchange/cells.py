"""The cell that a document is of, made of what is installed here; nothing is looked for by a path."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from brainbench.catalog import Catalog
from brainbench.errors import BrainbenchError, words_of
from brainbench.identity import identify
from brainbench.nouns import BrainDataset, Intervention, Model, ModelOptions
from brainbench.plan import AnyCell, Cell, ScorerCell, TaskCell
from brainbench.sampling import Sampling
from brainbench.tuning_fitting import has_seed, with_seed
from brainbench_leaderboard.exchange.checking import at
from brainbench_leaderboard.exchange.format import Document
from brainbench_leaderboard.exchange.known import Known
from brainbench_leaderboard.exchange.plain_json import Refused

_UNTRAINED = "untrained:"
_HUB = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+(@[\w.-]+)?")
_COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass
class Cells:
    """Makes cells again. `models`: those named here, in folders, say; `device` as in ModelOptions."""

    catalog: Catalog
    models: Sequence[Model] = ()
    device: str = "auto"
    _known: Known = field(init=False)

    def __post_init__(self) -> None:
        self._known = Known(self.catalog)

    def of(self, document: Document) -> AnyCell:
        """The cell with the document's very fingerprint; raises Refused where there is none here."""
        with _in_words():
            known = self._known
            if document["kind"] == "validity":
                raise Refused("`brainbench scorer validate` computes it")
            if at(document["facts"], "model.trust_remote_code"):
                raise Refused("it runs code that comes with the model")
            known.require(document)
            make = {"task": self._task, "ideas": self._ideas}.get(document["kind"], self._cell)
            cell = make(document, known)
            found = identify(cell)
        if not found.resolved or found.fingerprint != document["fingerprint"]:
            raise Refused(f"here it is something else: {_other(document['facts'], found.facts)}")
        return cell

    def _cell(self, document: Document, known: Known) -> AnyCell:
        dataset = _dataset(known, document["dataset"])
        sets = {one.name: one for one in dataset.item_sets}
        metric = self.catalog.metrics.get(f"{document['metric']}/{document['protocol']}")
        place = (document["region"], sets[document["item_set"]], metric)
        if document["kind"] == "ceiling":
            return Cell(None, ModelOptions(), dataset, None, *place)
        model, options = self._model(document), self._options(document)
        return Cell(model, options, dataset, self._change(document), *place)

    def _task(self, document: Document, known: Known) -> AnyCell:
        return TaskCell(
            self._model(document),
            replace(self._options(document), head=True),
            self._change(document),
            self.catalog.tasks.get(document["task"]),
            document["problem_limit"],
            _dataset(known, document["learnt_from"]) if document["learnt_from"] else None,
            at(document["facts"], "strength.protocol") or "validation",
        )

    def _ideas(self, document: Document, known: Known) -> AnyCell:
        revision = at(document["facts"], "scorer.helper.revision")
        helper = self._found(document["helper"], revision)
        scorer = self.catalog.scorers.get(document["scorer"]).using(helper.name)
        named = document["dataset"] or document["learnt_from"]
        return ScorerCell(
            self._model(document),
            replace(self._options(document), head=True),
            self._change(document),
            scorer,
            helper,
            _dataset(known, named) if named else None,
        )

    def _options(self, document: Document) -> ModelOptions:
        facts = document["facts"]
        options = ModelOptions(device=self.device, seed=document["seed"])
        for name in ("dtype", "pooling"):
            if at(facts, f"model.{name}") is not None:
                options = replace(options, **{name: at(facts, f"model.{name}")})
        drawn = facts.get("ideas")
        return replace(options, sampling=Sampling(**drawn)) if drawn else options

    def _change(self, document: Document) -> Intervention:
        found = self.catalog.find_intervention(document["intervention"])
        seed = at(document["facts"], "intervention.parameters.seed")
        return with_seed(found, seed) if has_seed(found) and isinstance(seed, int) else found

    def _model(self, document: Document) -> Model:
        return self._found(document["model"], document["revision"])

    def _found(self, name: str, revision: Any) -> Model:
        """The model that was named here or comes with a plugin, or the hub's at the very commit."""
        named = {model.name: model for model in self.models}
        named |= {
            twin.name: twin
            for model in self.models
            if (twin := getattr(model, "untrained", None)) is not None
        }
        if name in named:
            return named[name]
        kind = _UNTRAINED if name.startswith(_UNTRAINED) else ""
        bare = name.removeprefix(_UNTRAINED)
        if name in self.catalog.models or bare in self.catalog.models or name.startswith("baseline:"):
            return self.catalog.find_model(name)
        if not _HUB.fullmatch(bare):
            raise Refused(f"where {name} lies is not known: name it with --model PATH")
        if _COMMIT.fullmatch(str(revision)):
            bare = f"{bare.partition('@')[0]}@{revision}"
        return self.catalog.find_model(f"{kind}{bare}")


def _dataset(known: Known, name: str) -> BrainDataset:
    found = known.dataset(name)
    if found is None:
        raise Refused(f"no dataset called {name!r} is installed here")
    return found


@contextmanager
def _in_words() -> Iterator[None]:
    """Whatever goes wrong with what is installed here, as Refused."""
    try:
        yield
    except (Refused, KeyboardInterrupt):
        raise
    except BrainbenchError as error:
        raise Refused(error.message.rstrip(".")) from error
    except Exception as error:
        raise Refused(f"{type(error).__name__}: {words_of(error).rstrip('.')}") from error


def _other(theirs: Document, ours: Any) -> str:
    """The names of the facts that differ."""
    names = [name for name in sorted({*theirs, *ours}) if theirs.get(name) != ours.get(name)]
    inner = [
        f"{name}.{key}"
        for name in names
        if isinstance(one := theirs.get(name), dict) and isinstance(other := ours.get(name), dict)
        for key in sorted({*one, *other})
        if one.get(key) != other.get(key)
    ]
    return ", ".join(inner or names) or "it cannot be pinned down"
