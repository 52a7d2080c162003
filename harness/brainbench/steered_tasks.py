"""A task asked of a steered model: fit, choose the strength on other problems, ask once."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, get_args

from brainbench.errors import PluginError
from brainbench.nouns import OpenModel, Task
from brainbench.perplexity import Perplexity, cost
from brainbench.plan import TaskCell, needs_dataset
from brainbench.records import Outcome, Skip
from brainbench.slots import phase
from brainbench.steering import Fits, Role, Steerable, Steering
from brainbench.task_exposure import told_of_fit
from brainbench.task_nouns import LanguageModel, validation_of
from brainbench.task_scores import TaskScores
from brainbench.workbench import Workbench


@dataclass(frozen=True)
class Choice:
    """The strength taken, and what each that was tried reached on the task on which it was chosen."""

    strength: float
    task: str
    items: int
    accuracies: tuple[tuple[float, float], ...]

    @classmethod
    def of(cls, task: str, tried: Sequence[tuple[float, TaskScores]]) -> Choice:
        """The best; of equal ones the one that changes least, and the first of these."""
        reached = tuple((strength, scores.accuracy) for strength, scores in tried)
        best, _ = max(reached, key=lambda found: (found[1], -abs(found[0])))
        return cls(best, task, len(tried[0][1].items), reached)

    def told(self) -> dict[str, Any]:
        """What a reader is told beside the strength, as plain JSON."""
        return {
            "task": self.task,
            "items": self.items,
            "accuracies": [list(pair) for pair in self.accuracies],
        }


def ask_steered(cell: TaskCell, bench: Workbench, made: dict[str, Any]) -> Outcome:
    """What the cell's task makes of the steered model, with details on how it was steered.

    `made` is told how the model was run. Under protocol "validation" the strength is chosen on the task's
    validation set; "paper" takes what is best on the task itself, as Xiao, Du & Lin (2026) did. A steering
    whose rows belong to single items, or that has nothing to choose from, is applied as it was fitted.
    """
    change = cell.intervention
    assert isinstance(change, Fits)
    _require_sense(change)
    if cell.dataset is None and needs_dataset(change):
        return Skip(f"{change.name!r} is learnt from brain data: name a dataset, too.")
    model = bench.unchanged(cell)
    if not isinstance(model, OpenModel):
        return Skip(f"{cell.model.name} is no model whose states could be changed.")
    steering = bench.fitted(cell, model)
    if isinstance(steering, Skip):
        return Skip(f"The intervention {change.name} cannot be fitted: {steering.reason}")
    asked = _Asked(cell, bench, model, steering, made)
    found = asked.chosen(change.strengths)
    if isinstance(found, Skip):
        return found
    choice, scores = found
    strength = choice.strength if choice else 1.0
    told = {
        **scores.details["steering"],
        "fitted": told_of_fit(steering.facts, cell.dataset),
        "role": change.role,
        "strength": strength,
        "protocol": cell.protocol if choice else "fixed",
        "choice": choice.told() if choice else None,
        "perplexity": asked.cost(strength),
    }
    return replace(scores, details={**scores.details, "steering": told})


def _require_sense(change: Any) -> None:
    """Raise PluginError unless an intervention's role and strengths are what Fits says."""
    if change.role not in get_args(Role):
        raise PluginError(f"The role of {change.name} is {change.role!r}, neither brain nor control.")
    known = isinstance(change.strengths, tuple)
    if not known or not all(isinstance(one, int | float) and math.isfinite(one) for one in change.strengths):
        raise PluginError(f"The strengths of {change.name} are no tuple of finite numbers.")


def _require_others(choice: Choice, scores: TaskScores, tried: TaskScores) -> None:
    """Raise PluginError if what a strength was chosen on is in the test: it would be chosen there."""
    asked = {item.prompt_hash for item in tried.items}
    if shared := sum(item.prompt_hash in asked for item in scores.items):
        raise PluginError(f"The validation set {choice.task} has {shared} of the items it is to choose for.")


class _Asked:
    """One open model and a steering fitted on it, to be asked at several strengths."""

    def __init__(
        self, cell: TaskCell, bench: Workbench, model: OpenModel, steering: Steering, made: dict[str, Any]
    ) -> None:
        self._cell, self._bench, self._model = cell, bench, model
        self._steering, self._made = steering, made

    def chosen(self, strengths: tuple[float, ...]) -> tuple[Choice | None, TaskScores] | Skip:
        """What was chosen, if anything was to be chosen, and the task's scores with it."""
        task = self._cell.task
        own = self._cell.protocol == "paper"
        others = task if own else validation_of(task)
        single = self._steering.items and not self._steering.key
        if not strengths or single or others is None:
            scores = self.at(1.0, task)
            return scores if isinstance(scores, Skip) else (None, scores)
        tried: list[tuple[float, TaskScores]] = []
        for strength in dict.fromkeys(strengths):
            scores = self._once(strength, others)
            if isinstance(scores, Skip):
                return scores
            tried.append((strength, scores))
        choice = Choice.of(others.name, tried)
        final = dict(tried)[choice.strength] if own else self.at(choice.strength, task)
        if isinstance(final, Skip):
            return final
        if not own:
            _require_others(choice, final, tried[0][1])
        return choice, final

    def _once(self, strength: float, task: Task) -> TaskScores | Skip:
        """The same, kept for the next task whose strength is chosen on this one."""
        key = (task.name, task.version, self._cell.limit, strength)
        nothing = strength == 0 and task is not self._cell.task  # no steering is no steering, whichever
        kept = self._bench.untouched(self._cell) if nothing else self._bench.tried(self._cell)
        if key not in kept:
            kept[key] = self.at(strength, task)
        found: TaskScores | Skip = kept[key]
        return found

    def at(self, strength: float, task: Task) -> TaskScores | Skip:
        """A task's scores at one strength."""
        from brainbench.lm_eval_adapter import ask

        steering = self._steering.scaled(strength)
        with self._steered(steering) as language:
            if isinstance(language, Skip):
                return language
            with phase("task"):
                return ask(task, language, limit=self._cell.limit, steering=steering)

    def cost(self, strength: float) -> dict[str, Any] | None:
        """Perplexity on neutral text without the steering and with it; None where it does not act there.

        A steering with rows for some items or types only is taken at its row for any other.
        """
        if self._steering.row({}) is None:
            return None
        kept = self._bench.untouched(self._cell)
        if "perplexity" not in kept:
            kept["perplexity"] = self._perplexity(self._steering.scaled(0.0))
        return cost(kept["perplexity"], self._perplexity(self._steering.scaled(strength)))

    def _perplexity(self, steering: Steering) -> Perplexity | None:
        from brainbench.perplexity import perplexity

        with self._steered(steering) as language:
            if isinstance(language, Skip):
                return None
            with phase("task"):
                return perplexity(language)

    @contextmanager
    def _steered(self, steering: Steering) -> Iterator[LanguageModel | Skip]:
        assert isinstance(self._model, Steerable)  # or nothing would have been fitted
        with phase("intervention"):
            context = self._model.steered(steering)
            model = context.__enter__()
        try:
            found = self._bench.language(self._cell, model)
            if isinstance(found, Skip):
                yield found
            else:
                self._made.update(found[1])
                yield found[0]
        finally:
            context.__exit__(None, None, None)
