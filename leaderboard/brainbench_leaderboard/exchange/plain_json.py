"""JSON of strangers: read strictly, or refused in one sentence. Nothing in it is ever executed."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterator
from typing import Any

DEEPEST = 40  # of objects and lists in each other
MOST_VALUES = 5_000_000  # small ones take thirty times more memory than their text
LONGEST_KEY = 1000
LONGEST_NUMBER = 40  # digits


class Refused(Exception):  # noqa: N818 - what was submitted is at fault, not the program
    """Why something submitted is not taken; `where`: the field, if it is one field's fault."""

    def __init__(self, reason: str, where: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.where = where


def parsed(content: bytes) -> Any:
    """The value: finite numbers, no name twice in an object, nothing nested beyond reason.

    Raises Refused.
    """
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Refused(f"it is not UTF-8 (at byte {error.start})") from error
    try:
        found = json.loads(
            text,
            object_pairs_hook=_object,
            parse_constant=_constant,
            parse_float=_float,
            parse_int=_int,
        )
    except json.JSONDecodeError as error:
        raise Refused(f"it is no JSON: {error.msg} (line {error.lineno})") from error
    except RecursionError as error:
        raise Refused("it is nested too deeply") from error
    require_plain(found)
    return found


def require_plain(found: Any) -> None:
    """Raise Refused for what is nested too deeply or too much, and for text that no database holds."""
    stack: list[Iterator[Any]] = [iter((found,))]
    count = 0
    while stack:
        if len(stack) > DEEPEST:
            raise Refused(f"it is nested more than {DEEPEST} levels deep")
        for value in stack[-1]:
            count += 1
            if count > MOST_VALUES:
                raise Refused(f"it holds more than {MOST_VALUES:,} values")
            if isinstance(value, str):
                _text(value)
            elif isinstance(value, dict):
                for key in value:
                    _key(key)
                stack.append(iter(value.values()))
                break
            elif isinstance(value, list):
                stack.append(iter(value))
                break
        else:
            stack.pop()


def _text(value: str) -> None:
    if "\0" in value:
        raise Refused("a text holds a NUL character")
    if not value.isascii() and any("\ud800" <= mark <= "\udfff" for mark in value):
        raise Refused("a text holds half a character (a lone surrogate)")


def _key(key: str) -> None:
    if len(key) > LONGEST_KEY:
        raise Refused(f"a name in it is longer than {LONGEST_KEY} characters")
    _text(key)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        twice = Counter(key for key, _ in pairs).most_common(1)[0][0]
        raise Refused(f"it names {twice[:60]!r} twice in one object")
    return found


def _constant(word: str) -> Any:
    raise Refused(f"it holds {word}, which is no finite number")


def _float(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise Refused(f"it holds {digits[:40]}, which is no finite number")
    return value


def _int(digits: str) -> int:
    if len(digits) > LONGEST_NUMBER:
        raise Refused(f"it holds a number of {len(digits)} digits")
    return int(digits)
