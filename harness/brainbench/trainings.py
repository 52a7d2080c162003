"""Where trainings are kept, by what decides them: one that is finished is not trained again."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from brainbench.adapter import Adapter
from brainbench.checkpoints import Checkpoint
from brainbench.errors import DataError
from brainbench.fetch import cache_folder
from brainbench.identity import fingerprint
from brainbench.kept_files import alone_at
from brainbench.nouns import Reporter


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
        except DataError as error:
            hint = "Make room there, or set BRAINBENCH_CACHE to another folder."
            raise DataError(error.message, hint=hint) from error
        self.checkpoint.clear()

    def alone(self, reporter: Reporter) -> AbstractContextManager[None]:
        """Wait until no other process is at this training, and say so; DataError where none can be kept."""
        waiting = "Another process is at the same training: waiting until it has finished."
        return alone_at(self.folder, reporter, what="A training", waiting=waiting)


def _root() -> Path:
    return cache_folder() / "trainings"


@dataclass(frozen=True, slots=True)
class Trainings:
    """All of them, below one folder of the cache."""

    root: Path = field(default_factory=_root)

    def of(self, facts: Mapping[str, Any]) -> Training:
        """The training that these facts decide."""
        return Training(self.root / fingerprint(dict(facts)))
