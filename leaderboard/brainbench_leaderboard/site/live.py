"""A site kept up to date: published into a folder of its own, and again when its database has changed."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

from brainbench.errors import BrainbenchError
from brainbench_leaderboard.site.board import Cards
from brainbench_leaderboard.site.publish import publish
from brainbench_leaderboard.store import Leaderboard

PATIENCE = 5.0  # seconds that a visitor waits for a page made anew, before the one that is there is shown


class LiveSite:
    """The site of a results file in a temporary folder, which goes with it: `folder` in `place`.

    `place` may hold what else goes with it. Raises StoreError when the file cannot be read. What goes wrong
    later, while pages are there to be shown, is told to `warn`.
    """

    def __init__(self, database: Path, cards: Cards, warn: Callable[[str], None]) -> None:
        self._database, self._cards, self._warn = database, cards, warn
        self._kept = tempfile.TemporaryDirectory(prefix="brainbench-site-")
        self.place = Path(self._kept.name)
        self.folder = self.place / "site"
        self._lock = threading.Lock()
        self._making: threading.Thread | None = None
        self._made_of = _state(database)
        try:
            self._publish()
        except BaseException:
            self._kept.cleanup()
            raise

    def __enter__(self) -> LiveSite:
        return self

    def __exit__(self, *_: object) -> None:
        if self._making is not None:  # it writes into the folder
            self._making.join()
        self._kept.cleanup()

    def refresh(self, patience: float = PATIENCE) -> None:
        """Publish again if the file has changed, and wait so long for it; meanwhile the older pages stay."""
        with self._lock:
            if self._making is None or not self._making.is_alive():
                if (state := _state(self._database)) == self._made_of:
                    return
                self._made_of = state
                self._making = threading.Thread(target=self._again)
                self._making.start()
            making = self._making
        making.join(patience)

    def _publish(self) -> None:
        with Leaderboard.reading(self._database) as store:
            publish(store, self.folder, self._cards)

    def _again(self) -> None:
        try:
            self._publish()
        except BrainbenchError as error:
            self._warn(f"{error.message} The pages are those of before.")


def _state(database: Path) -> tuple[object, ...]:
    """What changes with every write: time and size of the file and of the log that is written first."""
    found: list[object] = []
    for path in (database, database.with_name(f"{database.name}-wal")):
        try:
            known = path.stat()
        except OSError:
            found.append(None)
        else:  # an empty log comes and goes with each reader
            found.append((known.st_mtime_ns, known.st_size) if known.st_size else None)
    return tuple(found)
