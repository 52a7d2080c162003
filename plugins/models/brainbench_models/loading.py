"""Load a network, its tokenizer and, where tasks will be asked, its head, exactly as pinned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from brainbench.errors import ModelError
from brainbench.nouns import ModelOptions, Reporter
from brainbench_models import devices, heads
from brainbench_models.checkpoints import Pin
from brainbench_models.downloads import fetch_weights
from brainbench_models.failures import explain, unreachable
from brainbench_models.quiet import quiet

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


@dataclass(frozen=True, eq=False)
class Loaded:
    """A network without its head, its tokenizer, and the causal model around it or why there is none."""

    network: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    causal: PreTrainedModel | str = heads.NOT_ASKED


def load(
    pin: Pin, options: ModelOptions, device: torch.device, reporter: Reporter, *, random_weights: bool
) -> Loaded:
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
            make = _untrained if random_weights else _trained
            network, causal = make(pin, where, options)
            if network.config.is_encoder_decoder:
                network = network.get_encoder()
            if not isinstance(causal, str):
                causal = causal.to(device).eval()
            return Loaded(network.to(device).eval(), tokenizer, causal)
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


def _trained(
    pin: Pin, where: dict[str, Any], options: ModelOptions
) -> tuple[PreTrainedModel, PreTrainedModel | str]:
    from transformers import AutoModel, AutoModelForCausalLM

    reason = _no_head(pin, where, options)
    if not reason:
        causal, report = _read(AutoModelForCausalLM, pin, where, options)
        base = heads.base_of(causal)
        missing = report["missing_keys"]
        own = [name for name in missing if not name.startswith(f"{causal.base_model_prefix}.")]
        if base is not None and not missing:
            return base, causal
        # a checkpoint of the network alone, say: its head would be random
        reason = f"Its files lack the head ({own[0]})." if own else "Its head holds another network."
        del causal, base
    network, report = _read(AutoModel, pin, where, options)
    # transformers draws missing weights at random; only the pooler, a head of BERT's, changes no feature
    missing = sorted(name for name in report["missing_keys"] if "pooler." not in name)
    if missing:
        raise ModelError(
            f"The checkpoint of model {pin.source} lacks {len(missing)} of the network's weights, "
            f"{missing[0]} for one.",
            hint="The files may be incomplete, or belong to another architecture than config.json says.",
        )
    return network, reason


def _read(auto: Any, pin: Pin, where: dict[str, Any], options: ModelOptions) -> tuple[Any, dict[str, Any]]:
    """A model and transformers' report on its weights."""
    import torch

    network, report = auto.from_pretrained(
        pin.source,
        **where,
        dtype=getattr(torch, options.dtype),
        use_safetensors=True,
        output_loading_info=True,
    )
    return network, report


def _untrained(
    pin: Pin, where: dict[str, Any], options: ModelOptions
) -> tuple[PreTrainedModel, PreTrainedModel | str]:
    """Random weights, the network's first: with or without a head it is the same one."""
    import torch
    from transformers import AutoConfig, AutoModel, AutoModelForCausalLM

    config = AutoConfig.from_pretrained(pin.source, **where)
    torch.default_generator.manual_seed(options.seed)  # not torch.manual_seed: it would reach every device
    network = AutoModel.from_config(config, dtype=torch.float32, trust_remote_code=options.trust_remote_code)
    reason = _no_head(pin, where, options)
    if not reason:
        causal = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
        if heads.around(network, causal):
            causal = causal.to(getattr(torch, options.dtype))
            return getattr(causal, causal.base_model_prefix), causal
        reason = "Its head holds another network."
    return network.to(getattr(torch, options.dtype)), reason


def _no_head(pin: Pin, where: dict[str, Any], options: ModelOptions) -> str:
    """Why no head is to be loaded; empty where one is."""
    from transformers import AutoConfig

    if not options.head:
        return heads.NOT_ASKED
    config = AutoConfig.from_pretrained(pin.source, **where)
    if getattr(config, "auto_map", None) and options.trust_remote_code:
        return "It brings its own code, of which only the network is read."
    found = heads.causal_class(config)
    return found if isinstance(found, str) else ""
