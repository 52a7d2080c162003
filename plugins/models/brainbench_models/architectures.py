"""Where a transformer keeps its layers and the attention inside them.

Two places per layer are read, as in Xiao, Du & Lin (2026), "Model representations": what attention
adds to the residual stream (after its output projection, before the residual sum and any norm that
follows it), and the residual stream as it leaves the layer.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from brainbench.errors import ModelError

if TYPE_CHECKING:
    from torch import nn

# The attention of one layer, by the names that transformers uses. Where a layer mixes tokens by linear
# attention instead (Qwen3-Next), that takes its place.
_ATTENTION = (
    "self_attn",  # Llama, Mistral, Qwen, Gemma, Phi, OPT, BART, ...
    "attn",  # GPT-2, GPT-J, GPT-Neo, MPT, ModernBERT
    "self_attention",  # Bloom, Falcon
    "attention",  # GPT-NeoX, DistilBERT, BERT and kin
    "layer.0.SelfAttention",  # T5
    "norm_attn_norm.attn",  # DBRX
    "linear_attn",
)
_NORMS = ("LayerNorm", "layer_norm", "layernorm")  # such a child means that the module adds the residual
_LIMITS = ("max_position_embeddings", "n_positions", "max_seq_len", "max_sequence_length", "n_ctx")


@dataclass(frozen=True, eq=False)
class Block:
    """One layer: the module whose output is the residual stream, and the one that is its attention."""

    attention: nn.Module
    layer: nn.Module


def find_blocks(network: nn.Module) -> tuple[Block, ...]:
    """The network's layers in order; raises ModelError when it has none with a readable attention.

    A model of text and images has several stacks of layers; the text's is taken.
    """
    from torch import nn

    depth = _text_config(network).num_hidden_layers
    stacks = [
        (name, stack)
        for name, stack in network.named_modules()
        if isinstance(stack, nn.ModuleList) and len(stack) == depth
    ]
    found = {name: blocks for name, stack in stacks if (blocks := _blocks(stack)) is not None}
    if len(found) > 1:
        found = {name: blocks for name, blocks in found.items() if "language" in name or "text" in name}
    if len(found) != 1:
        seen = "; ".join(f"{name}: {', '.join(dict(stack[0].named_children()))}" for name, stack in stacks)
        raise ModelError(
            f"The architecture {type(network).__name__} has no stack of {depth} layers with an attention "
            f"that can be read before the residual sum (found {seen or 'no such stack'}).",
            hint="Use a transformer such as Llama, Qwen, GPT-2 or BERT, or write a model plugin for it.",
        )
    return next(iter(found.values()))


def context_length(network: nn.Module) -> int | None:
    """The most tokens that the network can take, or None where nothing in it sets a limit."""
    from torch import nn

    config = _text_config(network)
    limits = [value for name in _LIMITS if isinstance(value := getattr(config, name, None), int)]
    if not limits or min(limits) <= 0:
        return None
    limit = min(limits)
    for name, module in network.named_modules():
        if isinstance(module, nn.Embedding) and name.endswith("position_embeddings"):
            padding: int | None = module.padding_idx
            if padding is not None:  # RoBERTa and kin count positions from padding + 1
                limit = min(limit, int(module.num_embeddings) - padding - 1)
    return limit


def network_facts(network: nn.Module) -> dict[str, Any]:
    """What a network is and what runs it, for provenance."""
    import torch
    import transformers

    config: Any = network.config
    return {
        "width": int(config.get_text_config().hidden_size),
        "architecture": type(network).__name__,
        "attention": getattr(config, "_attn_implementation", None),
        "transformers": transformers.__version__,
        "torch": str(torch.__version__),
    }


def _text_config(network: nn.Module) -> Any:
    config: Any = network.config
    return config if config.is_encoder_decoder else config.get_text_config()


def _blocks(stack: nn.ModuleList) -> tuple[Block, ...] | None:
    blocks = []
    for layer in stack:
        attention = _attention(layer)
        if attention is None:
            return None
        blocks.append(Block(attention, layer))
    return tuple(blocks)


def attention_of(layer: nn.Module) -> nn.Module | None:
    """The module of a layer that holds all of its attention, projections and what is around them."""
    modules: dict[str, nn.Module] = dict(layer.named_modules())
    return next((modules[name] for name in _ATTENTION if name in modules), None)


def _attention(layer: nn.Module) -> nn.Module | None:
    """The module of a layer whose output is attention's share of the residual stream; None if unknown."""
    attention = attention_of(layer)
    if attention is None:
        return None
    inside: dict[str, nn.Module] = dict(attention.named_modules())
    if "output.dense" in inside:  # BERT and kin: `output` goes on to add the residual and normalise
        return inside["output.dense"]
    if "residual" in inspect.signature(attention.forward).parameters:  # Bloom adds the residual itself
        return inside.get("dense")
    if any(norm in inside for norm in _NORMS):  # MPNet wraps its attention; ALBERT's cannot be told apart
        return inside.get("attn")
    return attention
