"""A steering from a path, whatever tool wrote it: told apart by the path's ending, never by its contents."""

from __future__ import annotations

from pathlib import Path

from brainbench.errors import DataError, UsageError
from brainbench.steering import Steering
from brainbench.steering_exchange import (
    read_control_vector,
    read_lm_eval,
    write_control_vector,
    write_lm_eval,
)
from brainbench.steering_files import ARRAYS, FORM, load

CONTROL_VECTOR, LM_EVAL = ".gguf", ".pt"
_KINDS = (
    f"A steering is a folder that `brainbench steer fit` made, or a file *{CONTROL_VECTOR} or *{LM_EVAL}."
)


def read(path: Path) -> Steering:
    """The steering that a folder, a control vector (.gguf) or lm-eval's dictionary (.pt) holds.

    Either of a folder's two files stands for the folder. Nothing is executed; raises DataError, in one
    sentence, for all that is no steering.
    """
    if path.is_file() and path.name in {FORM, ARRAYS}:
        path = path.absolute().parent
    if not path.exists():
        raise DataError(f"There is no {path}.", hint=_KINDS)
    if path.is_dir():
        return load(path)
    readers = {CONTROL_VECTOR: read_control_vector, LM_EVAL: read_lm_eval}
    if path.suffix not in readers:
        raise DataError(f"{path.name} is no file that steerings are kept in.", hint=_KINDS)
    return readers[path.suffix](path)


def export(steering: Steering, path: Path, *, model_type: str, stack: str, attention: str) -> None:
    """Write a steering for another tool, in the format that the path's ending names.

    model_type is for a control vector, stack and attention for lm-eval's dictionary (see
    `write_control_vector` and `write_lm_eval`). Raises UsageError for what the format cannot hold.
    """
    if path.suffix == CONTROL_VECTOR:
        write_control_vector(steering, path, model_type=model_type)
    elif path.suffix == LM_EVAL:
        write_lm_eval(steering, path, stack=stack, attention=attention)
    else:
        raise UsageError(
            f"{path.name} names no format.",
            hint=f"Let it end in {CONTROL_VECTOR} (repeng, llama.cpp) or {LM_EVAL} (lm-eval).",
        )
