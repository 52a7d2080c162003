"""Large matrix products: on a graphics processor where one is in use, else by numpy.

Metrics are written in numpy; what takes their time is a few products of large matrices. Where torch is loaded
and sees a CUDA device these go there and come back, in the arrays' own precision (no TF32), so that results
agree to rounding. Small products stay: the way there takes longer than they do.
"""

from __future__ import annotations

import sys
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

WORTH_IT = 1 << 30  # multiply-adds from which the way to the device and back pays

Number = TypeVar("Number", np.float32, np.float64)


def product(a: NDArray[Number], b: NDArray[Number]) -> NDArray[Number]:
    """The product of a (m x k) and b (k x n): (m x n), of their common dtype."""
    device = _device() if a.shape[0] * a.shape[1] * b.shape[1] >= WORTH_IT else None
    if device is None:
        return a @ b
    import torch

    first, second = (torch.from_numpy(np.ascontiguousarray(side)).to(device) for side in (a, b))
    made: NDArray[Number] = (first @ second).cpu().numpy()
    return made


def _device() -> Any:
    """The CUDA device, if torch is loaded (that takes a second) and sees one."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_available():
        return None
    return torch.device("cuda")
