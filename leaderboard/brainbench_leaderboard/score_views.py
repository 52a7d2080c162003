"""The view of scores, as migrations of the schema made it since the models' own ideas are read, too.

Its `rank` is by score alone; the board's ranks, which ties share, are made from it by `ties`.
"""

from __future__ import annotations

# A ceiling knows of no model, and so of none's ideas: a score that hangs on how these were drawn has another
# question than its ceiling.
STANDINGS = """
CREATE VIEW standings AS
WITH known AS (
    SELECT *, coalesce(json_extract(facts, '$.baseline'), 0) AS baseline FROM records
)
SELECT
    CASE WHEN r.outcome = 'scores' AND r.resolved AND NOT r.baseline THEN rank() OVER (
        PARTITION BY r.question, r.outcome, r.resolved, r.baseline ORDER BY r.score DESC
    ) END AS rank,
    r.model, r.baseline, json_extract(r.facts, '$.model.kind') AS model_kind,
    r.revision, r.intervention, r.seed, r.dtype, json_extract(r.facts, '$.nuisances') AS nuisances,
    json_extract(r.facts, '$.model.pooling') AS pooling, json_extract(r.facts, '$.ideas') AS sampling,
    json_extract(r.facts, '$.metric.parameters') AS parameters,
    r.dataset, r.dataset_version, r.simulated,
    r.region, r.region_position, r.item_set, r.item_set_position,
    r.metric, r.protocol, r.metric_version,
    r.outcome, r.score, r.spread, r.spread_kind, r.best_layer, r.choice, r.participants,
    json_extract(r.details, '$.interval.low') AS low,
    json_extract(r.details, '$.interval.high') AS high,
    coalesce(json_extract(r.details, '$.p'), json_extract(r.details, '$.null.p')) AS p,
    coalesce(
        json_extract(r.details, '$.unique_variance.r2_unique'),
        json_extract(r.details, '$.partial."cross-validated"')
    ) AS beyond,
    coalesce(
        json_extract(r.details, '$.unique_variance.interval.low'),
        json_extract(r.details, '$.partial.interval.low')
    ) AS beyond_low,
    coalesce(
        json_extract(r.details, '$.unique_variance.interval.high'),
        json_extract(r.details, '$.partial.interval.high')
    ) AS beyond_high,
    c.score AS ceiling, c.like_for_like AS ceiling_like_for_like, c.choice AS ceiling_choice,
    c.outcome AS ceiling_outcome, c.reason AS ceiling_reason,
    r.reason, r.phase, r.exception, r.hint, r.resolved, r.started, r.seconds,
    r.fingerprint, r.question
FROM known r LEFT JOIN records c
    ON c.kind = 'ceiling' AND c.resolved AND c.question = coalesce(r.ceiling_question, r.question)
WHERE r.kind = 'score'
"""
