"""What the parts of a steering are checked for, and how its arrays are kept."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from brainbench.arrays import FloatArray, require_numbers
from brainbench.errors import ShapeError


def kept(array: object, dimensions: tuple[int, ...], what: str) -> FloatArray:
    """A read-only copy in single precision; raises ShapeError unless it is finite and of these dimensions."""
    require_numbers(array, what)
    assert isinstance(array, np.ndarray)
    if array.ndim not in dimensions or array.size == 0:
        raise ShapeError(f"{what} has the shape {array.shape}, expected {dimensions[0]} dimension(s).")
    with np.errstate(over="ignore"):
        kept: FloatArray = np.array(array, dtype=np.float32, order="C")
    if not np.isfinite(kept).all():
        raise ShapeError(f"{what} holds values that are not finite.")
    kept.flags.writeable = False
    return kept


def number(value: object, what: str) -> float:
    """The value as a float; raises ShapeError unless it is a finite number."""
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float | np.floating)
        or not math.isfinite(value)
    ):
        raise ShapeError(f"{what} must be a finite number, not {value!r}.")
    return float(value)


def require_facts(facts: object) -> None:
    """Raise ShapeError unless they are plain JSON, and those that others read what these expect."""
    try:
        if not isinstance(facts, Mapping):
            raise TypeError("they are no mapping")
        json.dumps(dict(facts), allow_nan=False)
        for name in ("fitted_on", "people"):
            if not _are_words(facts.get(name, ())):
                raise TypeError(f"{name} is no list of words")
    except (TypeError, ValueError, RecursionError) as error:
        raise ShapeError(
            f"The facts of a steering must be plain JSON with finite numbers: {error}."
        ) from error


def _are_words(found: object) -> bool:
    return isinstance(found, list | tuple) and all(isinstance(word, str) for word in found)


def digest(array: FloatArray) -> list[Any]:
    """Its shape, and the SHA-256 of its values."""
    return [list(array.shape), hashlib.sha256(array.astype("<f4").tobytes()).hexdigest()]
