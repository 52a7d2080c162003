"""What is of one machine or person and of nobody else's concern: paths and addresses, found in words."""

from __future__ import annotations

import re
from typing import Any

from brainbench_leaderboard.exchange.format import Document
from brainbench_leaderboard.exchange.plain_json import Refused

# In quotes, a path with whatever is in it; else an absolute one of at least two names, anything in people's
# homes, a home, a drive, a share, an address; not "and/or", not "org/name".
_PLACE = re.compile(
    r"(?<=\")(?:~|[A-Za-z]:)?[/\\][^\"'\n/\\]+[/\\][^\"\n]*(?=\")"
    r"|(?<=')(?:~|[A-Za-z]:)?[/\\][^\"'\n/\\]+[/\\][^'\n]*(?=')"
    r"|(?<![\w./])(?:/[\w.@+-]+){2,}/?"
    r"|/(?:home|Users)/[^\s\"']+"
    r"|(?<![\w~])~[\w.-]*[/\\][^\s\"']*"
    r"|(?<![A-Za-z])[A-Za-z]:[\\/][^\s\"']*"
    r"|\\\\[\w.-]+\\[^\s\"']*"
    r"|\b[A-Za-z][A-Za-z0-9+.-]*://[^\s\"']*"
)
HIDDEN = "(a place on the machine)"
_FIXED = ("facts", "model", "intervention", "dataset", "helper", "learnt_from", "scorer", "task")


def without_places(document: Document) -> Document:
    """The record with places in its reasons, details and provenance struck out.

    What models and people wrote, and what they were asked, stays as it is. Raises Refused for a place in
    the facts or in a name: without it the fingerprint would be another's.
    """
    for name in _FIXED:
        if name in document and _found(document[name]):
            raise Refused("they name a place on the machine" if name == "facts" else "it names one", name)
    outcome = dict(document["outcome"])
    for name in ("reason", "choice", "unscored", "details"):
        if name in outcome:
            outcome[name] = _struck(outcome[name])
    return {**document, "outcome": outcome, "provenance": _struck(document["provenance"])}


def _found(value: Any) -> str:
    """The first place in it."""
    if isinstance(value, str):
        match = _PLACE.search(value)
        return match[0] if match else ""
    if isinstance(value, dict):
        value = [*value, *value.values()]
    return next(filter(None, map(_found, value)), "") if isinstance(value, list) else ""


def _struck(value: Any) -> Any:
    if isinstance(value, str):
        return _PLACE.sub(HIDDEN, value)
    if isinstance(value, dict):
        return {_struck(key): _struck(held) for key, held in value.items()}
    return list(map(_struck, value)) if isinstance(value, list) else value
