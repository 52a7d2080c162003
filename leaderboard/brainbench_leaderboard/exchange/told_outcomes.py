"""What came of a record, and how it was made, as a file of results has it."""

from __future__ import annotations

from typing import Annotated, Literal

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
    Share,
    Strict,
    Text,
    Time,
    Versions,
    Whole,
)

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
