"""Text from outside (file names, plugins, exceptions, models), made fit for a terminal or a file."""

from __future__ import annotations


def plain(text: object) -> str:
    """The text on one line, with control characters and terminal escapes spelt out, not sent."""
    return "".join(mark if mark.isprintable() else repr(mark)[1:-1] for mark in str(text))


def sound(text: str) -> str:
    """The text as UTF-8 can hold it: half a character, which JSON may spell, becomes a replacement mark.

    No file, database or tokenizer takes such a half.
    """
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
