"""Asks a language model a task through lm-eval, and brings every item back.

lm-eval is used as a library, and some of its ways are avoided on purpose: its caches (which do not know a
steered model from its base), its console output, its default settings that depend on the caller (few-shot
examples, chat templates, bootstraps), its numbering of documents, and metrics that it drops without a word.
"""

from __future__ import annotations

import contextlib
import copy
import hashlib
import io
import json
import logging
import random
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from brainbench.adapter import Adapter
from brainbench.errors import BrainbenchError, PluginError, UsageError
from brainbench.steering import Steering
from brainbench.task_exposure import told_of_adapter, told_of_steering
from brainbench.task_nouns import LanguageModel, Task
from brainbench.task_scores import TaskItem, TaskScores

_METRICS = ("acc", "exact_match")  # those that say right or wrong, the main one first
_LONGEST_ANSWER = 200  # characters of a generated answer that are kept


def ask(
    task: Task,
    language: LanguageModel,
    *,
    limit: int | None = None,
    steering: Steering | None = None,
    adapter: Adapter | None = None,
) -> TaskScores:
    """Every item of a task, or those of its first `limit` problems, answered by the model.

    `steering` is what the model is steered by, `adapter` what it was trained to, if anything: the details say
    how many items the first changes, and how many either was fitted on. Raises
    NotApplicable where it changes none, and PluginError where the task is no working lm-eval configuration,
    or scores by something else than right or wrong; errors of brainbench's own (a file that cannot be
    fetched, a prompt that is too long) go through as they are.
    """
    config = copy.copy(dict(task.lm_eval_config()))
    columns: Mapping[str, Any] = dict((config.get("metadata") or {}).get("brainbench") or {})
    if config.get("task") != task.name:
        raise PluginError(f"The lm-eval configuration of task {task.name} names {config.get('task')!r}.")
    own_chat = language.chat and "messages" in columns
    if own_chat:
        config |= {"doc_to_text": _conversation(language.lm, columns["messages"]), "target_delimiter": ""}
    if hasattr(language.lm, "id_column"):  # for steerings that differ between items
        language.lm.id_column = columns.get("id")
    with undisturbed():
        loaded, asked = load_task(task, config)
        places = _places(asked.eval_docs, columns.get("group"), limit, task.name)
        told = told_of_steering(steering, asked.eval_docs, places, columns) if steering else {}
        if adapter is not None:
            told |= told_of_adapter(adapter, asked.eval_docs, places, columns)
        samples = _evaluate(task, loaded, places, language, template=language.chat and not own_chat)
    if len(samples) != len(places):
        raise PluginError(f"Task {task.name}: lm-eval returned {len(samples)} of {len(places)} items.")
    items = tuple(_item(sample, asked, columns, task.name) for sample in samples)
    form = "conversation" if language.chat else "plain text"
    details = {
        "form": form,
        "metric": _metric(samples[0], task.name),
        "output_type": asked.OUTPUT_TYPE,
        **told,
    }
    return TaskScores(items, _by(samples, items, columns.get("by") or ()), details)


def load_task(task: Task, config: dict[str, Any]) -> tuple[Any, Any]:
    """What lm-eval makes of a configuration: its dictionary, and in it the one task."""
    from lm_eval.tasks import TaskManager

    try:
        # Without lm-eval's own tasks: to index them takes seconds, and names none of ours.
        loaded = TaskManager(include_defaults=False).load([config])
        asked = loaded["tasks"][task.name]
        if asked.config.num_fewshot is None:
            asked.set_config("num_fewshot", 0)
        asked.set_fewshot_seed(0)
    except (BrainbenchError, KeyboardInterrupt):
        raise
    except Exception as error:
        raise PluginError(
            f"lm-eval cannot load task {task.name}: {type(error).__name__}: {error}",
            hint="A data set of the hub needs a network, and some of them an account.",
        ) from error
    return loaded, asked


def _evaluate(
    task: Task, loaded: Any, places: list[int], language: LanguageModel, *, template: bool
) -> list[dict[str, Any]]:
    """The samples of one filter, in the documents' order."""
    from lm_eval.evaluator import evaluate

    found = evaluate(
        language.lm,
        loaded,
        samples={task.name: places},  # sorted: in any other order lm-eval mixes up the numbers
        bootstrap_iters=0,
        log_samples=True,
        apply_chat_template=template,
        fewshot_as_multiturn=template,
    )
    if not any("," in name for name in found["results"][task.name]):
        raise PluginError(
            f"Task {task.name} has no metric that lm-eval knows.", hint="Name acc or exact_match, say."
        )
    samples: list[dict[str, Any]] = found["samples"][task.name]
    return [sample for sample in samples if sample["filter"] == samples[0]["filter"]]


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Keep lm-eval from printing, logging, warning and from moving Python's random numbers."""
    state = random.getstate()
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings(), unheard():
        warnings.simplefilter("ignore")
        from lm_eval.api import task

        bar = getattr(task, "tqdm", None)
        task.tqdm = _no_bar  # it draws one on standard error, and asks nobody
        try:
            yield
        finally:
            task.tqdm = bar
            random.setstate(state)


