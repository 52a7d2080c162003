"""Public files, fetched once into a cache and checked by their hash every time they are handed out.

A file is named by repository, commit, path and sha256, so nothing can change under a name. The cache is
the user's cache folder or BRAINBENCH_CACHE; BRAINBENCH_MIRROR is asked instead of the origin.
"""

from __future__ import annotations

import functools
import logging
import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from brainbench.errors import DataError
from brainbench.fetch_origins import Origin, origin_from_environment
from brainbench.fetch_staging import staging_folder, sweep
from brainbench.nouns import Reporter

_OWNER_AND_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*/(?!\.\.?\Z)[A-Za-z0-9._-]+")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_UNSAFE_IN_PATH = re.compile(r"[\x00-\x1f\x7f\\:]")  # backslash and colon change folder on Windows

# What this process has hashed: a file is hashed again only when its size or time has changed.
_seen: dict[Path, tuple[int, int, str]] = {}


@dataclass(frozen=True, slots=True)
class Repository:
    """A public repository at one commit: `name` is "owner/name", `commit` its 40 hexadecimal digits.

    Raises DataError when either is malformed.
    """

    name: str
    commit: str

    def __post_init__(self) -> None:
        if not _OWNER_AND_NAME.fullmatch(self.name):
            raise DataError(f"{self.name!r} is no repository name.", hint='Write it as "owner/name".')
        if not _COMMIT.fullmatch(self.commit):
            raise DataError(
                f"{self.commit!r} is no commit of {self.name}.",
                hint="Give the full 40 hexadecimal digits: branches and tags move.",
            )


@dataclass(frozen=True, slots=True)
class RepositoryFile:
    """A file of a repository: its path there, with forward slashes, and the sha256 of its bytes.

    Raises DataError when the path could lead out of its folder or the hash is malformed.
    """

    repository: Repository
    path: str
    sha256: str

    def __post_init__(self) -> None:
        segments = self.path.split("/")
        if _UNSAFE_IN_PATH.search(self.path) or not {"", ".", ".."}.isdisjoint(segments):
            raise DataError(
                f"{self.path!r} cannot be a file of {self.repository.name}.",
                hint='Paths are relative, with forward slashes, and without ".." or empty parts.',
            )
        if not _SHA256.fullmatch(self.sha256):
            raise DataError(
                f"{self.sha256!r} is no sha256 of {self.path}.", hint="Give 64 lower-case hexadecimal digits."
            )

    @property
    def parts(self) -> tuple[str, ...]:
        """Where the file lies below the root of a cache, a mirror or the origin."""
        return (*self.repository.name.split("/"), self.repository.commit, *self.path.split("/"))

    def __str__(self) -> str:
        return f"{self.path} of {self.repository.name}"


def cache_folder() -> Path:
    """The root of the cache: BRAINBENCH_CACHE, or "brainbench" in the user's cache folder."""
    chosen = os.environ.get("BRAINBENCH_CACHE")
    if chosen:
        return Path(chosen).expanduser().absolute()
    import platformdirs

    return Path(platformdirs.user_cache_dir("brainbench", appauthor=False))


def fetch(files: Sequence[RepositoryFile], reporter: Reporter) -> list[Path]:
    """Make sure that all `files` lie in the cache, intact, and return their paths in the same order.

    One progress task runs over the files. Several processes may fetch into one cache at once: each moves
    whole, checked files into place. Raises DataError when a file cannot be had or is not what it should
    be, or when the cache cannot be written; nothing half-written stays.
    """
    cache = cache_folder()
    sweep(_staging_root(cache))
    origin = functools.cache(origin_from_environment)  # asked for only when something is missing
    names = sorted({file.repository.name for file in files})
    with reporter.task(f"fetching {', '.join(names)}", len(files)) as advance:
        paths = []
        for file in files:
            paths.append(_ensure(file, cache, origin))
            advance(1)
    return paths


def _staging_root(cache: Path) -> Path:
    return cache / ".staging"  # no owner's name starts with a dot


def _ensure(file: RepositoryFile, cache: Path, origin: Callable[[], Origin]) -> Path:
    """The path of an intact copy in the cache, fetched anew when it is missing or damaged."""
    target = cache.joinpath(*file.parts)
    with _cache_trouble_explained(cache):
        if not _is_intact(target, file.sha256):
            with staging_folder(_staging_root(cache)) as folder:
                arrived = _download(file, origin(), folder)
                target.parent.mkdir(parents=True, exist_ok=True)
                arrived.replace(target)  # within one file system: readers see all of it or none
    return target


def _is_intact(path: Path, sha256: str) -> bool:
    if not path.is_file():
        return False
    status = path.stat()
    known = _seen.get(path)
    if known and known[:2] == (status.st_size, status.st_mtime_ns):
        return known[2] == sha256
    import hashlib

    with path.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    _seen[path] = (status.st_size, status.st_mtime_ns, found)
    return found == sha256


def _download(file: RepositoryFile, origin: Origin, folder: Path) -> Path:
    """Fetch into `folder` through pooch, which checks the hash and tries once more on a wrong one."""
    import pooch

    where = origin.locate(file.parts)
    received = ""

    def transfer(url: str, output: str, _: object) -> None:
        nonlocal received
        # pooch makes its temporary file readable by the owner only; a file of our own follows the umask.
        part = Path(f"{output}.part")
        origin.transfer(url, part, what=str(file))
        received = pooch.file_hash(str(part))
        part.replace(output)

    name = Path(file.path).name
    store = pooch.Pooch(
        path=folder,
        base_url="",
        registry={name: f"sha256:{file.sha256}"},
        urls={name: where},
        retry_if_failed=1 if origin.may_recover else 0,
    )
    with _quiet(pooch.get_logger()):
        try:
            return Path(store.fetch(name, downloader=transfer))
        except ValueError:  # so pooch says that a hash is wrong
            raise DataError(
                f"{file} came from {where} with sha256 {received[:12]}... instead of {file.sha256[:12]}....",
                hint=f"The file was damaged on the way or is another one there; {origin.advice}",
            ) from None


@contextmanager
def _quiet(logger: logging.Logger) -> Iterator[None]:
    """Keep pooch from writing to the terminal: progress is the reporter's."""
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


@contextmanager
def _cache_trouble_explained(cache: Path) -> Iterator[None]:
    """Turn the system's refusal to read or write the cache into a DataError."""
    try:
        yield
    except OSError as error:
        raise DataError(
            f"The cache folder {cache} cannot be used: {error.strerror or error}.",
            hint="Set BRAINBENCH_CACHE to a folder that you may write to, on a disk with free space.",
        ) from error
