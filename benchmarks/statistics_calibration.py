"""How often intervals hold the truth, and how often tests raise a false alarm, by simulation.

    python benchmarks/statistics_calibration.py [repetitions, 1000 by default]

Prints one line for each: what was simulated, the share found, its standard error, and the share promised.
Two minutes on one core. Nothing here is timed; the figures are in no test, which checks a few with fewer
repetitions.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from brainbench.statistics import (
    Design,
    Family,
    Interval,
    VarianceComponents,
    bca_interval,
    blocks,
    compare_models,
    corrected_two_factor_interval,
    detection_power,
    expanded_interval,
    max_statistic,
    mcnemar,
    mean_of,
    mean_of_pairs,
    minimum_detectable_effect,
    percentile_interval,
    permutation_p,
    rank_models,
    sign_flip,
    simulated_power,
    two_factor_interval,
    two_way_interval,
)

Array = NDArray[np.float64]
Row = tuple[str, str, float, float]
DRAWS = 999
SKEWED_MEAN = float(np.exp(0.5))


def share(hit: Callable[[np.random.Generator, int], bool], repetitions: int) -> float:
    """How often `hit` is true, each repetition with a generator and a seed of its own."""
    streams = np.random.SeedSequence(1).spawn(repetitions)
    return sum(hit(np.random.default_rng(stream), i) for i, stream in enumerate(streams)) / repetitions


def holds(interval: Interval, truth: float) -> bool:
    """Whether the truth lies within."""
    return interval.low <= truth <= interval.high


def one_factor(repetitions: int) -> Iterator[Row]:
    """Intervals of a mean over units."""
    for units in (10, 40):
        for make in (percentile_interval, expanded_interval, bca_interval):

            def normal(rng: np.random.Generator, i: int, make=make, units=units) -> bool:  # type: ignore[no-untyped-def]
                return holds(make(rng.normal(size=units), seed=i, draws=DRAWS), 0.0)

            def skewed(rng: np.random.Generator, i: int, make=make, units=units) -> bool:  # type: ignore[no-untyped-def]
                return holds(make(rng.lognormal(size=units), seed=i, draws=DRAWS), SKEWED_MEAN)

            yield make.__name__, f"{units} normal units", share(normal, repetitions), 0.95
            yield make.__name__, f"{units} log-normal units", share(skewed, repetitions), 0.95


def table(rng: np.random.Generator, shape: tuple[int, int], scales: tuple[float, float, float]) -> Array:
    """People x items with mean zero and these standard deviations of people, items and cells."""
    people, items, cells = scales
    rows, columns = rng.normal(size=(shape[0], 1)) * people, rng.normal(size=(1, shape[1])) * items
    return rows + columns + rng.normal(size=shape) * cells


def two_factor(repetitions: int) -> Iterator[Row]:
    """Intervals of the mean of a table over people and items."""
    shape = (10, 36)
    cases = {
        "people and items vary": (1.0, 1.0, 1.0),
        "noise only": (0.0, 0.0, 1.0),
        "people vary": (1.0, 0.0, 1.0),
        "items vary": (0.0, 1.0, 1.0),
    }
    for case, scales in cases.items():

        def closed(rng: np.random.Generator, i: int, scales=scales) -> bool:  # type: ignore[no-untyped-def]
            return holds(two_way_interval(table(rng, shape, scales)), 0.0)

        def percentile(rng: np.random.Generator, i: int, scales=scales) -> bool:  # type: ignore[no-untyped-def]
            made = mean_of(table(rng, shape, scales))
            return holds(two_factor_interval(made, shape, seed=i, draws=DRAWS // 3), 0.0)

        def corrected(rng: np.random.Generator, i: int, scales=scales) -> bool:  # type: ignore[no-untyped-def]
            made = mean_of(table(rng, shape, scales))
            return holds(corrected_two_factor_interval(made, shape, seed=i, draws=DRAWS // 5), 0.0)

        yield "two_way_interval", f"10 x 36, {case}", share(closed, repetitions), 0.95
        yield "two_factor_interval", f"10 x 36, {case}", share(percentile, repetitions), 0.95
        yield "corrected_two_factor_interval", f"10 x 36, {case}", share(corrected, repetitions), 0.95


def pairs(repetitions: int) -> Iterator[Row]:
    """Intervals of a mean over pairs of objects: an object's own level enters all of its pairs."""
    objects, people = 20, 10
    first, second = np.triu_indices(objects, k=1)

    def made(rng: np.random.Generator) -> Array:
        levels = rng.normal(size=objects)
        noise = rng.normal(size=(people, len(first)))
        return levels[first] + levels[second] + noise + rng.normal(size=(people, 1)) * 0.5

    def percentile(rng: np.random.Generator, i: int) -> bool:
        mean = mean_of_pairs(made(rng), objects)
        return holds(two_factor_interval(mean, (people, objects), seed=i, draws=DRAWS // 3), 0.0)

    def corrected(rng: np.random.Generator, i: int) -> bool:
        mean = mean_of_pairs(made(rng), objects)
        return holds(corrected_two_factor_interval(mean, (people, objects), seed=i, draws=DRAWS // 5), 0.0)

    yield "two_factor_interval", "10 x pairs of 20 objects", share(percentile, repetitions), 0.95
    yield "corrected_two_factor_interval", "10 x pairs of 20 objects", share(corrected, repetitions), 0.95


def tests(repetitions: int) -> Iterator[Row]:
    """False alarms at 5 percent."""

    def shuffled(rng: np.random.Generator, i: int) -> bool:
        x, y = rng.normal(size=(2, 30))
        null = np.concatenate([x[block.permutations(30)] @ y for block in blocks(i, 199)])
        return permutation_p(float(x @ y), null) <= 0.05

    def layers(rng: np.random.Generator, i: int) -> bool:
        x, y = rng.normal(size=(20, 30)), rng.normal(size=30)
        null = np.concatenate([y[block.permutations(30)] @ x.T for block in blocks(i, 199)])
        return max_statistic(x @ y, null).p <= 0.05

    def people(rng: np.random.Generator, i: int) -> bool:
        return sign_flip(rng.normal(size=10), seed=i).p <= 0.05

    def many(rng: np.random.Generator, i: int) -> bool:
        return sign_flip(rng.standard_t(3, size=40), seed=i, draws=DRAWS).p <= 0.05

    def grid(rng: np.random.Generator, i: int, method="holm") -> bool:  # type: ignore[no-untyped-def]
        names = tuple(str(k) for k in range(20))
        p = dict(zip(names, rng.random(20).tolist(), strict=True))
        return min(Family("grid", names, p).adjusted(method).values()) <= 0.05

    def rates(rng: np.random.Generator, i: int) -> bool:
        return grid(rng, i, "benjamini-hochberg")

    for name, what, test in (
        ("permutation_p", "30 items", shuffled),
        ("max_statistic", "best of 20 layers", layers),
        ("sign_flip", "10 people, exact", people),
        ("sign_flip", "40 people, heavy tails, random", many),
        ("Family, holm", "any of 20", grid),
        ("Family, benjamini-hochberg", "any of 20", rates),
    ):
        yield name, what, share(test, repetitions), 0.05


def comparisons(repetitions: int) -> Iterator[Row]:
    """False alarms at 5 percent between models that do not differ."""
    shape = (10, 36)

    def models(rng: np.random.Generator, i: int) -> bool:
        found = compare_models(
            table(rng, shape, (1, 1, 1)), table(rng, shape, (1, 1, 1)), seed=i, draws=DRAWS
        )
        return not holds(found.interval, 0.0)

    def models_by_people(rng: np.random.Generator, i: int) -> bool:
        a, b = (table(rng, shape, (0.3, 1, 1)) for _ in range(2))
        return compare_models(a, b, seed=i, draws=DRAWS).over_people.p <= 0.05

    def models_same_items(rng: np.random.Generator, i: int) -> bool:
        both = rng.normal(size=(1, 36))
        a, b = (both + table(rng, shape, (1, 0, 1)) for _ in range(2))
        return compare_models(a, b, seed=i, draws=DRAWS).over_people.p <= 0.05

    def answers(rng: np.random.Generator, i: int) -> bool:
        before, after = rng.random((2, 100)) < 0.7
        return mcnemar(before, after).p <= 0.05

    def ranks(rng: np.random.Generator, i: int) -> bool:
        return max(rank_models("abcdef", rng.normal(size=(6, 10)) * 0.1, seed=i, draws=1024).ranks) > 1

    for name, what, test in (
        ("compare_models", "interval without 0", models),
        ("compare_models", "p over people, same item effects", models_same_items),
        ("compare_models", "p over people, asked of other items: misuse", models_by_people),
        ("mcnemar", "100 items: discrete, so fewer", answers),
        ("rank_models", "any two of 6 told apart", ranks),
    ):
        yield name, what, share(test, repetitions), 0.05


def powers(repetitions: int) -> Iterator[Row]:
    """Power at the minimum detectable effect, simulated, and the formula's."""
    components = VarianceComponents(1.0, 1.0, 4.0)
    for design in (Design(10, 36), Design(10, 36, over="people"), Design(40, 36), Design(8, 8)):
        effect = minimum_detectable_effect(components, design)
        found = simulated_power(effect, components, design, seed=0, draws=repetitions)
        label = f"{design.people} x {design.items}, over {design.over}: {effect:.2f}"
        yield "minimum_detectable_effect", label, found, detection_power(effect, components, design)


def main(repetitions: int) -> None:
    """Print the table."""
    print(f"{'function':30} {'simulated':56} {'found':>6} {'SE':>6} {'promised':>9}")
    for part in (one_factor, two_factor, pairs, tests, comparisons, powers):
        for function, what, found, promised in part(repetitions):
            error = float(np.sqrt(promised * (1 - promised) / repetitions))
            print(f"{function:30} {what:56} {found:6.3f} {error:6.3f} {promised:9.2f}", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
