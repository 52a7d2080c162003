"""What the YAML files beside this one call: the documents of each task, for lm-eval's own command line.

    lm_eval run --include_path "$(python -m brainbench_tasks.lm_eval_tasks)" --tasks deduction_3 ...

lm-eval asks by plain text there, or with --apply_chat_template by one turn that holds all of it; brainbench
itself asks a chat model by the conversation that features are read from.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from brainbench_tasks.deduction_tasks import TASKS
from brainbench_tasks.task_documents import first_word_is_right

Loader = Callable[..., Any]


def _of(name: str) -> Loader:
    (loader,) = (task.lm_eval_config()["custom_dataset"] for task in TASKS if task.name == name)
    found: Loader = loader
    return found


right = first_word_is_right
deduction_items = _of("deduction_items")
deduction_items_generated = _of("deduction_items_generated")
deduction_3 = _of("deduction_3")
deduction_3_generated = _of("deduction_3_generated")
deduction_4 = _of("deduction_4")
deduction_5 = _of("deduction_5")
deduction_6 = _of("deduction_6")
deduction_propositional = _of("deduction_propositional")
deduction_3_tiny = _of("deduction_3_tiny")
deduction_3_authors = _of("deduction_3_authors")
deduction_3_authors_generated = _of("deduction_3_authors_generated")
folio = _of("folio")
