"""The reasoning tasks: the scanner's own problems, generated ones in its design, and the paper's.

Each asks whether a conclusion follows: True or False. By default the likelier answer counts; a task named
"..._generated" lets the model write, as the paper did (arXiv:2606.11893), and takes the first word.
"""

from __future__ import annotations

from brainbench import hookimpl
from brainbench.hookspecs import Register
from brainbench.nouns import Task
from brainbench_tasks.deduction_given import AuthorsDeduction, ScannerItems
from brainbench_tasks.deduction_made import TINY_TEST, GeneratedDeduction, PropositionalDeduction
from brainbench_tasks.folio import Folio

__all__ = [
    "TASKS",
    "VALIDATION_TASKS",
    "AuthorsDeduction",
    "GeneratedDeduction",
    "PropositionalDeduction",
    "ScannerItems",
]

BRAINBENCH_API = 1

TASKS: tuple[Task, ...] = (
    ScannerItems(),
    ScannerItems("generation"),
    GeneratedDeduction(),
    GeneratedDeduction(answering="generation"),
    GeneratedDeduction(premises=4, each=50),
    GeneratedDeduction(premises=5, each=10),
    GeneratedDeduction(premises=6, each=10, orders=120),
    PropositionalDeduction(),
    TINY_TEST,
    AuthorsDeduction(),
    AuthorsDeduction("generation"),
    Folio(),
)

# On what strengths and the like are chosen; asked only by name.
VALIDATION_TASKS: tuple[Task, ...] = tuple(
    task.validation()  # type: ignore[misc] # these have one, for they are tests
    for task in TASKS
    if isinstance(task, GeneratedDeduction | PropositionalDeduction)
)


@hookimpl
def register_tasks(register: Register[Task]) -> None:
    """Offer the tasks."""
    for task in (*TASKS, *VALIDATION_TASKS):
        register(task)
