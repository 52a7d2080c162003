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


def say(reporter: object, sentence: str) -> None:
    """Tell the reader one thing that stays, where the reporter can."""
    tell = getattr(reporter, "say", None)
    if tell is not None:
        tell(sentence)


def relabel(advance: Callable[[int], None], label: str) -> None:
    """Change what stands beside a task under way, where its reporter can."""
    change = getattr(advance, "relabel", None)
    if change is not None:
        change(label)
