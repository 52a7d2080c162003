"""The folder that a prepare writes in: nothing of another dataset in it, and no other process at it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from brainbench.errors import DataError, UsageError
from brainbench.scans.prepared import DESCRIPTION, open_folder

PEOPLE = "participants.tsv"
PEOPLE_COLUMNS = ("participant_id", "trials", "without_answer", "left_out")


@contextmanager
def alone_in(out: Path) -> Iterator[None]:
    """No other process writes there meanwhile: two with other settings would mix theirs. UsageError."""
    from filelock import FileLock, Timeout

    try:
        out.mkdir(parents=True, exist_ok=True)
        lock = FileLock(out / ".lock").acquire(timeout=0)
    except Timeout as error:
        raise UsageError(
            f"Another process prepares {out}.", hint="Wait for it, or name another --out."
        ) from error
    except OSError as error:
        raise DataError(f"Nothing can be written in {out}: {error.strerror}.") from error
    with lock:
        yield


def require_own(out: Path, study: str) -> None:
    """Raise UsageError for a folder whose description or people would be lost: those of another dataset."""
    before = open_folder(out)
    other = (out / DESCRIPTION).exists() and (before is None or before.study != study)
    people = out / PEOPLE
    if not other and people.exists() and not (out / DESCRIPTION).exists():
        other = not people.read_bytes().startswith("\t".join(PEOPLE_COLUMNS).encode())
    if other:
        raise UsageError(
            f"{out} holds another dataset, which would be overwritten.", hint="Name another --out."
        )
