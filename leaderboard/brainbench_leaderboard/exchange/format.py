"""What a file of results holds: version 1. docs/schema/results-1.json is made from these models.

Nothing in a file that can be computed from the rest is taken from it: ranks, margins, intervals of accuracies
and the like are computed anew where a file is merged. Raise SCHEMA_VERSION for whatever an older brainbench
would misread, and keep the models of the older version beside the new ones.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from brainbench_leaderboard.exchange import told
from brainbench_leaderboard.exchange.fields import Count, Hash, Label, Name, Number, Seed, Strict, Whole
from brainbench_leaderboard.exchange.told_outcomes import (
    Agrees,
    Answered,
    Judged,
    Provenance,
    Scored,
    Skipped,
)

SCHEMA = "brainbench-results"
SCHEMA_VERSION = 1


class _Record(Strict):
    """fingerprint: SHA-256 of the facts as JSON with sorted keys and without spaces."""

    fingerprint: Hash
    provenance: Provenance


class _OfModel(_Record):
    """Who is asked; revision and so on repeat what the facts say, and must agree with it."""

    model: Label
    revision: Label | None
    intervention: Name
    seed: Seed


class _OfMetric(_Record):
    """What is asked of the brain."""

    facts: told.ScoreFacts
    dataset: Label
    dataset_version: Whole
    simulated: bool
    region: Name
    region_position: Annotated[Count, Field(description="Of the region among those of the dataset.")]
    item_set: Name
    item_set_position: Count
    metric: Name
    protocol: Name
    metric_version: Whole
    outcome: Annotated[Scored | Skipped, Field(discriminator="type")]


class ScoreRecord(_OfMetric, _OfModel):
    """A model's score on brain data."""

    kind: Literal["score"]


class CeilingRecord(_OfMetric):
    """How well people predict people; it knows of no model."""

    kind: Literal["ceiling"]


class TaskRecord(_OfModel):
    """A model's answers to a task."""

    kind: Literal["task"]
    facts: told.TaskFacts
    baseline: bool
    learnt_from: Label | None
    trained: bool
    training_seed: Whole | None
    task: Name
    task_version: Whole
    problem_limit: Count | None
    outcome: Annotated[Answered | Skipped, Field(discriminator="type")]


class IdeasRecord(_OfModel):
    """A model's texts, scored."""

    kind: Literal["ideas"]
    facts: told.IdeaFacts
    baseline: bool
    learnt_from: Label | None
    dataset: Label | None
    dataset_version: Whole | None
    simulated: bool
    scorer: Name
    helper: Label
    scorer_version: Whole
    scale_low: Number
    scale_high: Number
    outcome: Annotated[Judged | Skipped, Field(discriminator="type")]


class ValidityRecord(Strict):
    """The validity of a scorer with its helper."""

    kind: Literal["validity"]
    fingerprint: Hash
    provenance: Provenance
    facts: told.OfScorer
    scorer: Name
    helper: Label
    scorer_version: Whole
    outcome: Agrees


AnyRecord = Annotated[
    ScoreRecord | CeilingRecord | TaskRecord | IdeasRecord | ValidityRecord, Field(discriminator="kind")
]
Document = dict[str, Any]  # a record as it stands in a file


class ResultFile(Strict):
    """A file of results: records of one model and dataset or task, of one ceiling, or of one scorer."""

    schema_name: Annotated[Literal["brainbench-results"], Field(alias="schema")]
    schema_version: Literal[1]
    records: Annotated[list[AnyRecord], Field(min_length=1, max_length=100_000)]


def json_schema() -> Document:
    """The JSON Schema of a file, draft 2020-12."""
    made = ResultFile.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **made}
