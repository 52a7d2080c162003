"""The problems that people solved in the scanner, and their answers, from the events.tsv of ds003076.

Every participant saw the same 72 problems in the same order: two runs of 18 syllogisms, then two runs of
18 transitive inferences. The rows of the published betas follow that order.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from brainbench.errors import DataError
from brainbench.problems import subtype_of
from brainbench_tasks.deduction_files import RUNS, WRONG_FILE_HINT

TRIALS_PER_RUN = 18
N_TRIALS = TRIALS_PER_RUN * len(RUNS)
# Positions among the 72 of two transitive problems whose premises go round in a circle (A > B > C > A):
# anything follows from them, so the paper leaves them out.
DROPPED = (43, 49)
KEPT = tuple(position for position in range(N_TRIALS) if position not in DROPPED)

# The column trial_type is wrong for 18 transitive problems: it always says that two premises are needed.
# stim_file names the true subtype; one file has a second version, "..._true_affirm2.wav".
_SUBTYPE = re.compile(r"[A-Za-z]+_([23])_(true|false)_(affirm|negate)\d?\.wav")
_TEXTS = ("premise1", "premise2", "premise3", "conclusion")
_COLUMNS = ("trial_type", "accuracy", "response_time", "stim_file", *_TEXTS)


@dataclass(frozen=True, slots=True)
class Problem:
    """Three premises and a conclusion. `follows`: the conclusion can be drawn; `negated`: it says "not".

    premises_needed: how many of the three premises the conclusion rests on, 2 or 3.
    """

    premises: tuple[str, str, str]
    conclusion: str
    premises_needed: int
    follows: bool
    negated: bool

    @property
    def subtype(self) -> str:
        """One of eight, in the dataset's words: "2_true_affirm", ..., "3_false_negate"."""
        return subtype_of(self.premises_needed, self.follows, self.negated)


@dataclass(frozen=True, slots=True)
class Trial:
    """A problem as one participant met it; response_time in seconds from the conclusion, NaN if none."""

    problem: Problem
    correct: bool
    response_time: float


def item_name(position: int) -> str:
    """The id of the problem at a position among the 72: "syllogism-run1-01", counted within the run."""
    kind, run = RUNS[position // TRIALS_PER_RUN]
    return f"{kind}-run{run}-{position % TRIALS_PER_RUN + 1:02d}"


def item_type(position: int) -> str:
    """Either "syllogism" or "transitive"."""
    return RUNS[position // TRIALS_PER_RUN][0]


def read_run(path: Path) -> list[Trial]:
    """The 18 problems of a run in order; control trials are left out. Raises DataError."""
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            reader = csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE)
            missing = [name for name in _COLUMNS if name not in (reader.fieldnames or ())]
            if missing:
                raise DataError(f"{path.name} has no column {', '.join(missing)}.", hint=WRONG_FILE_HINT)
            rows = [(reader.line_num, row) for row in reader if row["trial_type"] != "control"]
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(
            f"{path.name} is no table of tab-separated text: {error}.", hint=WRONG_FILE_HINT
        ) from error
    trials = [_trial(f"{path.name}, line {line}", row) for line, row in rows]
    if len(trials) != TRIALS_PER_RUN:
        raise DataError(
            f"{path.name} has {len(trials)} problems instead of {TRIALS_PER_RUN}.", hint=WRONG_FILE_HINT
        )
    if len({trial.problem for trial in trials}) != len(trials):
        raise DataError(f"{path.name} has the same problem twice.", hint=WRONG_FILE_HINT)
    return trials


def agreed_problems(trials: Mapping[str, Sequence[Trial]]) -> tuple[Problem, ...]:
    """The 72 problems, from each participant's 72 trials; raises DataError unless all saw the same."""
    first, *others = trials
    problems = tuple(trial.problem for trial in trials[first])
    for person in others:
        for position, (expected, trial) in enumerate(zip(problems, trials[person], strict=True)):
            if trial.problem != expected:
                raise DataError(
                    f"{person} has another problem at {item_name(position)} than {first}.",
                    hint=WRONG_FILE_HINT,
                )
    return problems


def scanned_problem(where: str, row: Mapping[str, str | None]) -> Problem:
    """The problem of a row of events; raises DataError, which calls the row `where`."""
    subtype = _SUBTYPE.fullmatch((row["stim_file"] or "").strip())
    first, second, third, conclusion = ((row[name] or "").strip() for name in _TEXTS)
    if subtype is None or not {first, second, third, conclusion}.isdisjoint({"", "n/a"}):
        raise DataError(f"{where}, names no known problem.", hint=WRONG_FILE_HINT)
    needed, truth, form = subtype.groups()
    return Problem((first, second, third), conclusion, int(needed), truth == "true", form == "negate")


def _trial(where: str, row: Mapping[str, str | None]) -> Trial:
    problem = scanned_problem(where, row)
    seconds = _number(where, "response_time", row)
    right = _number(where, "accuracy", row)
    if right not in {0.0, 1.0} or seconds <= 0 or math.isinf(seconds):
        raise DataError(f"{where}, has an impossible accuracy or response_time.", hint=WRONG_FILE_HINT)
    return Trial(problem, correct=right == 1.0 and not math.isnan(seconds), response_time=seconds)


def _number(where: str, column: str, row: Mapping[str, str | None]) -> float:
    """The value of a column; BIDS writes n/a for what is missing."""
    text = row[column]
    try:
        return math.nan if text == "n/a" else float(text or "")
    except ValueError:
        raise DataError(
            f"{where}, has {text!r} as {column}, which is no number.", hint=WRONG_FILE_HINT
        ) from None
