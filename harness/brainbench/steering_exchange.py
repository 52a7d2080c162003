"""Steerings in other tools' files: control vectors of repeng and llama.cpp, and lm-eval's dictionary.

Both act at every token, both know nothing of where a steering comes from: what cannot be said in them is
refused when written, never left out.
"""

from __future__ import annotations

import pickle
import re
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from brainbench.errors import DataError, ShapeError, UsageError, words_of
from brainbench.steering import SITE, Addition, Change, Gain, Steering

if TYPE_CHECKING:
    from gguf import GGUFReader

_ARCHITECTURE = "controlvector"
_DIRECTION = re.compile(r"direction\.(0|[1-9][0-9]{0,3})")
_HOOKPOINT = re.compile(
    r"(?:[A-Za-z_]+\.)+(0|[1-9][0-9]{0,3})(\.(?:self_attn|attn|self_attention|attention))?"
)
_LM_EVAL_KEYS = {"steering_vector", "action", "steering_coefficient", "bias", "head_index"}


def write_control_vector(steering: Steering, path: Path, *, model_type: str) -> None:
    """Write a GGUF control vector, as repeng's export does, with the strengths multiplied in.

    `direction.i` is what is added to the residual stream as it leaves layer i. model_type is the
    `model_type` of the model's configuration ("llama"). Raises UsageError for what the format cannot hold
    (llama.cpp takes no direction for layer 0).
    """
    _gguf()
    from gguf import GGUFWriter

    directions = {}
    for site, change in _everywhere(steering, "A control vector").items():
        kind, _, number = site.partition(".")
        if kind != "layer" or number == "0" or not isinstance(change, Addition):
            raise UsageError(
                f"A control vector cannot hold the change at {site}.",
                hint="It holds additions to layer.1 and later ones only.",
            )
        directions[f"direction.{number}"] = np.float32(change.strength) * change.vector
    if len({vector.shape for vector in directions.values()}) != 1:
        raise UsageError("A control vector needs at least one direction, and all of one width.")
    writer = GGUFWriter(path, _ARCHITECTURE)
    writer.add_string(f"{_ARCHITECTURE}.model_hint", model_type)
    writer.add_uint32(f"{_ARCHITECTURE}.layer_count", len(directions))
    for name, vector in directions.items():
        writer.add_tensor(name, vector)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def read_control_vector(path: Path) -> Steering:
    """The steering in a GGUF control vector: additions of strength 1 at every token; raises DataError."""
    _gguf()
    from gguf import GGUFReader

    try:
        reader = GGUFReader(path)
        facts = {
            name: _text(reader, key)
            for name, key in (("architecture", "general.architecture"), ("model", "controlvector.model_hint"))
        }
        vectors = {tensor.name: np.array(tensor.data) for tensor in reader.tensors}
    except OSError as error:
        raise DataError(f"{path.name} cannot be read: {error.strerror or error}.") from error
    except Exception as error:  # the reader raises many kinds for a file that is damaged
        raise DataError(f"{path.name} is no GGUF file that can be read: {words_of(error)}") from error
    if facts["architecture"] != _ARCHITECTURE or not vectors:
        raise DataError(f"{path.name} holds no control vector, but {facts['architecture']!r}.")
    changes: dict[str, Change] = {}
    for name, vector in vectors.items():
        match = _DIRECTION.fullmatch(name)
        if match is None or vector.dtype != np.float32 or vector.ndim != 1:
            raise DataError(f"{path.name}: {name} is no direction of float32 numbers.")
        changes[f"layer.{match[1]}"] = _addition(vector, 1.0, path, name)
    return Steering(changes, where="all", facts={"imported": "control vector", "model_type": facts["model"]})


def write_lm_eval(steering: Steering, path: Path, *, stack: str, attention: str = "self_attn") -> None:
    """Write the dictionary that lm-eval's `steered` model reads, by torch.save.

    stack: what the list of layers is called within the model's base ("layers" in Llama, "h" in GPT-2), and
    `attention` the attention module in each. A gain of 0 on one direction becomes lm-eval's "clamp".
    Raises UsageError for what the format cannot hold.
    """
    import torch

    told = {}
    for site, change in _everywhere(steering, "lm-eval's dictionary").items():
        kind, _, number = site.partition(".")
        name = f"{stack}.{number}" + (f".{attention}" if kind == "attention" else "")
        if isinstance(change, Addition):
            vector, action, value = change.vector, "add", change.strength
        elif len(change.basis) == 1 and change.gain == 0:
            vector, action = change.basis[0], "clamp"
            value = 0.0 if change.mean is None else float(change.mean.astype(float) @ vector.astype(float))
        else:
            raise UsageError(
                f"lm-eval's dictionary cannot hold the gain at {site}.",
                hint="It holds additions, and gains of 0 on a single direction.",
            )
        told[name] = {
            "steering_vector": torch.tensor(vector),
            "steering_coefficient": value,
            "action": action,
            "bias": None,
            "head_index": None,
        }
    torch.save(told, path)


