"""A task's first problems as prompts that can be asked outside lm-eval."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping, Sequence
from difflib import SequenceMatcher
from typing import Any

from brainbench.catalog import suggest
from brainbench.errors import UsageError
from brainbench.lm_eval_adapter import load_task, undisturbed
from brainbench.steering_trial import Prompt
from brainbench.stimuli import Message, Stimulus
from brainbench.task_nouns import Task


def prompts_of_task(task: Task, items: Sequence[str], limit: int) -> list[Prompt]:
    """The items of these ids in this order; without any, the first form of each of the first problems.

    Conditions are the document's plain columns. Raises UsageError for an unknown item, or PluginError.
    """
    config = copy.copy(dict(task.lm_eval_config()))
    columns: Mapping[str, Any] = dict((config.get("metadata") or {}).get("brainbench") or {})
    with undisturbed():
        _, asked = load_task(task, config)
        documents = asked.eval_docs
        ids = _column(documents, columns.get("id"))
        if unknown := [item for item in items if item not in ids]:
            raise UsageError(f"Task {task.name} has no item {unknown[0]!r}.", hint=suggest(unknown[0], ids))
        places = [ids.index(item) for item in dict.fromkeys(items)]
        if not items:
            first: dict[str, int] = {}
            for at, group in enumerate(_column(documents, columns.get("group"))):
                first.setdefault(group, at)
            places = list(first.values())[:limit]
        return [_prompt(asked, documents[at], ids[at], columns) for at in places]


def _column(documents: Any, name: str | None) -> list[str]:
    """The values of a column, or where none is named the documents' places."""
    return [str(value) for value in documents[name]] if name else [str(at) for at in range(len(documents))]


def _prompt(asked: Any, document: Mapping[str, Any], item: str, columns: Mapping[str, Any]) -> Prompt:
    text = str(asked.doc_to_text(document))
    turns = json.loads(document[columns["messages"]]) if "messages" in columns else []
    messages = tuple(Message(turn["role"], turn["content"]) for turn in turns) or (Message("user", text),)
    shared = _shared(text, messages[-1].content)
    if not shared:
        messages, shared = (Message("user", text),), text
    plain = {name: value for name, value in document.items() if isinstance(value, str | int | float)}
    return Prompt(Stimulus(item, messages, text, shared, plain), _right(asked, document))


def _shared(text: str, turn: str) -> str:
    """The longest part that both forms of a problem have in common."""
    found = SequenceMatcher(None, text, turn, autojunk=False).find_longest_match()
    return text[found.a : found.a + found.size]


def _right(asked: Any, document: Mapping[str, Any]) -> str | None:
    target = asked.doc_to_target(document)
    if asked.OUTPUT_TYPE == "multiple_choice" and isinstance(target, int):
        choices: Sequence[object] = asked.doc_to_choice(document)
        return str(choices[target])
    return target if isinstance(target, str) else None
