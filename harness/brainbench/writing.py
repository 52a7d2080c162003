"""Have a language model write ideas through lm-eval: the same model, question and seed give the same text."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from brainbench.errors import PluginError
from brainbench.idea_files import KeptIdeas
from brainbench.ideas import Idea
from brainbench.lm_eval_adapter import undisturbed
from brainbench.nouns import Reporter
from brainbench.sampling import Sampling
from brainbench.stimuli import Stimulus
from brainbench.task_nouns import LanguageModel
from brainbench.text import sound

CHUNK = 16  # questions after which what was written is kept
ID = "brainbench_id"
_THOUGHT = ("<think>", "</think>")


def write(
    language: LanguageModel,
    questions: Sequence[Stimulus],
    sampling: Sampling,
    reporter: Reporter,
    kept: Path | None,
) -> tuple[Idea, ...]:
    """`sampling.count` ideas to each question, in the questions' order; an idea's text may be empty.

    A model with a chat template is asked by conversations, any other by plain text that it continues up to
    the end of the line; to the next empty line where the text itself ends a line, as for a list. What a
    model thinks aloud before it answers is left out. kept: a folder of this very model, as it is changed, and
    sampling: what is there already is not written again, and after each chunk of questions what is new is
    kept there. Raises ModelError, and DataError where nothing can be kept.
    """
    if kept is None:
        return _write(language, questions, sampling, reporter, None)
    store = KeptIdeas(kept)
    with store.alone(reporter):
        return _write(language, questions, sampling, reporter, store)


def seed_of(sampling: Sampling, item: str, draw: int) -> int:
    """What an idea's words are drawn by: 63 bits of a hash, so that no idea hangs on what else is asked."""
    told = f"{sampling.seed}\0{draw}\0{item}".encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.sha256(told).digest()[:8], "big") >> 1


def _write(
    language: LanguageModel,
    questions: Sequence[Stimulus],
    sampling: Sampling,
    reporter: Reporter,
    store: KeptIdeas | None,
) -> tuple[Idea, ...]:
    found = store.read(questions) if store else {}
    found = {item: ideas for item, ideas in found.items() if _wanted(ideas, item, sampling)}
    missing = [question for question in questions if question.id not in found]
    label = f"Writing {sampling.count} texts to each of {len(missing)} questions"
    with reporter.task(label, len(missing)) if missing else nullcontext(lambda steps: None) as advance:
        for start in range(0, len(missing), CHUNK):
            chunk = missing[start : start + CHUNK]
            ideas = _ask(language, chunk, sampling)
            if store:
                store.add(chunk, ideas)
            for question in chunk:
                found[question.id] = tuple(idea for idea in ideas if idea.item == question.id)
            advance(len(chunk))
    return tuple(idea for question in questions for idea in found[question.id])


def _wanted(ideas: Sequence[Idea], item: str, sampling: Sampling) -> bool:
    seeds = [seed_of(sampling, item, draw) for draw in range(sampling.count)]
    return [(idea.draw, idea.seed) for idea in ideas] == list(enumerate(seeds))


def _ask(language: LanguageModel, questions: Sequence[Stimulus], sampling: Sampling) -> list[Idea]:
    """The ideas to these questions, asked all at once."""
    asked: list[tuple[str, int, int, str]] = []
    requests: list[Any] = []
    with undisturbed():
        for question in questions:
            prompt = _prompt(language, question)
            for draw in range(sampling.count):
                seed = seed_of(sampling, question.id, draw)
                asked.append((question.id, draw, seed, prompt))
                requests.append(_request(language, question, prompt, sampling, seed, len(requests)))
        texts = _generated(language.lm, requests)
    if len(texts) != len(requests) or not all(isinstance(text, str) for text in texts):
        raise PluginError(f"generate_until() gave {len(texts)} texts to {len(requests)} requests.")
    return [
        Idea(item, draw, seed, _answer(prompt if language.chat else "", text))
        for (item, draw, seed, prompt), text in zip(asked, texts, strict=True)
    ]


def _prompt(language: LanguageModel, question: Stimulus) -> str:
    if not language.chat:
        return question.text
    turns = [{"role": turn.role, "content": turn.content} for turn in question.messages]
    return str(language.lm.apply_chat_template(turns))


def _request(  # noqa: PLR0913, PLR0917 - all that one text hangs on
    language: LanguageModel, question: Stimulus, prompt: str, sampling: Sampling, seed: int, at: int
) -> Any:
    from lm_eval.api.instance import Instance

    told = {
        "do_sample": sampling.temperature > 0,
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "max_gen_toks": sampling.tokens,
        "until": [] if language.chat else ["\n\n" if question.text.endswith("\n") else "\n"],
        "seed": seed,
    }
    document = {**question.conditions, ID: question.id}
    return Instance("generate_until", document, (prompt, told), at)


def _generated(lm: Any, requests: list[Any]) -> list[str]:
    """A steering that tells items apart is told by which column."""
    if not hasattr(lm, "id_column"):
        return list(lm.generate_until(requests))
    before, lm.id_column = lm.id_column, ID
    try:
        return list(lm.generate_until(requests))
    finally:
        lm.id_column = before


def _answer(prompt: str, text: str) -> str:
    """The text without the thoughts before it, which some templates have begun; "" where nothing followed."""
    start, end = _THOUGHT
    if end in text:
        text = text.rpartition(end)[2]
    elif start in text or prompt.rfind(start) > prompt.rfind(end):
        return ""
    return sound(text.strip())
