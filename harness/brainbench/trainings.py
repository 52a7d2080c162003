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
from brainbench.nouns import Reporter
from brainbench.progress import say


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

    @contextmanager
    def alone(self, reporter: Reporter) -> Iterator[None]:
        """Wait until no other process is at this training, and say so; DataError where none can be kept."""
        from filelock import FileLock, Timeout

        lock = FileLock(self.folder / ".lock")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            try:
                lock.acquire(timeout=0)
            except Timeout:
                say(reporter, "Another process is at the same training: waiting until it has finished.")
                lock.acquire()
        except OSError as error:
            sentence = f"A training cannot be kept in {self.folder}: {error.strerror}."
            raise DataError(sentence, hint="Set BRAINBENCH_CACHE to a folder of yours.") from error
        try:
            yield
        finally:
            lock.release()


def _root() -> Path:
    return cache_folder() / "trainings"


@dataclass(frozen=True, slots=True)
class Trainings:
    """All of them, below one folder of the cache."""

    root: Path = field(default_factory=_root)

    def of(self, facts: Mapping[str, Any]) -> Training:
        """The training that these facts decide."""
        return Training(self.root / fingerprint(dict(facts)))
