"""How a model is asked for a new use of an object, and, in the control task, for its properties.

The tasks are those of arXiv:2604.03480 (Alternate Uses and Object Characteristics); the wording is
brainbench's own. Raise PROMPT_VERSION with every change, however small.
"""

from __future__ import annotations

from brainbench.stimuli import Message, Stimulus

PROMPT_VERSION = 1

_ASK = {
    "create": (
        "Think about {thing}. Which unusual things could somebody do with it? Go through several ideas in "
        "your mind, keep the one that the fewest people would have, and say it in a few words."
    ),
    "object": (
        "Think about {thing}. What is it like to look at and to touch? Go through several features in "
        "your mind, keep the one that describes it best, and say it in a few words."
    ),
}
TASKS = tuple(_ASK)


def stimulus(task: str, noun: str) -> Stimulus:
    """The stimulus "<task>-<noun>" of a task ("create" or "object"); conditions: task, object."""
    thing = f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"
    asked = _ASK[task].format(thing=thing)
    return Stimulus(
        id=f"{task}-{noun}",
        messages=(Message("user", asked),),
        text=f"{asked}\nAnswer:",
        content=thing,
        conditions={"task": task, "object": noun},
    )
