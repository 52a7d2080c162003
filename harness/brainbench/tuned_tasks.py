"""A task asked of a fine-tuned model: trained once, and asked whole tasks as it then is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, get_args

from brainbench.adapter import Adapter
from brainbench.errors import PluginError
from brainbench.nouns import OpenModel
from brainbench.perplexity import Perplexity, cost, perplexity
from brainbench.plan import TaskCell, needs_dataset
from brainbench.records import Outcome, Skip
from brainbench.slots import phase
from brainbench.steering import Role
from brainbench.task_exposure import told_of_fit
from brainbench.task_nouns import LanguageModel
from brainbench.tuning import Tunes
from brainbench.workbench import Workbench


def ask_tuned(cell: TaskCell, bench: Workbench, made: dict[str, Any]) -> Outcome:
    """What the cell's task makes of the trained model, with details["tuning"] on what was trained on what.

    `made` is told how the model was run.
    """
    change = cell.intervention
    assert isinstance(change, Tunes)
    if change.role not in get_args(Role):
        raise PluginError(f"The role of {change.name} is {change.role!r}, neither brain nor control.")
    if cell.dataset is None and needs_dataset(change):
        return Skip(f"{change.name!r} is learnt from brain data: name a dataset, too.")
    model = bench.unchanged(cell)
    if not isinstance(model, OpenModel):
        return Skip(f"{cell.model.name} is no model whose weights could be changed.")
    adapter = bench.tuned(cell, model)
    if isinstance(adapter, Skip):
        return Skip(f"The intervention {change.name} cannot be trained: {adapter.reason}")
    before = _perplexity_before(cell, bench, model)
    found = bench.language_model(cell)
    if isinstance(found, Skip):
        return found
    language, facts = found
    made.update(facts)
    with phase("task"):
        from brainbench.lm_eval_adapter import ask

        scores = ask(cell.task, language, limit=cell.limit, adapter=adapter)
        paid = cost(before, _perplexity_after(cell, bench, language))
    told = {**scores.details["tuning"], **_told(cell, adapter), "role": change.role, "perplexity": paid}
    return replace(scores, details={**scores.details, "tuning": told})


def _told(cell: TaskCell, adapter: Adapter) -> dict[str, Any]:
    """What a reader must know to judge a score, from the adapter's facts."""
    facts = adapter.form()["facts"]  # plain JSON, whether it was trained just now or read
    training = facts.get("training")
    stopped = training.get("validation") if isinstance(training, Mapping) else None
    protocol = "fixed"
    if isinstance(stopped, Mapping):
        protocol = "paper" if stopped.get("task") == cell.task.name else "validation"
    return {
        "kind": adapter.kind,
        "protocol": protocol,
        "seed": facts.get("seed", 0),
        "settings": facts.get("settings", {}),
        "fitted": told_of_fit(facts, cell.dataset),
        "training": training,
        "brain": facts.get("brain"),
    }


def _perplexity_before(cell: TaskCell, bench: Workbench, model: OpenModel) -> Perplexity | None:
    kept = bench.untouched(cell)
    if "perplexity" not in kept:
        found = bench.language(cell, model)
        with phase("task"):
            kept["perplexity"] = None if isinstance(found, Skip) else perplexity(found[0])
    before: Perplexity | None = kept["perplexity"]
    return before


def _perplexity_after(cell: TaskCell, bench: Workbench, language: LanguageModel) -> Perplexity | None:
    kept = bench.tried(cell)
    if "perplexity" not in kept:
        kept["perplexity"] = perplexity(language)
    after: Perplexity | None = kept["perplexity"]
    return after
