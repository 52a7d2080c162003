"""Progress that goes nowhere: the default for tests and for library use."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager


class SilentReporter:
    """A Reporter that shows nothing."""

    @contextmanager
    def task(self, label: str, total: int) -> Iterator[Callable[[int], None]]:
        """Accept and forget."""
        del label, total
        yield lambda steps: None
