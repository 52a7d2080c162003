"""The places behind a creativity dataset's name: what they may be, and how they are written."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

from brainbench.errors import UsageError
from brainbench_tasks.creativity_prompts import CONSTANT, EMPTY, MAIN, PROMPTS

CUTOFF = 2.0
LEAST = 8  # trials of a person: so few objects make 28 pairs
_CHOICES = {"stage": ("prompt", "response"), "prompt": PROMPTS, "rated": ("high", "low")}
FORMS = (*(f"{key}={'|'.join(values)}" for key, values in _CHOICES.items()), "cutoff=2.5", "least=10")


Stage = Literal["prompt", "response"]


@dataclass(frozen=True)
class Places:
    """What may stand behind a dataset's name; the defaults are the dataset itself."""

    stage: Stage = "prompt"
    prompt: str = MAIN
    rated: Literal["high", "low"] | None = None
    cutoff: float | None = None
    least: int | None = None

    def __post_init__(self) -> None:
        if self.stage == "prompt" and self.prompt in (EMPTY, CONSTANT):
            raise UsageError(
                f"prompt={self.prompt} asks the same of every object: at stage=prompt nothing would vary.",
                hint=f"Add @stage=response: it reads models' own ideas behind the {self.prompt} prompt.",
            )
        if self.rated is None and (self.cutoff, self.least) != (None, None):
            raise UsageError(
                "A cutoff and a least number of trials go with rated trials alone.",
                hint="Add @rated=high or @rated=low.",
            )

    @property
    def suffix(self) -> str:
        """As they are written, in one order, and without what is the default anyway."""
        told: dict[str, object] = {"stage": self.stage, "prompt": self.prompt, "rated": self.rated}
        told |= {"cutoff": _words(self.cutoff), "least": self.least}
        default = {"stage": "prompt", "prompt": MAIN, "rated": None, "cutoff": _words(CUTOFF), "least": LEAST}
        return "".join(f"@{key}={value}" for key, value in told.items() if value not in (None, default[key]))


def places_of(written: str) -> Places:
    """From "key=value@key=value"; raises UsageError for what there is not, and for what is there twice."""
    found: dict[str, Any] = {}
    for place in written.split("@"):
        key, _, value = place.partition("=")
        if key in found:
            raise UsageError(f"{key} is named twice.", hint="Name each place once.")
        found[key] = _value(place, key, value)
    if found.get("rated"):
        found = {"cutoff": CUTOFF, "least": LEAST} | found
    return Places(**found)


def _value(place: str, key: str, value: str) -> str | float | int:
    if value in _CHOICES.get(key, ()):
        return value
    if key == "cutoff" and _is_number(value):
        return float(value)
    if key == "least" and value.isascii() and value.isdecimal() and int(value) >= 1:
        return int(value)
    raise UsageError(f"A creativity dataset has no variant {place!r}.", hint=f"There are {', '.join(FORMS)}.")


def _is_number(value: str) -> bool:
    try:
        return math.isfinite(float(value))
    except ValueError:
        return False


def _words(number: float | None) -> str | None:
    return None if number is None else repr(number).removesuffix(".0")
