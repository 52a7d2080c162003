# ruff: noqa: SIM905 - words read better than quotes
"""The words of the generated deduction problems: each is one short English or invented word."""

from __future__ import annotations

from dataclasses import dataclass

NAMES = tuple(
    "Ada Amy Ann Ben Bob Cal Dan Deb Don Eli Emma Eva Finn Gil Gwen Hal Ian Ida Ivy Jack Jane Jim Jude Kate "
    "Kim Kurt Leo Lily Lou Luke Maya Meg Mia Nick Nina Nora Otto Paul Peg Ray Rita Rose Ruth Seth Sid Tess "
    "Tony Vera".split()
)
COMPARATIVES = tuple(
    "bigger bolder braver calmer faster heavier kinder lighter louder nicer older poorer prouder quieter "
    "richer shorter slower smaller smarter stronger taller warmer weaker younger".split()
)
# Invented, no English word among them; with a plural in -s.
KINDS = tuple(
    "bim blick brolt chab clof crund dax dorb drick fendrick flim frop garp gleeb glunt gorm grell hask jorn "
    "kasp klim kreb lisk lork mip mord narg neb plork prad pum quib rold shan skerp slorn snib spold strig "
    "tarb thrin toma trop vint wam wug yorn zib".split()
)
ADJECTIVES = tuple(
    "angry big black blue brave brown calm clean cold fast friendly green grey happy kind loud old orange "
    "pink proud purple quiet red sad shiny short shy slow small soft strong tall tired warm white wise "
    "yellow young".split()
)


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The words that problems are made of; kinds have a plural in -s, and no word is of two sorts."""

    names: tuple[str, ...]
    comparatives: tuple[str, ...]
    kinds: tuple[str, ...]
    adjectives: tuple[str, ...]


WORDS = Vocabulary(NAMES, COMPARATIVES, KINDS, ADJECTIVES)
