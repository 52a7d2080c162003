"""Where trainings are kept, by what decides them: one that is finished is not trained again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from brainbench.adapter import Adapter
from brainbench.checkpoints import Checkpoint
from brainbench.errors import DataError
from brainbench.fetch import cache_folder
from brainbench.identity import fingerprint


@dataclass(frozen=True, slots=True)
class Training:
    """One training's folder: how far it came, and what it left."""

    folder: Path

    @property
    def checkpoint(self) -> Checkpoint:
        """Where to go on from."""
        return Checkpoint(self.folder)

    def finished(self) -> Adapter | None:
        """What it left; None if it is not finished, or what it left is damaged."""
        from brainbench.adapter_files import load

        try:
            return load(self.folder / "adapter")
        except DataError:
            return None

    def keep(self, adapter: Adapter) -> None:
        """Note that it is finished. Raises DataError where nothing can be written."""
        from brainbench.adapter_files import save

        try:
            save(adapter, self.folder / "adapter")
        except OSError as error:
            raise DataError(
                f"A finished training cannot be kept in {self.folder}: {error.strerror}.",
                hint="Make room there, or set BRAINBENCH_CACHE to another folder.",
            ) from error
        self.checkpoint.clear()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Wait until no other process is at this training."""
        from filelock import FileLock

        self.folder.mkdir(parents=True, exist_ok=True)
        with FileLock(self.folder / ".lock"):
            yield


def _root() -> Path:
    return cache_folder() / "trainings"


@dataclass(frozen=True, slots=True)
class Trainings:
    """All of them, below one folder of the cache."""

    root: Path = field(default_factory=_root)

    def of(self, facts: Mapping[str, Any]) -> Training:
        """The training that these facts decide."""
        return Training(self.root / fingerprint(dict(facts)))
