"""Load a network without its head, and its tokenizer, exactly as pinned."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from brainbench.errors import ModelError
from brainbench.nouns import ModelOptions, Reporter
from brainbench_models import devices
from brainbench_models.checkpoints import Pin
from brainbench_models.downloads import fetch_weights
from brainbench_models.failures import explain, unreachable
from brainbench_models.quiet import quiet

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


def load(
    pin: Pin, options: ModelOptions, device: torch.device, reporter: Reporter, *, random_weights: bool
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """The network on its device, in evaluation mode, and the tokenizer; both of the pinned revision.

    Of a model with encoder and decoder only the encoder is kept. Random weights are drawn in float32
    from the seed and then rounded, so that a seed means the same network in every dtype. The global
    state of random numbers is left as it was. Raises ModelError.
    """
    import torch

    if not pin.resolved:
        raise unreachable(pin.source, pin.revision)
    try:
        with quiet(), torch.random.fork_rng(devices=[]):
            where = _where(pin, options)
            _refuse_foreign_code(pin, where)
            tokenizer = _tokenizer(pin, where)
            if pin.commit and not random_weights:
                fetch_weights(pin.source, pin.commit, reporter)
            network = _untrained(pin, where, options) if random_weights else _trained(pin, where, options)
            if network.config.is_encoder_decoder:
                network = network.get_encoder()
            return network.to(device).eval(), tokenizer
    except ModelError:
        raise
    except Exception as error:  # transformers and the hub raise some of every kind
        if devices.out_of_memory(error):
            raise ModelError(
                f"The model {pin.source} does not fit into the memory of {device}.",
                hint="Use a smaller model, --dtype bfloat16, or another --device.",
            ) from error
        raise explain(error, pin.source, pin.commit or "") from error


def _where(pin: Pin, options: ModelOptions) -> dict[str, Any]:
    return {
        "revision": pin.commit,
        "trust_remote_code": options.trust_remote_code,
        "local_files_only": pin.commit is None,
    }


def _refuse_foreign_code(pin: Pin, where: dict[str, Any]) -> None:
    """Code taken from another repository would be pinned by nothing."""
    from transformers import PretrainedConfig

    settings, _ = PretrainedConfig.get_config_dict(
        pin.source, revision=where["revision"], local_files_only=where["local_files_only"]
    )
    if where["trust_remote_code"] and "--" in str(settings.get("auto_map", "")):
        raise ModelError(
            f"The model {pin.source} takes its Python code from another repository, at no fixed revision.",
            hint="Save the model and its code together in a local folder and give that.",
        )


def _tokenizer(pin: Pin, where: dict[str, Any]) -> PreTrainedTokenizerBase:
    from transformers import AutoTokenizer

    try:
        return AutoTokenizer.from_pretrained(pin.source, **where)
    except (OSError, ValueError, KeyError, ImportError) as error:
        told = explain(error, pin.source, pin.commit or "")
        if "could not be loaded" not in told.message:
            raise told from error
        first = str(error).strip().splitlines()[0].rstrip(".")
        raise ModelError(
            f"The tokenizer of model {pin.source} could not be loaded: {first}.",
            hint="Save the tokenizer beside the model with its save_pretrained.",
        ) from error


def _trained(pin: Pin, where: dict[str, Any], options: ModelOptions) -> PreTrainedModel:
    import torch
    from transformers import AutoModel

    network, report = AutoModel.from_pretrained(
        pin.source,
        **where,
        dtype=getattr(torch, options.dtype),
        use_safetensors=True,
        output_loading_info=True,
    )
    # transformers draws missing weights at random; only the pooler, a head of BERT's, changes no feature
    missing = sorted(name for name in report["missing_keys"] if "pooler." not in name)
    if missing:
        raise ModelError(
            f"The checkpoint of model {pin.source} lacks {len(missing)} of the network's weights, "
            f"{missing[0]} for one.",
            hint="The files may be incomplete, or belong to another architecture than config.json says.",
        )
    return network


def _untrained(pin: Pin, where: dict[str, Any], options: ModelOptions) -> PreTrainedModel:
    import torch
    from transformers import AutoConfig, AutoModel

    config = AutoConfig.from_pretrained(pin.source, **where)
    torch.default_generator.manual_seed(options.seed)  # not torch.manual_seed: it would reach every device
    network = AutoModel.from_config(config, dtype=torch.float32, trust_remote_code=options.trust_remote_code)
    return network.to(getattr(torch, options.dtype))
