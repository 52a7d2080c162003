"""Files of a site, written one by one and whole, so that a reader never meets half a page."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path, PurePosixPath

from brainbench.errors import StoreError

File = tuple[str, str | bytes]  # its place below the site's folder, and what stands in it
LIST = ".brainbench-site.json"  # what was written: what is no longer there is removed, and nothing else


def write(folder: Path, files: Iterable[File]) -> int:
    """Write the files of a site into a folder, and remove those of an earlier site that are not among them.

    Returns their number. Files that no site has written are left alone, unless a page has their very name.
    Raises StoreError when something cannot be written.
    """
    written: dict[str, None] = {}
    earlier = _listed(folder)
    path = folder
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files:
            path = folder / _checked(name)
            path.parent.mkdir(parents=True, exist_ok=True)
            _replace(path, content)
            written[name] = None
            if name not in earlier:  # listed at once: a site that is never finished is also cleared away
                earlier.append(name)
        _replace(folder / LIST, json.dumps(list(written), indent=0))
        for name in set(earlier) - set(written):
            _remove(folder, name)
    except OSError as error:
        raise StoreError(
            f"The page {path} cannot be written: {error.strerror}.", hint="Check the folder, or name another."
        ) from error
    return len(written)


def _checked(name: str) -> PurePosixPath:
    """A place below the folder."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or not path.parts or "\\" in name:
        raise ValueError(f"{name!r} is no place in a site.")
    return path


def _listed(folder: Path) -> list[str]:
    """What an earlier site wrote; nothing where its list is missing or no list of ours."""
    try:
        told = json.loads((folder / LIST).read_text("utf-8"))
    except (OSError, ValueError):
        return []
    return [name for name in told if isinstance(name, str)] if isinstance(told, list) else []


def _remove(folder: Path, name: str) -> None:
    """A file that the list names; a list that somebody changed can name nothing outside the folder."""
    with suppress(ValueError):
        path = folder / _checked(name)
        if path.resolve().is_relative_to(folder.resolve()):
            path.unlink(missing_ok=True)
            with suppress(OSError):  # not empty, or the site's own folder
                path.parent.rmdir()


def _replace(path: Path, content: str | bytes) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".site-")
    data = content.encode("utf-8", "backslashreplace") if isinstance(content, str) else content
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
