"""The device that a model runs on, and what running out of its memory looks like."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

from brainbench.errors import ModelError

if TYPE_CHECKING:
    import torch

_KINDS = ("cpu", "cuda", "mps", "xpu")
_OUT_OF_MEMORY = ("can't allocate memory", "not enough memory", "out of memory")


def choose(asked: str) -> torch.device:
    """The device named, or for "auto" an accelerator if there is one; ModelError if it cannot be used."""
    import torch

    if asked == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(asked)
        if device.type not in _KINDS:
            raise RuntimeError("no kind of device that models run on")
        if device.type == "cpu" and device.index:
            raise RuntimeError("there is one cpu device")
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise ModelError(
            f"The device {asked!r} is not known or cannot be used on this machine.",
            hint="Use --device auto, cpu, cuda, cuda:N or mps.",
        ) from error
    return device


def out_of_memory(error: BaseException) -> bool:
    """Whether an exception means that memory ran out: CUDA, MPS, and the CPU's allocator all differ."""
    import torch

    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error) for words in _OUT_OF_MEMORY)


def release() -> None:
    """Give memory that is no longer used back to the device."""
    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    if torch.backends.mps.is_available():
        torch.mps.empty_cache()


def free_memory(device: torch.device) -> int:
    """Bytes that can still be taken, those that torch holds without use included."""
    import psutil
    import torch

    if device.type == "cuda":
        unused = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return int(torch.cuda.mem_get_info(device)[0]) + unused
    return int(psutil.virtual_memory().available)
