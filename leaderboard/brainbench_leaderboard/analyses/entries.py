"""What analyses are made from: scored records, each with what it was asked and what the model is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from brainbench.identity import fingerprint
from brainbench_leaderboard.values import Row

_VARIANT = re.compile(r"@\w+=[^@]*$")
_OF_VARIANT = {"name", "variant", "variants_version", "provider"}  # a variant is of another class
UNTRAINED = "untrained"
_NO_MODELS = ("baseline", "people")  # dull predictors, and people who predict people


@dataclass(frozen=True, slots=True)
class Place:
    """What was asked, whoever was asked: only scores of one place may be compared across models.

    dataset: the base of a variant. stage, prompt, rated, cutoff and least: as the variant says, or what
    stands for a dataset that is none (stage "prompt", prompt "main", not rated).
    """

    dataset: str
    dataset_version: int
    simulated: bool
    metric: str
    protocol: str
    metric_version: int
    parameters: str
    region: str
    region_position: int
    item_set: str
    stage: str = "prompt"
    prompt: str = "main"
    rated: str | None = None
    cutoff: float | None = None
    least: int | None = None
    pooling: str | None = None

    @property
    def metric_name(self) -> str:
        """With its protocol."""
        return f"{self.metric}/{self.protocol}"

    def words(self) -> dict[str, str]:
        """What tells places of a dataset and metric apart, each in a word or two."""
        cutoff = "" if self.cutoff is None else f" at {self.cutoff:g}"
        return {
            "region": self.region,
            "items": f"{self.item_set} items",
            "stage": "prompt alone" if self.stage == "prompt" else "prompt and response",
            "prompt": f"{self.prompt} prompt",
            "rated": "" if self.rated is None else f"rated {self.rated}{cutoff}",
            "pooling": ""
            if self.pooling is None
            else {"last": "last token", "mean": "mean token"}.get(self.pooling, self.pooling),
        }

    def columns(self) -> dict[str, Any]:
        """As columns of a table."""
        return {field.name: getattr(self, field.name) for field in fields(self) if field.name != "parameters"}


@dataclass(frozen=True, slots=True)
class Entry:
    """A scored record. parameters, with_head, layers: of the weights that were loaded; None where unknown.

    p: of the score against its own null; low and high: its interval. ceiling: what the metric could come to
    there, where that was scored. question: a hash of what was asked; data: of the dataset's facts but for the
    variant; drawn: of how the model's ideas were, "" where it was read without.
    """

    place: Place
    model: str
    revision: str | None
    seed: int | None
    dtype: str | None
    intervention: str | None
    kind: str | None
    score: float
    low: float | None
    high: float | None
    p: float | None
    people: int
    parameters: int | None
    with_head: int | None
    layers: int | None
    fingerprint: str
    question: str
    started: str
    ceiling: float | None = None
    data: str = ""
    drawn: str = ""

    @property
    def span(self) -> tuple[float, float] | None:
        """The score's interval, where it has one."""
        return None if self.low is None or self.high is None else (self.low, self.high)

    @property
    def whose(self) -> tuple[Any, ...]:
        """The model exactly as it was run: what alignment and ideas are joined by."""
        return self.model, self.revision, self.seed, self.dtype, self.intervention

    def columns(self) -> dict[str, Any]:
        """As columns of a table, what was asked first."""
        own = ("model", "revision", "seed", "dtype", "score", "low", "high", "p", "people")
        return {
            **self.place.columns(),
            **{name: getattr(self, name) for name in own},
            "parameters": self.parameters,
            "parameters_with_head": self.with_head,
            "layers": self.layers,
            "fingerprint": self.fingerprint,
        }


def base_of(dataset: str) -> str:
    """The name of the dataset that a variant's name is of; a name without places is its own."""
    while _VARIANT.search(dataset):
        dataset = _VARIANT.sub("", dataset)
    return dataset


def entries(rows: Iterable[Row], sources: Mapping[str, Row]) -> list[Entry]:
    """Scores of models that nothing changed, and of their untrained twins; no dull predictors, no people.

    rows: `Leaderboard.standings()`; sources: `Leaderboard.sources()`. Left out is what failed or was skipped,
    and what could not be pinned down.
    """
    return [
        _entry(row, sources.get(row["fingerprint"], {}))
        for row in rows
        if row["outcome"] == "scores"
        and row["resolved"]
        and row["intervention"] == "none"
        and row["model_kind"] not in _NO_MODELS
    ]


def skipped(rows: Iterable[Row], sources: Mapping[str, Row]) -> list[tuple[Place, str, str]]:
    """Where an unchanged model has no score: what was asked, the model, and why."""
    return [
        (
            _place(row, sources.get(row["fingerprint"], {})),
            row["model"],
            row["reason"],
        )
        for row in rows
        if row["outcome"] != "scores"
        and row["intervention"] == "none"
        and row["model_kind"] not in _NO_MODELS
    ]


def _entry(row: Row, source: Row) -> Entry:
    made, facts = _told(source, "provenance"), _told(source, "facts")
    same = ("model", "revision", "seed", "dtype", "intervention", "score", "low", "high", "p")
    dataset = _told(facts, "dataset")
    words: dict[str, Any] = {name: str(row[name] or "") for name in ("fingerprint", "question", "started")}
    return Entry(
        place=_place(row, source),
        kind=row["model_kind"],
        people=row["participants"],
        parameters=_count(made.get("parameters")),
        with_head=_count(made.get("parameters_with_head")),
        layers=_count(made.get("layers")),
        ceiling=row.get("ceiling"),
        data=_hash({name: fact for name, fact in dataset.items() if name not in _OF_VARIANT}),
        drawn=_hash(facts.get("ideas")),
        **{name: row[name] for name in same},
        **words,
    )


def _hash(facts: Any) -> str:
    return fingerprint(facts) if facts else ""


def _place(row: Row, source: Row) -> Place:
    variant = _told(_told(_told(source, "facts"), "dataset"), "variant")
    told = {name: variant[name] for name in ("stage", "prompt") if variant.get(name)}
    told |= {name: variant.get(name) for name in ("rated", "cutoff", "least")}
    same = (
        "dataset_version",
        "metric",
        "protocol",
        "metric_version",
        "region",
        "region_position",
        "item_set",
    )
    return Place(
        dataset=str(variant.get("of") or row["dataset"]),
        simulated=bool(row["simulated"]),
        parameters=str(row["parameters"]),
        pooling=row["pooling"],
        **{name: row[name] for name in same},
        **told,
    )


def _told(of: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Facts below a name; none where a file from elsewhere holds something else there."""
    found = of.get(name)
    return found if isinstance(found, dict) else {}


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None
