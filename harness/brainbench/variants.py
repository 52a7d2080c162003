"""Datasets by names that end in places, "name@key=value@key=value": variants of what is called "name".

A dataset that has variants has a method `at(places)` and an attribute `variants`, which says in words what
places there are: ("stage=prompt|response",). `--dataset name@stage=response@prompt=short` calls
at("stage=response@prompt=short") of the dataset "name". What it gives is a dataset under that name, with the
places in one order, however they were written, and without any that changes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import cast

from brainbench.errors import UsageError
from brainbench.nouns import BrainDataset
from brainbench.protocols import require

_LAST_PLACE = re.compile(r"(?P<name>.+)@(?P<place>[^@/=]+=[^@/]*)", re.DOTALL)


class UnknownNameError(UsageError):
    """Nothing answers to a name."""


def find_variant(spec: str, find: Callable[[str], BrainDataset]) -> BrainDataset:
    """What `find` knows by the name `spec`, or what it knows by as much of it as is no place, at the places.

    `find` raises UnknownNameError. A known name that has an @ of its own (a folder's path) is not taken
    apart, and a dataset is given all places at once, in the order in which they were written. Raises
    UsageError for a dataset that has no variants, and where it refuses the places.
    """
    name, places = spec, list[str]()
    while True:
        try:
            found = find(name)
            break
        except UnknownNameError:
            if (split := _LAST_PLACE.fullmatch(name)) is None:
                raise
            name, places = split["name"], [split["place"], *places]
    if not places:
        return found
    written = "@".join(places)
    if not hasattr(found, "at"):
        raise UsageError(f"The dataset {name!r} has no variants: it takes no @{written}.")
    made = found.at(written)
    require(made, BrainDataset, f"What {name!r} gave for @{written}")
    return cast(BrainDataset, made)