@contextlib.contextmanager
def unheard() -> Iterator[None]:
    """Keep lm-eval from logging."""
    logger = logging.getLogger("lm_eval")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)


def _no_bar(steps: Any, *_: Any, **__: Any) -> Any:
    return steps


def _conversation(lm: Any, column: str) -> Any:
    """What writes out a document's own conversation, as the model's template has it."""

    def write(document: Mapping[str, Any]) -> str:
        return str(lm.apply_chat_template(json.loads(document[column]), add_generation_prompt=True))

    return write


def _places(documents: Any, group: str | None, limit: int | None, name: str) -> list[int]:
    """The places of the documents that belong to the first `limit` problems."""
    total = len(documents)
    if limit is not None and limit < 1:
        raise UsageError("A limit of fewer than one problem leaves nothing to ask.")
    if not total:
        raise PluginError(f"Task {name} has no documents.")
    if limit is None:
        return list(range(total))
    groups = [str(value) for value in documents[group]] if group else [str(at) for at in range(total)]
    first = set(list(dict.fromkeys(groups))[:limit])
    return [at for at, found in enumerate(groups) if found in first]


def _item(sample: Mapping[str, Any], asked: Any, columns: Mapping[str, Any], name: str) -> TaskItem:
    document = sample["doc"]
    item = str(document[columns["id"]]) if "id" in columns else str(sample["doc_id"])
    metric = _metric(sample, name)
    value = sample[metric]
    if not isinstance(value, int | float) or float(value) not in (0.0, 1.0):
        raise PluginError(f"Task {name} scores item {item} by {metric} = {value!r}, not by right or wrong.")
    shared: dict[str, Any] = {
        "id": item,
        "group": str(document[columns["group"]]) if "group" in columns else item,
        "correct": float(value) == 1.0,
        "prompt_hash": hashlib.sha256(str(sample["arguments"][0][0]).encode()).hexdigest(),
    }
    if asked.OUTPUT_TYPE != "multiple_choice":
        said = str(sample["filtered_resps"][0]).strip()[:_LONGEST_ANSWER]
        return TaskItem(answer=said, expected=str(sample["target"]), **shared)
    choices = tuple(str(choice) for choice in asked.doc_to_choice(document))
    pairs = [response[0] for response in sample["resps"]][: len(choices)]  # what follows are references
    likelihoods = tuple(float(likelihood) for likelihood, _ in pairs)
    spelt = [choice for choice, (_, greedy) in zip(choices, pairs, strict=True) if greedy]
    target = sample["target"]
    expected = choices[target] if isinstance(target, int) else str(target)
    if expected not in choices:  # a misspelt column is text to lm-eval: every answer would be wrong
        raise PluginError(f"Task {name}: {expected!r}, the answer of item {item}, is none of its choices.")
    return TaskItem(
        answer=choices[max(range(len(choices)), key=likelihoods.__getitem__)],
        expected=expected,
        choices=choices,
        log_likelihoods=likelihoods,
        greedy=spelt[0] if spelt else "",
        **shared,
    )


def _metric(sample: Mapping[str, Any], name: str) -> str:
    known: list[str] = [*(metric for metric in _METRICS if metric in sample["metrics"]), *sample["metrics"]]
    if not known:
        raise PluginError(f"Task {name} has no metric that lm-eval knows.", hint="Name acc, say.")
    return known[0]


def _by(
    samples: Sequence[Mapping[str, Any]], items: Sequence[TaskItem], names: Sequence[str]
) -> dict[str, dict[str, float]]:
    """Accuracy for each value of each of the columns named."""
    found: dict[str, dict[str, list[bool]]] = {name: {} for name in names}
    for sample, item in zip(samples, items, strict=True):
        for name in names:
            found[name].setdefault(str(sample["doc"][name]), []).append(item.correct)
    return {
        name: {value: sum(right) / len(right) for value, right in sorted(values.items())}
        for name, values in found.items()
    }
