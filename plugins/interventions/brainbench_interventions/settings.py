"""Settings of an arm in its name: "extra=64", "rate=3e-4", "early_stop=no"."""

from __future__ import annotations

import dataclasses
import math
import re
from typing import TYPE_CHECKING, Any, TypeVar, get_args, get_type_hints

from brainbench.errors import UsageError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    T = TypeVar("T", bound=DataclassInstance)

_FIXED = ("name", "arm", "source", "version", "seed")
_SWITCH = {"yes": True, "no": False}
_LEAST = {"rank": 1, "epochs": 1, "every": 1, "patience": 1, "extra": 0, "accumulate": 0}
_MOST = {"rate": 10.0, "rank": 1024, "epochs": 100_000}  # beyond, numbers overflow or days go by
# What has no meaning for an arm: the brain's part for who has none, and the labels' part.
_BRAIN = ("region", "people", "weight", "similarity", "intercept", "right")
_WITHOUT = {
    "label-only": (*_BRAIN, "keep"),
    "narf": ("extra", "weight", "right", "balance", "start"),
    "narf-label": ("keep",),
}
_PEOPLE = re.compile(r"(?!(best|worst)0*$)[A-Za-z0-9_.-]+(\+[A-Za-z0-9_.-]+)*")


def changed(arm: T, setting: str) -> T:
    """The arm with "key=value"; raises UsageError for an unknown key, or a value that it cannot have."""
    key, _, value = setting.partition("=")
    kinds = get_type_hints(type(arm))
    known = sorted(set(kinds) - {*_FIXED, *_WITHOUT.get(arm.arm, ())})  # type: ignore[attr-defined]
    if key not in known:
        raise UsageError(
            f"{arm.name} has no setting {key!r}.",  # type: ignore[attr-defined]
            hint=f"Settings: {', '.join(known)}.",
        )
    return dataclasses.replace(arm, **{key: _read(key, value, kinds[key])})


def alone(place: str) -> bool:
    """Whether a setting, or what else stands in a name, also has a meaning where there is no brain."""
    return place.partition("=")[0] not in _WITHOUT["label-only"]


def _read(key: str, value: str, kind: Any) -> Any:
    choices = get_args(kind)
    if kind is bool:
        return _one_of(key, value, _SWITCH)
    if kind is int or kind is float:
        return _number(key, value, kind)
    if key == "types":
        if not all(value.split("+")):
            raise UsageError("types names no type of problem.", hint="Write syllogism or transitive.")
        return tuple(value.split("+"))
    if key == "people":
        if value and _PEOPLE.fullmatch(value) is None:
            raise UsageError(
                f"{value!r} names no people.", hint="Write best3, worst3, or ids with + between."
            )
        return value
    return _one_of(key, value, {choice: choice for choice in choices}) if choices else value


def _one_of(key: str, value: str, known: dict[str, Any]) -> Any:
    if value not in known:
        raise UsageError(
            f"{key} cannot be {value!r}.", hint=f"Choose one of {', '.join(filter(None, known))}."
        )
    return known[value]


def _number(key: str, value: str, kind: type[int] | type[float]) -> int | float:
    try:
        number = kind(value)
    except ValueError:
        number = math.nan
    least, most = _LEAST.get(key, 0), _MOST.get(key, math.inf)
    above = key == "rate"  # with none, nothing would be learnt
    if not math.isfinite(number) or not least <= number <= most or (above and number == 0):
        sort = "whole number" if kind is int else "number"
        bound = f"{'above' if above else 'of at least'} {least}" + (
            f" and at most {most:.10g}" if key in _MOST else ""
        )
        raise UsageError(f"{key} cannot be {value!r}.", hint=f"Give a {sort} {bound}.")
    return number
