"""Folders that commands write: whether they may, said before minutes of work."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path

from brainbench.errors import UsageError

ANOTHER = "Name another --out."


def require_free(path: Path, what: str, files: Collection[str], *, force: bool) -> None:
    """Raise UsageError unless a folder may be made or written there, without these files unless forced.

    what: the thing to be kept there, with its article.
    """
    if path.exists() and not path.is_dir():
        raise UsageError(f"{path} is a file; {what} is kept as a folder.", hint=ANOTHER)
    if not force and any((path / name).exists() for name in files):
        raise UsageError(f"There is {what} in {path} already.", hint="Name another --out, or add --force.")
    nearest = next(folder for folder in (path, *path.absolute().parents) if folder.exists())
    if not nearest.is_dir() or not os.access(nearest, os.W_OK | os.X_OK):
        raise UsageError(f"{path} cannot be made: nothing can be written in {nearest}.", hint=ANOTHER)
