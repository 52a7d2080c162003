"""Read every layer of a network at chosen tokens, many prompts at a time.

Prompts are sorted by length and padded on the right, so that absolute positions are those of a single
prompt whatever side the tokenizer pads. Each layer's output is pooled as soon as it is there: memory
holds one (prompts x width) array per place, never a stack of hidden states.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from brainbench.arrays import FloatArray
from brainbench.errors import ModelError
from brainbench.nouns import ModelOptions, Pooling
from brainbench.steering import Names
from brainbench_models.architectures import Block
from brainbench_models.batching import Batching, in_batches
from brainbench_models.positions import positions
from brainbench_models.prompts import Prompt, form

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn


@dataclass(frozen=True, eq=False)
class Batch:
    """Padded ids and mask (prompts x tokens), and each token's share (prompts x tokens) when averaging."""

    ids: Tensor
    mask: Tensor
    last: Tensor
    share: Tensor | None

    @classmethod
    def pad(cls, prompts: Sequence[Prompt], pooling: Pooling, filler: int, device: torch.device) -> Batch:
        """Padded on the right with `filler`."""
        import torch

        shape = (len(prompts), max(len(prompt.ids) for prompt in prompts))
        ids = torch.full(shape, filler, dtype=torch.long)
        mask = torch.zeros(shape, dtype=torch.long)
        share = torch.zeros(shape) if pooling == "mean" else None
        for row, prompt in enumerate(prompts):
            ids[row, : len(prompt.ids)] = torch.tensor(prompt.ids)
            mask[row, : len(prompt.ids)] = 1
            if share is not None:
                share[row, list(prompt.content)] = 1 / len(prompt.content)
        last = mask.sum(1) - 1
        return cls(
            ids.to(device), mask.to(device), last.to(device), share if share is None else share.to(device)
        )

    def pool(self, hidden: Tensor) -> Tensor:
        """From (prompts x tokens x width) to (prompts x width)."""
        import torch

        if self.share is None:
            return hidden[torch.arange(len(hidden), device=hidden.device), self.last].float()
        # padding may overflow in half precision, and nothing times infinity is not nothing
        kept = hidden.float().masked_fill((self.share == 0).unsqueeze(-1), 0)
        return torch.bmm(self.share.unsqueeze(1), kept).squeeze(1)


def read(  # noqa: PLR0913
    network: nn.Module,
    blocks: Sequence[Block],
    prompts: Sequence[Prompt],
    *,
    pooling: Pooling,
    batching: Batching,
    device: torch.device,
    advance: Callable[[int], None],
    names: Sequence[Names] = (),
) -> dict[str, FloatArray]:
    """Every place's features, float32 (prompts x width), named "attention.i" and "layer.i", in that order.

    names: the prompts' items, for a steering that differs between them. Raises ModelError when not even one
    prompt, or a batch of the size asked for, fits into memory.
    """
    filler = filler_of(network)
    features: dict[str, FloatArray] = {}

    def forward(items: Sequence[int]) -> dict[str, FloatArray]:
        batch = Batch.pad([prompts[i] for i in items], pooling, filler, device)
        with positions([prompts[i].end for i in items], [names[i] for i in items] if names else ()):
            return _forward(network, blocks, batch)

    lengths = [len(prompt.ids) for prompt in prompts]
    for items, pooled in in_batches(lengths, forward, batching=batching, device=device, advance=advance):
        for name, values in pooled.items():
            if name not in features:
                features[name] = np.empty((len(prompts), values.shape[1]), dtype=np.float32)
            features[name][items] = values
    return features


def _forward(network: nn.Module, blocks: Sequence[Block], batch: Batch) -> dict[str, FloatArray]:
    import torch

    attention: dict[int, Tensor] = {}
    layer: dict[int, Tensor] = {}
    arguments: dict[str, Any] = {"input_ids": batch.ids, "attention_mask": batch.mask}
    if "use_cache" in inspect.signature(network.forward).parameters:
        arguments["use_cache"] = False
    with torch.inference_mode(), _listening(blocks, batch, attention, layer):
        network(**arguments)
    for place in (attention, layer):
        if len(place) != len(blocks):
            raise ModelError(
                f"The network {type(network).__name__} ran without passing through all of its layers.",
                hint="Report this architecture to the authors of brainbench.",
            )
    return {
        f"{kind}.{depth}": place[depth].cpu().numpy()
        for kind, place in (("attention", attention), ("layer", layer))
        for depth in range(len(blocks))
    }


@contextmanager
def _listening(
    blocks: Sequence[Block], batch: Batch, attention: dict[int, Tensor], layer: dict[int, Tensor]
) -> Iterator[None]:
    """Pool each place's output into `attention` and `layer` while the context lasts."""

    def listener(place: dict[int, Tensor], depth: int) -> Callable[[nn.Module, Any, Any], None]:
        def hook(module: nn.Module, arguments: Any, output: Any) -> None:
            hidden = output[0] if isinstance(output, (tuple, list)) else output
            if depth in place or hidden.ndim != 3 or hidden.shape[:2] != batch.ids.shape:
                raise ModelError(
                    f"The module {type(module).__name__} of layer {depth} does not give one array "
                    f"(prompts x tokens x width) per pass, but {tuple(hidden.shape)}.",
                    hint="This architecture needs a model plugin of its own.",
                )
            place[depth] = batch.pool(hidden)

        return hook

    handles = []
    try:
        for depth, block in enumerate(blocks):
            handles.append(block.attention.register_forward_hook(listener(attention, depth)))
            handles.append(block.layer.register_forward_hook(listener(layer, depth)))
        yield
    finally:
        for handle in handles:
            handle.remove()


def made(tokenizer: Any, options: ModelOptions) -> dict[str, Any]:
    """How features were read, as plain JSON."""
    token = {"last": "last input token", "mean": "mean over the content's tokens"}
    return {
        "prompt": form(tokenizer),
        "token": token[options.pooling],
        "pooling": options.pooling,
        "dtype": options.dtype,
    }


def filler_of(network: nn.Module) -> int:
    """Any id will do under the mask, but RoBERTa wants its own to count positions."""
    config: Any = network.config
    asked = getattr(config, "pad_token_id", None)
    return asked if isinstance(asked, int) and asked >= 0 else 0