def read_lm_eval(path: Path) -> Steering:
    """The steering in an lm-eval dictionary; raises DataError.

    Only tensors, numbers and names are read (torch's weights_only): a file that would execute anything is
    refused. What acts on single attention heads has no counterpart here and is refused too.
    """
    import torch

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # advice on files that are then refused
            told = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise DataError(f"{path.name} cannot be read: {error.strerror or error}.") from error
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError, KeyError) as error:
        raise DataError(
            f"{path.name} is no file of tensors and names alone.",
            hint="What is more than that could execute code when it is read, and is never opened.",
        ) from error
    if not isinstance(told, dict) or not told:
        raise DataError(f"{path.name} holds no dictionary of lm-eval's steering.")
    changes: dict[str, Change] = {}
    for name, entry in told.items():
        match = _HOOKPOINT.fullmatch(name) if isinstance(name, str) else None
        if match is None:
            raise DataError(f"{path.name}: {name!r} is no layer and no attention of one.")
        site = f"{'attention' if match[2] else 'layer'}.{match[1]}"
        if site in changes:
            raise DataError(f"{path.name} steers {site} twice.")
        changes[site] = _from_lm_eval(entry, path, name)
    return Steering(changes, where="all", facts={"imported": "lm-eval"})


def _from_lm_eval(entry: Any, path: Path, name: str) -> Change:
    import torch

    if not isinstance(entry, dict) or (spare := set(entry) - _LM_EVAL_KEYS):
        more = (
            f" has the unknown key {sorted(map(str, spare))[0]!r}"
            if isinstance(entry, dict)
            else " is no dict"
        )
        raise DataError(f"{path.name}: {name}{more}.")
    vector, action, bias = entry.get("steering_vector"), entry.get("action"), entry.get("bias")
    value = entry.get("steering_coefficient", 1.0)
    if entry.get("head_index") is not None:
        raise DataError(f"{path.name}: {name} steers a single attention head, which is not supported.")
    tensors = [tensor for tensor in (vector, bias) if isinstance(tensor, torch.Tensor)]
    if len(tensors) != 1 + (bias is not None) or vector is None or not isinstance(value, int | float):
        raise DataError(f"{path.name}: {name} needs a tensor as vector and a number as coefficient.")
    direction, *rest = (tensor.detach().double().numpy().squeeze() for tensor in tensors)
    if action == "add" and not rest:
        return _addition(direction, value, path, name)
    length = float(np.linalg.norm(direction))
    if action != "clamp" or not 0 < length < np.inf or any(r.shape != direction.shape for r in rest):
        raise DataError(f"{path.name}: {name} is neither an addition nor a clamp that could be applied.")
    unit = direction / length
    # x + (value - (x - bias).d) d  =  x - dd'(x - (value + bias.d) d)
    mean = (value + sum(float(r @ unit) for r in rest)) * unit
    try:
        return Gain(unit[None], 0.0, mean)
    except ShapeError as error:
        raise DataError(f"{path.name}: {name}: {error}") from error


def _addition(vector: Any, strength: float, path: Path, name: str) -> Addition:
    if vector.ndim != 1:
        raise DataError(f"{path.name}: {name} is no single vector, but has the shape {vector.shape}.")
    try:
        return Addition(vector, strength)
    except ShapeError as error:
        raise DataError(f"{path.name}: {name}: {error}") from error


def _everywhere(steering: Steering, what: str) -> dict[str, Change]:
    """The changes in the order of layers; raises UsageError unless they act at every token of every item."""
    if steering.where != "all" or steering.items:
        raise UsageError(
            f"{what} acts at every token of every item; this steering does not.",
            hint="It must have been fitted with --where all, and have one direction for all problems, as "
            "that of nari-general-joint.",
        )

    def depth(site: str) -> tuple[int, str]:
        match = SITE.fullmatch(site)
        assert match is not None
        return int(match[2]), match[1]

    return {site: steering.changes[site] for site in sorted(steering.changes, key=depth)}


def _text(reader: GGUFReader, key: str) -> str:
    field = reader.get_field(key)
    return "" if field is None else bytes(field.parts[-1]).decode("utf-8", "replace")


def _gguf() -> None:
    try:
        import gguf  # noqa: F401
    except ImportError as error:
        raise UsageError(
            "Control vectors need the package gguf.", hint="Install it with: pip install 'brainbench[gguf]'."
        ) from error
