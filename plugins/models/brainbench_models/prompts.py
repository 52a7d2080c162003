"""From a stimulus to token ids, and to the tokens that carry its content."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from brainbench.errors import ModelError
from brainbench.nouns import Pooling
from brainbench.stimuli import Stimulus

# Some templates write today's date, and features would depend on the day.
_TODAY = "{%- macro strftime_now(format) -%}26 Jul 2024{%- endmacro -%}"
_MARK = "BRAINBENCHMARK"  # stands for a turn while the template's own text is measured

Span = tuple[int, int]  # of characters


@dataclass(frozen=True)
class Prompt:
    """One prompt's token ids, and the positions that are averaged over (only for pooling "mean").

    asked: how many of its tokens stand before a response, where there is one that can be told apart. cut: the
    response is not whole.
    """

    ids: tuple[int, ...]
    content: tuple[int, ...] = ()
    asked: int | None = None
    cut: bool = False

    @property
    def end(self) -> int:
        """The position after what was asked, by which a steering goes."""
        return len(self.ids) if self.asked is None else self.asked


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
    exceeds `limit` tokens (no prompt is ever cut off), or when content tokens are asked for but cannot
    be told.

    A stimulus with a response is read with it. As a conversation it is the assistant's turn, and the last
    token is the one that ends the turn: line breaks that a template writes after that are left out. As plain
    text it follows after a space, and the tokenizer's end of text, if it has one, is the last token; in
    arXiv:2604.03480 that stands before the response instead, where no model put it. Content is then the
    item's, if it has any, and the response. A response is read as far as `limit` allows: read anew a text may
    have more tokens than were written.
    """
    if pooling == "mean" and not tokenizer.is_fast:
        raise ModelError(
            f"The tokenizer of {model} cannot tell which tokens carry an item's content: it is a slow one, "
            "without character offsets.",
            hint="Use --pooling last, or a model with a fast tokenizer.",
        )
    prompts = [_fitted(tokenizer, stimulus, pooling, limit, model) for stimulus in stimuli]
    for stimulus, prompt in zip(stimuli, prompts, strict=True):
        if limit is not None and len(prompt.ids) > limit:
            raise ModelError(
                f"Item {stimulus.id!r} has {len(prompt.ids)} tokens, but {model} takes at most {limit}.",
                hint="Use a model with a longer context; prompts are never cut off.",
            )
    return prompts


def _fitted(tokenizer: Any, stimulus: Stimulus, pooling: Pooling, limit: int | None, model: str) -> Prompt:
    """With as much of the response as there is room for, or whole where not even its first letter fits."""
    whole = _encode_one(tokenizer, stimulus, pooling, model)
    if limit is None or len(whole.ids) <= limit or not stimulus.response:
        return whole
    found, fits, too_long = whole, 0, len(stimulus.response)  # in characters
    while too_long - fits > 1:
        middle = (fits + too_long) // 2
        shorter = replace(stimulus, response=stimulus.response[:middle].rstrip())
        tried = _encode_one(tokenizer, shorter, pooling, model)
        if len(tried.ids) <= limit:
            found, fits = replace(tried, cut=True), middle
        else:
            too_long = middle
    return found


def _encode_one(tokenizer: Any, stimulus: Stimulus, pooling: Pooling, model: str) -> Prompt:
    chat = form(tokenizer) == "chat"
    text, spans = _conversation(tokenizer, stimulus, pooling, model) if chat else _plain(stimulus)
    placed = pooling == "mean" or (bool(stimulus.response) and tokenizer.is_fast)
    tokens = tokenizer(
        text,
        add_special_tokens=not chat,
        padding=False,
        truncation=False,
        return_offsets_mapping=placed,
        return_special_tokens_mask=pooling == "mean",
        verbose=False,
    )
    ids = tuple(tokens["input_ids"])
    if stimulus.response and not chat and tokenizer.eos_token_id not in {None, *ids[-1:]}:
        ids += (tokenizer.eos_token_id,)
    if not ids:
        raise ModelError(
            f"The tokenizer of {model} makes no token of item {stimulus.id!r}.",
            hint="Check that the tokenizer's files belong to the model.",
        )
    asked = None
    if placed and stimulus.response:
        first = spans[-1][0]
        asked = next(at for at, (_, end) in enumerate(tokens["offset_mapping"]) if end > first)
    if pooling == "last":
        return Prompt(ids, asked=asked)
    content = tuple(
        position
        for position, ((first, last), special) in enumerate(
            zip(tokens["offset_mapping"], tokens["special_tokens_mask"], strict=True)
        )
        if not special and any(max(first, start) < min(last, end) for start, end in spans)
    )
    if not content:
        raise ModelError(
            f"No token of {model}'s prompt for item {stimulus.id!r} carries the item's content.",
            hint="Use --pooling last.",
        )
    return Prompt(ids, content, asked)


