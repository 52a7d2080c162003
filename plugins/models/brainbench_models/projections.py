"""Attention's projections: the modules of a network that are trained, by their names in the causal model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from brainbench.errors import ModelError
from brainbench_models.architectures import Block, attention_of

if TYPE_CHECKING:
    from torch import nn
    from transformers import PreTrainedModel


def trained_layers(count: int, *, every: bool) -> range:
    """Of so many layers: L/4 up to 3L/4, rounded down, at least one, as in Xiao, Du & Lin (2026); or all."""
    start = count // 4
    return range(count) if every else range(start, max(3 * count // 4, start + 1))


def projections(
    network: PreTrainedModel, blocks: Sequence[Block], layers: Sequence[int], *, model: str
) -> dict[str, nn.Module]:
    """Every linear map inside the attention of these layers, by its name in the causal model, in order.

    All of them, whatever they are called: one of a query, a fused one of query, key and value (Phi-3, Falcon,
    GPT-NeoX), those of a low rank (DeepSeek). Raises ModelError, which names what a layer has, where there
    are none.
    """
    names = {module: name for name, module in network.named_modules()}
    found: dict[str, nn.Module] = {}
    for layer in layers:
        attention = attention_of(blocks[layer].layer)
        inside = [] if attention is None else list(_linear_maps(attention))
        if not inside:
            has = ", ".join(f"{name} ({type(part).__name__})" for name, part in _leaves(blocks[layer]))
            raise ModelError(
                f"Attention of {model} has no projections that can be trained; layer {layer} has {has}.",
                hint="Use a model with nn.Linear in its attention, such as Llama, Qwen, Phi or GPT-2.",
            )
        found |= {f"{network.base_model_prefix}.{names[part]}": part for part in inside}
    return found


def is_linear(module: nn.Module) -> bool:
    """Whether it is a linear map with weights of its own: torch's, or the transposed one of GPT-2."""
    from torch import nn
    from transformers.pytorch_utils import Conv1D

    return isinstance(module, (nn.Linear, Conv1D))


def shape_of(module: nn.Module) -> tuple[int, int]:
    """(outputs, inputs) of a linear map."""
    rows, columns = (int(size) for size in module.weight.shape)  # type: ignore[union-attr]
    return (columns, rows) if is_transposed(module) else (rows, columns)


def is_transposed(module: nn.Module) -> bool:
    """Whether its weights are (inputs x outputs), as in GPT-2."""
    from transformers.pytorch_utils import Conv1D

    return isinstance(linear_of(module), Conv1D)


def linear_of(module: nn.Module) -> nn.Module:
    """The linear map itself, where an adapter is around it."""
    from peft.tuners.lora import LoraLayer

    inner: Any = module
    return inner.get_base_layer() if isinstance(module, LoraLayer) else module


def _linear_maps(module: nn.Module) -> Iterator[nn.Module]:
    if is_linear(linear_of(module)):
        yield module
        return
    for part in module.children():
        yield from _linear_maps(part)


def _leaves(block: Block) -> list[tuple[str, nn.Module]]:
    return [(name, part) for name, part in block.layer.named_modules() if not list(part.children())]
