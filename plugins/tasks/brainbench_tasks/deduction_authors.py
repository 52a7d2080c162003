"""The paper's own generated problems of three premises, from its repository (MIT), fetched and checked."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from brainbench.errors import DataError
from brainbench.fetch import RepositoryFile, fetch
from brainbench.nouns import Reporter
from brainbench.problems import Kind, Problem
from brainbench_tasks.deduction_files import WRONG_FILE_HINT, repository

AUTHORS_FILE = RepositoryFile(
    repository("betas"),
    "data/deductive_reasoning_data_test.json",
    "e517869f7177ec6400678a3193f2c9fec0c0a1f1981aea826472248a4480d44e",
)
_LISTS: dict[str, Kind] = {"syllogisms": "syllogism", "transitive": "transitive"}
_SUBTYPE = re.compile(r"([23])_(true|false)_(affirm|negate)")
_TEXTS = ("premise1", "premise2", "premise3", "conclusion")


def author_problems(reporter: Reporter) -> tuple[tuple[str, Problem], ...]:
    """The 1,600 problems with names, both kinds and all subtypes in turn; raises DataError."""
    (path,) = fetch((AUTHORS_FILE,), reporter)
    try:
        table: Mapping[str, list[Mapping[str, Any]]] = json.loads(path.read_text(encoding="utf-8"))
        lists: dict[tuple[str, str], list[Problem]] = {}
        for name, kind in _LISTS.items():
            for row in table[name]:
                lists.setdefault((kind, row["trial_type"]), []).append(_problem(kind, row))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(
            f"{path.name} is not the table of problems that it should be: {type(error).__name__}: {error}.",
            hint=WRONG_FILE_HINT,
        ) from error
    return tuple(
        (f"{kind}-{subtype}-{at:03d}", problem)
        for at, turn in enumerate(zip(*lists.values(), strict=True), start=1)
        for (kind, subtype), problem in zip(lists, turn, strict=True)
    )


def _problem(kind: Kind, row: Mapping[str, Any]) -> Problem:
    subtype = _SUBTYPE.fullmatch(row["trial_type"])
    if subtype is None:
        raise ValueError(f"no known subtype {row['trial_type']!r}")
    *premises, conclusion = (str(row[name]).strip().rstrip(".") for name in _TEXTS)
    needed, truth, form = subtype.groups()
    return Problem(
        kind, tuple(premises), conclusion, int(needed), truth == "true", form == "negate", " ".join(premises)
    )
