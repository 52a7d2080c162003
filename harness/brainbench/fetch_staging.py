"""Private folders in which files are made before they are moved into place, and the sweeping of dead ones."""

from __future__ import annotations

import os
import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_ABANDONED_AFTER = 24 * 3600.0  # seconds; used only where files cannot be locked


@contextmanager
def staging_folder(root: Path) -> Iterator[Path]:
    """A new folder under `root` for this process alone, removed with all in it on leaving.

    A locked file beside it shows others that its maker is alive: the system drops the lock with the
    process, however it ends. Raises OSError when nothing can be written there.
    """
    root.mkdir(parents=True, exist_ok=True)
    lock, handle = _claim(root)
    folder = lock.with_suffix("")
    try:
        folder.mkdir()
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(handle)
        with suppress(OSError):
            lock.unlink()


def sweep(root: Path) -> None:
    """Remove what processes that died left under `root`; what cannot be removed stays."""
    with suppress(OSError):
        for lock in list(root.glob("*.lock")):
            with suppress(OSError):
                _sweep_one(lock)


def _sweep_one(lock: Path) -> None:
    handle = os.open(lock, os.O_RDWR)
    try:
        locked = _try_lock(handle)
        old = time.time() - os.fstat(handle).st_mtime > _ABANDONED_AFTER
        dead = old if locked is None else locked
        if dead:
            shutil.rmtree(lock.with_suffix(""), ignore_errors=True)
    finally:
        os.close(handle)
    if dead:
        lock.unlink()


def _claim(root: Path) -> tuple[Path, int]:
    while True:
        lock = root / f"{uuid.uuid4().hex}.lock"
        handle = os.open(lock, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o666)
        # Another process may sweep the file between its making and its locking: then take a new one.
        if _try_lock(handle) is not False and os.fstat(handle).st_nlink:
            return lock, handle
        os.close(handle)


def _try_lock(handle: int) -> bool | None:
    """True when the lock is ours now, False when another process holds it, None without locks here."""
    try:
        import fcntl
    except ImportError:  # Windows
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # some network file systems
        return None
    return True
