"""Keep a Steering as a folder of two files that cannot execute anything, and read it back, checked.

steering.json holds everything but the arrays, steering.safetensors the arrays. What is read is compared
with the fingerprint that was written.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from brainbench.arrays import FloatArray
from brainbench.errors import DataError, ShapeError
from brainbench.kept_files import KeptFolder, as_json, write_files
from brainbench.steering import Addition, Change, Gain, Steering

FORMAT = 1
FORM, ARRAYS = "steering.json", "steering.safetensors"
_KINDS: dict[str, type] = {
    "items": list,
    "looks_at": list,
    "facts": dict,
    "changes": dict,
    "fingerprint": str,
    "where": str,
    "key": str,
}
_CHANGE_KEYS = {"addition": {"kind", "strength"}, "gain": {"kind", "gain", "mean"}}
_HINT = "Make it again with `brainbench steer fit`, or from Python with brainbench.steering_files.save."
_FOLDER = "Name a folder that `brainbench steer fit` made."


def save(steering: Steering, folder: Path) -> None:
    """Write both files into `folder`, made if need be; an older steering there is replaced.

    The arrays are written first and each file appears whole: what is interrupted between them is refused
    by `load`, never read as a mixture. Raises DataError where nothing can be written.
    """
    from safetensors.numpy import save as as_bytes

    form = {"format": FORMAT, "fingerprint": steering.fingerprint, **steering.form()}
    write_files(folder, {ARRAYS: as_bytes(dict(steering.arrays())), FORM: as_json(form)})


def load(folder: Path) -> Steering:
    """The steering kept in `folder`; raises DataError, in one sentence, for anything else than that."""
    if folder.is_file():
        raise DataError(
            f"{folder.name} is a file; a steering is kept as a folder with {FORM} and {ARRAYS}.",
            hint="Pickled files (.pt, .bin, .pkl) are never opened here: they could execute code.",
        )
    kept = KeptFolder(folder, _FOLDER, _HINT)
    form = kept.read_form(FORM, FORMAT, _KINDS)
    arrays = kept.read_arrays(ARRAYS)
    try:
        changes = {site: _change(kept, site, told, arrays) for site, told in form["changes"].items()}
        steering = Steering(
            changes,
            form["where"],
            tuple(form["items"]),
            tuple(form["looks_at"]),
            form["facts"],
            form["key"],
        )
    except (ShapeError, TypeError) as error:
        raise kept.error(f"{folder.name} holds no steering that could be applied: {error}") from error
    if spare := sorted(set(arrays) - set(steering.arrays())):
        raise kept.error(f"{kept.where(ARRAYS)} holds {spare[0]}, which {FORM} does not name.")
    if steering.fingerprint != form["fingerprint"]:
        raise kept.error(f"{folder.name} was changed after it was written: its fingerprint differs.")
    return steering


def _change(kept: KeptFolder, site: str, told: object, arrays: Mapping[str, FloatArray]) -> Change:
    kind = told.get("kind") if isinstance(told, dict) else None
    if not isinstance(told, dict) or kind not in _CHANGE_KEYS:
        raise kept.error(f"{FORM}: the change at {site} is neither an addition nor a gain.")
    kept.require_keys(told, _CHANGE_KEYS[kind], f"{FORM}: {site}")

    def array(name: str) -> FloatArray:
        if f"{site}/{name}" not in arrays:
            raise kept.error(f"{ARRAYS} lacks {site}/{name}.")
        return arrays[f"{site}/{name}"]

    if kind == "addition":
        return Addition(array("vector"), told["strength"])
    if not isinstance(told["mean"], bool):
        raise kept.error(f"{FORM}: {site}: mean must be true or false.")
    return Gain(array("basis"), told["gain"], array("mean") if told["mean"] else None)
