"""Tasks, and models that can be asked them, as protocols; `brainbench.nouns` offers `Task`, too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from brainbench.errors import PluginError

if TYPE_CHECKING:
    from brainbench.nouns import Reporter
    from brainbench.records import Skip


@dataclass(frozen=True, slots=True)
class LanguageModel:
    """A model that answers: `lm` is an `lm_eval.api.model.LM`.

    `chat`: it is asked by conversations, which `lm.apply_chat_template(messages)` writes out, special tokens
    and the request for an answer included; any other is asked by plain text. An `lm` with an attribute
    `id_column` is told there which column of a task's documents holds the items' ids, or None.
    """

    lm: Any
    chat: bool


@runtime_checkable
class OpenLanguageModel(Protocol):
    """An open model that can also be asked tasks: what an `OpenModel` may have beyond its features."""

    def language_model(self, reporter: Reporter, /) -> LanguageModel | Skip:
        """The same network with its head, no weights loaded anew; or why it cannot answer.

        What changes the network (an intervention) changes the answers, too.
        """
        ...


@runtime_checkable
class Task(Protocol):
    """Questions asked of a model and scored by its answers, in the form that lm-eval runs.

    A task may have three more methods. `identity()`, an Identity of all that decides its questions, without a
    network; results of a task without one are never reused. `people(reporter)`, the Behaviour of people on
    the same items, or None: their accuracy and how well a model agrees with them stand beside its own.
    `validation()`, the task on which whatever is to be chosen for this one is chosen, or None: it shares no
    problem with this one. And it may have `only_by_name`; where that is True, "all" does not mean it; and a
    property `card`, a MethodCard: what the board's page of it says.
    """

    @property
    def name(self) -> str:
        """Unique among registered tasks; also lm-eval's name of it."""
        ...

    @property
    def version(self) -> int:
        """Raised whenever the same answers would score differently."""
        ...

    def lm_eval_config(self) -> Mapping[str, Any]:
        """The task as an lm-eval configuration dictionary, made anew at each call.

        Its `metadata` may hold "brainbench", a dictionary that names columns of the documents: "id" and
        "group" (the problem that an item is a form of: intervals resample these), "messages" (a conversation
        as JSON, for models that are asked so) and "by", a list of columns by which accuracy is told apart.
        And it may name the dataset whose items these are, as "items_of": what was learnt from another, whose
        items have the same ids, is then not taken for these.
        """
        ...


def validation_of(task: Task) -> Task | None:
    """The task on which what is to be chosen for `task` is chosen, if it has one; raises PluginError."""
    validation = getattr(task, "validation", None)
    found = validation() if validation is not None else None
    if found is None:
        return None
    if not isinstance(found, Task):
        raise PluginError(f"validation() of task {task.name} gave {type(found).__name__}, not a Task.")
    if found.name == task.name:
        raise PluginError(f"validation() of task {task.name} gave the task itself: nothing is chosen there.")
    return found
