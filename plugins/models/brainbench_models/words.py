"""How likely each of a few words comes next after a prompt, by the open network's own head."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from brainbench.arrays import FloatArray
from brainbench.errors import ModelError
from brainbench.stimuli import Stimulus
from brainbench_models import prompts
from brainbench_models.extraction import Batch, Batching, filler_of
from brainbench_models.positions import positions

if TYPE_CHECKING:
    import torch
    from torch import Tensor
    from transformers import PreTrainedModel


def head_weights(network: PreTrainedModel) -> Tensor | None:
    """The weights (vocabulary x width) that turn the last state into logits; None if they were not loaded.

    A network loaded without its head still has them where they are those of its input.
    """
    config: Any = network.config
    head: Any = network.get_output_embeddings()
    if head is None and not config.is_encoder_decoder and config.get_text_config().tie_word_embeddings:
        head = network.get_input_embeddings()
    return None if head is None else head.weight


def first_tokens(tokenizer: Any, words: Sequence[str], model: str) -> list[int]:
    """Each word's first token where it follows the prompt; raises ModelError where two share one.

    A conversation's answer starts with the word itself, what follows a plain "Answer:" with a space.
    """
    space = "" if prompts.form(tokenizer) == "chat" else " "
    found = [tokenizer(space + word, add_special_tokens=False)["input_ids"][:1] for word in words]
    if len({tuple(tokens) for tokens in found}) < len(words) or not all(found):
        raise ModelError(f"The words {', '.join(words)} do not differ in the first token that {model} reads.")
    return [tokens[0] for tokens in found]


def logits(  # noqa: PLR0913
    network: PreTrainedModel,
    encoded: Sequence[prompts.Prompt],
    tokens: Sequence[int],
    *,
    names: Sequence[str],
    batching: Batching,
    device: torch.device,
) -> FloatArray:
    """(prompts x tokens), float32: each token's logit after each prompt, before any soft cap of the model."""
    import torch

    weights, base = head_weights(network), network.base_model
    assert weights is not None
    arguments: dict[str, Any] = {}
    if "use_cache" in inspect.signature(base.forward).parameters:
        arguments["use_cache"] = False
    found = np.empty((len(encoded), len(tokens)), dtype=np.float32)
    order = sorted(range(len(encoded)), key=lambda item: -len(encoded[item].ids))
    while order:
        count = batching.take(len(encoded[order[0]].ids))
        items, order = order[:count], order[count:]
        batch = Batch.pad([encoded[item] for item in items], "last", filler_of(network), device)
        told = positions([len(encoded[item].ids) for item in items], [names[item] for item in items])
        with torch.inference_mode(), told:
            states = base(input_ids=batch.ids, attention_mask=batch.mask, **arguments).last_hidden_state
            last = states[torch.arange(len(items), device=device), batch.last]
            found[items] = (last @ weights[list(tokens)].T).float().cpu().numpy()
    return found


def log_odds(  # noqa: PLR0913
    network: PreTrainedModel,
    tokenizer: Any,
    stimuli: Sequence[Stimulus],
    words: Sequence[str],
    *,
    limit: int | None,
    model: str,
    batching: Batching,
    device: torch.device,
) -> FloatArray:
    """(stimuli x words): each word's log-probability up to what is the same for all words; ModelError."""
    if head_weights(network) is None:
        raise ModelError(f"The model {model} was opened without its head and cannot choose words.")
    tokens = first_tokens(tokenizer, words, model)
    encoded = prompts.encode(tokenizer, stimuli, pooling="last", limit=limit, model=model)
    names = [stimulus.id for stimulus in stimuli]
    return logits(network, encoded, tokens, names=names, batching=batching, device=device)
