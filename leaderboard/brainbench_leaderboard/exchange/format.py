"""What a file of results holds: version 1. docs/schema/results-1.json is made from these models.

Nothing in a file that can be computed from the rest is taken from it: ranks, margins, intervals of accuracies
and the like are computed anew where a file is merged. Raise SCHEMA_VERSION for whatever an older brainbench
would misread, and keep the models of the older version beside the new ones.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from brainbench_leaderboard.exchange import told
from brainbench_leaderboard.exchange.fields import (
    MOST,
    Anything,
    Count,
    Hash,
    Label,
    Name,
    Number,
    Seed,
    Share,
    Strict,
    Text,
    Time,
    Versions,
    Whole,
)

SCHEMA = "brainbench-results"
SCHEMA_VERSION = 1

Labels = Annotated[list[Label], Field(max_length=MOST)]
Score = Annotated[Number, Field(description="As the metric, task or scorer defines it.")]


class Run(Strict):
    """How a model was run: what its adapter says of it, as far as it has nothing of a machine's files."""

    device: Label | None = None
    dtype: Label | None = None
    batch_size: Count | None = None
    parameters: Count | None = None
    parameters_with_head: Count | None = None
    layers: Count | None = None
    width: Count | None = None
    context: Count | None = None
    prompt: Label | None = None
    tokenizer: Label | None = None
    architecture: Label | None = None
    attention: Label | None = None
    transformers: Label | None = None
    torch: Label | None = None


class Provenance(Run):
    """Where and when a record was made; no path, no name of a machine or person, no traceback."""

    started: Time
    seconds: Number | None = None
    brainbench: Label | None = None
    git_commit: Label | None = None
    python: Label | None = None
    platform: Label | None = None
    libraries: Versions | None = None
    plugins: Versions | None = None
    features: Anything | None = None
    features_seconds: Number | None = None
    helper: Run | None = None
    ideas: Anything | None = None


class Skipped(Strict):
    """Why there is no score."""

    type: Literal["skip"]
    reason: Annotated[str, Field(min_length=1, max_length=5000)]


class Layer(Strict):
    """One layer's score: over people, its spread, and of each of the outcome's `people`."""

    layer: Label
    score: Score
    spread: Number
    people: Annotated[list[Number], Field(min_length=1, max_length=MOST)]


class PerItem(Strict):
    """What each item adds to each person's headline, people x items; null where a person lacks the item."""

    items: Labels
    scores: Annotated[list[Annotated[list[Number | None], Field(max_length=MOST)]], Field(max_length=MOST)]


class Scored(Strict):
    """Scores down to each layer and person. `score` is that of `best_layer`, chosen as `choice` says."""

    type: Literal["scores"]
    score: Score
    best_layer: Label
    choice: Annotated[str, Field(min_length=1, max_length=5000)]
    spread_kind: Label
    like_for_like: Number | None = None
    people: Annotated[list[Label], Field(min_length=1, max_length=10_000)]
    layers: Annotated[list[Layer], Field(min_length=1, max_length=10_000)]
    unscored: Annotated[dict[Label, Label], Field(max_length=10_000)]
    per_item: PerItem | None = None
    details: told.ScoreDetails


class Item(Strict):
    """One question of a task and its answer; `group`: the problem that it is a form of."""

    id: Label
    group: Label
    correct: bool
    answer: Text
    expected: Text
    prompt_hash: Hash
    choices: Annotated[list[Text], Field(max_length=1000)]
    log_likelihoods: Annotated[list[Number], Field(max_length=1000)]
    greedy: Text | None = None


class Answered(Strict):
    """Answers to a task. `by`: accuracies by the values of some conditions."""

    type: Literal["scores"]
    accuracy: Share
    items: Annotated[list[Item], Field(min_length=1, max_length=MOST)]
    by: Annotated[dict[Label, dict[Label, Number]], Field(max_length=100)]
    details: told.TaskDetails


class Written(Strict):
    """One text that a model wrote to an item, and its score; null where the scorer could give none."""

    item: Label
    about: Annotated[str, Field(max_length=1000)]
    draw: Count
    seed: Whole
    text: Text
    score: Number | None


class Judged(Strict):
    """Texts with their scores: their mean over items of the mean over an item's scored texts."""

    type: Literal["scores"]
    score: Score
    texts: Annotated[list[Written], Field(min_length=1, max_length=MOST)]
    details: told.IdeaDetails


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


class Correlation(Strict):
    """Pearson's or Spearman's, with its interval."""

    r: Annotated[float, Field(ge=-1, le=1)]
    low: Annotated[float, Field(ge=-1, le=1)]
    high: Annotated[float, Field(ge=-1, le=1)]


class OfObject(Strict):
    """A correlation within one object; null where scores or ratings do not vary."""

    n: Count
    r: Annotated[float, Field(ge=-1, le=1)] | None


class Agrees(Strict):
    """How far a scorer agrees with human ratings."""

    scorer: Name
    version: Whole
    responses: Count
    held_out: Count
    drawn_by: Whole | None
    unscored: Count
    pearson: Correlation
    spearman: Correlation
    by_object_mean: Correlation | None
    by_object: Annotated[dict[Label, OfObject], Field(max_length=10_000)]
    least: Count
    level: Share
    interval: Label


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
