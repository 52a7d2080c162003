"""The head that makes a network a language model: found, or the reason why there is none.

Features are read from the network without its head, loaded as ever; where tasks are to be asked, the same
network is loaded, or built, as the base of its causal language model. Whatever that changed in the base
would change features: a test compares bit by bit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from brainbench.errors import ModelError

if TYPE_CHECKING:
    from transformers import PreTrainedModel

NOT_ASKED = "It was opened without its head."


def causal_class(config: Any) -> type[Any] | str:
    """The class of causal language models for a configuration, or why a model of this sort has no answers."""
    from transformers.models.auto.modeling_auto import (
        MODEL_FOR_CAUSAL_LM_MAPPING,
        MODEL_FOR_MASKED_LM_MAPPING,
        MODEL_MAPPING,
    )

    kind = type(config)
    if config.is_encoder_decoder:
        return "It has an encoder and a decoder; tasks are asked of decoder-only language models."
    if kind in MODEL_FOR_MASKED_LM_MAPPING:
        return "It fills gaps in a text and does not go on with one."
    if kind not in MODEL_FOR_CAUSAL_LM_MAPPING or kind not in MODEL_MAPPING:
        return "transformers knows no causal language model of this architecture."
    found: type[Any] = MODEL_FOR_CAUSAL_LM_MAPPING[kind]
    return found


def base_of(causal: PreTrainedModel) -> PreTrainedModel | None:
    """The network inside, if it is of the very class that features are read from."""
    from transformers.models.auto.modeling_auto import MODEL_MAPPING

    base = getattr(causal, causal.base_model_prefix, None)
    return base if type(base) is MODEL_MAPPING.get(type(causal.config), None) else None


def around(base: PreTrainedModel, causal: PreTrainedModel) -> bool:
    """Put a network in the place of the causal model's own base; False where it does not fit."""
    if type(base_of(causal)) is not type(base):
        return False
    setattr(causal, causal.base_model_prefix, base)
    causal.tie_weights()
    return True


def parameters_with_head(network: PreTrainedModel, parameters: int) -> int:
    """How many parameters the whole language model has, of which the network alone has `parameters`.

    Counted from the configuration, so that a model opened without its head has the same number as one opened
    with it: a head that shares its weights with the embedding adds none, any other a row
    for each token (a bias of the head is not counted). What no head goes with (an encoder, say) has the
    network's own.
    """
    config: Any = network.config
    text = config.get_text_config()
    if isinstance(causal_class(config), str) or getattr(config, "tie_word_embeddings", True):
        return parameters
    return parameters + int(text.vocab_size) * int(text.hidden_size)


def required(causal: PreTrainedModel | str, model: str, what: str) -> PreTrainedModel:
    """The causal model, or a ModelError that says why there is none."""
    if isinstance(causal, str):
        raise ModelError(
            f"{model} has no language-model head and cannot {what}. {causal}",
            hint="Open a decoder-only language model with its head.",
        )
    return causal
