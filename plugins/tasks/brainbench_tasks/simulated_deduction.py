"""The design of the simulated deduction experiment: problems, planted features, made-up behaviour."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import product
from random import Random

import numpy as np

from brainbench import problem_words
from brainbench.arrays import Behaviour
from brainbench.problems import HELD_OUT_SHARE, KINDS_OF_PROBLEM, Problem, random_problem
from brainbench.stimuli import Stimulus
from brainbench_tasks.deduction_prompts import stimulus
from brainbench_tasks.simulated_brain import (
    NOTHING,
    TRAP,
    Array,
    Design,
    Shares,
    decorrelated,
    in_turn,
    person_names,
    stream,
)

REGIONS = ("reasoning", "language", "control")
SHARES = {
    "planted": (Shares(signal=0.20), Shares(signal=0.06), Shares()),
    "null": NOTHING,
    "nuisance": TRAP,
    "guide": (Shares(signal=0.40), Shares(signal=0.10), Shares()),
}
NAMES = {
    "planted": ("the conclusion follows", "signed distance along the chain", "premises needed"),
    "guide": ("the conclusion follows",),
}
TIME_LIMIT = 6.0  # seconds from the conclusion on

# Two runs of each type, as in the scanner, where two of the transitive problems are of no use.
_RUNS = (("syllogism", 1, 18), ("syllogism", 2, 18), ("transitive", 1, 16), ("transitive", 2, 18))
_PLACES = tuple((kind, run, at) for kind, run, count in _RUNS for at in range(1, count + 1))
_ONE_FEWER = {("transitive", "2_true_affirm"), ("transitive", "3_true_affirm")}


def constants() -> tuple[object, ...]:
    """What decides problems, planted features and behaviour, and is not a field of the dataset."""
    words = (problem_words.NAMES, problem_words.COMPARATIVES, problem_words.KINDS, problem_words.ADJECTIVES)
    return KINDS_OF_PROBLEM, HELD_OUT_SHARE, words, NAMES, TIME_LIMIT, _RUNS, sorted(_ONE_FEWER)


@lru_cache(maxsize=16)
def design(version: int, preset: str, seed: int, people: int) -> Design:
    """The 70 problems of a seed, the same for every preset, and what the preset plants in them."""
    problems = made_problems(version, seed)
    stimuli = tuple(
        stimulus(f"{kind}-run{run}-{at:02d}", kind, run, problem)
        for (kind, run, at), problem in zip(_PLACES, problems, strict=True)
    )
    lengths = np.array([float(len(item.content)) for item in stimuli])
    types = np.array([float(problem.kind == "syllogism") for problem in problems])
    behaviour = _behaviour(
        problems, stimuli, people, stream("simulated-deduction", version, seed, "behaviour")
    )
    seconds = np.nan_to_num(behaviour.response_time, nan=TIME_LIMIT)
    return Design(
        stimuli=stimuli,
        strata=tuple(problem.kind for problem in problems),
        names=NAMES.get(preset, ()),
        features=_features(preset, problems, lengths),
        carries=np.full(len(stimuli), preset in NAMES),
        nuisances=np.stack([in_turn(np.stack([types, lengths, own], axis=1)) for own in seconds]),
        present=np.ones((people, len(stimuli)), dtype=np.bool_),
        behaviour=behaviour,
    )


@lru_cache(maxsize=16)
def made_problems(version: int, seed: int) -> tuple[Problem, ...]:
    """Problems of the half for evaluation, in the order of the runs; each type in an order of its own."""
    rng = Random(int(stream("simulated-deduction", version, seed, "problems").integers(2**62)))
    made: list[Problem] = []
    for kind in KINDS_OF_PROBLEM:
        of_kind: dict[str, Problem] = {}
        for needed, truth, form in product((2, 3), ("true", "false"), ("affirm", "negate")):
            subtype = f"{needed}_{truth}_{form}"
            count = 9 - ((kind, subtype) in _ONE_FEWER) if subtype.endswith("true_affirm") else 3
            before = len(of_kind)
            while len(of_kind) < before + count:  # no two with the same premises
                problem = random_problem(kind, rng, subtype=subtype, held_out=True)
                of_kind.setdefault(problem.key, problem.reordered(rng.sample(range(3), 3)))
        made += rng.sample(list(of_kind.values()), len(of_kind))
    return tuple(made)


def signed_distance(problem: Problem) -> int:
    """Steps along the chain, from the fact (or the subject) to the term (or person) asked about."""
    chain = problem.key.partition(": ")[2].split()
    first, *_, last = problem.conclusion.split()
    if problem.kind == "transitive":
        return chain.index(last) - chain.index(first)
    return chain.index(last) - chain.index(_fact(problem).split()[-1])


def _fact(problem: Problem) -> str:
    """The premise of a syllogism that is about the person."""
    return next(text for text in problem.premises if text.startswith(problem.conclusion.split()[0]))


def _features(preset: str, problems: Sequence[Problem], lengths: Array) -> Array:
    """The planted features (70 x k): for `planted`, uncorrelated with length and with each "not"."""
    kinds = [problem.kind for problem in problems]
    follows = [float(problem.follows) for problem in problems]
    if preset == "guide":
        return decorrelated(np.array([follows]).T, kinds)
    if preset != "planted":
        return np.zeros((len(problems), 0))
    needed = [float(problem.premises_needed) for problem in problems]
    distance = [float(signed_distance(problem)) for problem in problems]
    negated = [float(problem.negated) for problem in problems]
    denied = [float(problem.kind == "syllogism" and " not " in _fact(problem)) for problem in problems]
    surface = np.stack([lengths, np.array(negated), np.array(denied)], axis=1)
    return decorrelated(np.array([follows, distance, needed]).T, kinds, surface)


def _behaviour(
    problems: Sequence[Problem], stimuli: tuple[Stimulus, ...], people: int, rng: np.random.Generator
) -> Behaviour:
    """More premises, a "not" and transitive problems take longer and go wrong more often; so do some people.

    Answers are right with a logistic probability; response times are log-normal; later than TIME_LIMIT
    there is no answer.
    """
    more = np.array([float(problem.premises_needed == 3) for problem in problems])
    negated = np.array([float(problem.negated) for problem in problems])
    transitive = np.array([float(problem.kind == "transitive") for problem in problems])
    lengths = np.array([float(len(item.content)) for item in stimuli])
    longer = (lengths - lengths.mean()) / lengths.std()
    shape = (people, len(problems))
    ease = 2.9 - 0.8 * more - 0.7 * negated - 0.4 * transitive + rng.normal(0, 0.4, shape[1])
    chance = 1 / (1 + np.exp(-ease - rng.normal(0, 0.5, (people, 1))))
    slow = 0.4 + 0.2 * more + 0.2 * negated + 0.35 * transitive + 0.1 * longer + rng.normal(0, 0.12, shape[1])
    seconds = np.exp(slow + rng.normal(0, 0.2, (people, 1)) + rng.normal(0, 0.3, shape)).round(3)
    answered = seconds <= TIME_LIMIT
    return Behaviour(
        person_names(people),
        tuple(item.id for item in stimuli),
        (rng.random(shape) < chance) & answered,
        np.where(answered, seconds, np.nan),
        response_window=TIME_LIMIT,
    )
