"""One line on standard error for each model and dataset or task that is finished, and for what went wrong."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from rich.text import Text

from brainbench.ideas import IdeaScores
from brainbench.plan import ScorerCell, TaskCell
from brainbench.records import Failure, Record, Reused, Scores, Skip
from brainbench.task_scores import TaskScores
from brainbench.text import plain

if TYPE_CHECKING:
    from rich.console import Console

    from brainbench.plan import AnyCell, Plan

Group = tuple[str, str, str]


class Log:
    """Says when a model is done with a dataset or task; what fails many times for one reason, once."""

    def __init__(self, console: Console, plan: Plan) -> None:
        self.console = console
        self._left = Counter(_group(cell) for cell in plan)
        self._scored: Counter[Group] = Counter()
        self._seconds: Counter[Group] = Counter()
        self._said: set[tuple[str, str, str]] = set()

    def add(self, result: Record | Reused) -> None:
        """Take note of a finished cell, and print what there is to say."""
        cell, group = result.cell, _group(result.cell)
        if isinstance(result, Record):
            outcome = result.outcome
            if isinstance(outcome, Scores | TaskScores | IdeaScores):
                self._scored[group] += 1
                self._seconds[group] += result.provenance["seconds"]
            elif isinstance(outcome, Failure):
                reason = f"{outcome.message} {outcome.hint}".strip()
                who = "" if outcome.phase == "data" else None  # data that fail do so for every model
                self._say("failed", "red", cell, reason, who)
            elif (
                isinstance(outcome, Skip) and not cell.baseline
            ):  # not every baseline is there on every dataset, and the board says why
                self._say("skipped", "yellow", cell, outcome.reason)
        self._left[group] -= 1
        if not self._left[group] and (scored := self._scored[group]):
            who, dataset, change = group
            what = f"{scored} cell{'' if scored == 1 else 's'} scored"
            if isinstance(result, Record) and isinstance(result.outcome, TaskScores):
                what = _accuracy(result.outcome)
            elif isinstance(result, Record) and isinstance(result.outcome, IdeaScores):
                what = _originality(result.outcome)
            self._print("done", "green", f"{who}{change} on {dataset}: {what} ({self._seconds[group]:.1f} s)")

    def _say(self, state: str, style: str, cell: AnyCell, reason: str, who: str | None = None) -> None:
        said = (state, _group(cell)[0] if who is None else who, reason)
        if said not in self._said:
            self._said.add(said)
            self._print(state, style, f"{cell}: {reason}")

    def _print(self, state: str, style: str, line: str) -> None:
        text = Text(f"{state:<8}", style=style).append(plain(line), style="default")
        self.console.print(text, soft_wrap=not self.console.is_terminal)


def _accuracy(scores: TaskScores) -> str:
    steered = scores.details.get("steering", {})
    strength = f" at strength {steered['strength']:g}" if "strength" in steered else ""
    return f"accuracy {scores.accuracy:.3f}{strength}"


def _originality(scores: IdeaScores) -> str:
    lost = f", {scores.unscored} of them unscored" if scores.unscored else ""
    return f"score {scores.score:.3f} of {len(scores.ideas)} texts{lost}"


def _group(cell: AnyCell) -> Group:
    change = cell.intervention.name if cell.intervention else "none"
    who = cell.model.name if cell.model else "ceilings"
    if isinstance(cell, TaskCell):
        what = cell.task.name
    elif isinstance(cell, ScorerCell):
        what = cell.scorer_name if cell.dataset is None else f"{cell.dataset.name}, {cell.scorer_name}"
    else:
        what = cell.dataset.name
    return (who, what, "" if change == "none" else f" + {change}")
