"""How large a difference must be to be found: the question to ask before a long run.

The mean of a table of differences (people x items) has the variance
v_people / n_people + v_items / n_items + v_cells / (n_people n_items). More items cannot make up for too few
people, nor the reverse. The minimum detectable effect is the mean difference that a two-sided test finds with
the power wanted, from the noncentral t distribution (Cohen 1988).

Components come from a pilot and are themselves uncertain: from ten people the variance between people may
well be off by half. Take the answer as an order of magnitude.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from brainbench.errors import UsageError
from brainbench.statistics.checks import (
    Values,
    is_real,
    is_whole,
    numbers,
    require_share,
    require_variation,
)
from brainbench.statistics.streams import blocks
from brainbench.statistics.two_factor import mean_squares, two_way_error

Over = Literal["people", "people and items"]
_NO_EFFECT = 1e-10  # scipy's noncentral F goes wrong at 0; so near, power is alpha to ten digits


@dataclass(frozen=True, slots=True)
class VarianceComponents:
    """Variances of differences between people, between items, and of single cells, in squared score units.

    Raises UsageError for a component below zero or not finite, and when all are zero.
    """

    people: float
    items: float
    cells: float

    def __post_init__(self) -> None:
        parts = (self.people, self.items, self.cells)
        if not all(map(is_real, parts)) or not np.isfinite(parts).all() or min(parts) < 0 or max(parts) == 0:
            raise UsageError(
                f"Components of variance must be numbers of at least 0 and not all 0; got {parts}.",
                hint="Estimate them from a pilot's table with variance_components.",
            )


@dataclass(frozen=True, slots=True)
class Design:
    """A planned comparison. `over` says whom the answer is to hold for: other people, or other items too.

    alpha: two-sided; for a family of m tests give alpha / m. Raises UsageError for fewer than two people, no
    items (two where items are to vary), and shares outside (0, 1).
    """

    people: int
    items: int
    alpha: float = 0.05
    power: float = 0.8
    over: Over = "people and items"

    def __post_init__(self) -> None:
        if self.over not in get_args(Over):
            raise UsageError(f"There is no design over {self.over!r}.", hint=f"Give one of {get_args(Over)}.")
        least = 1 if self.over == "people" else 2
        if not (is_whole(self.people) and is_whole(self.items)) or self.people < 2 or self.items < least:
            raise UsageError(
                f"A design over {self.over} needs two people and {least} items or more; "
                f"got {self.people!r} and {self.items!r}.",
                hint="Give whole numbers: Design(10, 70), say.",
            )
        require_share(self.alpha, "alpha")
        require_share(self.power, "power")


def variance_components(pilot: Values) -> VarianceComponents:
    """Components from a pilot's table of differences (people x items), one value a cell.

    Analysis of variance estimators; those below zero become zero. Raises ShapeError for fewer than two people
    or items, for values that are not finite and for a table that does not vary.
    """
    table = numbers(pilot, "A pilot's table (people x items)", 2)
    require_variation(table, "The pilot's values")
    people, items, cells = (float(square) for square in mean_squares(table))
    return VarianceComponents(
        max(0.0, (people - cells) / table.shape[1]), max(0.0, (items - cells) / table.shape[0]), cells
    )


def detection_power(effect: float, components: VarianceComponents, design: Design) -> float:
    """Chance that a two-sided test finds a mean difference of `effect`; alpha where it is zero.

    Over people: Student's test of people's means, exact if they are normal. Over people and items: the
    two-way test with Satterthwaite's degrees of freedom, an approximation.
    """
    from scipy.stats import f, ncf

    error, df = _error(components, design)
    # t squared is F with one degree of freedom, and scipy's noncentral t is NaN in the far tail.
    noncentrality = (effect / error) ** 2
    if noncentrality < _NO_EFFECT:
        return design.alpha
    return float(ncf.sf(f.isf(design.alpha, 1, df), 1, df, noncentrality))


def minimum_detectable_effect(components: VarianceComponents, design: Design) -> float:
    """Smallest mean difference, in score units, that the design finds with its power.

    Raises UsageError when the power asked for is not above alpha: then no difference is needed at all.
    """
    from scipy.optimize import brentq

    if design.power <= design.alpha:
        raise UsageError(f"The power {design.power} must exceed alpha {design.alpha}.", hint="0.8 is usual.")
    high, _ = _error(components, design)
    while detection_power(high, components, design) < design.power:
        high *= 2
    return float(brentq(lambda size: detection_power(size, components, design) - design.power, 0.0, high))


def simulated_power(
    effect: float, components: VarianceComponents, design: Design, *, seed: int, draws: int = 2_000
) -> float:
    """Share of tables of normal noise in which the design's test finds `effect`: checks `detection_power`."""
    from scipy.stats import t

    found = 0
    scales = np.sqrt([components.people, components.items, components.cells])
    for block in blocks(seed, draws):
        rng = block.rng()
        for _ in range(block.count):
            people = rng.normal(size=(design.people, 1)) * scales[0]
            items = rng.normal(size=(1, design.items)) * scales[1]
            if design.over == "people":
                items -= items.mean()  # fixed items are part of the effect
            table = effect + people + items + rng.normal(size=(design.people, design.items)) * scales[2]
            error, df = _measured(table, design)
            found += abs(table.mean()) > float(t.isf(design.alpha / 2, df)) * error
    return found / draws


def _error(components: VarianceComponents, design: Design) -> tuple[float, float]:
    """Standard error of the mean difference and its degrees of freedom, were the components true."""
    cells = components.cells / (design.people * design.items)
    people = components.people / design.people + cells
    if design.over == "people":
        return float(np.sqrt(people)), float(design.people - 1)
    items = components.items / design.items + cells
    return two_way_error((people, items, cells), (design.people, design.items))


def _measured(table: Values, design: Design) -> tuple[float, float]:
    if design.over == "people":
        means = table.mean(axis=1)
        return float(means.std(ddof=1) / np.sqrt(len(means))), float(len(means) - 1)
    return two_way_error(mean_squares(table) / table.size, table.shape)