def _plain(stimulus: Stimulus) -> tuple[str, list[Span]]:
    """The plain text, and where its content stands."""
    spans = [_last(stimulus.content, stimulus.text)]
    if not stimulus.response:
        return stimulus.text, spans
    before = f"{stimulus.text} " if stimulus.text else ""
    return before + stimulus.response, [*spans, (len(before), len(before + stimulus.response))]


def _conversation(tokenizer: Any, stimulus: Stimulus, pooling: Pooling, model: str) -> tuple[str, list[Span]]:
    """The conversation as the template writes it, and where its content stands (only for pooling "mean").

    A response is always sought: a template for models that think may leave a part of it out.
    """
    asked, said = stimulus.messages[-1].content, stimulus.response
    text = _render(tokenizer, stimulus, asked, said, model)
    spans = []
    if pooling == "mean" and (stimulus.content or not said):
        marked = _render(tokenizer, stimulus, _MARK, said, model)
        spans.append(
            _span(text, marked, stimulus.content, f"item {stimulus.id!r}, so that its content", model)
        )
    if said:
        marked = _render(tokenizer, stimulus, asked, _MARK, model)
        what = f"the response to item {stimulus.id!r}, so that it"
        spans.append(_span(text, marked, said, what, model))
    return text, spans


def _render(tokenizer: Any, stimulus: Stimulus, last: str, response: str, model: str) -> str:
    """The conversation as the template writes it, with `last` as the user's last turn, and its response."""
    messages = [{"role": turn.role, "content": turn.content} for turn in stimulus.messages]
    messages[-1]["content"] = last
    what = f"item {stimulus.id!r}"
    if not response:
        return conversation(tokenizer, messages, model, what)
    messages.append({"role": "assistant", "content": response})
    return conversation(tokenizer, messages, model, what, answer=False, closed=True).rstrip("\n")


def end_of_turn(tokenizer: Any, model: str) -> int | None:
    """The special token with which a chat template ends an assistant's turn; None where it has none."""
    turns = [{"role": "user", "content": "?"}, {"role": "assistant", "content": _MARK}]
    try:
        text = conversation(tokenizer, turns, model, "a turn", answer=False, closed=True)
    except ModelError:  # it is then said of what is asked
        return None
    after = tokenizer.encode(text.rpartition(_MARK)[2], add_special_tokens=False)
    token = tokenizer.added_tokens_decoder.get(after[0]) if after else None
    return after[0] if token is not None and token.special else None


def conversation(  # noqa: PLR0913 - the two ways to end it, by name
    tokenizer: Any,
    messages: Sequence[Mapping[str, str]],
    model: str,
    what: str,
    *,
    answer: bool = True,
    closed: bool = False,
) -> str:
    """Turns as the chat template writes them, special tokens included, and by default a request to answer.

    Without that request the last turn is left open to be continued, unless `closed`.

    Always with a fixed date and enable_thinking=False. Raises ModelError when the template refuses them.
    """
    from jinja2 import TemplateError

    try:
        rendered = tokenizer.apply_chat_template(
            list(messages),
            chat_template=_TODAY + tokenizer.get_chat_template(),
            tokenize=False,
            add_generation_prompt=answer,
            continue_final_message=not (answer or closed),
            enable_thinking=False,
        )
    except (TemplateError, ValueError, TypeError) as error:
        raise ModelError(
            f"The chat template of {model} refuses the messages of {what}: {error}.",
            hint="Some templates take no system turn, or want user and assistant to alternate.",
        ) from error
    return str(rendered)


def _span(text: str, marked: str, sought: str, what: str, model: str) -> Span:
    """The characters of a rendered conversation that hold a part of a turn.

    Sought only where the turn stands, which the same conversation with a mark instead of it tells: the
    template's own words or other turns may repeat it.
    """
    before, mark, after = marked.rpartition(_MARK)
    turn = text[len(before) : len(text) - len(after)]
    sought = sought if sought in turn else sought.strip()  # templates may trim a turn
    if not mark or not text.startswith(before) or not text.endswith(after) or sought not in turn:
        raise ModelError(
            f"The chat template of {model} changes the text of {what} cannot be found again.",
            hint="Use --pooling last, or another model.",
        )
    start, end = _last(sought, turn)
    return len(before) + start, len(before) + end


def _last(content: str, text: str) -> Span:
    start = text.rindex(content)
    return start, start + len(content)
