"""Which features each person is compared with: the same for everyone, or the person's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from brainbench.arrays import AnyFeatures, Features, FloatArray, IntArray
from brainbench.records import Skip

Layer = TypeVar("Layer", bound=FloatArray)


@dataclass(frozen=True, slots=True, eq=False)
class Matched(Generic[Layer]):
    """Layers that vary for everyone who is compared with them.

    names: those layers. sources: for each set of features that differ, an array (items x width) for each of
    the names. of: each person's position among the sources. unscored, left_out: why a layer, a person is not
    scored.
    """

    names: tuple[str, ...]
    sources: tuple[tuple[Layer, ...], ...]
    of: dict[str, int]
    unscored: dict[str, str]
    left_out: dict[str, str]


def matched(
    features: AnyFeatures,
    people: Mapping[str, IntArray],
    varying: Callable[[FloatArray, IntArray], Layer],
    how: str,
) -> Matched[Layer] | Skip:
    """Find each person's features; `people` maps participants to the positions of their items.

    varying(array, rows) gives the columns to use, none where nothing varies over these rows; `how` says in
    words what is asked for ("vary between the items"). Features that everyone shares are judged over all
    items, a person's own over the person's items. A person without features, or for whom no layer varies, is
    left out; a layer that does not vary for one of the others is not scored, since scores of a layer are over
    the same people as those of any other. Skips where no person or no layer remains.
    """
    shared = isinstance(features, Features)
    of: dict[str, int] = {}
    unscored: dict[str, str] = {}
    left_out: dict[str, str] = {}
    made: list[dict[str, Layer]] = []
    for person, items in people.items():
        own = features.of(person)
        if own is None:
            left_out[person] = "There are no features of this participant."
        elif shared and made:
            of[person] = 0
        else:
            rows = np.arange(features.n_items) if shared else items
            layers = {name: varying(array, rows) for name, array in own.layers.items()}
            flat = [name for name, array in layers.items() if not array.shape[1]]
            if len(flat) == len(layers):
                if shared:
                    return Skip(f"No layer's features {how}.")
                left_out[person] = f"No layer's features of this participant {how}."
                continue
            whose = "" if shared else f", for participant {person}"
            unscored = dict.fromkeys(flat, f"Its features do not {how}{whose}.") | unscored
            of[person] = len(made)
            made.append(layers)
    if not of:
        return Skip(next(iter(left_out.values())))
    names = tuple(name for name in features.layers if name not in unscored)
    if not names:
        return Skip(f"No layer's features {how} for every participant.")
    return Matched(names, tuple(tuple(own[name] for name in names) for own in made), of, unscored, left_out)
