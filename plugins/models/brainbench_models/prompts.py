"""From a stimulus to token ids, and to the tokens that carry its content."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from brainbench.errors import ModelError
from brainbench.nouns import Pooling
from brainbench.stimuli import Stimulus

# Some templates write today's date, and features would depend on the day.
_TODAY = "{%- macro strftime_now(format) -%}26 Jul 2024{%- endmacro -%}"
_MARK = "BRAINBENCHMARK"  # stands for the last message while the template's own text is measured


@dataclass(frozen=True)
class Prompt:
    """One prompt's token ids, and the positions that are averaged over (only for pooling "mean")."""

    ids: tuple[int, ...]
    content: tuple[int, ...] = ()


def form(tokenizer: Any) -> Literal["chat", "plain"]:
    """Whether a tokenizer's model is asked by a conversation or by plain text."""
    return "chat" if getattr(tokenizer, "chat_template", None) else "plain"


def encode(
    tokenizer: Any, stimuli: Sequence[Stimulus], *, pooling: Pooling, limit: int | None, model: str
) -> list[Prompt]:
    """Tokenise every stimulus, whole.

    A tokenizer with a chat template gets the messages, a request for an answer, a fixed date and
    enable_thinking=False; its template already holds the special tokens. Any other gets the plain text
    with its usual special tokens. Raises ModelError when a template refuses an item, when a prompt
    exceeds `limit` tokens (nothing is ever cut off), or when content tokens are asked for but cannot
    be told.
    """
    if pooling == "mean" and not tokenizer.is_fast:
        raise ModelError(
            f"The tokenizer of {model} cannot tell which tokens carry an item's content: it is a slow one, "
            "without character offsets.",
            hint="Use --pooling last, or a model with a fast tokenizer.",
        )
    prompts = [_encode_one(tokenizer, stimulus, pooling, model) for stimulus in stimuli]
    for stimulus, prompt in zip(stimuli, prompts, strict=True):
        if limit is not None and len(prompt.ids) > limit:
            raise ModelError(
                f"Item {stimulus.id!r} has {len(prompt.ids)} tokens, but {model} takes at most {limit}.",
                hint="Use a model with a longer context; prompts are never cut off.",
            )
    return prompts


def _encode_one(tokenizer: Any, stimulus: Stimulus, pooling: Pooling, model: str) -> Prompt:
    chat = form(tokenizer) == "chat"
    text = _render(tokenizer, stimulus, stimulus.messages[-1].content, model) if chat else stimulus.text
    tokens = tokenizer(
        text,
        add_special_tokens=not chat,
        padding=False,
        truncation=False,
        return_offsets_mapping=pooling == "mean",
        return_special_tokens_mask=pooling == "mean",
        verbose=False,
    )
    ids = tuple(tokens["input_ids"])
    if not ids:
        raise ModelError(
            f"The tokenizer of {model} makes no token of item {stimulus.id!r}.",
            hint="Check that the tokenizer's files belong to the model.",
        )
    if pooling == "last":
        return Prompt(ids)
    start, end = _content_span(tokenizer, stimulus, text, model) if chat else _last(stimulus.content, text)
    content = tuple(
        position
        for position, ((first, last), special) in enumerate(
            zip(tokens["offset_mapping"], tokens["special_tokens_mask"], strict=True)
        )
        if not special and max(first, start) < min(last, end)
    )
    if not content:
        raise ModelError(
            f"No token of {model}'s prompt for item {stimulus.id!r} carries the item's content.",
            hint="Use --pooling last.",
        )
    return Prompt(ids, content)


def _render(tokenizer: Any, stimulus: Stimulus, last: str, model: str) -> str:
    """The conversation as the template writes it, with `last` as the last turn."""
    messages = [{"role": turn.role, "content": turn.content} for turn in stimulus.messages]
    messages[-1]["content"] = last
    return conversation(tokenizer, messages, model, f"item {stimulus.id!r}")


def conversation(
    tokenizer: Any, messages: Sequence[Mapping[str, str]], model: str, what: str, *, answer: bool = True
) -> str:
    """Turns as the chat template writes them, special tokens included, and by default a request to answer.

    Always with a fixed date and enable_thinking=False. Raises ModelError when the template refuses them.
    """
    from jinja2 import TemplateError

    try:
        rendered = tokenizer.apply_chat_template(
            list(messages),
            chat_template=_TODAY + tokenizer.get_chat_template(),
            tokenize=False,
            add_generation_prompt=answer,
            continue_final_message=not answer,
            enable_thinking=False,
        )
    except (TemplateError, ValueError, TypeError) as error:
        raise ModelError(
            f"The chat template of {model} refuses the messages of {what}: {error}.",
            hint="Some templates take no system turn, or want user and assistant to alternate.",
        ) from error
    return str(rendered)


def _content_span(tokenizer: Any, stimulus: Stimulus, text: str, model: str) -> tuple[int, int]:
    """The content's characters in a rendered conversation.

    Sought only where the last turn stands, as the template's own words or earlier turns may repeat it.
    """
    marked = _render(tokenizer, stimulus, _MARK, model)
    before, mark, after = marked.rpartition(_MARK)
    turn = text[len(before) : len(text) - len(after)]
    # templates may trim a turn
    content = stimulus.content if stimulus.content in turn else stimulus.content.strip()
    if not mark or not text.startswith(before) or not text.endswith(after) or content not in turn:
        raise ModelError(
            f"The chat template of {model} changes the text of item {stimulus.id!r}, so that its content "
            "cannot be found again.",
            hint="Use --pooling last.",
        )
    start, end = _last(content, turn)
    return len(before) + start, len(before) + end


def _last(content: str, text: str) -> tuple[int, int]:
    start = text.rindex(content)
    return start, start + len(content)
