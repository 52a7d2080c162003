"""Keep a Steering as a folder of two files that cannot execute anything, and read it back, checked.

steering.json holds everything but the arrays, steering.safetensors the arrays. What is read is compared
with the fingerprint that was written.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from brainbench.arrays import FloatArray
from brainbench.errors import DataError, ShapeError
from brainbench.steering import Addition, Change, Gain, Steering

FORMAT = 1
FORM, ARRAYS = "steering.json", "steering.safetensors"
_KEYS = {"format", "fingerprint", "where", "key", "items", "looks_at", "facts", "changes"}
_CHANGE_KEYS = {"addition": {"kind", "strength"}, "gain": {"kind", "gain", "mean"}}
_HINT = "Make it again with `brainbench steer fit`, or from Python with brainbench.steering_files.save."
_FOLDER = "Name a folder that `brainbench steer fit` made."


def save(steering: Steering, folder: Path) -> None:
    """Write both files into `folder`, made if need be; an older steering there is replaced.

    The arrays are written first and each file appears whole: what is interrupted between them is refused
    by `load`, never read as a mixture.
    """
    from safetensors.numpy import save as as_bytes

    folder.mkdir(parents=True, exist_ok=True)
    form = {"format": FORMAT, "fingerprint": steering.fingerprint, **steering.form()}
    text = json.dumps(form, indent=2, ensure_ascii=True, allow_nan=False) + "\n"
    _write(folder / ARRAYS, as_bytes(dict(steering.arrays())))
    _write(folder / FORM, text.encode())


def load(folder: Path) -> Steering:
    """The steering kept in `folder`; raises DataError, in one sentence, for anything else than that."""
    if folder.is_file():
        raise DataError(
            f"{folder.name} is a file; a steering is kept as a folder with {FORM} and {ARRAYS}.",
            hint="Pickled files (.pt, .bin, .pkl) are never opened here: they could execute code.",
        )
    form = _read_form(folder)
    arrays = _read_arrays(folder)
    try:
        changes = {site: _change(site, told, arrays) for site, told in form["changes"].items()}
        steering = Steering(
            changes,
            form["where"],
            tuple(form["items"]),
            tuple(form["looks_at"]),
            form["facts"],
            form["key"],
        )
    except (ShapeError, TypeError) as error:
        raise DataError(
            f"{folder.name} holds no steering that could be applied: {error}", hint=_HINT
        ) from error
    if spare := sorted(set(arrays) - set(steering.arrays())):
        raise DataError(f"{folder.name}/{ARRAYS} holds {spare[0]}, which {FORM} does not name.", hint=_HINT)
    if steering.fingerprint != form["fingerprint"]:
        raise DataError(
            f"{folder.name} was changed after it was written: its fingerprint differs.", hint=_HINT
        )
    return steering


def _write(path: Path, content: bytes) -> None:
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    partial.write_bytes(content)
    partial.replace(path)


def _read_form(folder: Path) -> dict[str, Any]:
    where = f"{folder.name}/{FORM}"
    try:
        form = json.loads((folder / FORM).read_bytes(), parse_constant=_refuse_constant)
    except OSError as error:
        raise DataError(f"{where} cannot be read: {error.strerror}.", hint=_FOLDER) from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"{where} is no JSON: {error}.", hint=_HINT) from error
    if not isinstance(form, dict) or form.get("format") != FORMAT:
        raise DataError(
            f"{where} is not of format {FORMAT}, the only one that this version reads.", hint=_HINT
        )
    _require_keys(form, _KEYS, where)
    kinds = {
        "items": list,
        "looks_at": list,
        "facts": dict,
        "changes": dict,
        "fingerprint": str,
        "where": str,
        "key": str,
    }
    for name, kind in kinds.items():
        if not isinstance(form[name], kind):
            raise DataError(f"{where}: {name} must be a {kind.__name__}.", hint=_HINT)
    return form


def _read_arrays(folder: Path) -> dict[str, FloatArray]:
    from safetensors import SafetensorError
    from safetensors.numpy import load as from_bytes

    where = f"{folder.name}/{ARRAYS}"
    try:
        arrays: dict[str, Any] = from_bytes((folder / ARRAYS).read_bytes())
    except OSError as error:
        raise DataError(f"{where} cannot be read: {error.strerror}.", hint=_FOLDER) from error
    except (SafetensorError, KeyError, ValueError) as error:
        raise DataError(f"{where} is no safetensors file: {error}.", hint=_HINT) from error
    for name, array in arrays.items():
        if array.dtype != np.float32:
            raise DataError(f"{where}: {name} holds {array.dtype} instead of float32.", hint=_HINT)
    return arrays


def _change(site: str, told: object, arrays: Mapping[str, FloatArray]) -> Change:
    kind = told.get("kind") if isinstance(told, dict) else None
    if not isinstance(told, dict) or kind not in _CHANGE_KEYS:
        raise DataError(f"{FORM}: the change at {site} is neither an addition nor a gain.", hint=_HINT)
    _require_keys(told, _CHANGE_KEYS[kind], f"{FORM}: {site}")
    if kind == "addition":
        return Addition(_array(arrays, f"{site}/vector"), told["strength"])
    if not isinstance(told["mean"], bool):
        raise DataError(f"{FORM}: {site}: mean must be true or false.", hint=_HINT)
    mean = _array(arrays, f"{site}/mean") if told["mean"] else None
    return Gain(_array(arrays, f"{site}/basis"), told["gain"], mean)


def _array(arrays: Mapping[str, FloatArray], name: str) -> FloatArray:
    if name not in arrays:
        raise DataError(f"{ARRAYS} lacks {name}.", hint=_HINT)
    return arrays[name]


def _require_keys(found: Mapping[str, Any], wanted: set[str], where: str) -> None:
    if unknown := sorted(set(found) - wanted):
        raise DataError(f"{where} has the unknown key {unknown[0]!r}.", hint=_HINT)
    if lacking := sorted(wanted - set(found)):
        raise DataError(f"{where} lacks {lacking[0]!r}.", hint=_HINT)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no finite number")
