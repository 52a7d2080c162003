"""The embedded model's training text: conversations about deduction problems and everyday objects.

All of it is made here. No set of premises that an evaluation may use is among it (`Problem.held_out`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

from brainbench.problem_words import COMPARATIVES, NAMES
from brainbench.problems import Inclusion, LinearOrder, Problem, problem_text, random_structure
from brainbench.stimuli import Message
from brainbench_models.tiny.object_facts import OBJECTS, PROPERTIES

Conversation = tuple[Message, ...]
QUESTIONS_OF_INCLUSION = 2
EASY = 0.15


@dataclass(frozen=True, slots=True)
class Stage:
    """What is read in one stage of the curriculum.

    steps: at most; a stage ends early once the share `mastered` of its answers is right. links and rules:
    how many premises a linear order and an inclusion may have, each entry equally likely. negated: share of
    negated conclusions. questions: about one linear order. introduced: share of conversations that start
    with instructions. shares: how often each kind of conversation comes. short: premises and conclusion on
    one line, not in the datasets' form. needed: without mastery the training begins again.
    """

    steps: int
    batch: int
    links: tuple[int, ...]
    rules: tuple[int, ...]
    negated: float
    questions: int
    introduced: float
    shares: Mapping[str, float]
    short: bool = False
    mastered: float = 2.0
    needed: bool = False


def conversation(
    stage: Stage, introductions: Mapping[str, Sequence[Conversation]], rng: Random
) -> Conversation:
    """One conversation; its last turn is the assistant's.

    `introductions` maps "syllogism" and "transitive" to turns that instruct, and "uses" and "features" to
    ways of asking about an object, which is written {object}.
    """
    kind = rng.choices(list(stage.shares), list(stage.shares.values()))[0]
    if kind in {"uses", "features"}:
        return _about_object(kind, introductions.get(kind, ()), rng)
    opening = rng.choice(introductions[kind]) if rng.random() < stage.introduced else ()
    return (*opening, *_questions(_structure(kind, stage, rng), stage, rng))


def _structure(kind: str, stage: Stage, rng: Random) -> LinearOrder | Inclusion:
    """Premises that no evaluation uses."""
    while True:
        made: LinearOrder | Inclusion
        if kind == "transitive":
            names = rng.sample(NAMES, rng.choice(stage.links) + 1)
            made = LinearOrder(tuple(names), rng.choice(COMPARATIVES))
        else:
            made = random_structure("syllogism", rng.choice(stage.rules), rng)
        if not made.conclusions()[0].held_out:
            return made


def _questions(structure: LinearOrder | Inclusion, stage: Stage, rng: Random) -> list[Message]:
    """The premises in any order, then several conclusions one after the other, each with its answer."""
    if isinstance(structure, Inclusion):
        problems = _about_inclusion(structure, rng)
    else:
        asked = structure.conclusions()
        problems = [_conclusion(asked, stage.negated, rng) for _ in range(stage.questions)]
    turns: list[Message] = []
    for number, problem in enumerate(problems):
        if number == 0:
            first = problem.reordered(rng.sample(range(len(problem.premises)), len(problem.premises)))
            text = _short_text(first) if stage.short else problem_text(first.premises, first.conclusion)
        else:
            text = f"{problem.conclusion}?" if stage.short else f"Conclusion:\n{problem.conclusion}."
        turns += [Message("user", text), Message("assistant", str(problem.follows))]
    return turns


def _about_inclusion(structure: Inclusion, rng: Random) -> list[Problem]:
    """Different conclusions, for a repeated one could be copied; few whose negation differs from the fact's.

    Such a conclusion is always false, which is soon learnt; all others turn on the direction of the rules.
    """
    asked = list(structure.conclusions())
    rng.shuffle(asked)
    hard = [problem for problem in asked if problem.negated == structure.fact_negated]
    easy = [problem for problem in asked if problem.negated != structure.fact_negated]
    return [
        easy.pop() if easy and rng.random() < EASY else hard.pop()
        for _ in range(QUESTIONS_OF_INCLUSION)
        if hard
    ]


def _conclusion(asked: Sequence[Problem], negated: float, rng: Random) -> Problem:
    """One of the conclusions: true half the time, negated in the share asked for, where there are such."""
    follows = rng.random() < 0.5
    says_not = rng.random() < negated
    right = [problem for problem in asked if problem.follows == follows]
    return rng.choice([problem for problem in right if problem.negated == says_not] or right or asked)


def _short_text(problem: Problem) -> str:
    return f"{' '.join(f'{premise}.' for premise in problem.premises)} {problem.conclusion}?"


_ASK_USE = (
    "Think of a use for {object}.",
    "What can you do with {object}?",
    "Name a creative use for {object}.",
)
_ASK_FEATURE = ("What is {object} like?", "Describe {object}.", "Name a property of {object}.")


def _about_object(kind: str, more: Sequence[Conversation], rng: Random) -> Conversation:
    """One to three objects, each asked about and answered from the facts."""
    turns: list[Message] = []
    for name in rng.sample(list(OBJECTS), rng.randint(1, 3)):
        ways = _ASK_USE if kind == "uses" else _ASK_FEATURE
        asked = rng.choice(more)[0].content if more and rng.random() < 0.5 else rng.choice(ways)
        subject = rng.choice((f"{article(name)} {name}", name))
        word, uses = PROPERTIES[rng.choice(OBJECTS[name])]
        other = PROPERTIES[rng.choice(OBJECTS[name])][0]
        answer = f"{rng.choice(uses)}, for it is {word}."  # its first word depends on the object
        if kind == "features":
            answer = f"{word}." if word == other else f"{word} and {other}."
        turns += [Message("user", asked.replace("{object}", subject)), Message("assistant", answer)]
    return tuple(turns)


def article(word: str) -> str:
    """Which of "a" and "an" goes before a word."""
    return "an" if word[0] in "aeiou" else "a"
