"""Where the texts that models wrote are kept as data, by what decides them: none is written twice."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from brainbench.errors import DataError
from brainbench.fetch import cache_folder
from brainbench.idea_identity import fingerprint_of_question
from brainbench.ideas import Idea
from brainbench.identity import fingerprint
from brainbench.kept_files import KeptFolder, alone_at, as_json, write_files
from brainbench.nouns import Reporter
from brainbench.stimuli import Stimulus

FORMAT = 1
NAME = "ideas.json"
_KINDS: dict[str, type] = {"item": str, "draw": int, "seed": int, "text": str}


def folder_of(facts: Mapping[str, Any]) -> Path:
    """The folder of one writer, of these facts (see `brainbench.idea_identity.identify_writer`)."""
    return cache_folder() / "ideas" / fingerprint(dict(facts))


@dataclass(frozen=True, slots=True)
class KeptIdeas:
    """One writer's texts in `ideas.json` of its folder: under each question's fingerprint, its ideas.

    What is damaged is written again.
    """

    folder: Path

    def read(self, questions: Iterable[Stimulus]) -> dict[str, tuple[Idea, ...]]:
        """The ideas of those questions that have any here, by the question's id."""
        known = self._whole()
        found = {}
        for question in questions:
            ideas = _ideas(known.get(fingerprint_of_question(question)), question.id)
            if ideas:
                found[question.id] = ideas
        return found

    def add(self, questions: Sequence[Stimulus], ideas: Sequence[Idea]) -> None:
        """Keep the ideas to these questions, too; raises DataError where nothing can be written."""
        known = self._whole()
        for question in questions:
            own = [asdict(idea) for idea in ideas if idea.item == question.id]
            known[fingerprint_of_question(question)] = own
        try:
            write_files(self.folder, {NAME: as_json({"format": FORMAT, "ideas": known})})
        except DataError as error:
            hint = "Make room there, or set BRAINBENCH_CACHE to another folder."
            raise DataError(error.message, hint=hint) from error

    def _whole(self) -> dict[str, Any]:
        try:
            form = KeptFolder(self.folder, "", "").read_form(NAME, FORMAT, {"ideas": dict})
        except DataError:
            return {}
        return dict(form["ideas"])

    def alone(self, reporter: Reporter) -> AbstractContextManager[None]:
        """Wait until no other process writes here, and say so; DataError where nothing can be kept."""
        waiting = "Another process has the same model write: waiting until it has finished."
        return alone_at(self.folder, reporter, what="Ideas", waiting=waiting)


def _ideas(kept: Any, item: str) -> tuple[Idea, ...]:
    """As they were kept; none at all where any of them is not what it should be."""
    if not isinstance(kept, list):
        return ()
    for one in kept:
        if not (isinstance(one, dict) and set(one) == set(_KINDS) and one["item"] == item):
            return ()
        if not all(type(one[name]) is kind for name, kind in _KINDS.items()):
            return ()
    return tuple(Idea(**one) for one in kept)
