"""What people saw and what a model is asked: stimuli and the item sets made of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from brainbench.errors import ShapeError

Condition = str | int | float | bool


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class Stimulus:
    """One item, in the two forms in which a model can be asked.

    `messages` is the conversation for a model with a chat template and ends with the user's turn;
    `text` is the plain form for a model without one. `content` is the part of both that belongs to
    this item alone (the problem, without the instructions): pooling over content tokens reads it. Where
    nothing is asked (both are empty) it is empty, too. `response` is what the model said to it, the
    assistant's turn after the messages: its tokens are content as well; empty where nothing was said yet.
    """

    id: str
    messages: tuple[Message, ...]
    text: str
    content: str
    conditions: Mapping[str, Condition] = field(default_factory=dict)
    response: str = ""

    def __post_init__(self) -> None:
        if not self.messages or self.messages[-1].role != "user":
            raise ShapeError(f"Stimulus {self.id!r}: its messages must end with the user's turn.")
        turn = self.messages[-1].content
        if not (
            self.content in turn and self.content in self.text and (self.content or not turn + self.text)
        ):
            raise ShapeError(
                f"Stimulus {self.id!r}: its content must occur in its last message and in its plain text."
            )


@dataclass(frozen=True, slots=True)
class ItemSet:
    """A named subset of a dataset's items: those whose conditions equal all of `where`."""

    name: str
    where: Mapping[str, Condition] = field(default_factory=dict)

    def indices(self, stimuli: tuple[Stimulus, ...]) -> tuple[int, ...]:
        """Positions of the set's items, in the stimuli's order."""
        return tuple(
            position
            for position, stimulus in enumerate(stimuli)
            if all(stimulus.conditions.get(name) == value for name, value in self.where.items())
        )


ALL_ITEMS = ItemSet("all")
