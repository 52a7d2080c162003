"""What a reader must know of a dataset or a method: cards, and where regions lie."""

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


@dataclass(frozen=True, slots=True)
class RegionPlace:
    """Where a region of interest lies, to draw it on a brain: never the voxels that were scored.

    source: in words where that is from and what it is not, "nodes after X; not the voxels that were scored".
    coordinates: in mm of MNI space. networks: names in an atlas of coordinates that comes with nilearn, whose
    nodes are added: "cerebellum", "cingulo-opercular", "default", "fronto-parietal", "occipital" or
    "sensorimotor" of "Dosenbach 2010".
    """

    source: str
    coordinates: tuple[tuple[float, float, float], ...] = ()
    networks: tuple[str, ...] = ()
    atlas: str = "Dosenbach 2010"
