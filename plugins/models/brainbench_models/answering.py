"""A Hugging Face model with its head as an lm-eval model, in batches that fit and without a sound.

The answers are those of lm-eval's own HFLM. What differs: prompts are tokenised as they are for features
(a written conversation has its special tokens, plain text gets the tokenizer's own), nothing is cut off, a
choice whose tokens cannot be told from the prompt's is an error and not a certainty, batches are chosen and
halved when memory runs out, and progress goes to the reporter. Nothing is cached between calls.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch
from lm_eval.models.huggingface import HFLM

from brainbench.errors import ModelError
from brainbench.nouns import Reporter
from brainbench.steering import Names, Steering
from brainbench_models import devices, prompts
from brainbench_models.batching import Batching
from brainbench_models.positions import Prompts, positions
from brainbench_models.written import ROWS, SEED, Wanted, Written

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

_LOGITS = 2**26  # values of one batch's output in float32: a quarter of a GiB, of which a few are alive
_ROUNDS = 16  # batches between two reports of progress

Pair = tuple[tuple[str, str], list[int], list[int]]


class AnsweringModel(HFLM):  # type: ignore[misc] # lm-eval is untyped
    """lm-eval's HFLM for a network that is loaded already; `limit` is the most tokens that it takes.

    steerings: those in force, as a list that its owner keeps up. id_column: the column of the documents that
    holds an item's id, by which a steering may tell them apart.
    """

    def __init__(  # noqa: PLR0913 - what an open model knows
        self,
        network: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase,
        *,
        name: str,
        limit: int | None,
        batching: Batching,
        reporter: Reporter,
        steerings: Sequence[Steering] = (),
    ) -> None:
        # A copy: HFLM sets a padding token, and features must not depend on whether a task was asked before.
        super().__init__(pretrained=network, tokenizer=copy.deepcopy(tokenizer), max_length=limit)
        self.name, self._limit, self._batching, self._reporter = name, limit, batching, reporter
        self._chat = prompts.form(tokenizer) == "chat"
        self._steerings, self._told = steerings, Prompts(())
        self._drawn: Written | None = None
        self.id_column: str | None = None

    def tok_encode(
        self,
        string: str,
        add_special_tokens: bool | None = None,
        left_truncate_len: int | None = None,
        **_: Any,
    ) -> list[int]:
        """Token ids, with the tokenizer's own special tokens unless the text is a written conversation."""
        special = not self._chat if add_special_tokens is None else add_special_tokens
        ids: list[int] = self.tokenizer.encode(string, add_special_tokens=special)
        return ids[-left_truncate_len:] if left_truncate_len else ids

    def tok_batch_encode(
        self, strings: list[str], padding_side: str = "left", left_truncate_len: int | None = None, **_: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Ids and mask (strings x longest), padded; raises ModelError rather than cut a prompt off."""
        found = self.tokenizer(
            strings,
            add_special_tokens=not self._chat,
            padding="longest",
            padding_side=padding_side,
            return_tensors="pt",
        )
        if self._limit is not None and left_truncate_len:
            self._require_room(found["input_ids"].shape[1], left_truncate_len)
        return found["input_ids"], found["attention_mask"]

    def loglikelihood(self, requests: Sequence[Any], disable_tqdm: bool = True) -> list[tuple[float, bool]]:
        """Log-likelihood of each continuation, and whether greedy decoding spells it, in the requests' order.

        Raises ModelError for a prompt that is too long, and for a continuation whose first characters share a
        token with the end of its prompt.
        """
        del disable_tqdm
        pairs = [self._pair(*request.args) for request in requests]
        order = sorted(range(len(pairs)), key=lambda at: (-len(pairs[at][1]), pairs[at][0]))
        found: list[tuple[float, bool]] = [(0.0, False)] * len(pairs)

        def answer(places: Sequence[int], size: int) -> None:
            self.batch_size_per_gpu = size
            if self._steerings:
                names = self._names(requests[at] for at in places)
                self._told = Prompts([pairs[at][1:] for at in places], names)
            answers = self._loglikelihood_tokens([pairs[at] for at in places], disable_tqdm=True)
            for at, value in zip(places, answers, strict=True):
                found[at] = value

        self._in_batches(order, [len(one) + len(two) for _, one, two in pairs], answer)
        return found

    def loglikelihood_rolling(self, requests: Sequence[Any], disable_tqdm: bool = True) -> list[float]:
        """As in HFLM, one text at a time."""
        del disable_tqdm
        self.batch_size_per_gpu = 1
        return list(super().loglikelihood_rolling(requests, disable_tqdm=True))

    def generate_until(self, requests: Sequence[Any], disable_tqdm: bool = True) -> list[str]:
        """What the model writes after each prompt, in the requests' order; raises as `loglikelihood`.

        Where a request's settings hold a "seed", that decides its text (see brainbench_models.written).
        """
        del disable_tqdm
        asked = [Wanted.of(one, self, self._limit) if SEED in one.args[1] else one for one in requests]
        lengths = [len(self.tok_encode(request.args[0])) for request in asked]
        found = [""] * len(requests)

        def answer(places: Sequence[int], size: int) -> None:
            self.batch_size_per_gpu = size
            chosen = [asked[at] for at in places]
            names = self._names(chosen)
            # read from their ends, as the prompts of a batch are padded at their starts
            ids = [self.tok_encode(request.args[0])[::-1] for request in chosen if names]
            self._told = Prompts([(row, [0]) for row in ids], names)
            groups: dict[str, list[int]] = {}
            for at in places:
                groups.setdefault(getattr(asked[at], "group", ""), []).append(at)
            for group in groups.values():
                for at, text in zip(group, self._generated([asked[at] for at in group]), strict=True):
                    found[at] = text

        order = sorted(range(len(requests)), key=lambda at: -lengths[at])
        drawn = [at for at in order if isinstance(asked[at], Wanted)]
        if len(drawn) < len(order):
            self._in_batches([at for at in order if not isinstance(asked[at], Wanted)], lengths, answer)
        if drawn:
            rows = Batching(self._batching.size, ROWS * lengths[drawn[0]])
            self._in_batches(drawn, lengths, answer, rows)
        return found

    def apply_chat_template(
        self, chat_history: Sequence[Mapping[str, str]], add_generation_prompt: bool = True
    ) -> str:
        """The conversation as features read it: fixed date, no thinking, no turn silently left out."""
        return prompts.conversation(
            self.tokenizer, chat_history, self.name, "this task", answer=add_generation_prompt
        )

    def _model_call(self, inps: torch.Tensor, *given: Any, **named: Any) -> torch.Tensor:
        """One pass over a batch of prompts with their answers; a steering is told where the prompts end."""
        told = self._told.ends(inps) if self._steerings else ([],)
        with positions(*told):
            logits: torch.Tensor = super()._model_call(inps, *given, **named)
        return logits

    def _model_generate(self, context: torch.Tensor, *given: Any, **named: Any) -> torch.Tensor:
        """What follows prompts that are padded on the left: all of them end where the batch does."""
        with positions(*self._told.to_write_on(context)):
            if self._drawn is not None:
                return self._drawn.generate(
                    context, named["attention_mask"], named["max_length"], named["stop"]
                )
            written: torch.Tensor = super()._model_generate(context, *given, **named)
        return written

    def _generated(self, requests: Sequence[Any]) -> list[str]:
        """The texts of requests that are all of one group, or have no seeds."""
        if isinstance(requests[0], Wanted):
            self._drawn = Written(self, requests)
        try:
            return list(HFLM.generate_until(self, list(requests), disable_tqdm=True))
        finally:
            self._drawn = None

    def _names(self, requests: Iterable[Any]) -> list[Names]:
        """What tells a steering's rows apart, of each request; none where no steering asks for that."""
        keys = {steering.key for steering in self._steerings if steering.items}
        columns = {key: key or self.id_column for key in keys}
        return [
            {key: str(request.doc.get(column, "")) for key, column in columns.items()}
            for request in requests
            if keys
        ]

    def _pair(self, context: str, continuation: str) -> Pair:
        """Token ids of a prompt and of what follows it, together as long as the model takes."""
        if not context or not continuation:
            raise ModelError("A task asked with an empty prompt, or for the likelihood of nothing.")
        spaces = 0 if self._chat else len(context) - len(context.rstrip())
        before = context[: len(context) - spaces]  # plain text ends in a word: the space belongs to the next
        start, whole = self.tok_encode(before), self.tok_encode(context + continuation)
        if whole[: len(start)] != start or len(whole) == len(start):
            raise ModelError(
                f"The tokenizer of {self.name} has a token that spans the end of a prompt and the start of "
                f"the answer {continuation!r}, so that the answer's likelihood cannot be told.",
                hint="Use a task whose answers are generated, such as deduction_items_generated.",
            )
        self._require_room(len(whole), None if self._limit is None else self._limit + 1)
        return (context, continuation), start, whole[len(start) :]

    def _require_room(self, tokens: int, room: int | None) -> None:
        if room is not None and tokens > room:
            raise ModelError(
                f"A prompt of this task has {tokens} tokens with its answer, but {self.name} takes at most "
                f"{room}.",
                hint="Use a model with a longer context; prompts are never cut off.",
            )

    def _in_batches(
        self,
        order: Sequence[int],
        lengths: Sequence[int],
        answer: Callable[[Sequence[int], int], None],
        rows: Batching | None = None,
    ) -> None:
        """Call `answer(places, batch size)` for all places in this order, which has the longest first.

        rows: how many at once, where that hangs on the rows more than on their length.
        """
        done, label = 0, f"Asking {self.name}"
        with self._reporter.task(label, len(order)) as advance, torch.inference_mode():
            while done < len(order):
                longest = lengths[order[done]]
                size = self._size(longest) if rows is None else rows.take(longest)
                places = order[done : done + size * _ROUNDS]
                try:
                    answer(places, size)
                except (RuntimeError, MemoryError) as error:
                    if not devices.out_of_memory(error) or not (rows or self._batching).shrink(size, longest):
                        raise
                    size = 0
                if size == 0:  # only here, when the exception no longer holds the batch's tensors
                    devices.release()
                    continue
                self._batching.largest = max(self._batching.largest, min(size, len(places)))
                advance(len(places))
                done += len(places)

    def _size(self, longest: int) -> int:
        size = self._batching.take(longest)
        if self._batching.size is not None:
            return size
        return max(1, min(size, _LOGITS // (longest * int(self.model.config.get_text_config().vocab_size))))
