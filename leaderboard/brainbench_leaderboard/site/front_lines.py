"""The lines of the front page's table: a model as it was run, whatever it was asked."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping
from typing import Any

from brainbench.text import plain
from brainbench_leaderboard.origins import Sources
from brainbench_leaderboard.site import places
from brainbench_leaderboard.site.data_files import rounded
from brainbench_leaderboard.values import Row
from brainbench_leaderboard.view import ENTRY

FIELDS = (
    *("model", "page", "revision", "family", "architecture", "parameters", "layers", "dtype", "pooling"),
    *("seed", "resolved", "baseline", "date", "device", "brainbench"),
)
_ALIKE = ("model", "revision", "dtype", "seed")  # what tasks and ideas know of how a model was run
_HEADS = ("ForCausalLM", "ForMaskedLM", "LMHeadModel", "Model")
_LONGEST = 400  # characters of a reason; the model's page has all of it


class Line:
    """One model as it was run: the row that it is known by, and where it has something to show."""

    def __init__(self, row: Row) -> None:
        self.row = row
        self.filled: set[Hashable] = set()
        self.rows: list[Row] = []

    def told(self, sources: Sources) -> list[Any]:
        """What the table says of it, in the order of FIELDS; None where it is not known."""
        made: dict[str, Any] = {}
        for row in self.rows:
            for name, value in sources.get(row["fingerprint"], {}).get("provenance", {}).items():
                if value is not None:
                    made.setdefault(name, value)
        name, architecture = str(self.row["model"]), _text(made.get("architecture"))
        about = {
            "model": plain(name),
            "page": places.model_page(name),
            "revision": _text(self.row["revision"]),
            "architecture": architecture,
            "family": _family(self.row, architecture),
            "parameters": _count(made.get("parameters_with_head")) or _count(made.get("parameters")),
            "layers": _count(made.get("layers")),
            "dtype": _text(self.row["dtype"]),
            "pooling": _text(self.row.get("pooling")),
            "seed": self.row["seed"],
            "resolved": bool(self.row["resolved"]),
            "baseline": bool(self.row["baseline"]),
            "date": max((str(row["started"] or "").partition("T")[0] for row in self.rows), default="")
            or None,
            "device": _text(made.get("device")),
            "brainbench": _text(made.get("brainbench")),
        }
        return [about[field] for field in FIELDS]


class Lines:
    """All lines, each with at most one result in a column: nothing is hidden behind another.

    Results with scores have to come first: what was skipped or failed then joins the line it belongs to.
    """

    def __init__(self) -> None:
        self.all: list[Line] = []
        self._by_entry: dict[tuple[Any, ...], list[int]] = {}
        self._by_model: dict[str, list[int]] = {}

    def place(self, row: Row, column: Hashable) -> int:
        """The line of a score, or of why there is none."""
        for at in self._candidates(row):
            if column not in self.all[at].filled:
                return self._fill(at, row, column)
        return self._fill(self._new(row), row, column)

    def places(self, row: Row, column: Hashable) -> list[int]:
        """The lines of an answer that hangs on no way of reading a model, such as its accuracy: maybe many.

        A column that is filled stays as it is: the best result has to come first.
        """
        found = [
            at for at in self._by_model.get(row["model"], ()) if _alike(self.all[at].row, row, _ALIKE)
        ] or self._only(row)
        found = found or [self._new(row)]
        return [self._fill(at, row, column) for at in found if column not in self.all[at].filled]

    def _candidates(self, row: Row) -> Collection[int]:
        return self._by_entry.get(_entry(row)) or self._only(row)

    def _only(self, row: Row) -> list[int]:
        """Of what has no score and may have ended before its revision was known: the model's only line."""
        if row["outcome"] == "scores":
            return []
        found = [
            at
            for at in self._by_model.get(row["model"], ())
            if row["revision"] in (None, self.all[at].row["revision"])
        ]
        return found if len(found) == 1 else []

    def _new(self, row: Row) -> int:
        at = len(self.all)
        self.all.append(Line(row))
        self._by_entry.setdefault(_entry(row), []).append(at)
        self._by_model.setdefault(row["model"], []).append(at)
        return at

    def _fill(self, at: int, row: Row, column: Hashable) -> int:
        self.all[at].filled.add(column)
        self.all[at].rows.append(row)
        return at


class Reasons:
    """Why something is missing, or what has to be known of a result: each in words, kept once."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, ...], int] = {}

    @property
    def all(self) -> list[tuple[str, ...]]:
        """Each as outcome ("skip", "failure" or "note"), phase, reason and hint."""
        return list(self._known)

    def of(self, row: Row) -> int:
        """The place of why a row has no scores."""
        words = (row["phase"], row["reason"], row["hint"])
        return self._at((row["outcome"], *map(_cut, words)))

    def note(self, words: str) -> int:
        """The place of something else to know."""
        return self._at(("note", "", _cut(words), ""))

    def _at(self, told: tuple[str, ...]) -> int:
        return self._known.setdefault(told, len(self._known))


class Column:
    """What is asked in a column (`facts`), and by line what came of it: numbers, `why` and `note`."""

    def __init__(self, facts: Mapping[str, Any]) -> None:
        self.facts = dict(facts)
        self.cells: dict[int, dict[str, Any]] = {}

    @property
    def scored(self) -> int:
        """In how many lines it has a value."""
        return sum(cell.get("value") is not None for cell in self.cells.values())

    def packed(self) -> dict[str, Any]:
        """The facts; `at`, lines that have something; and beside it a list of each kind of number."""
        lines = sorted(self.cells)
        names = dict.fromkeys(name for at in lines for name, x in self.cells[at].items() if x is not None)
        lists = {name: [rounded(self.cells[at].get(name)) for at in lines] for name in names}
        return {**self.facts, "at": lines, **lists}


def _alike(one: Row, other: Row, names: Collection[str]) -> bool:
    return all(one[name] == other[name] for name in names)


def _entry(row: Row) -> tuple[Any, ...]:
    return tuple(row.get(name) for name in ENTRY)


def _family(row: Row, architecture: str | None) -> str | None:
    """Architectures of one kind go by one name, whatever stands on top: LlamaForCausalLM is a Llama."""
    if row["baseline"] and architecture is None:
        return "baseline"
    for head in _HEADS:
        if architecture and architecture != head and architecture.endswith(head):
            return architecture.removesuffix(head)
    return architecture


def _text(value: Any) -> str | None:
    return None if value in (None, "") else plain(value)


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None


def _cut(words: Any) -> str:
    told = plain(words or "")
    return told if len(told) <= _LONGEST else f"{told[:_LONGEST]}..."
