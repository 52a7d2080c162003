"""What a design can find."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from brainbench.errors import ShapeError, UsageError
from brainbench.statistics import (
    Design,
    VarianceComponents,
    detection_power,
    minimum_detectable_effect,
    simulated_power,
    variance_components,
)

PARTS = VarianceComponents(1.0, 0.5, 4.0)


def test_power_is_that_of_student_s_test_as_in_the_tables() -> None:
    """G*Power, paired t test: 34 pairs find an effect of half a standard deviation with .8078."""
    design = Design(34, 1, over="people")
    assert detection_power(0.5, VarianceComponents(1, 0, 0), design) == pytest.approx(0.8077775, abs=1e-6)
    split = VarianceComponents(0.5, 7.0, 2.0)  # items average out, and fixed ones do not vary
    assert detection_power(0.5, split, Design(34, 4, over="people")) == pytest.approx(0.8077775, abs=1e-6)


@pytest.mark.parametrize("over", ["people", "people and items"])
def test_simulation_finds_the_power_of_the_formula(over: str) -> None:
    design = Design(12, 20, over=over)  # type: ignore[arg-type]
    effect = minimum_detectable_effect(PARTS, design)
    assert detection_power(effect, PARTS, design) == pytest.approx(0.8)
    assert simulated_power(effect, PARTS, design, seed=0) == pytest.approx(0.8, abs=0.04)  # SE .009
    assert simulated_power(0.0, PARTS, design, seed=0) == pytest.approx(0.05, abs=0.02)


def test_nothing_to_find_is_found_as_often_as_alpha() -> None:
    assert detection_power(0.0, PARTS, Design(12, 20, alpha=0.01)) == pytest.approx(0.01)
    assert detection_power(-1.0, PARTS, Design(9, 9)) == pytest.approx(
        detection_power(1.0, PARTS, Design(9, 9))
    )
    assert detection_power(1e-9, PARTS, Design(12, 20)) == pytest.approx(0.05)
    assert detection_power(1e6, PARTS, Design(9, 9)) == 1.0


def test_more_of_one_cannot_make_up_for_too_few_of_the_other() -> None:
    def effect(people: int, items: int) -> float:
        return minimum_detectable_effect(PARTS, Design(people, items))

    assert effect(10, 20) > effect(20, 20) > effect(20, 40)
    assert effect(10, 100_000) > 0.95 * minimum_detectable_effect(
        VarianceComponents(1.0, 0, 0), Design(10, 1, over="people")
    )


def test_effects_are_in_score_units_and_stricter_tests_need_more() -> None:
    plain = minimum_detectable_effect(PARTS, Design(12, 20))
    tenfold = minimum_detectable_effect(VarianceComponents(100, 50, 400), Design(12, 20))
    assert tenfold == pytest.approx(10 * plain)
    assert minimum_detectable_effect(PARTS, Design(12, 20, alpha=0.005)) > plain
    assert minimum_detectable_effect(PARTS, Design(12, 20, power=0.95)) > plain


def test_components_come_back_from_a_pilot() -> None:
    rng = np.random.default_rng(0)
    table = (
        rng.normal(size=(300, 1)) + np.sqrt(0.5) * rng.normal(size=(1, 200)) + 2 * rng.normal(size=(300, 200))
    )
    found = variance_components(table + 7)
    assert (found.people, found.items, found.cells) == pytest.approx((1, 0.5, 4), rel=0.2)


def test_components_below_zero_become_zero() -> None:
    table = np.array([[1.0, -1.0], [-1.0, 1.0]])  # all of it cells: rows and columns have mean zero
    assert variance_components(table) == VarianceComponents(0.0, 0.0, 4.0)


def test_what_has_no_power_is_refused() -> None:
    wrong_parts: list[Any] = [(-1, 0, 1), (0, 0, 0), (1, float("nan"), 1), ("a", 3, 1), (None, 3, 1)]
    for parts in wrong_parts:
        with pytest.raises(UsageError, match="Components"):
            VarianceComponents(*parts)
    wrong_sizes: list[Any] = [("a", 3), (3, None), (2.5, 3), (True, 3), (3, [3])]
    for sizes in wrong_sizes:
        with pytest.raises(UsageError, match="needs two people"):
            Design(*sizes)
    for wrong in ({"people": 1}, {"items": 1}, {"alpha": 0.0}, {"power": 1.0}, {"over": "voxels"}):
        with pytest.raises(UsageError):
            Design(**({"people": 5, "items": 5} | wrong))
    with pytest.raises(UsageError, match="must exceed alpha"):
        minimum_detectable_effect(PARTS, Design(5, 5, power=0.04))
    with pytest.raises(ShapeError, match="pilot's values are all 2"):
        variance_components(np.full((3, 3), 2.0))
    with pytest.raises(ShapeError, match="pilot's table"):
        variance_components(np.ones((1, 3)))
