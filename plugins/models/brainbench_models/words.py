"""How likely each of a few words comes next after a prompt, by the open network's own head."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from brainbench.arrays import FloatArray
from brainbench.errors import ModelError
from brainbench.steering import Names, names_of
from brainbench.stimuli import Stimulus
from brainbench_models import prompts
from brainbench_models.batching import Batching
from brainbench_models.extraction import Batch, filler_of
from brainbench_models.positions import positions
from brainbench_models.prefixes import Prefixes

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


def first_tokens(tokenizer: Any, words: Sequence[str], model: str) -> tuple[list[int], list[int]]:
    """The tokens that all words start with, and the one of each in which they then differ.

    As they follow a prompt: a conversation's answer starts on a line of its own, what follows a plain
    "Answer:" after a space. Raises ModelError where the words cannot be told apart so.
    """
    before, space = ("\n", "") if prompts.form(tokenizer) == "chat" else ("Answer:", " ")

    def ids(text: str) -> list[int]:
        return [int(token) for token in tokenizer(text, add_special_tokens=False)["input_ids"]]

    start = ids(before)
    whole = [ids(before + space + word) for word in words]
    if any(tokens[: len(start)] != start for tokens in whole):
        raise ModelError(f"{model} has tokens that span the end of a prompt and the start of an answer.")
    rest = [tokens[len(start) :] for tokens in whole]
    shared = 0
    while all(len(tokens) > shared + 1 for tokens in rest) and len({tokens[shared] for tokens in rest}) == 1:
        shared += 1
    if any(len(tokens) <= shared for tokens in rest) or len({t[shared] for t in rest}) < len(words):
        raise ModelError(f"The words {', '.join(words)} do not differ in one token that {model} reads.")
    return rest[0][:shared], [tokens[shared] for tokens in rest]


def logits(  # noqa: PLR0913
    network: PreTrainedModel,
    weights: Tensor,
    encoded: Sequence[prompts.Prompt],
    tokens: Sequence[int],
    *,
    names: Sequence[Names],
    batching: Batching,
    device: torch.device,
    prefixes: Prefixes | None = None,
) -> FloatArray:
    """(prompts x tokens), float32: each token's logit after each prompt, before any soft cap of the model."""
    import torch

    base = network.base_model
    arguments: dict[str, Any] = {}
    if "use_cache" in inspect.signature(base.forward).parameters:
        arguments["use_cache"] = False
    found = np.empty((len(encoded), len(tokens)), dtype=np.float32)
    order = sorted(range(len(encoded)), key=lambda item: -len(encoded[item].ids))
    while order:
        longest = len(encoded[order[0]].ids)
        alike = [item for item in order if len(encoded[item].ids) == longest] if prefixes else order
        items = alike[: batching.take(longest)]
        order = [item for item in order if item not in items]
        if prefixes is not None:
            with torch.inference_mode():
                rows, told_names = [encoded[item].ids for item in items], [names[item] for item in items]
                known = prefixes.last_states(base, rows, told_names, device)
                if known is not None:
                    found[items] = (known @ weights[list(tokens)].T).float().cpu().numpy()
                    continue
        batch = Batch.pad([encoded[item] for item in items], "last", filler_of(network), device)
        told = positions([len(encoded[item].ids) for item in items], [names[item] for item in items])
        with torch.inference_mode(), told:
            states = base(input_ids=batch.ids, attention_mask=batch.mask, **arguments).last_hidden_state
            last = states[torch.arange(len(items), device=device), batch.last]
            found[items] = (last @ weights[list(tokens)].T).float().cpu().numpy()
    return found


def asked(
    tokenizer: Any, stimuli: Sequence[Stimulus], words: Sequence[str], *, limit: int | None, model: str
) -> tuple[list[prompts.Prompt], list[int]]:
    """The prompts up to where the words begin to differ, and the token of each word there; ModelError."""
    shared, tokens = first_tokens(tokenizer, words, model)
    room = None if limit is None else limit - len(shared)
    texts = [(stimulus.messages, stimulus.text) for stimulus in stimuli]
    once = dict(zip(texts, stimuli, strict=True))  # one item may be asked often, with different changes
    plain = prompts.encode(tokenizer, list(once.values()), pooling="last", limit=room, model=model)
    # the last token, which a steering may change, is the one whose output tells the words apart
    ready = {text: prompts.Prompt((*found.ids, *shared)) for text, found in zip(once, plain, strict=True)}
    return [ready[text] for text in texts], tokens


def log_odds(  # noqa: PLR0913
    network: PreTrainedModel,
    head: Tensor,
    tokenizer: Any,
    stimuli: Sequence[Stimulus],
    words: Sequence[str],
    *,
    limit: int | None,
    model: str,
    batching: Batching,
    device: torch.device,
    prefixes: Prefixes | None = None,
) -> FloatArray:
    """(stimuli x words): each word's log-probability up to what is the same for all words; ModelError.

    head: the weights (vocabulary x width) that `head_weights` finds.
    """
    encoded, tokens = asked(tokenizer, stimuli, words, limit=limit, model=model)
    names = [names_of(stimulus) for stimulus in stimuli]
    return logits(
        network, head, encoded, tokens, names=names, batching=batching, device=device, prefixes=prefixes
    )
