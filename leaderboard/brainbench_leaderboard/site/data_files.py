"""Data that pages load without a network: from a disk a page may load scripts, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def script(name: str, value: Any) -> str:
    """A script that puts a value into `brainbenchData[name]`; assets/data.js has to be loaded before it.

    The value is told as JSON text in a string, so that nothing in it is ever taken for code: not even a name
    such as __proto__, which has a meaning in an object that is written out. Raises ValueError for a number
    that is not finite.
    """
    text = json.dumps(value, allow_nan=False, separators=(",", ":"))
    return f"brainbenchData[{json.dumps(name)}] = JSON.parse({json.dumps(text)});\n"


def rounded(value: Any) -> Any:
    """The same with its numbers in six digits, which is more than any interval leaves, and half as long."""
    if isinstance(value, float):
        return float(f"{value:.6g}")
    if isinstance(value, Mapping):
        return {name: rounded(one) for name, one in value.items()}
    return [rounded(one) for one in value] if isinstance(value, list | tuple) else value
