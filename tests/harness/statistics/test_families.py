"""P values adjusted for a family that was declared."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brainbench.errors import UsageError
from brainbench.statistics import Family

P = st.lists(st.floats(0, 1), min_size=1, max_size=6)


def adjusted(p: list[float], method: str) -> list[float]:
    names = tuple(f"t{i}" for i in range(len(p)))
    return list(Family("f", names, dict(zip(names, p, strict=True))).adjusted(method).values())  # type: ignore[arg-type]


@settings(max_examples=50)
@given(P)
def test_holm_is_the_closed_test_of_bonferroni(p: list[float]) -> None:
    """A hypothesis falls when every intersection that holds it does: the definition, over all subsets."""
    places = range(len(p))
    subsets = [set(s) for size in range(1, len(p) + 1) for s in combinations(places, size)]
    expected = [max(min(1.0, len(s) * min(p[j] for j in s)) for s in subsets if i in s) for i in places]
    assert adjusted(p, "holm") == pytest.approx(expected)


@settings(max_examples=50)
@given(P)
def test_benjamini_hochberg_is_the_smallest_rate_at_which_a_test_is_called(p: list[float]) -> None:
    ordered = sorted(p)
    expected = [min(len(p) * q / (rank + 1) for rank, q in enumerate(ordered) if q >= value) for value in p]
    assert adjusted(p, "benjamini-hochberg") == pytest.approx(np.minimum(1, expected))


@given(P)
def test_methods_are_in_order_and_none_helps(p: list[float]) -> None:
    plain, holm, rate = (adjusted(p, m) for m in ("bonferroni", "holm", "benjamini-hochberg"))
    assert plain == pytest.approx([min(1, len(p) * x) for x in p])
    for row in zip(p, rate, holm, plain, strict=True):
        assert list(row) == pytest.approx(sorted(row))


@pytest.mark.parametrize("method", ["bonferroni", "holm", "benjamini-hochberg"])
def test_a_test_that_was_not_run_counts(method: str) -> None:
    family = Family("primary", ("a", "b", "c", "d"), {"c": 0.01})
    assert family.missing == ("a", "b", "d")
    assert family.adjusted(method) == {"c": pytest.approx(0.04)}  # type: ignore[arg-type]


def test_results_come_in_the_declared_order_and_cannot_be_changed_from_outside() -> None:
    p = {"b": 0.02, "a": 0.01}
    family = Family("primary", ("a", "b"), p)
    p["a"] = 0.9
    assert list(family.adjusted("holm").items()) == [("a", 0.02), ("b", 0.02)]


@pytest.mark.parametrize(
    ("tests", "p", "words"),
    [
        ((), {}, "needs tests"),
        (("a", "a"), {}, "each name once"),
        ("ab", {"a": 0.1}, "needs tests"),
        (("a",), {"b": 0.1}, "does not declare b"),
        (("a",), {"a": 1.1}, "not a number within"),
        (("a",), {"a": -0.1}, "not a number within"),
        (("a",), {"a": float("nan")}, "not a number within"),
        (("a",), {"a": "0.1"}, "not a number within"),
        (("a",), {"a": None}, "not a number within"),
        (("a",), {"a": True}, "not a number within"),
        (True, {}, "needs tests"),
        (None, {}, "needs tests"),
        (("a", 1), {}, "needs tests"),
        (("a", []), {}, "needs tests"),
        (("a",), [0.1], "go by the names"),
        (("a",), "0.1", "go by the names"),
        (("a",), None, "go by the names"),
        (("a",), {1: 0.1}, "does not declare 1"),
    ],
)
def test_families_without_sense_are_refused(tests: Any, p: Any, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        Family("f", tests, p)


def test_unknown_methods_are_refused() -> None:
    with pytest.raises(UsageError, match="no adjustment 'fdr'"):
        Family("f", ("a",)).adjusted("fdr")  # type: ignore[arg-type]
