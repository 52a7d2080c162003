"""Errors that brainbench raises on purpose: one sentence each, and what to do about it.

BrainbenchError
|-- UsageError    what was asked for does not exist or does not fit together
|-- DataError     a dataset's files are missing, unreachable or not what they should be
|-- ModelError    a model cannot be found, opened or read
|-- PluginError   a plugin breaks the interface
|-- ShapeError    arrays that belong together do not fit, or hold what is not finite
`-- StoreError    the leaderboard's database cannot be read or written
"""

from __future__ import annotations


class BrainbenchError(Exception):
    """Base of all errors raised on purpose; `hint` says what the reader can do."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


def words_of(error: BaseException) -> str:
    """An exception's message on one line, ending in a full stop; its kind where it has no words."""
    try:
        text = " ".join(str(error).split())
    except Exception:  # an exception may fail to describe itself
        text = ""
    text = text.encode("utf-8", "backslashreplace").decode() or type(error).__name__
    return text if text[-1] in ".!?" else f"{text}."


class UsageError(BrainbenchError):
    """What was asked for does not exist or does not fit together."""


class DataError(BrainbenchError):
    """A dataset's files are missing, unreachable or not what they should be."""


class ModelError(BrainbenchError):
    """A model cannot be found, opened or read."""


class PluginError(BrainbenchError):
    """A plugin breaks the interface."""


class ShapeError(BrainbenchError, ValueError):
    """Arrays that belong together do not fit, or hold what is not finite."""


class NotApplicable(BrainbenchError):  # noqa: N818 - no fault: the cell is skipped, with this reason
    """What was asked for has no meaning here, such as an intervention that finds nothing to fit."""


class StoreError(BrainbenchError):
    """The leaderboard's database cannot be read or written."""
