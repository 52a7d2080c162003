"""Sentences as vectors, pooled as the model's maker meant: see `sentence_files`."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from brainbench.arrays import FloatArray
from brainbench.errors import ModelError
from brainbench_models.batching import Batching, in_batches
from brainbench_models.extraction import Batch, filler_of
from brainbench_models.prompts import Prompt
from brainbench_models.sentence_files import Recipe

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn


def tokens_of(
    tokenizer: Any, texts: Sequence[str], recipe: Recipe, *, context: int | None, model: str
) -> list[Prompt]:
    """Each text's token ids with the tokenizer's special tokens, cut off where the maker cuts.

    Raises ModelError for a text without tokens, and for one that is too long and not to be cut.
    """
    limit = context if recipe.limit == "context" else recipe.limit
    if isinstance(limit, int):
        limit = min(limit, context or limit)
    cut: dict[str, Any] = {"truncation": True, "max_length": limit} if limit else {}
    found = tokenizer([recipe.text(text) for text in texts], **cut)["input_ids"]
    for text, ids in zip(texts, found, strict=True):
        if not ids:
            raise ModelError(f"The text {text[:40]!r} has no tokens for {model}, which cannot embed it.")
        if context is not None and len(ids) > context:
            raise ModelError(
                f"The text {text[:40]!r}... has {len(ids)} tokens, but {model} takes at most {context}.",
                hint="Use a sentence encoder, whose maker says where texts are cut off, or a longer context.",
            )
    return [Prompt(tuple(ids)) for ids in found]


def embed(  # noqa: PLR0913
    network: nn.Module,
    texts: Sequence[Prompt],
    recipe: Recipe,
    *,
    batching: Batching,
    device: torch.device,
    advance: Callable[[int], None],
) -> FloatArray:
    """One vector a text (texts x width), float32; raises ModelError when memory does not suffice."""
    takes = inspect.signature(network.forward).parameters
    more = {"use_cache": False} if "use_cache" in takes else {}

    def forward(items: Sequence[int]) -> FloatArray:
        import torch

        batch = Batch.pad([texts[item] for item in items], "last", filler_of(network), device)
        with torch.inference_mode():
            output = network(input_ids=batch.ids, attention_mask=batch.mask, **more)
            vectors = pooled(output.last_hidden_state.float(), batch, recipe.pooling)
            if recipe.unit:
                vectors = torch.nn.functional.normalize(vectors)
        found: FloatArray = vectors.cpu().numpy()
        return found

    lengths = [len(text.ids) for text in texts]
    made: dict[int, FloatArray] = {}
    for items, vectors in in_batches(lengths, forward, batching=batching, device=device, advance=advance):
        made.update(zip(items, vectors, strict=True))
    return np.stack([made[item] for item in range(len(texts))])


def pooled(hidden: Tensor, batch: Batch, pooling: str) -> Tensor:
    """From (texts x tokens x width) to (texts x width), over the tokens that are no padding."""
    import torch

    if pooling == "cls":
        return hidden[:, 0]
    if pooling == "last":
        return batch.pool(hidden)
    padding = (batch.mask == 0).unsqueeze(-1)  # where half precision may have overflowed: never multiplied
    if pooling == "max":
        return hidden.masked_fill(padding, -torch.inf).amax(dim=1)
    total = hidden.masked_fill(padding, 0).sum(dim=1)
    count = batch.mask.sum(dim=1, keepdim=True).float()
    return total / (count.sqrt() if pooling == "mean_sqrt" else count)
