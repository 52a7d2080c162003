"""Several tests, declared beforehand, and p values adjusted for all of them.

A family is what was to be tested, not what came out well: a test that was declared and not run counts, as
if its p value were 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from brainbench.errors import UsageError
from brainbench.statistics.checks import is_real

Adjustment = Literal["bonferroni", "holm", "benjamini-hochberg"]


@dataclass(frozen=True, slots=True)
class Family:
    """Tests that belong together: their names, declared once, and the p values of those that were run.

    Raises UsageError for no tests, a name given twice, a p value of an undeclared test or outside [0, 1].
    """

    name: str
    tests: tuple[str, ...]
    p_values: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if (
            not isinstance(self.tests, (tuple, list))
            or not self.tests
            or not all(isinstance(name, str) for name in self.tests)
            or len(set(self.tests)) != len(self.tests)
        ):
            raise UsageError(
                f"Family {self.name!r} needs tests, and each name once; got {self.tests!r}.",
                hint='Give names: ("layer.1", "layer.2"), say.',
            )
        if not isinstance(self.p_values, Mapping):
            raise UsageError(
                f"The p values of family {self.name!r} must go by the names of tests; got {self.p_values!r}.",
                hint='Give {"layer.1": 0.03}, say.',
            )
        object.__setattr__(self, "p_values", dict(self.p_values))  # the caller's may change
        if undeclared := [name for name in self.p_values if name not in self.tests]:
            raise UsageError(
                f"Family {self.name!r} does not declare {', '.join(map(str, undeclared))}.",
                hint="Declare every test before looking at the data; what comes later is another family.",
            )
        for name, p in self.p_values.items():
            if not is_real(p) or not 0 <= p <= 1:  # NaN is not either
                raise UsageError(
                    f"The p value of {name} in family {self.name!r} is {p!r}, not a number within [0, 1].",
                    hint="Leave out a test that was not run; it counts as if its p value were 1.",
                )

    @property
    def missing(self) -> tuple[str, ...]:
        """Tests that were declared and have no p value."""
        return tuple(name for name in self.tests if name not in self.p_values)

    def adjusted(self, method: Adjustment) -> dict[str, float]:
        """Adjusted p values of the tests that were run, in the declared order.

        "bonferroni" and "holm" (Holm 1979; never less powerful) hold the chance of any false alarm in the
        family, whatever the dependence. "benjamini-hochberg" (1995, scipy's) holds the expected share of
        false alarms among the tests called significant, if tests are independent or positively dependent.
        Raises UsageError for another method.
        """
        if method not in get_args(Adjustment):
            raise UsageError(
                f"There is no adjustment {method!r}.", hint=f"Give one of {', '.join(get_args(Adjustment))}."
            )
        p = np.array([self.p_values.get(name, 1.0) for name in self.tests], dtype=np.float64)
        adjusted = _ADJUST[method](p)
        return {name: float(adjusted[i]) for i, name in enumerate(self.tests) if name in self.p_values}


def _bonferroni(p: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.minimum(1.0, p * len(p))


def _holm(p: NDArray[np.float64]) -> NDArray[np.float64]:
    order = np.argsort(p, kind="stable")
    steps = np.minimum(1.0, p[order] * np.arange(len(p), 0, -1))
    adjusted = np.empty_like(p)
    adjusted[order] = np.maximum.accumulate(steps)
    return adjusted


def _benjamini_hochberg(p: NDArray[np.float64]) -> NDArray[np.float64]:
    from scipy.stats import false_discovery_control

    return np.asarray(false_discovery_control(p, method="bh"), dtype=np.float64)


_ADJUST = {"bonferroni": _bonferroni, "holm": _holm, "benjamini-hochberg": _benjamini_hochberg}
