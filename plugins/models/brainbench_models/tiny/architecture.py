"""The embedded model's architecture and its first weights."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch
    from transformers import LlamaForCausalLM, PreTrainedTokenizerFast


@dataclass(frozen=True)
class Shape:
    """The architecture: a Llama with tied embeddings."""

    width: int = 128
    layers: int = 4
    heads: int = 4
    inner: int = 384
    context: int = 1024


def build(shape: Shape, tokenizer: PreTrainedTokenizerFast, seed: int) -> LlamaForCausalLM:
    """An untrained model; half of each layer's heads start by looking for the same word.

    Those heads' queries and keys share their random weights, so that a word attends to its own earlier
    occurrences from the start (after Trockman and Kolter 2023, arXiv:2305.09828): deduction is finding the
    same name in two premises, and without this the first link takes twice as long to learn.
    """
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(seed)
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(tokenizer),
            hidden_size=shape.width,
            intermediate_size=shape.inner,
            num_hidden_layers=shape.layers,
            num_attention_heads=shape.heads,
            num_key_value_heads=shape.heads,
            max_position_embeddings=shape.context,
            tie_word_embeddings=True,
            pad_token_id=tokenizer.pad_token_id,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
        )
    )
    rows = shape.width // 2
    scale = math.sqrt(4 / math.sqrt(shape.width // shape.heads) / shape.width)
    with torch.no_grad():
        for layer in model.model.layers:
            shared = torch.randn(rows, shape.width) * scale
            layer.self_attn.q_proj.weight[:rows] = shared
            layer.self_attn.k_proj.weight[:rows] = shared
    return model


def attend_in_float32(model: LlamaForCausalLM) -> None:
    """Leave attention out of mixed precision: on processors its backward pass is slower in bfloat16."""
    from transformers import AttentionInterface, AttentionMaskInterface

    AttentionInterface.register("causal_float32", _causal_float32)
    AttentionMaskInterface.register("causal_float32", lambda *_, **__: None)
    model.set_attn_implementation("causal_float32")


def _causal_float32(
    module: Any, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, mask: None, **options: Any
) -> tuple[torch.Tensor, None]:
    """Causal attention over rows padded on the right, which no real token can see."""
    import torch

    with torch.autocast(query.device.type, enabled=False):
        seen = torch.nn.functional.scaled_dot_product_attention(
            query.float(), key.float(), value.float(), is_causal=True
        )
    return seen.transpose(1, 2).contiguous(), None
