"""Files of a site, written one by one and whole, so that a reader never meets half a page."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath

from brainbench.errors import StoreError

File = tuple[str, str | bytes]  # its place below the site's folder, and what stands in it
LIST = ".brainbench-site.json"  # what was written: what is no longer there is removed, and nothing else
BEGUN = ".brainbench-site.begun"  # the same, a line each, of a site that is not finished
LOCK = ".brainbench-site.lock"  # held by who writes
_LARGEST = 100_000_000  # bytes of a list


def write(folder: Path, files: Iterable[File]) -> int:
    """Write the files of a site into a folder, and remove those of an earlier site that are not among them.

    Returns their number. Files that no site has written are left alone. Raises StoreError when something
    cannot be written, would take the place of such a file or lie outside the folder, and where another site
    is just being written.
    """
    written: dict[str, None] = {}
    path = folder
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _alone(folder):
            unfinished = _begun(folder)
            earlier = dict.fromkeys((*_listed(folder), *unfinished))
            _make_room(
                folder, folder / "index.html", ours="index.html" in earlier
            )  # before anything is written
            _replace(folder / BEGUN, "".join(json.dumps(name) + "\n" for name in unfinished))
            with (folder / BEGUN).open("a", encoding="utf-8") as begun:
                for name, content in files:
                    path = folder / _checked(name)
                    _make_room(folder, path, ours=name in earlier)
                    if name not in earlier:  # told before it is there: a site never finished is cleared, too
                        begun.write(json.dumps(name) + "\n")
                        begun.flush()
                        earlier[name] = None
                    _replace(path, content)
                    written[name] = None
            path = folder / LIST
            _replace(path, json.dumps(list(written), indent=0))
            (folder / BEGUN).unlink()
            for name in set(earlier) - set(written):
                _remove(folder, name)
    except OSError as error:
        raise StoreError(
            f"The page {path} cannot be written: {error.strerror}.", hint="Check the folder, or name another."
        ) from error
    return len(written)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """While nobody else writes a site there: two at once would clear away each other's pages."""
    from filelock import FileLock, Timeout

    lock = FileLock(folder / LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise StoreError(
            f"Another site is being written into {folder}.", hint="Wait for it, or name another folder."
        ) from None
    try:
        yield
    finally:
        with suppress(OSError):  # where an open file cannot be removed it stays
            (folder / LOCK).unlink()
        lock.release()


def _checked(name: str) -> PurePosixPath:
    """A place below the folder, and no hidden one."""
    path = PurePosixPath(name)
    if path.is_absolute() or not path.parts or any(c in name for c in "\\\0"):
        raise ValueError(f"{name!r} is no place in a site.")
    if any(part.startswith(".") for part in path.parts):
        raise ValueError(f"{name!r} is no place in a site.")
    return path


def _make_room(folder: Path, path: Path, *, ours: bool) -> None:
    """The folder of a file. Raises StoreError for a link that leads out, or a stranger's file."""
    if not path.parent.resolve().is_relative_to(folder.resolve()):
        raise StoreError(f"{path.parent} is a link out of the site's folder.", hint="Remove it first.")
    path.parent.mkdir(parents=True, exist_ok=True)
    if not ours and path.is_file():
        raise StoreError(
            f"{path} is there already, and is no page that brainbench has written.",
            hint="Publish into a folder of its own, or remove the file first.",
        )


def _listed(folder: Path) -> list[str]:
    """What an earlier site wrote; nothing where its list is missing or no list of ours."""
    try:
        told = json.loads(_text(folder / LIST))
    except (ValueError, RecursionError):
        return []
    return [name for name in told if isinstance(name, str)] if isinstance(told, list) else []


def _begun(folder: Path) -> list[str]:
    """What was written of a site that was never finished."""
    names = []
    for line in _text(folder / BEGUN).splitlines():
        with suppress(ValueError, RecursionError):
            names.append(json.loads(line))
    return [name for name in names if isinstance(name, str)]


def _text(path: Path) -> str:
    """What stands in a plain file of no absurd size; nothing where there is none."""
    try:
        if path.is_file() and path.stat().st_size <= _LARGEST:
            return path.read_text("utf-8", "replace")
    except OSError:
        pass
    return ""


def _remove(folder: Path, name: str) -> None:
    """A file that the list names; a list that somebody changed can name nothing outside, nor hidden."""
    with suppress(ValueError):
        path = folder / _checked(name)
        if path.resolve().is_relative_to(folder.resolve()):
            with suppress(OSError):  # it is gone, or is no file
                path.unlink()
            with suppress(OSError):  # not empty, or the site's own folder
                path.parent.rmdir()


def _replace(path: Path, content: str | bytes) -> None:
    data = content.encode("utf-8", "backslashreplace") if isinstance(content, str) else content
    with suppress(OSError):
        if path.is_file() and not path.is_symlink() and path.read_bytes() == data:
            return  # its time stays: neither a browser nor a copy of the site needs it again
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".site-")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(name, 0o666 & ~mask)  # mkstemp's files are for nobody else, a page is for others
        os.replace(name, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(name)
        raise
