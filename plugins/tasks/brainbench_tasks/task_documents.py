"""Reasoning problems as lm-eval documents: one form for every task here."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal

from brainbench.nouns import Identity
from brainbench.stimuli import Message
from brainbench_tasks.deduction_generated import Asked
from brainbench_tasks.deduction_prompts import PROMPT_VERSION, ask

Document = dict[str, Any]
Answering = Literal["likelihood", "generation"]

ANSWERS = ("True", "False")
FORMAT = 2  # raised whenever the same documents would be put or scored differently
MOST_TOKENS = 8  # generated: room for one word, however a tokenizer cuts it
_FIRST_WORD = re.compile(r"\s*([Tt]rue|[Ff]alse)\b")


def document(asked: Asked) -> Document:
    """A problem in one order of its premises, in both forms in which a model can be asked."""
    messages, text, _ = ask(asked.kind, asked.premises, asked.conclusion)
    order = "".join(str(place + 1) for place in asked.order)
    by = {"type": asked.kind, "subtype": asked.subtype, "order": order}
    return described(asked.id, asked.group, messages, text, asked.follows, by)


def described(  # noqa: PLR0913, PLR0917 - the columns of a document
    item: str,
    group: str,
    messages: Sequence[Message],
    text: str,
    follows: bool,
    by: Mapping[str, str],
) -> Document:
    """A document: `messages` as JSON, the two answers, and the place of the right one among them."""
    turns = [{"role": turn.role, "content": turn.content} for turn in messages]
    label = ANSWERS.index(str(follows))
    return {
        "id": item,
        "group": group,
        "text": text,
        "messages": json.dumps(turns),
        "choices": list(ANSWERS),
        "label": label,
        "answer": ANSWERS[label],
        **by,
    }


def configuration(  # noqa: PLR0913 - all that tasks of this form differ in
    name: str,
    version: int,
    by: Sequence[str],
    answering: Answering,
    load: Callable[[], Iterable[Document]],
    *,
    items_of: str = "",
) -> dict[str, Any]:
    """A task of such documents for lm-eval, by plain text; no Jinja, which costs more than a small model.

    By "likelihood" the likelier of the two answers counts; by "generation" the first word, decoded greedily.
    items_of: the dataset whose items the documents are, if they are any's.
    """

    def documents(**_: Any) -> dict[str, Any]:  # lm-eval passes the metadata as keywords
        from datasets import Dataset

        return {"test": Dataset.from_list(list(load()))}

    columns = {"id": "id", "group": "group", "messages": "messages", "by": list(by)}
    told = {"version": version, "brainbench": {**columns, **({"items_of": items_of} if items_of else {})}}
    config: dict[str, Any] = {
        "task": name,
        "custom_dataset": documents,
        "test_split": "test",
        "doc_to_text": "text",
        "target_delimiter": " ",
        "num_fewshot": 0,
        "metric_list": [{"metric": "acc", "aggregation": "mean", "higher_is_better": True}],
        "metadata": told,
    }
    if answering == "likelihood":
        return config | {
            "output_type": "multiple_choice",
            "doc_to_choice": "choices",
            "doc_to_target": "label",
        }
    return config | {
        "output_type": "generate_until",
        "doc_to_target": "answer",
        "generation_kwargs": {"until": ["\n"], "max_gen_toks": MOST_TOKENS, "do_sample": False},
        "process_results": first_word_is_right,
    }


def first_word_is_right(document: Mapping[str, Any], results: Sequence[str]) -> dict[str, float]:
    """Whether what was generated starts with the right answer, in capitals or not (as in the paper)."""
    found = _FIRST_WORD.match(results[0])
    return {"acc": float(found is not None and found[1].capitalize() == document["answer"])}


def ending(answering: Answering) -> str:
    """What a task's name ends in."""
    return "_generated" if answering == "generation" else ""


def manner(answering: Answering) -> str:
    """How a task's description ends."""
    return "; the first word generated" if answering == "generation" else ""


def identity_of(task: Any, data: Mapping[str, Any]) -> Identity:
    """All that decides a task's questions and their score: its name, versions, answering and `data`."""
    facts = {"name": task.name, "version": task.version, "format": FORMAT, "prompt_version": PROMPT_VERSION}
    return Identity({**facts, "answering": getattr(task, "answering", "likelihood"), **data})


def data_hash(documents: Iterable[Document]) -> str:
    """One sha256 over the documents, in their order."""
    whole = hashlib.sha256()
    for found in documents:
        whole.update(json.dumps(found, sort_keys=True).encode() + b"\n")
    return whole.hexdigest()
