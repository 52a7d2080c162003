"""A record held to its own facts: they give its fingerprint, and what it says beside them must agree."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from brainbench.identity import fingerprint
from brainbench.plan import NOTHING
from brainbench_leaderboard.exchange.format import Document
from brainbench_leaderboard.exchange.plain_json import Refused

# A record's field, and where in its facts the same stands.
_MODEL = (
    ("intervention", "intervention.name"),
    ("seed", "seed"),
)
_OF_METRIC = (
    ("kind", "kind"),
    ("dataset", "dataset.name"),
    ("dataset_version", "dataset.version"),
    ("region", "region"),
    ("item_set", "item_set.name"),
    ("metric", "metric.name"),
    ("protocol", "metric.protocol"),
    ("metric_version", "metric.version"),
)
_SCORER = (("scorer", "name"), ("scorer_version", "version"))
AGREE = {
    "score": (*_OF_METRIC, *_MODEL),
    "ceiling": _OF_METRIC,
    "task": (
        *_MODEL,
        ("kind", "kind"),
        ("baseline", "baseline"),
        ("learnt_from", "learnt_from.name"),
        ("task", "task.name"),
        ("task_version", "task.version"),
        ("problem_limit", "limit"),
    ),
    "ideas": (
        *_MODEL,
        ("kind", "kind"),
        ("baseline", "baseline"),
        ("learnt_from", "learnt_from.name"),
        ("scorer", "scorer.name"),
        ("scorer_version", "scorer.version"),
        ("dataset", "dataset.name"),
        ("dataset_version", "dataset.version"),
    ),
    "validity": _SCORER,
}


def require_agreement(document: Document) -> None:
    """Raise Refused unless fingerprint, names and versions are those of the facts."""
    facts, kind = document["facts"], document["kind"]
    _require_fingerprint(document, facts)
    for field, path in AGREE[kind]:
        if document[field] != (known := at(facts, path)) or type(document[field]) is not type(known):
            raise Refused(f"it is {document[field]!r}, but facts.{path} is {known!r}", field)
    _require_time(document["provenance"]["started"])
    if kind == "ceiling" and any(name in facts for name in ("model", "intervention", "seed", "baseline")):
        raise Refused("a ceiling has no model", "facts")
    for others in {"validity": (_require_validity,), "ceiling": ()}.get(kind, _OTHERS):
        others(document)


def _require_fingerprint(document: Document, facts: Document) -> None:
    try:
        computed = fingerprint(facts)
    except ValueError as error:
        raise Refused("no fingerprint can be made of them", "facts") from error
    if facts.get("unidentified"):
        raise Refused("they say that it could not be identified", "facts")
    if computed != document["fingerprint"]:
        raise Refused("it is not the fingerprint of the facts", "fingerprint")


def _require_time(started: str) -> None:
    try:
        datetime.fromisoformat(started)
    except ValueError as error:
        raise Refused(f"{started!r} is no time", "provenance.started") from error


def at(facts: Document, path: str) -> Any:
    """What stands there, None where nothing does."""
    found: Any = facts
    for step in path.split("."):
        found = found.get(step) if isinstance(found, dict) else None
    return found


def _names(said: str, known: object) -> bool:
    """Whether a name is one, or one with the revision that was asked for."""
    return not isinstance(known, str) or said == known or said.startswith(f"{known}@")


def _require_model(document: Document) -> None:
    model = document["facts"].get("model") or {}
    if not _names(document["model"], model.get("name")):
        raise Refused(f"it is {document['model']!r}, but facts.model.name is {model['name']!r}", "model")
    revision = model.get("revision")
    if document["revision"] != (None if revision is None else str(revision)):
        raise Refused("it is not that of the facts", "revision")
    dtype = document["provenance"].get("dtype")
    if None not in (dtype, model.get("dtype")) and dtype != model["dtype"]:
        raise Refused("it is not that of the facts", "provenance.dtype")
    if "helper" in document and not _names(document["helper"], at(document["facts"], "scorer.helper.name")):
        raise Refused("it is not that of the facts", "helper")


def _require_change(document: Document) -> None:
    """What decides whether a changed model may be ranked must not contradict the facts of a task."""
    if document["kind"] != "task":
        return
    details = document["outcome"].get("details") or {}
    changes: Iterable[str] = [name for name in ("steering", "tuning") if details.get(name) is not None]
    if document["intervention"] == NOTHING and (changes or document["trained"]):
        raise Refused("a model that was not changed has none", "outcome.details")
    chosen = at(document["facts"], "strength.protocol")
    if chosen is not None and details.get("steering"):
        said = details["steering"].get("protocol")
        if said in ("validation", "paper") and said != chosen:  # "fixed" has nothing to choose from
            raise Refused(f"it is {said!r}, but facts.strength.protocol is {chosen!r}", "outcome.details")
    if not document["trained"] and document["training_seed"] is not None:
        raise Refused("only what trains has one", "training_seed")


def _require_validity(document: Document) -> None:
    told = document["outcome"]
    for field, name in (("scorer", "scorer"), ("scorer_version", "version")):
        if told[name] != document[field]:
            raise Refused(f"it is not the record's {field}", f"outcome.{name}")
    if not _names(document["helper"], at(document["facts"], "helper.name")):
        raise Refused("it is not that of the facts", "helper")
    if not told["unscored"] <= told["responses"] <= told["held_out"]:
        raise Refused("there are more than were held out, or fewer than could not be scored", "outcome")
    for name in ("pearson", "spearman", "by_object_mean"):
        if (one := told[name]) is not None and not one["low"] <= one["high"]:
            raise Refused("its interval ends before it begins", f"outcome.{name}")


_OTHERS = (_require_model, _require_change)
