"""What models and places are called in tables and figures, as short as tells them apart."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from brainbench.text import plain
from brainbench_leaderboard.analyses.entries import Entry, Place

_PINNED = re.compile(r"@[0-9a-f]{12,}$")


def short_names(models: Iterable[str]) -> dict[str, str]:
    """Each model without its organisation and a pinned commit, where that still tells them apart."""
    names = list(dict.fromkeys(models))
    short = {name: _short(name) for name in names}
    count = Counter(short.values())
    return {name: plain(short[name] if count[short[name]] == 1 else name) for name in names}


def _short(name: str) -> str:
    kind, colon, rest = name.rpartition(":")
    bare = _PINNED.sub("", rest).rpartition("/")[2]
    return f"{kind}{colon}{bare}"


def varying(places: Iterable[Place], leaving: Iterable[str] = ()) -> dict[Place, str]:
    """Each place in the words that tell it apart from the others; the region always, but for `leaving`."""
    known = list(places)
    words = {place: place.words() for place in known}
    kinds = [kind for kind in (known[0].words() if known else {}) if kind not in set(leaving)]
    told = [
        kind for kind in kinds if kind in ("region", "items") or len({w[kind] for w in words.values()}) > 1
    ]
    return {place: plain(", ".join(w[kind] for kind in told if w[kind])) for place, w in words.items()}


def label(place: Place) -> str:
    """What a score is, for an axis."""
    if place.metric == "rsa":
        unit = "ratio to the noise ceiling" if place.protocol == "paper" else "correlation of RDMs"
        return f"alignment: {place.metric_name} ({unit})"
    return f"alignment: {place.metric_name} (correlation)"


def precision(found: Iterable[Entry]) -> tuple[str, ...]:
    """That models were not all run with numbers of one kind, where they were not."""
    kinds = sorted({str(entry.dtype) for entry in found})
    if len(kinds) < 2:
        return ()
    return (f"Models were run in {' and '.join(kinds)}: some of what differs may be rounding (dtype below).",)
