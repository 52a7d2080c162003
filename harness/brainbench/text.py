"""Text from outside (file names, plugins, exceptions), made fit for a terminal."""

from __future__ import annotations


def plain(text: object) -> str:
    """The text on one line, with control characters and terminal escapes spelt out, not sent."""
    return "".join(mark if mark.isprintable() else repr(mark)[1:-1] for mark in str(text))
