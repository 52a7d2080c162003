"""How a model is asked the deduction problems. The wording is brainbench's own, not the paper's.

The structure is the paper's (arXiv:2606.11893): instructions that differ by the type of problem, an
agreeing assistant, then the problem alone. Raise PROMPT_VERSION with every change, however small.
"""

from __future__ import annotations

from collections.abc import Sequence

from brainbench import problems
from brainbench.problems import problem_text
from brainbench.stimuli import Message, Stimulus
from brainbench_tasks.deduction_items import Problem

PROMPT_VERSION = 1

_ABOUT = {
    "syllogism": "made-up kinds of things, named by nonsense words, and their properties",
    "transitive": "made-up people, compared two at a time by size, age or speed",
    "propositional": "made-up people and what each of them is like",
    "folio": "people, things and events, told in plain English",
}
_COUNTS = {2: "two", 3: "three", 4: "four", 5: "five", 6: "six"}
_RULE = (
    "Take each premise as a fact. Answer 'True' if the conclusion can be drawn from the premises, "
    "and 'False' otherwise."
)
_CHAT = (
    "I will give you logic problems about {about}. Each has {count} premises and a conclusion. "
    "{rule} Start your answer with one of these two words, and put nothing else before it."
)
_AGREED = "I will judge whether the conclusion can be drawn, and start with 'True' or 'False'."
_PLAIN = "Here is a logic problem about {about}. {rule}\n\n{block}\nAnswer:"


def stimulus(item: str, kind: str, run: int, problem: Problem | problems.Problem) -> Stimulus:
    """The stimulus with id `item` for a problem of type `kind` ("syllogism" or "transitive").

    conditions: type, run, premises_needed, label (True when the conclusion follows), negated, subtype.
    """
    messages, text, block = ask(kind, problem.premises, problem.conclusion)
    return Stimulus(
        id=item,
        messages=messages,
        text=text,
        content=block,
        conditions={
            "type": kind,
            "run": run,
            "premises_needed": problem.premises_needed,
            "label": problem.follows,
            "negated": problem.negated,
            "subtype": problem.subtype,
        },
    )


def ask(kind: str, premises: Sequence[str], conclusion: str) -> tuple[tuple[Message, ...], str, str]:
    """The conversation, the plain text and the part of both that is the problem itself.

    `kind`: "syllogism", "transitive", "propositional" or "folio"; all premises are shown.
    """
    block = problem_text(premises, conclusion)
    instructions = _CHAT.format(
        about=_ABOUT[kind], rule=_RULE, count=_COUNTS.get(len(premises), str(len(premises)))
    )
    messages = (Message("user", instructions), Message("assistant", _AGREED), Message("user", block))
    return messages, _PLAIN.format(about=_ABOUT[kind], rule=_RULE, block=block), block
