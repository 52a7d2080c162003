"""Arrays with meaning: a model's features and a region's recorded responses, checked when built."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainbench.errors import ShapeError

FloatArray = NDArray[np.floating[Any]]
IntArray = NDArray[np.intp]


def require_numbers(array: object, what: str, *, kinds: str = "fiu") -> None:
    """Raise ShapeError unless `array` is a numpy array of real numbers of these kinds."""
    if not isinstance(array, np.ndarray):
        raise ShapeError(f"{what} must be a numpy array; got {type(array).__name__}.")
    if array.dtype.kind not in kinds:
        wanted = "True or False" if kinds == "b" else "real numbers"
        raise ShapeError(f"{what} must be {wanted}; got {array.dtype}.")


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """A model's representation of a dataset's items.

    `layers` maps a layer's name ("attention.3", "layer.3", ...) to an array (items x width), in the
    order in which layers are to be shown. `made` says how: prompt form, token, pooling, dtype.
    `quantities` is True where columns are quantities (a length, a bit) and not units of a population:
    a correlation over them says nothing, so RSA takes their Euclidean distance, each column standardised.
    Raises ShapeError when arrays disagree on the items or hold a value that is not finite.
    """

    layers: Mapping[str, FloatArray]
    made: Mapping[str, Any] = field(default_factory=dict)
    quantities: bool = False

    def __post_init__(self) -> None:
        if not self.layers or not all(isinstance(name, str) and name for name in self.layers):
            raise ShapeError("Features need at least one layer, and layers need names.")
        for name, array in self.layers.items():
            require_numbers(array, f"Features of {name}")
        counts = {name: array.shape[0] if array.ndim == 2 else -1 for name, array in self.layers.items()}
        if len(set(counts.values())) != 1 or -1 in counts.values():
            raise ShapeError(f"Features must be (items x width) over the same items; got items {counts}.")
        for name, array in self.layers.items():
            if array.shape[1] == 0:
                raise ShapeError(f"Features of {name} have no columns.")
            if not np.isfinite(array).all():
                raise ShapeError(
                    f"Features of {name} hold values that are not finite.",
                    hint="Half precision may overflow: use --dtype float32; or the weights hold such values.",
                )

    @property
    def n_items(self) -> int:
        """Number of items, the same for every layer."""
        return len(next(iter(self.layers.values())))

    def select(self, items: Sequence[int]) -> Features:
        """The same layers over the items at these positions."""
        index = np.asarray(items, dtype=np.intp)
        return replace(self, layers={name: array[index] for name, array in self.layers.items()})

    def of(self, participant: str) -> Features | None:
        """What is compared with this participant: the same for everyone (see PersonalFeatures)."""
        del participant
        return self


@dataclass(frozen=True, slots=True, eq=False)
class PersonalFeatures:
    """Features that differ between people, such as how long each of them took to answer.

    `people` maps participants to their Features, all over the same items and with the same layers in the
    same order; widths may differ. Raises ShapeError where they do not agree, or there is nobody.
    """

    people: Mapping[str, Features]

    def __post_init__(self) -> None:
        forms = {(found.n_items, tuple(found.layers), found.quantities) for found in self.people.values()}
        if len(forms) != 1:
            raise ShapeError("Features of several people must have the same items and the same layers.")

    @property
    def layers(self) -> Mapping[str, FloatArray]:
        """The layers of the first of these people, for their names and order."""
        return next(iter(self.people.values())).layers

    @property
    def made(self) -> Mapping[str, Any]:
        """How the features were made."""
        return next(iter(self.people.values())).made

    @property
    def quantities(self) -> bool:
        """As for Features."""
        return next(iter(self.people.values())).quantities

    @property
    def n_items(self) -> int:
        """Number of items, the same for everyone."""
        return next(iter(self.people.values())).n_items

    def select(self, items: Sequence[int]) -> PersonalFeatures:
        """The same people over the items at these positions."""
        return PersonalFeatures({person: found.select(items) for person, found in self.people.items()})

    def of(self, participant: str) -> Features | None:
        """Those of this participant; None where there are none."""
        return self.people.get(participant)


AnyFeatures = Features | PersonalFeatures


@dataclass(frozen=True, slots=True, eq=False)
class Participant:
    """One person's responses in one region: (items that the person has x voxels).

    `present` holds the positions of those items among the recording's items, ascending.
    """

    id: str
    responses: FloatArray
    present: IntArray

    def __post_init__(self) -> None:
        require_numbers(self.responses, f"Responses of participant {self.id}")
        require_numbers(self.present, f"Item positions of participant {self.id}", kinds="iu")
        if self.responses.ndim != 2 or len(self.responses) != len(self.present):
            raise ShapeError(
                f"Participant {self.id}: responses {self.responses.shape} for {len(self.present)} items."
            )
        if len(self.present) and (np.diff(self.present) <= 0).any():
            raise ShapeError(f"Participant {self.id}: item positions must ascend without repeats.")
        if not np.isfinite(self.responses).all():
            raise ShapeError(
                f"Participant {self.id}: responses hold values that are not finite.",
                hint="Leave such voxels or items out when the dataset is loaded.",
            )


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """The responses of all participants in one region to one set of items; what a metric sees.

    `strata` labels each item for stratified folds (empty: no strata); `groups` names what folds must
    never split, a run or a story (empty: items are independent). `nuisances` are dull predictors by name,
    over the same items (see brainbench.nuisances): the harness adds them, a dataset need not.
    """

    region: str
    items: tuple[str, ...]
    participants: tuple[Participant, ...]
    strata: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    nuisances: Mapping[str, AnyFeatures] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.items or not self.participants:
            raise ShapeError(f"Recording of {self.region}: needs at least one item and one participant.")
        if len(set(self.items)) != len(self.items):
            raise ShapeError(f"Recording of {self.region}: item ids repeat.")
        names = [person.id for person in self.participants]
        if len(set(names)) != len(names):
            raise ShapeError(f"Recording of {self.region}: participant ids repeat.")
        for labels, what in ((self.strata, "strata"), (self.groups, "groups")):
            if labels and len(labels) != len(self.items):
                raise ShapeError(
                    f"Recording of {self.region}: {len(labels)} {what} for {len(self.items)} items."
                )
        for name, features in self.nuisances.items():
            if features.n_items != len(self.items):
                raise ShapeError(f"Recording of {self.region}: nuisance {name!r} has other items.")
        for person in self.participants:
            if len(person.present) and not (person.present[0] >= 0 and person.present[-1] < len(self.items)):
                raise ShapeError(f"Recording of {self.region}: {person.id} has items beyond the last.")

    def select(self, items: Sequence[int]) -> Recording:
        """The same people over the items at these ascending positions; who has none of them is left out."""
        index = np.asarray(items, dtype=np.intp)
        people = []
        for person in self.participants:
            kept = np.isin(person.present, index)
            if kept.any():
                present = np.searchsorted(index, person.present[kept])
                people.append(replace(person, responses=person.responses[kept], present=present))
        return replace(
            self,
            items=tuple(self.items[i] for i in index),
            participants=tuple(people),
            strata=tuple(self.strata[i] for i in index) if self.strata else (),
            groups=tuple(self.groups[i] for i in index) if self.groups else (),
            nuisances={name: features.select(items) for name, features in self.nuisances.items()},
        )


@dataclass(frozen=True, slots=True, eq=False)
class Behaviour:
    """What each participant did on each item: arrays (participants x items).

    `correct` is True where the answer was right (no answer counts as wrong), and None where the task has
    no right answer. `response_time` is in seconds and NaN where nobody answered. `rating` is what others
    thought of the answer, NaN where there is none, and None where nobody rated. `response_window`: after so
    many seconds no answer was taken; None where that is not known.
    """

    participants: tuple[str, ...]
    items: tuple[str, ...]
    correct: NDArray[np.bool_] | None
    response_time: FloatArray
    rating: FloatArray | None = None
    response_window: float | None = None

    def __post_init__(self) -> None:
        require_numbers(self.response_time, "Behaviour: response times", kinds="f")
        arrays: list[NDArray[Any]] = [self.response_time]
        if self.correct is not None:
            require_numbers(self.correct, "Behaviour: correct answers", kinds="b")
            arrays.append(self.correct)
        if self.rating is not None:
            require_numbers(self.rating, "Behaviour: ratings", kinds="f")
            arrays.append(self.rating)
        shape = (len(self.participants), len(self.items))
        if any(array.shape != shape for array in arrays):
            raise ShapeError(f"Behaviour: arrays must be {shape} (participants x items).")
        if any(np.isinf(array).any() for array in arrays):
            raise ShapeError("Behaviour: values must be finite, or NaN where there is none.")
