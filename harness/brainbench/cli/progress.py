"""Progress bars with a rate and the time left; on a pipe, nothing moves and nothing is drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Column
from rich.text import Text

from brainbench.text import plain


class RateColumn(ProgressColumn):
    """Steps a second."""

    def render(self, task: Task) -> Text:
        """The recent rate, or nothing before there is one."""
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:,.1f}/s", style="dim")


class BarReporter:
    """A Reporter that draws one bar for each task under way."""

    def __init__(self, console: Console) -> None:
        shrinking = Column(ratio=1, no_wrap=True, overflow="ellipsis")
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False, table_column=shrinking),
            BarColumn(bar_width=12),
            MofNCompleteColumn(table_column=Column(no_wrap=True, min_width=9)),
            RateColumn(table_column=Column(no_wrap=True, min_width=8)),
            TimeRemainingColumn(compact=True, table_column=Column(no_wrap=True, min_width=5)),
            console=console,
            transient=True,
            disable=not console.is_terminal,
            expand=True,
        )

    def __enter__(self) -> BarReporter:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    @contextmanager
    def task(self, label: str, total: int) -> Iterator[Callable[[int], None]]:
        """Draw a bar until the block is left."""
        bar = self._progress.add_task(plain(label), total=total)
        try:
            yield _Bar(self._progress, bar)
        finally:
            self._progress.remove_task(bar)

    def say(self, sentence: str) -> None:
        """Print a line that stays, above the bars."""
        self._progress.console.print(plain(sentence), markup=False, soft_wrap=True)


@dataclass(frozen=True, slots=True)
class _Bar:
    """One bar under way: takes the number of steps just done."""

    progress: Progress
    bar: TaskID

    def __call__(self, steps: int) -> None:
        self.progress.advance(self.bar, steps)

    def relabel(self, label: str) -> None:
        self.progress.update(self.bar, description=plain(label))
