"""What is to be drawn, as plain values; `drawing` draws it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

Span = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Points:
    """A panel of models as points, with the interval of each score where it has one."""

    title: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    names: tuple[str, ...]
    spans: tuple[Span | None, ...]
    said: str


@dataclass(frozen=True, slots=True)
class Bar:
    """A model's value with its interval; each: a value a person, drawn small behind it."""

    name: str
    value: float
    span: Span | None
    each: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Bars:
    """A panel of models' values; axis: what they are, where that differs from the other panels'."""

    title: str
    bars: tuple[Bar, ...]
    axis: str = ""


@dataclass(frozen=True, slots=True)
class Curve:
    """A model's values by depth, and the depth of its peak."""

    name: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    peak: float


@dataclass(frozen=True, slots=True)
class Curves:
    """A panel of models' curves."""

    title: str
    curves: tuple[Curve, ...]


@dataclass(frozen=True, slots=True)
class Figure:
    """Panels of one kind, with what is on their axes. log: the line is fitted to the logarithm of x."""

    x: str
    y: str
    panels: Sequence[Points | Bars | Curves]
    log: bool = False
