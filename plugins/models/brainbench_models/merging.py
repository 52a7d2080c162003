"""A model with an adapter in its weights, as a folder that any program of transformers opens."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from brainbench.adapter import DOWN, UP, Adapter
from brainbench.errors import ModelError
from brainbench_models.adapting import find
from brainbench_models.projections import is_transposed
from brainbench_models.quiet import quiet

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedModel


def save_merged(
    causal: PreTrainedModel, tokenizer: Any, adapter: Adapter, folder: Path, *, model: str
) -> None:
    """Write a model folder (safetensors, tokenizer, chat template), and leave the open model as it is.

    Sums are made in float32 and rounded to the model's own number type. Raises ModelError where the adapter
    does not fit, or the folder holds something or cannot be written.
    """
    state = merged(causal, adapter, model)
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise ModelError(f"The folder {folder} holds something already.", hint="Name an empty one.")
        with quiet():
            causal.save_pretrained(folder, state_dict=state)
            tokenizer.save_pretrained(folder)
    except OSError as error:
        raise ModelError(
            f"The model cannot be written to {folder}: {error.strerror or error}.",
            hint="Name another folder.",
        ) from error


def merged(causal: PreTrainedModel, adapter: Adapter, model: str) -> dict[str, Tensor]:
    """The causal model's weights by name, with the adapter's in them; only those that change are copies."""
    import torch

    state: dict[str, Tensor] = dict(causal.state_dict())
    weights = {name: torch.tensor(array) for name, array in adapter.weights.items()}
    for name, module in find(causal, adapter, model).items():
        if adapter.kind == "full":
            for part in (f"{name}.weight", f"{name}.bias"):
                if part in weights:
                    state[part] = weights[part].to(state[part].dtype)
            continue
        own = state[f"{name}.weight"]
        product = adapter.alpha / adapter.rank * weights[f"{name}{UP}"] @ weights[f"{name}{DOWN}"]
        change = product.T if is_transposed(module) else product
        state[f"{name}.weight"] = (own.float().cpu() + change).to(own.dtype)
    return state
