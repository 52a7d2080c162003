"""How the embedded model is spoken to before a problem: some ways of its own, and those of the datasets."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from brainbench.plugins import discover, load
from brainbench.progress import SilentReporter
from brainbench.stimuli import Message
from brainbench_models.tiny.corpus import Conversation

_OWN = (
    (
        "Read the premises and say whether the conclusion follows. Answer True or False.",
        "I will answer True or False.",
    ),
    (
        "Here are some puzzles. Is the last line right if the lines before it are? Say True or False.",
        "True or False, yes.",
    ),
    ("Judge each conclusion by its premises alone.", "Go on."),
)


def introductions() -> Mapping[str, Sequence[Conversation]]:
    """Instructions by kind of problem and ways to ask about an {object}, also the simulated datasets' own."""
    datasets = load(discover()).datasets
    found: dict[str, dict[Conversation, None]] = {
        "syllogism": {},
        "transitive": {},
        "uses": {},
        "features": {},
    }
    for user, assistant in _OWN:
        for kind in ("syllogism", "transitive"):
            found[kind][(Message("user", user), Message("assistant", assistant))] = None
    for stimulus in datasets.get("simulated-deduction").stimuli(SilentReporter()):
        found[str(stimulus.conditions["type"])][stimulus.messages[:-1]] = None
    for stimulus in datasets.get("simulated-creativity").stimuli(SilentReporter()):
        asked = stimulus.messages[-1].content
        general = re.sub(rf"\ban? {stimulus.conditions['object']}\b", "{object}", asked)
        kind = "uses" if stimulus.conditions["task"] == "create" else "features"
        found[kind][(Message("user", general),)] = None
    return {kind: tuple(turns) for kind, turns in found.items()}
