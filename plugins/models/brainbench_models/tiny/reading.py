"""From conversations to batches of tokens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from brainbench_models.tiny.corpus import Conversation
from brainbench_models.tiny.tokenizer import ASSISTANT, END, PAD, START, USER

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedTokenizerFast


TEXT_WEIGHT = 0.1  # of what is not an answer


class Reader:
    """Turns conversations into batches of tokens with a weight for each token to be predicted."""

    def __init__(self, tokenizer: PreTrainedTokenizerFast) -> None:
        self._tokenizer = tokenizer
        self._seen: dict[str, list[int]] = {}

    def batch(self, conversations: Sequence[Conversation]) -> tuple[torch.Tensor, torch.Tensor]:
        """Tokens and their weights as targets (conversations x longest).

        Each word of an answer weighs 1, every other token TEXT_WEIGHT, padding nothing.
        """
        import torch

        made = [self._tokens(turns) for turns in conversations]
        longest = max(len(tokens) for tokens, _ in made)
        ids = torch.full((len(made), longest), self._id(PAD))
        weights = torch.zeros(len(made), longest)
        for row, (tokens, weight) in enumerate(made):
            ids[row, : len(tokens)] = torch.tensor(tokens)
            weights[row, : len(weight)] = torch.tensor(weight)
        return ids, weights

    def _tokens(self, turns: Conversation) -> tuple[list[int], list[float]]:
        tokens, weights = [self._id(START)], [0.0]
        for turn in turns:
            answer = turn.role == "assistant"
            said = self._words(turn.content)
            tokens += [self._id(ASSISTANT if answer else USER), *said, *([self._id(END)] if answer else [])]
            weights += [
                1.0 if answer and 0 < at <= len(said) else TEXT_WEIGHT for at in range(1 + len(said) + answer)
            ]
        return tokens, weights

    def _words(self, text: str) -> list[int]:
        if text not in self._seen:
            if len(self._seen) > 100_000:
                self._seen.clear()
            self._seen[text] = self._tokenizer.encode(text, add_special_tokens=False)
        return self._seen[text]

    def _id(self, token: str) -> int:
        return int(self._tokenizer.convert_tokens_to_ids(token))
