"""Computes a plan, one record at a time. Progress, storage and interruption belong to the caller."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from brainbench.errors import BrainbenchError, NotApplicable, PluginError, words_of
from brainbench.identity import identify, unidentified
from brainbench.nouns import Reporter
from brainbench.plan import AnyCell, Cell, Plan, ScorerCell, TaskCell
from brainbench.progress import SilentReporter
from brainbench.provenance import environment, now
from brainbench.records import Failure, Outcome, Record, Reused, Scores, Skip
from brainbench.scored_ideas import score_ideas
from brainbench.slots import PhaseError, phase
from brainbench.steered_tasks import ask_steered
from brainbench.steering import Fits
from brainbench.task_people import beside_people
from brainbench.task_scores import TaskScores
from brainbench.tuned_tasks import ask_tuned
from brainbench.tuning import Tunes
from brainbench.workbench import Workbench

if TYPE_CHECKING:
    from brainbench.arrays import Features

HINTS = {
    "MemoryError": "Close other programs, or choose a smaller model or a smaller --batch-size.",
    "OutOfMemoryError": "Choose a smaller --batch-size, --dtype bfloat16 or a smaller model.",
}


def run(
    plan: Plan,
    *,
    is_done: Callable[[str], bool] = lambda fingerprint: False,
    reporter: Reporter | None = None,
    plugins: Mapping[str, str] | None = None,
) -> Iterator[Record | Reused]:
    """Yield what becomes of each cell, in the plan's order.

    `is_done` is asked for each resolved fingerprint just before its cell would be computed: what another
    process has finished in the meantime is not computed twice. An exception of one cell becomes its
    record; only KeyboardInterrupt goes through. `plugins` (distribution -> version) is provenance.
    """
    bench = Workbench(reporter or SilentReporter())
    source = {**environment(), "plugins": dict(plugins or {})}
    try:
        for cell in plan:
            yield _finish(cell, bench, is_done, source)
    finally:
        bench.close()


def _finish(
    cell: AnyCell, bench: Workbench, is_done: Callable[[str], bool], source: Mapping[str, Any]
) -> Record | Reused:
    started, clock = now(), time.monotonic()
    made: dict[str, Any] = {}
    identity = unidentified(cell)
    try:
        with phase("identity"):
            identity = identify(cell, bench.identity)
        if identity.resolved and is_done(identity.fingerprint):
            return Reused(cell, identity.fingerprint)
        outcome = _outcome(cell, bench, made)
    except PhaseError as failed:
        if isinstance(failed.error, NotApplicable) and identity.resolved:
            outcome = Skip(failed.error.message)
        else:
            outcome = _failure(failed)
        identity = identity if identity.resolved else unidentified(cell)
        made["traceback"] = "".join(traceback.format_exception(failed.error))
    provenance = {**made, **source, "started": started, "seconds": round(time.monotonic() - clock, 3)}
    return Record(cell, identity.fingerprint, identity.facts, identity.resolved, outcome, provenance)


def _outcome(cell: AnyCell, bench: Workbench, made: dict[str, Any]) -> Outcome:
    if isinstance(cell, TaskCell):
        return _ask(cell, bench, made)
    if isinstance(cell, ScorerCell):
        return score_ideas(cell, bench, made)
    return _compute(cell, bench, made)


def _compute(cell: Cell, bench: Workbench, made: dict[str, Any]) -> Outcome:
    recording = bench.recording(cell)
    if cell.model is None:
        with phase("metric"):
            outcome = cell.metric.ceiling(recording, bench.reporter)
    else:
        found = bench.features(cell)
        if isinstance(found, Skip):
            return found
        features, facts = found
        made.update(facts)
        with phase("metric"):
            # A metric that does not take personal features is never given them.
            outcome = cell.metric.score(cast("Features", features), recording, bench.reporter)
    with phase("metric"):
        if not isinstance(outcome, Scores | Skip):
            raise PluginError(
                f"Metric {cell.metric_name} returned {type(outcome).__name__}, not Scores or Skip."
            )
    return outcome


def _ask(cell: TaskCell, bench: Workbench, made: dict[str, Any]) -> Outcome:
    if isinstance(cell.intervention, Tunes):
        with phase("intervention"):
            scores = ask_tuned(cell, bench, made)
    elif isinstance(cell.intervention, Fits):
        with phase("intervention"):
            scores = ask_steered(cell, bench, made)
    else:
        scores = _ask_as_it_is(cell, bench, made)
    if not isinstance(scores, TaskScores):
        return scores
    with phase("task"):
        people = getattr(cell.task, "people", None)
        behaviour = people(bench.reporter) if people is not None else None
        if behaviour is None:
            return scores
        return replace(scores, details={**scores.details, **beside_people(scores.items, behaviour)})


def _ask_as_it_is(cell: TaskCell, bench: Workbench, made: dict[str, Any]) -> Outcome:
    found = bench.language_model(cell)
    if isinstance(found, Skip):
        return found
    language, facts = found
    made.update(facts)
    with phase("task"):
        from brainbench.lm_eval_adapter import ask

        return ask(cell.task, language, limit=cell.limit)


def _failure(failed: PhaseError) -> Failure:
    error = failed.error
    kind = type(error).__name__
    if isinstance(error, BrainbenchError):
        return Failure(failed.phase, kind, error.message, error.hint)
    frames = traceback.extract_tb(error.__traceback__)
    where = f"Raised at line {frames[-1].lineno} of {Path(frames[-1].filename).name}." if frames else ""
    words = words_of(error)[:500]
    message = words if words.startswith(kind) else f"{kind}: {words}"
    return Failure(failed.phase, kind, message, HINTS.get(kind, where))
