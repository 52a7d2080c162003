"""Perplexity on neutral text: what a steering costs a model beside the problems that it is meant for.

Each of forty short passages (plain English without problems, written for this) is cut after its first
sentence. That sentence is the prompt, the rest is scored: a steering acts on it as on a task's prompt, and
what it spoils shows in what follows.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any, Literal

from brainbench.errors import ModelError
from brainbench.task_nouns import LanguageModel

TEXT_VERSION = "dbf7284a554ab269"  # the first digits of the SHA-256 of neutral_text.txt; a test holds it
REQUEST = "Go on with this text:\n\n"  # before a beginning, to a model that is asked by conversations
_MOST = 700.0  # nats: e to this power is still a number

Unit = Literal["token", "byte"]
Request = tuple[str, str]  # a prompt, and what is scored after it


@dataclass(frozen=True, slots=True)
class Passage:
    """A first sentence, and the one or two that follow."""

    beginning: str
    rest: str


@dataclass(frozen=True, slots=True)
class Perplexity:
    """e to the mean negative log-likelihood of a token, over all scored tokens alike.

    value is at least 1 and at most e^700; above the number of known tokens, the model cannot read such text.
    tokens, passages: how many were scored; skipped: passages that are too long for the model, or whose prompt
    its tokenizer cannot tell from the rest. unit "byte": there is no tokenizer to count by, and tokens are
    bytes of UTF-8. Only values of one tokenizer can be compared.
    """

    value: float
    tokens: int
    passages: int
    skipped: int = 0
    unit: Unit = "token"


@functools.cache
def passages() -> tuple[Passage, ...]:
    """The neutral text."""
    text = resources.files(__package__).joinpath("neutral_text.txt").read_text("utf-8")
    return tuple(Passage(*line.split(" | ")) for line in text.splitlines())


def perplexity(
    language: LanguageModel,
    text: Sequence[Passage] | None = None,
    columns: Mapping[str, str] | None = None,
) -> Perplexity | None:
    """How little a model expects the passages, as it is, or steered while it is steered.

    A chat model is asked to go on with the beginning and scored as if the rest were its answer; any other
    reads on. columns: what the passages are taken for where a steering differs between items or types
    ({"type": "syllogism"}, say); by default for none that it knows, so that only a row "*" acts.
    None where not one passage can be scored. Raises ModelError where a likelihood is no number.
    """
    from lm_eval.api.instance import Instance

    asked = [_request(language, passage) for passage in (passages() if text is None else text)]
    sizes = [_tokens(language.lm, request) for request in asked]
    kept = [request for request, size in zip(asked, sizes, strict=True) if size]
    if not kept:
        return None
    instances = [
        Instance(request_type="loglikelihood", doc=dict(columns or {}), arguments=request, idx=0)
        for request in kept
    ]
    likelihoods = [float(value) for value, _ in language.lm.loglikelihood(instances)]
    if not all(map(math.isfinite, likelihoods)):
        raise ModelError(
            "The log-likelihood of neutral text is not a finite number.",
            hint="The steering may be too strong for the model's precision: try float32 or less strength.",
        )
    tokens = sum(size for size in sizes if size)
    mean = max(-math.fsum(likelihoods) / tokens, 0.0)
    unit: Unit = "token" if _counts_tokens(language.lm) else "byte"
    return Perplexity(math.exp(min(mean, _MOST)), tokens, len(kept), len(asked) - len(kept), unit)


def _request(language: LanguageModel, passage: Passage) -> Request:
    if not language.chat:
        return passage.beginning, f" {passage.rest}"
    turns = [{"role": "user", "content": REQUEST + passage.beginning}]
    return str(language.lm.apply_chat_template(turns, add_generation_prompt=True)), passage.rest


def _counts_tokens(lm: Any) -> bool:
    return hasattr(lm, "tok_encode")


def _tokens(lm: Any, request: Request) -> int | None:
    """How many tokens are scored; None where the passage does not fit."""
    prompt, rest = request
    if not _counts_tokens(lm):
        return len(rest.encode())
    start, whole = list(lm.tok_encode(prompt)), list(lm.tok_encode(prompt + rest))
    most = getattr(lm, "max_length", None)
    if whole[: len(start)] != start or (most is not None and len(whole) > most + 1):
        return None
    return len(whole) - len(start) or None


def cost(before: Perplexity | None, after: Perplexity | None) -> dict[str, Any] | None:
    """What a change costs on neutral text, as plain JSON; None where either is not known."""
    if before is None or after is None:
        return None
    return {"before": before.value, "after": after.value, "tokens": after.tokens, "unit": after.unit}
