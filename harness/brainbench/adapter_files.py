"""Keep an Adapter as a folder of files that cannot execute anything, and read it back, checked.

A LoRA is kept in the form of the package peft, which can load the folder as it is; brainbench.json beside it
says who learnt it on what. Other weights are kept in weights.safetensors with brainbench.json. What is read
is compared with the fingerprint that was written. A folder of peft's without brainbench.json is read, too.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any, get_args

from brainbench import adapter_peft as peft
from brainbench.adapter import Adapter, Kind
from brainbench.errors import DataError, ShapeError
from brainbench.kept_files import KeptFolder, as_json, write_files

FORMAT = 1
FORM, WEIGHTS = "brainbench.json", "weights.safetensors"
FILES = (FORM, WEIGHTS, peft.CONFIG, peft.ARRAYS)
_KINDS: dict[str, type] = {"fingerprint": str, "kind": str, "looks_at": list, "facts": dict}
_HINT = "Make it again with `brainbench tune fit`, or with peft's save_pretrained."
_FOLDER = "Name a folder that `brainbench tune fit` or peft's save_pretrained made."


def save(adapter: Adapter, folder: Path) -> None:
    """Write it into `folder`, made if need be; an older adapter there is replaced.

    Arrays are written first, and what brainbench knows of a LoRA before what peft needs to open it: what is
    interrupted is refused by `load` or is the older one, never a mixture and never one of unknown origin.
    Raises DataError where nothing can be written.
    """
    from safetensors.numpy import save as as_bytes

    told = adapter.form()
    form: dict[str, Any] = {"format": FORMAT, "fingerprint": adapter.fingerprint}
    form |= {name: told[name] for name in ("kind", "looks_at", "facts")}
    if adapter.kind == "lora":
        arrays = as_bytes(peft.named(adapter), {"format": "pt"})
        files = {peft.ARRAYS: arrays, FORM: as_json(form), peft.CONFIG: as_json(peft.config(adapter))}
    else:
        form |= {name: told[name] for name in ("rank", "alpha")}
        files = {WEIGHTS: as_bytes(dict(adapter.weights)), FORM: as_json(form)}
    write_files(folder, files)
    for name in set(FILES) - set(files):  # of an older one of another kind
        with suppress(OSError):
            (folder / name).unlink(missing_ok=True)


def load(path: Path) -> Adapter:
    """The adapter kept in a folder; any of its files stands for it.

    Nothing is executed. Raises DataError, in one sentence, for anything else, and for an adapter of peft's
    that would not give the same numbers here.
    """
    folder = path.absolute().parent if path.is_file() and path.name in FILES else path
    if folder.is_file():
        raise DataError(
            f"{folder.name} is a file; an adapter is kept as a folder.",
            hint=f"Pickled files (.pt, .bin) are never opened here: they could execute code. {_FOLDER}",
        )
    if not folder.is_dir():
        raise DataError(f"There is no folder {folder}.", hint=_FOLDER)
    kept = KeptFolder(folder, _FOLDER, _HINT)
    ours = (folder / FORM).exists()
    if not ours and not (folder / peft.CONFIG).exists():
        raise DataError(f"{folder.name} holds no adapter: neither {FORM} nor {peft.CONFIG}.", hint=_FOLDER)
    try:
        return _read_ours(kept) if ours else peft.read(kept)
    except (ShapeError, TypeError, OverflowError) as error:
        raise kept.error(f"{folder.name} holds no adapter that could be applied: {error}") from error


def _read_ours(kept: KeptFolder) -> Adapter:
    kind: Kind = "full" if kept.read_object(FORM).get("kind") == "full" else "lora"
    more: dict[str, type] = {"rank": int, "alpha": float} if kind == "full" else {}
    form = kept.read_form(FORM, FORMAT, {**_KINDS, **more})
    if form["kind"] not in get_args(Kind):
        raise kept.error(f"{kept.where(FORM)}: kind must be {' or '.join(get_args(Kind))}.")
    looks_at = tuple(form["looks_at"])
    if kind == "lora":
        plain = peft.read(kept)
        adapter = Adapter(kind, plain.weights, plain.rank, plain.alpha, looks_at, form["facts"])
    else:
        weights = kept.read_arrays(WEIGHTS)
        adapter = Adapter(kind, weights, form["rank"], form["alpha"], looks_at, form["facts"])
    if adapter.fingerprint != form["fingerprint"]:
        raise kept.error(f"{kept.folder.name} was changed after it was written: its fingerprint differs.")
    return adapter
