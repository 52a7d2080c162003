"""The questions that a results file is opened with, each an SQL query in a file of its own."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib import resources

_HEAD = re.compile(r"-- title: (?P<title>.+)\n-- description: (?P<description>.+)\n(?P<sql>(?s:.+))")
_PARAMETER = re.compile(r":([a-z_]+)")


@dataclass(frozen=True, slots=True)
class Question:
    """A query that reads alone. parameters: texts that who asks fills in; empty for all where it says so."""

    name: str
    title: str
    description: str
    sql: str

    @property
    def parameters(self) -> tuple[str, ...]:
        """Their names, each once, in the order in which they come."""
        return tuple(dict.fromkeys(_PARAMETER.findall(self.sql)))


def questions() -> tuple[Question, ...]:
    """All of them, by name."""
    files = resources.files("brainbench_leaderboard.explore").joinpath("queries").iterdir()
    return tuple(_read(item.name, item.read_text("utf-8")) for item in sorted(files, key=str))


def _read(file: str, text: str) -> Question:
    if not (found := _HEAD.fullmatch(text)):
        raise ValueError(f"{file} does not begin with its title and description.")
    return Question(file.removesuffix(".sql"), found["title"], found["description"], found["sql"])
