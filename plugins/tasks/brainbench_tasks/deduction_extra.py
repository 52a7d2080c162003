"""More labelled problems of the scanner's design, to train on beside a dataset's own.

The paper (arXiv:2606.11893) adds 32 to 192 of them, in words of their own; words and generator here are
brainbench's.
"""

from __future__ import annotations

from random import Random

from brainbench.errors import UsageError
from brainbench.problem_words import WORDS, Vocabulary
from brainbench.problems import Kind, Problem
from brainbench.stimuli import Stimulus
from brainbench_tasks.deduction_generated import chain_problems
from brainbench_tasks.deduction_made import TINY_TEST, GeneratedDeduction
from brainbench_tasks.deduction_prompts import stimulus
from brainbench_tasks.deduction_splits import simulated_chains, taken, tiny_problems
from brainbench_tasks.task_words import VOCABULARIES

# Every kind and subtype once, in an order of which any first part is balanced: types, right answers and
# subtypes each differ by one problem at most.
_FIRST: tuple[Kind, Kind] = ("syllogism", "transitive")
_HALF = (
    *("2_true_affirm", "3_false_negate", "3_false_affirm", "2_true_negate"),
    *("3_true_negate", "2_false_affirm", "2_false_negate", "3_true_affirm"),
)
TURN = tuple((_FIRST[(at + half) % 2], subtype) for half in (0, 1) for at, subtype in enumerate(_HALF))
MOST = 100 * len(TURN)  # seconds to make; as many problems as in the paper's test
NO_RUN = 0  # nobody was scanned


def extra_problems(count: int, seed: int) -> tuple[Stimulus, ...]:
    """So many in the words of the "train" vocabulary, which no test and no scanner's problem uses.

    Raises UsageError for a count that is no whole number from 0 to MOST, and a seed that is none.
    """
    return _stimuli(count, seed, VOCABULARIES["train"], None, frozenset())


def extra_tiny_problems(count: int, seed: int, own: frozenset[str]) -> tuple[Stimulus, ...]:
    """So many in the words of brainbench/tiny, of the half that it has not read; UsageError as above.

    own: chains (Problem.chain) of the dataset's problems. None of these is used, nor one of the test
    `deduction_3_tiny`, of its validation set or of the simulated datasets.
    """
    _require(count, seed)
    if not count:
        return ()
    return _stimuli(count, seed, WORDS, True, own | chains_elsewhere())


def tiny_validation(own: frozenset[str]) -> GeneratedDeduction | None:
    """The validation set of `deduction_3_tiny`; None where one of its problems has a chain among `own`."""
    clear = own <= simulated_chains() or not own & _validation_chains()  # the first is soon known
    return TINY_TEST.validation() if clear else None


def chains_elsewhere() -> frozenset[str]:
    """Chains of `deduction_3_tiny`, of its validation set and of the simulated datasets."""
    return _validation_chains() | taken(*_tiny_size())


def _validation_chains() -> frozenset[str]:
    premises, each, seed = _tiny_size()
    problems = tiny_problems(premises, each, "validation", seed)
    return frozenset(problem.chain for _, problem in problems)


def _tiny_size() -> tuple[int, int, int]:
    """Premises, problems of each kind and subtype, and seed of the validation set."""
    chosen_on = TINY_TEST.validation()
    assert chosen_on is not None  # a test has one
    return chosen_on.premises, chosen_on.each, chosen_on.seed


def _stimuli(
    count: int, seed: int, words: Vocabulary, held_out: bool | None, without: frozenset[str]
) -> tuple[Stimulus, ...]:
    _require(count, seed)
    each = -(-count // len(TURN))
    named = chain_problems(3, each, f"{seed} extra", words, held_out, without) if each else ()
    made: list[Stimulus] = []
    for start in range(0, len(named), len(TURN)):
        turn = {(one[1].kind, one[1].subtype): one for one in named[start : start + len(TURN)]}
        made += [_stimulus(*turn[cell], seed) for cell in TURN]
    return tuple(made[:count])


def _stimulus(name: str, problem: Problem, seed: int) -> Stimulus:
    """With its premises in an order that depends on nothing but its name and the seed."""
    order = Random(f"{seed} {name} order").sample(range(3), 3)
    return stimulus(f"extra-{seed}-{name}", problem.kind, NO_RUN, problem.reordered(order))


def _require(count: object, seed: object) -> None:
    for value, what in ((count, "number of extra problems"), (seed, "seed of extra problems")):
        if isinstance(value, bool) or not isinstance(value, int):
            raise UsageError(f"The {what} must be a whole number, not {value!r}.")
    if not 0 <= count <= MOST:  # type: ignore[operator] # it is a whole number
        raise UsageError(f"{count} extra problems cannot be made.", hint=f"Ask for 0 to {MOST}.")
