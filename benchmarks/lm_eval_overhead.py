"""What the harness and lm-eval cost for each request, where the model costs nothing.

    python -m benchmarks.lm_eval_overhead

Processor seconds of asking deduction_3 (9,600 items, two requests each) of a model that answers at once, the
median of several; documents are made before. Goal: at most 0.2 ms a request. Beside it lm-eval alone, with
the same documents and Jinja templates in the place of columns, as most of its tasks are written.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from benchmarks.measured import Row, report

from brainbench.lm_eval_adapter import ask, unheard
from brainbench.task_nouns import LanguageModel
from brainbench_tasks.deduction_tasks import GeneratedDeduction

TIMES, MOST, CHOICES = 5, 0.2, 2
TEMPLATES = {"doc_to_text": "{{text}}", "doc_to_choice": "{{choices}}", "doc_to_target": "{{label}}"}


def silent_model() -> Any:
    """An lm-eval model that gives every answer the same likelihood."""
    from lm_eval.api.model import LM

    class Silent(LM):  # type: ignore[misc] # lm-eval is untyped
        def loglikelihood(self, requests: Any) -> list[tuple[float, bool]]:
            return [(-1.0, False)] * len(requests)

        def loglikelihood_rolling(self, requests: Any) -> list[float]:
            raise NotImplementedError

        def generate_until(self, requests: Any) -> list[str]:
            raise NotImplementedError

    return Silent()


def seconds(run: Callable[[], Any]) -> float:
    """Processor seconds, the median of several runs."""
    found = []
    for _ in range(TIMES):
        before = time.process_time()
        run()
        found.append(time.process_time() - before)
    return float(np.median(found))


def with_templates(task: GeneratedDeduction, model: Any) -> Any:
    """The same items through lm-eval alone, fields written as templates."""
    from lm_eval.evaluator import evaluate
    from lm_eval.tasks import TaskManager

    with unheard():
        loaded = TaskManager(include_defaults=False).load([{**task.lm_eval_config(), **TEMPLATES}])
        return evaluate(model, loaded, bootstrap_iters=0, log_samples=True)


def main() -> None:
    """Print both, a request."""
    task, model = GeneratedDeduction(), silent_model()
    requests = CHOICES * len(task.documents())
    ours = seconds(lambda: ask(task, LanguageModel(model, chat=False)))
    theirs = seconds(lambda: with_templates(task, model))
    each, most = 1000 * ours / requests, MOST * requests / 1000
    name = f"{requests:,} requests of a model that costs nothing: {each:.2f} ms each (goal: at most {MOST})"
    report("lm_eval_overhead", [Row(name, ours, "lm-eval with templates", theirs, theirs / most)])


if __name__ == "__main__":
    main()
