"""How far a training came, on disk: one file that appears whole or not at all, and executes nothing."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from brainbench.arrays import FloatArray
from brainbench.errors import DataError

STATE = "training.safetensors"
_NOTE = "state"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The state of one training: float32 arrays by name, and plain JSON."""

    folder: Path

    def save(self, arrays: Mapping[str, FloatArray], note: Mapping[str, Any]) -> None:
        """Take the place of what was kept before; raises DataError where nothing can be written."""
        from safetensors.numpy import save

        content = save(dict(arrays), {_NOTE: json.dumps(dict(note), allow_nan=False)})
        partial = self.folder / f".{STATE}.{os.getpid()}"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with partial.open("wb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
            partial.replace(self.folder / STATE)
        except OSError as error:
            partial.unlink(missing_ok=True)
            raise DataError(
                f"How far the training came cannot be kept in {self.folder}: {error.strerror}.",
                hint="Make room there, or set BRAINBENCH_CACHE to another folder.",
            ) from error

    def load(self) -> tuple[dict[str, FloatArray], dict[str, Any]] | None:
        """What was kept; None where nothing is, or what is there is damaged: training then starts anew."""
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(self.folder / STATE, framework="numpy") as file:
                note = json.loads((file.metadata() or {})[_NOTE])
                arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
        except (OSError, SafetensorError, KeyError, ValueError):
            return None
        return (arrays, note) if isinstance(note, dict) else None

    def clear(self) -> None:
        """Forget it, and what it started from: the training is finished."""
        for path in list(self.folder.rglob(STATE)):
            path.unlink(missing_ok=True)
