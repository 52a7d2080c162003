"""What training takes beside the model itself: an estimate of bytes, and fewer bytes by computing again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import nn
    from transformers import PreTrainedModel

SHARE = 0.8  # of the free memory: an estimate may be wrong, and others want some
_PER_NUMBER = 4 + 4 + 8 + 4  # bytes: float32 weights, gradients, AdamW's two moments, a copy of the best
_WIDE = 8  # values as wide as the residual stream that a layer keeps for each token
_SINGLE = 7  # more of them, always float32: in norms, and what the trained matrices are given
_INNER = 4  # values as wide as its feed-forward network: gate, up, what activates it, their product
_LOGITS = 4 * 4  # bytes: logits, the same in float32, their log-probabilities, a gradient


@dataclass(frozen=True)
class Estimate:
    """Bytes for training beside the model, by the number of prompts that are taken at once.

    A layer keeps for each token what its backward pass needs: query, key, value, what attention puts out,
    the residual stream in and around the norms, and the feed-forward network's inner values; for a stream h
    and an inner network f wide about 8 h + 4 f values in the network's number type and 7 h in float32, and
    2 a n more (a heads, n tokens) where attention weights are kept. The way of counting is that of
    Korthikanti et al. (2022), "Reducing activation recomputation in large transformer models", section 4;
    the factors were found with small random networks (Llama, Qwen3, Gemma 2, GPT-2, GPT-NeoX, Bloom, in
    both number types), whose measured peaks lie between a third of the estimate and all of it.
    Only layers from the first trained one on keep anything; where activations are computed again, h and
    attention's output alone, and one layer at a time the whole and half as much in gradients. The
    vocabulary's logits at the last tokens take 16 bytes each. What is trained takes 20 bytes a number:
    float32 weights, gradients, AdamW's two moments, and a copy of the best; and what they are cast to for
    a network in another number type.
    """

    trained: int
    layers: int
    width: int
    inner: int
    heads: int
    vocabulary: int
    bytes_each: int
    keeps_weights: bool
    recompute: bool
    copies: int = 0

    @classmethod
    def of(
        cls, causal: PreTrainedModel, *, trained: int, layers: int, recompute: bool, full: bool
    ) -> Estimate:
        """For so many trained numbers, in a network whose upper `layers` are passed backwards."""
        config: Any = causal.config.get_text_config()
        width = int(config.hidden_size)
        inner = getattr(config, "intermediate_size", None) or getattr(config, "ffn_dim", None) or 4 * width
        each = causal.dtype.itemsize
        return cls(
            trained=trained,
            layers=layers,
            width=width,
            inner=int(inner) * max(1, int(getattr(config, "num_experts_per_tok", None) or 1)),
            heads=int(config.num_attention_heads),
            vocabulary=int(config.vocab_size),
            bytes_each=each,
            keeps_weights=getattr(config, "_attn_implementation", None) == "eager",
            recompute=recompute,
            copies=trained * each if full and each < 4 else 0,
        )

    def needed(self, prompts: int, longest: int) -> int:
        """Bytes for so many prompts at once, of up to so many tokens."""
        tokens = prompts * longest
        weights = self.heads * longest * 2 if self.keeps_weights else 0
        values = _WIDE * self.width + _INNER * self.inner + weights
        whole = tokens * (values * self.bytes_each + _SINGLE * self.width * 4)
        bare = tokens * self.width * self.bytes_each
        kept = whole * 3 // 2 + 2 * self.layers * bare if self.recompute else self.layers * whole
        return self.trained * _PER_NUMBER + self.copies + kept + prompts * self.vocabulary * _LOGITS

    def most(self, longest: int, free: int, limit: int) -> int:
        """How many prompts at once fit into so many free bytes; 0 where not even one does."""
        one, two = self.needed(1, longest), self.needed(2, longest)
        room = int(SHARE * free) - one
        return 0 if room < 0 else min(limit, 1 + room // (two - one))


@contextmanager
def recomputed(layers: Sequence[nn.Module]) -> Iterator[None]:
    """Layers keep their input alone, and pass forwards once more on the way back, until the context is left.

    transformers' own switch works in training mode only, in which dropout acts.
    """
    from torch.utils.checkpoint import checkpoint

    with ExitStack() as undo:
        for layer in layers:
            own = layer.__dict__.get("forward")
            again = partial(checkpoint, layer.forward, use_reentrant=False, preserve_rng_state=False)
            layer.__dict__["forward"] = again
            undo.callback(_restore, layer, own)
        yield


def _restore(layer: nn.Module, own: Any) -> None:
    if own is None:
        del layer.__dict__["forward"]
    else:
        layer.__dict__["forward"] = own
