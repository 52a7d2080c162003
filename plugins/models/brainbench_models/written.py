"""Texts that their seeds decide: which request wants one, which row is whose, and when a row has ended.

A request of lm-eval's whose settings hold a "seed" gets the text that this seed decides, whatever is asked
with it. Nothing of the model's generation_config.json counts, which is no part of a model's identity: words
are drawn by temperature and top_p alone, and end where the tokenizer, config.json or the chat template say.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from transformers import GenerationConfig, LogitsProcessorList, StoppingCriteria, StoppingCriteriaList

from brainbench.errors import ModelError
from brainbench_models.prompts import end_of_turn, form
from brainbench_models.sampling import Drawing

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from brainbench_models.answering import AnsweringModel

SEED = "seed"
ROWS = 32  # texts written at once, unless a batch size is asked for: what a step costs hardly depends on it
_KNOWN = {SEED, "do_sample", "temperature", "top_p", "max_gen_toks", "until"}


@dataclass(frozen=True)
class Wanted:
    """One request for such a text, in a form that lm-eval can group: `args` without the seed."""

    args: tuple[str, dict[str, Any]]
    doc: Mapping[str, Any]
    seed: int
    temperature: float
    top_p: float

    @classmethod
    def of(cls, request: Any, lm: AnsweringModel, limit: int | None) -> Wanted:
        """From lm-eval's request.

        limit: the most tokens that the model takes; it writes up to there, even if more is asked for. Raises
        ModelError where no room is left to write, for a prompt out of nothing where the tokenizer has no
        token to begin with, and for settings other than those of this module.
        """
        prompt, told = request.args
        if other := sorted(set(told) - _KNOWN):
            raise ModelError(f"Texts with a seed are drawn by temperature and top_p, and by no {other[0]}.")
        if not lm.tok_encode(prompt):  # a text out of nothing begins as texts do
            if lm.prefix_token_id is None:
                raise ModelError(f"The tokenizer of {lm.name} has no token that could begin a text.")
            prompt = lm.tok_decode([lm.prefix_token_id], skip_special_tokens=False)
        length = len(lm.tok_encode(prompt))
        room = lm.max_length - 1 if limit is None else limit - length
        if room < 1:
            raise ModelError(
                f"A prompt has {length} tokens, which leaves {lm.name} no room to write: it takes {limit}.",
                hint="Use a model with a longer context; prompts are never cut off.",
            )
        settings = {"max_gen_toks": min(int(told["max_gen_toks"]), room), "until": list(told["until"])}
        heat = float(told["temperature"]) if told.get("do_sample", True) else 0.0
        document = getattr(request, "doc", {})
        return cls((prompt, settings), document, told[SEED], heat, float(told.get("top_p", 1.0)))

    @property
    def group(self) -> str:
        """Equal for requests that can be written in one batch."""
        return json.dumps([self.args[1], self.temperature, self.top_p])


class Written:
    """A group of requests being written, which lm-eval hands over as batches of token ids.

    Rows of one prompt are told apart by their order: lm-eval sorts by length and text and keeps it.
    """

    def __init__(self, lm: AnsweringModel, requests: Sequence[Wanted]) -> None:
        self._network, self._tokenizer = lm.model, lm.tokenizer
        self._ends = ends_of(lm.model, lm.tokenizer, lm.name)
        self._temperature, self._top_p = requests[0].temperature, requests[0].top_p
        self._seeds: dict[tuple[int, ...], deque[int]] = {}
        rows = [(tuple(lm.tok_encode(wanted.args[0])), wanted) for wanted in requests]
        for ids, wanted in sorted(rows, key=lambda row: (-len(row[0]), row[1].args[0])):
            self._seeds.setdefault(ids, deque()).append(wanted.seed)

    def generate(
        self, ids: Tensor, attention_mask: Tensor, max_length: int, stop: Sequence[str], **_: Any
    ) -> Tensor:
        """Rows of prompts (rows x tokens), padded on the left, with what is written after them."""
        start, mask = ids.shape[1], attention_mask
        prompts = [tuple(row[kept.bool()].tolist()) for row, kept in zip(ids, mask, strict=True)]
        seeds = [self._seeds[prompt].popleft() for prompt in prompts]
        drawing = Drawing(seeds, temperature=self._temperature, top_p=self._top_p, start=start)
        before = self._network.generation_config
        self._network.generation_config = GenerationConfig(
            eos_token_id=self._ends, pad_token_id=self._tokenizer.pad_token_id
        )
        try:
            found: Tensor = self._network.generate(
                input_ids=ids,
                attention_mask=mask,
                max_length=max_length,
                do_sample=False,
                use_cache=True,
                logits_processor=LogitsProcessorList([drawing] if self._temperature else []),
                stopping_criteria=StoppingCriteriaList([AtStops(stop, self._tokenizer, start)]),
            )
        finally:
            self._network.generation_config = before
        return found


class AtStops(StoppingCriteria):  # type: ignore[misc] # transformers hides its type
    """Ends each row by itself once one of some texts stands in it."""

    def __init__(self, stops: Sequence[str], tokenizer: PreTrainedTokenizerBase, start: int) -> None:
        longest = max(len(tokenizer.encode(stop, add_special_tokens=False)) for stop in stops)
        self._stops, self._tokenizer, self._start = stops, tokenizer, start
        self._back = longest + 2  # it may be cut into other tokens

    def __call__(self, input_ids: Tensor, scores: Tensor, **_: Any) -> Tensor:
        """Whether each row has ended (rows)."""
        del scores
        written = input_ids[:, self._start :][:, -self._back :]
        recent = self._tokenizer.batch_decode(written, skip_special_tokens=True)  # as the whole text will be
        ended = [any(stop in text for stop in self._stops) for text in recent]
        return torch.tensor(ended, device=input_ids.device)


def ends_of(network: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, name: str) -> list[int]:
    """The tokens that end a text: of config.json, the tokenizer and the chat template."""
    told = network.config.get_text_config().eos_token_id
    found = {*(told if isinstance(told, list) else [told]), tokenizer.eos_token_id}
    if form(tokenizer) == "chat":
        found.add(end_of_turn(tokenizer, name))
    return sorted(token for token in found if token is not None)
