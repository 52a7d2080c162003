"""What is read out of facts and details by the board: of known types; all else in them may be anything.

Facts are what a fingerprint is made of, details what else a metric, task or scorer says of its numbers.
Plugins put into both what they want. What views, tables and pages show of them is named here: a word where a
number is due would break whoever shows it.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from brainbench_leaderboard.exchange.fields import Anything, Count, Label, Loose, Name, Number, Strict, Whole


class Named(Loose):
    """A dataset, task, metric, intervention or scorer; `provider`: the package that it comes from."""

    name: Label
    version: Whole | None = None
    provider: Name | None = None


class OfModel(Loose):
    """A model's identity."""

    name: Label | None = None
    revision: Label | Whole | None = None
    dtype: Label | None = None
    pooling: Label | None = None
    kind: Label | None = None
    trust_remote_code: bool | None = None


class OfMetric(Named):
    """A metric with its protocol."""

    protocol: Name
    parameters: Anything


class OfDataset(Named):
    """A dataset: with `simulated` it says whether its people are made up."""

    simulated: bool | None = None


class OfScorer(Named):
    """A scorer with the model that helps it."""

    helper: OfModel
    parameters: Anything


class Where(Loose):
    """A set of items."""

    name: Name


class OfSampling(Strict):
    """How texts were drawn."""

    count: Count
    temperature: Number
    top_p: Number
    tokens: Count
    seed: Count


class OfStrength(Loose):
    """On what the strength of a steering was chosen."""

    protocol: Name


class ScoreFacts(Loose):
    """Facts of a score, and without model of a ceiling."""

    kind: Name
    dataset: OfDataset
    region: Name
    item_set: Where
    metric: OfMetric
    model: OfModel | None = None
    intervention: Named | None = None
    seed: Whole | None = None
    baseline: bool | None = None
    nuisances: Whole | None = None
    ideas: OfSampling | None = None
    learnt_from: OfDataset | None = None


class TaskFacts(Loose):
    """Facts of an accuracy."""

    kind: Name
    task: Named
    limit: Count | None
    asked: Anything
    model: OfModel
    intervention: Named
    seed: Whole
    baseline: bool
    learnt_from: OfDataset | None = None
    strength: OfStrength | None = None


class IdeaFacts(Loose):
    """Facts of scored texts."""

    kind: Name
    scorer: OfScorer
    ideas: OfSampling
    asked: Anything
    model: OfModel
    intervention: Named
    seed: Whole
    baseline: bool
    dataset: OfDataset | None = None
    learnt_from: OfDataset | None = None


class Limits(Loose):
    """An interval."""

    low: Number | None = None
    high: Number | None = None


class Beyond(Limits):
    """What is left beyond all dull predictors."""

    r2_unique: Number | None = None
    crossed: Number | None = Field(None, alias="cross-validated")
    interval: Limits | None = None


class Null(Loose):
    """A score among those that chance gives."""

    p: Number | None = None


class ScoreDetails(Loose):
    """Beside a score."""

    interval: Limits | None = None
    p: Number | None = None
    null: Null | None = None
    unique_variance: Beyond | None = None
    partial: Beyond | None = None


class Cost(Loose):
    """Perplexity before and after."""

    before: Number | None = None
    after: Number | None = None


class Change(Loose):
    """What a run says of a steering or of a fine-tuning."""

    role: Name | None = None
    oracle: bool | None = None
    strength: Number | None = None
    protocol: Name | None = None
    seen: Count | None = None
    steered: Count | None = None
    fingerprint: Label | None = None
    seed: Whole | None = None
    settings: Anything | None = None
    fitted: Anything | None = None
    perplexity: Cost | None = None
    looks_at: Annotated[list[Label], Field(max_length=100)] | None = None


class Agreement(Loose):
    """Cohen's kappa, if there is one."""

    kappa: Number | None = None


class TaskDetails(Loose):
    """Beside an accuracy."""

    steering: Change | None = None
    tuning: Change | None = None
    accuracy: Number | None = None
    with_model: Agreement = Agreement()
    among_people: Agreement = Agreement()
    with_constant: Agreement = Agreement()


class IdeaDetails(Loose):
    """Beside the score of texts."""

    scale: Annotated[list[Number], Field(min_length=2, max_length=2)] | None = None
    rated: bool = True
