"""How a model is asked for a new use of an object, and, in the control task, for its properties.

The tasks are those of arXiv:2604.03480 (Alternate Uses and Object Characteristics), and so are the kinds of
prompts: a long and a short one, and two controls that ask nothing. The wording is brainbench's own. Raise
PROMPT_VERSION with every change, however small.
"""

from __future__ import annotations

from brainbench.stimuli import Message, Stimulus

PROMPT_VERSION = 2

MAIN, SHORT, EMPTY, CONSTANT = "main", "short", "empty", "constant"
_ASK = {
    MAIN: {
        "create": (
            "Think about {thing}. Which unusual things could somebody do with it? Go through several ideas "
            "in your mind, keep the one that the fewest people would have, and say it in a few words."
        ),
        "object": (
            "Think about {thing}. What is it like to look at and to touch? Go through several features in "
            "your mind, keep the one that describes it best, and say it in a few words."
        ),
    },
    SHORT: {
        "create": "Say in a few words the most unusual thing that somebody could do with {thing}.",
        "object": "Say in a few words the feature that describes {thing} best.",
    },
}
_NOTHING = {EMPTY: "", CONSTANT: "#" * 160}  # about as long as the main prompt
PROMPTS = (*_ASK, *_NOTHING)
TASKS = tuple(_ASK[MAIN])


def stimulus(task: str, noun: str, prompt: str = MAIN) -> Stimulus:
    """The stimulus "<task>-<noun>" of a task ("create" or "object"); conditions: task, object.

    Its content is all that is asked: the object's own words come before what is asked about it, so that a
    model that reads forwards has not told the tasks apart there. The prompts "empty" and "constant" are the
    same for every task and object.
    """
    if prompt in _NOTHING:
        asked = text = _NOTHING[prompt]
    else:
        asked = _ASK[prompt][task].format(thing=with_article(noun))
        text = f"{asked}\nAnswer:"
    return Stimulus(
        id=f"{task}-{noun}",
        messages=(Message("user", asked),),
        text=text,
        content=asked,
        conditions={"task": task, "object": noun},
    )


def with_article(noun: str) -> str:
    """A thing as prompts name it: "a brick", "an umbrella"."""
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"
