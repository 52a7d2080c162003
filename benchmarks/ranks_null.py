"""How often ranks tell equal models apart, and how well they tell others: `tie_ranks` under null and planted.

    python -m benchmarks.ranks_null [repetitions, 100 by default] [folder]

Made-up scores of people (or of problems): each has a level of its own that all models share, and noise. In
the worlds of "equal" all models are equal in truth, in those of "planted" some are better, by so many
standard deviations of the noise. A repetition is ten tables of each; kept is in how many any two equal
models were told apart, in how many any pair was turned round and in how many all ranks are those of the
truth, and which share of the pairs that differ was told apart. 100 take less than a minute of one core. In
the folder, ranks_null.json holds each repetition.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from benchmarks.repetitions import Columns, Kept, Row, mean, rate
from numpy.typing import NDArray

from brainbench.statistics import tie_ranks

Array = NDArray[np.float64]
PEOPLE, PROBLEMS, FORMS, MODELS = 10, 60, 3, 12
UNEQUAL = np.linspace(0.5, 2.0, MODELS)[:, None]  # noise of each model
LONE = np.where(np.arange(MODELS) == 0, 6.0, 1.0)[:, None]
LACKING = 2  # people that each model lacks
RIGHT = 0.6  # share of answers
TABLES, ALPHA, DRAWS = 10, 0.05, 1000
SKEWED: dict[str, Array | float] = {
    "skewed": 1.0,
    "skewed and unequal": UNEQUAL,
    "skewed, one six times as noisy": LONE,
}
SETTINGS: Row = {
    "people": PEOPLE,
    "problems": [PROBLEMS, FORMS],
    "models": MODELS,
    "unequal": [0.5, 2.0],
    "lacking": LACKING,
    "right": RIGHT,
    "tables": TABLES,
    "alpha": ALPHA,
    "draws": DRAWS,
}


def noise(rng: np.random.Generator, kind: str, models: int, people: int) -> Array:
    """Noise (models x people) of a standard deviation of 1, where it is not to differ between models."""
    if kind == "heavy tails":
        return rng.standard_t(3, (models, people)) / 3**0.5
    if kind.startswith("skewed"):
        skewed: Array = rng.exponential(size=(models, people)) - 1
        return skewed * SKEWED[kind]
    drawn = rng.standard_normal((models, people))
    return drawn * UNEQUAL if kind == "unequal noise" else drawn


def of_people(kind: str, means: Array, people: int, rng: np.random.Generator) -> Array:
    """Scores (models x people), NaN where a model lacks one."""
    made: Array = 3 * rng.standard_normal(people) + means[:, None] + noise(rng, kind, len(means), people)
    if kind == "people missing":
        for row in made:
            row[rng.permutation(people)[:LACKING]] = np.nan
    return made


def of_problems(rng: np.random.Generator) -> Array:
    """How many forms of each problem are right (models x problems): some problems are easy for all."""
    easy = rng.beta(2 * RIGHT, 2 * (1 - RIGHT), PROBLEMS)
    return rng.binomial(FORMS, easy, (MODELS, PROBLEMS)).astype(np.float64)


def judged(table: Array, truth: Array) -> list[float]:
    """What ranks make of it: equal ones told apart, any turned round, all right, share of pairs found."""
    better = tie_ranks(table, seed=0, draws=DRAWS, alpha=ALPHA)
    higher = truth[:, None] > truth
    alarm = (better.better & (truth[:, None] == truth)).any()
    right = np.array_equal(better.ranks, 1 + higher.sum(axis=0))
    found = better.better[higher].mean() if higher.any() else 0.0
    return [float(alarm), float((better.better & higher.T).any()), float(right), float(found)]


def counted(truth: Array, people: int, kind: str, seed: int) -> Row:
    """Ten tables of a world."""
    rng, told = np.random.default_rng(seed), []
    for _ in range(TABLES):
        table = of_problems(rng) if kind == "problems" else of_people(kind, truth, people, rng)
        told.append(judged(table, truth))
    alarm, turned, right, found = np.sum(told, axis=0).tolist()
    made: Row = {"alarm": int(alarm), "reversed": int(turned)}
    return made | ({"right": int(right), "found": found / TABLES} if truth.any() else {})


ONE, GROUPS, MANY = np.zeros(MODELS), np.repeat([0.0, 1.0, 2.0], MODELS // 3), np.repeat([0.0, 1.0], 50)
ONE[0] = 1.0
FAR = np.concatenate([GROUPS, [100.0]])
EQUAL = (
    "normal",
    "unequal noise",
    "heavy tails",
    "skewed",
    "skewed and unequal",
    "people missing",
    "problems",
    "skewed, one six times as noisy",
)
PLANTED: dict[str, tuple[Array, int, str]] = {
    "one of 12 better by 1": (ONE, PEOPLE, "normal"),
    "one of 12 better by 2": (2 * ONE, PEOPLE, "normal"),
    "one of 12 better by 3": (3 * ONE, PEOPLE, "normal"),
    "three groups of 4, 2 apart": (2 * GROUPS, PEOPLE, "normal"),
    "three groups of 4, 4 apart": (4 * GROUPS, PEOPLE, "normal"),
    "three groups of 4, 4 apart, noise unequal": (4 * GROUPS, PEOPLE, "unequal noise"),
    "three groups of 4, 2 apart, 20 people": (2 * GROUPS, 20, "normal"),
    "three groups of 4, 4 apart, and one model far away": (4 * FAR, PEOPLE, "normal"),
    "two groups of 50, 2 apart": (2 * MANY, PEOPLE, "normal"),
}


def draws() -> dict[str, Callable[[int], Row]]:
    """All runs, by their names."""
    return {
        **{f"equal: {kind}": partial(counted, np.zeros(MODELS), PEOPLE, kind) for kind in EQUAL},
        **{f"planted: {name}": partial(counted, *world) for name, world in PLANTED.items()},
    }


def summaries(runs: dict[str, Columns]) -> dict[str, list[Row]]:
    """The figures of each world."""
    made: dict[str, list[Row]] = {"equal": [], "planted": []}
    for name, run in runs.items():
        part, _, world = name.partition(": ")
        row: Row = {"name": world, "tables": TABLES * len(run["alarm"])}
        for column in sorted(set(run) - {"found"}):
            times = sum(run[column])
            row |= rate(column, [True] * times + [False] * (row["tables"] - times))
        row |= mean("found", run["found"]) if "found" in run else {}
        made[part].append(row)
    return made


def main(repetitions: int, folder: Path | None) -> None:
    """Print the figures, and keep them where there is a folder."""
    print(f"SIMULATED. Level {ALPHA}")
    kept = Kept(SETTINGS, folder / "ranks_null.json" if folder else None)
    kept.repeat(repetitions, draws())
    kept.summary = summaries(kept.runs)
    kept.write()
    for part, rows in kept.summary.items():
        for row in rows:
            told = "   of pairs found {found:.3f}   all ranks right {right:.3f}" if "found" in row else ""
            print(
                f"{part:8} {row['name']:52} {row['tables']:5}   equal ones told apart "
                + ("{alarm:.3f} ({alarm_low:.3f} to {alarm_high:.3f})" + told).format(**row)
            )


if __name__ == "__main__":
    numbers = [int(argument) for argument in sys.argv[1:] if argument.isdigit()]
    folders = [Path(argument) for argument in sys.argv[1:] if not argument.isdigit()]
    main(numbers[0] if numbers else 100, folders[0] if folders else None)
