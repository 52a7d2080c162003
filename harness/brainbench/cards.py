"""What a reader must know of a dataset or a method before using or citing it: cards."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DatasetCard:
    """What a reader must know of a dataset before using or citing it."""

    description: str
    licence: str
    citation: str
    sources: tuple[str, ...]
    caveats: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MethodCard:
    """What a reader must know of a metric, an intervention, a scorer or a task before using or citing it.

    summary: what it does, in a sentence or two. formula: how a number is made, as plain text, with every
    letter explained. reference: where it comes from.
    """

    summary: str
    formula: str
    reference: str
    caveats: tuple[str, ...] = ()
