"""LoRA adapters in the form of the package peft: its configuration and its names of arrays. No import of it.

In peft a LoRA is known by adapter_config.json (its `LoraConfig`) and adapter_model.safetensors. Whatever in
these would make other numbers than W + alpha / rank * B A is refused by name.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from brainbench.adapter import DOWN, UP, Adapter
from brainbench.arrays import FloatArray
from brainbench.kept_files import KeptFolder
from brainbench.steering_checks import number

CONFIG, ARRAYS, PICKLED = "adapter_config.json", "adapter_model.safetensors", "adapter_model.bin"
PREFIX = "base_model.model."
_MODULE = re.compile(r"\w+(\.\w+)*", re.ASCII)
# Settings that do not change what the arrays do: where they come from, how they were trained, how the
# model's own weights lie, and which modules were meant (the arrays say which).
_HARMLESS = frozenset(
    {
        "auto_mapping",
        "base_model_name_or_path",
        "eva_config",
        "exclude_modules",
        "fan_in_fan_out",
        "inference_mode",
        "layers_pattern",
        "layers_to_transform",
        "lora_dropout",
        "megatron_core",
        "peft_version",
        "qalora_group_size",
        "revision",
    }
)
_READ = frozenset({"lora_alpha", "r", "target_modules", "use_rslora"})
# Ways to start a training that leave the model's own weights alone; others subtract something from them.
_STARTS = (True, False, "eva", "gaussian", "orthogonal")
_ONLY: Mapping[str, tuple[object, ...]] = {
    "peft_type": ("LORA",),
    "task_type": ("CAUSAL_LM", None),
    "bias": ("none",),
    "init_lora_weights": _STARTS,
}


def config(adapter: Adapter) -> dict[str, Any]:
    """adapter_config.json of a LoRA adapter."""
    model = adapter.facts.get("model")
    name = model.get("name") if isinstance(model, Mapping) else None
    alpha = int(adapter.alpha) if adapter.alpha.is_integer() else adapter.alpha
    return {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": name if isinstance(name, str) else None,
        "r": adapter.rank,
        "lora_alpha": alpha,
        "lora_dropout": 0.0,
        "target_modules": list(adapter.modules),
        "bias": "none",
        "fan_in_fan_out": adapter.facts.get("fan_in_fan_out") is True,
        "use_rslora": False,
        "init_lora_weights": True,
        "inference_mode": True,
    }


def named(adapter: Adapter) -> dict[str, FloatArray]:
    """The arrays of a LoRA adapter by peft's names."""
    return {f"{PREFIX}{name}": array for name, array in adapter.weights.items()}


def read(kept: KeptFolder) -> Adapter:
    """The adapter in a folder of peft's: of whom it is known only that it comes from there.

    Raises DataError for settings that would change the numbers, ShapeError for arrays that do not fit.
    """
    told = kept.read_object(CONFIG)
    where = kept.where(CONFIG)
    for name, value in told.items():
        _require_harmless(kept, name, value)
    if lacking := sorted({"peft_type", "r", "lora_alpha"} - set(told)):
        raise kept.error(f"{where} lacks {lacking[0]!r}.")
    rank = told["r"]
    if type(rank) is not int or not 0 < rank < 2**31:
        raise kept.error(f"{where}: r must be a whole number above 0.")
    alpha = number(told["lora_alpha"], f"{where}: lora_alpha")
    if told.get("use_rslora"):
        alpha *= math.sqrt(rank)  # peft then divides by the root of the rank alone
    if (kept.folder / PICKLED).exists() and not (kept.folder / ARRAYS).exists():
        raise kept.error(
            f"{kept.where(PICKLED)} could execute code and is not opened; save the adapter as safetensors."
        )
    weights = _own_names(kept, kept.read_arrays(ARRAYS, narrow=True))
    facts = {"imported": "peft", **({"fan_in_fan_out": True} if told.get("fan_in_fan_out") is True else {})}
    adapter = Adapter("lora", weights, rank, alpha, (), facts)
    meant = told.get("target_modules")
    if isinstance(meant, list):  # what peft matches by other means only the model could tell
        for module in adapter.modules:
            if not any(module == one or module.endswith(f".{one}") for one in meant):
                raise kept.error(f"{kept.where(ARRAYS)} changes {module}, which {CONFIG} does not name.")
    return adapter


def _require_harmless(kept: KeptFolder, name: str, value: object) -> None:
    where = kept.where(CONFIG)
    if name in _ONLY:
        # 1 is no True here, and an unhashable value is none of these either.
        if not any(type(value) is type(known) and value == known for known in _ONLY[name]):
            raise kept.error(f"{where} has {name} {_short(value)}: such an adapter cannot be read exactly.")
    elif name == "use_rslora":
        if not isinstance(value, bool | None):
            raise kept.error(f"{where}: use_rslora must be true or false.")
    elif name not in _HARMLESS | _READ and value:
        raise kept.error(f"{where} uses {name[:40]!r}: such an adapter cannot be read exactly.")


def _own_names(kept: KeptFolder, arrays: Mapping[str, FloatArray]) -> dict[str, FloatArray]:
    """The arrays by an Adapter's names; raises DataError for one that is no matrix of a module's LoRA."""
    found = {}
    for name, array in arrays.items():
        own = name.removeprefix(PREFIX)
        module = own.removesuffix(DOWN).removesuffix(UP)
        if own in {name, module} or not _MODULE.fullmatch(module):
            raise kept.error(
                f"{kept.where(ARRAYS)} holds {name[:120]!r}, which is no LoRA of a linear layer."
            )
        found[own] = array
    return found


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:40]}..."
