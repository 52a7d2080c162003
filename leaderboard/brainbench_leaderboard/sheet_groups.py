"""Which changed models share a sheet: those of one model, changed by what was learnt from one dataset."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from brainbench.plan import NOTHING
from brainbench_leaderboard.values import Row

_MODEL = ("model", "revision", "dtype", "seed", "question")
HEADINGS = ("brain-guided", "controls", "not ranked", "oracles", "")


@dataclass(frozen=True, slots=True)
class Group:
    """The rows of a sheet, and of whom they are: the model, where needed with what tells it from another."""

    rows: tuple[Row, ...]
    who: str

    @property
    def simulated(self) -> str:
        """Words for a title, where some of it was learnt from simulated brains."""
        found = any(fitted(row).get("simulated") is True for row in self.rows)
        return ", which is simulated" if found else ""


def groups(changed: Iterable[Row]) -> list[Group]:
    """One for each model and source, in the rows' order, what was skipped or failed last."""
    models: dict[tuple[Any, ...], dict[tuple[Any, Any], list[Row]]] = {}
    for row in sorted(changed, key=lambda row: row["outcome"] != "scores"):
        own = tuple(row[name] for name in _MODEL)
        if row["outcome"] != "scores":  # it may have ended before the model's revision was known
            own = next((known for known in models if known[0] == row["model"]), own)
        models.setdefault(own, {}).setdefault((row["learnt_from"], source(row)), []).append(row)
    names = Counter(model for model, *_ in models)
    return [
        Group(tuple(rows), _who(rows[0], alone=names[model] == 1))
        for (model, *_), sources in models.items()
        for rows in sources.values()
    ]


def heading(row: Row) -> str:
    """The part of a sheet in which a row stands: one of HEADINGS, of which all but two are set apart."""
    if row["outcome"] != "scores":
        return HEADINGS[4]
    if row["unranked"]:
        return HEADINGS[3] if row["oracle"] else HEADINGS[2]
    return HEADINGS[0] if row["role"] == "brain" else HEADINGS[1]


def source(row: Row) -> str | None:
    """What it was learnt from: the dataset of the run, or for what was kept the one that its facts name."""
    said = row["learnt_from"] or fitted(row).get("dataset")
    return said if isinstance(said, str) else None


def base_accuracy(rows: Iterable[Row]) -> tuple[bool, float | None]:
    """Whether there is anything to compare with the model as it is, and that one's accuracy if known."""
    scored = [row for row in rows if row["outcome"] == "scores" and row["intervention"] != NOTHING]
    known = [row["against_base"]["accuracy"] for row in scored if row["against_base"]]
    return bool(scored), known[0] if known else None


def _who(first: Row, *, alone: bool) -> str:
    told = [str(first["revision"] or "")[:14], f"seed {first['seed']}"] if not alone else []
    told += [first["dtype"]] if first["dtype"] not in (None, "float32") else []
    return ", ".join(str(part) for part in (first["model"], *told) if part)


def fitted(row: Row) -> Mapping[str, Any]:
    """What a run notes of the fit; facts of what was kept come from a file and may be anything."""
    details = row["details"]
    told: Any = details.get("tuning", details.get("steering"))
    found = told.get("fitted") if isinstance(told, dict) else None
    return found if isinstance(found, dict) else {}
