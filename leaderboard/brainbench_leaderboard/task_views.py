"""The view `task_standings`, as each migration of the schema made it: the last one is the one in use."""

from __future__ import annotations

STEERED = """
CREATE VIEW task_standings AS
WITH told AS (
    SELECT *,
        json_extract(details, '$.steering.role') AS role,
        json_extract(details, '$.steering.oracle') AS oracle,
        json_extract(details, '$.steering.strength') AS strength,
        json_extract(details, '$.steering.protocol') AS protocol,
        json_extract(details, '$.steering.seen') AS seen,
        json_extract(details, '$.steering.steered') AS steered,
        json_extract(details, '$.steering.fingerprint') AS steering,
        json_extract(details, '$.steering.perplexity.before') AS perplexity_before,
        json_extract(details, '$.steering.perplexity.after') AS perplexity_after
    FROM task_records
), judged AS (
    SELECT *, outcome = 'scores' AND resolved AND NOT baseline AND (
        intervention = 'none' OR oracle = 0 AND protocol != 'paper' AND seen = 0
    ) IS TRUE AS fair
    FROM told
)
SELECT
    'task' AS kind,
    CASE WHEN fair THEN rank() OVER (PARTITION BY question, fair ORDER BY accuracy DESC) END AS rank,
    model, baseline, revision, intervention, learnt_from, seed, dtype,
    role, oracle, strength, protocol, seen, steered, steering, perplexity_before, perplexity_after,
    task, task_version, problem_limit, outcome, accuracy, low, high, interval_level, interval_method,
    items, problems, chance, constant_answer, constant_accuracy, greedy_accuracy, people_accuracy,
    by_condition, details, reason, phase, exception, hint, resolved, started, seconds,
    fingerprint, question
FROM judged
"""

# Trainings of one arm, which differ in the seed alone, are one thing: their mean accuracy has one rank among
# all that may be ranked, and each of them bears it. Of two results of one seed the newer one counts, the
# older is `outdated`. Never ranked, as for steerings: oracles, what was stopped on the test set (protocol
# 'paper'), what was trained on the very items (seen > 0), and what does not say.
TUNED = """
CREATE VIEW task_standings AS
WITH told AS (
    SELECT *,
        trained OR json_type(details, '$.tuning') IS 'object' AS tuned,
        coalesce(json_extract(details, '$.tuning.role'), json_extract(details, '$.steering.role')) AS role,
        coalesce(json_extract(details, '$.tuning.oracle'), json_extract(details, '$.steering.oracle'))
            AS oracle,
        json_extract(details, '$.steering.strength') AS strength,
        coalesce(json_extract(details, '$.tuning.protocol'), json_extract(details, '$.steering.protocol'))
            AS protocol,
        coalesce(json_extract(details, '$.tuning.seen'), json_extract(details, '$.steering.seen')) AS seen,
        json_extract(details, '$.steering.steered') AS steered,
        json_extract(details, '$.steering.fingerprint') AS steering,
        json_extract(details, '$.tuning.fingerprint') AS tuning,
        coalesce(json_extract(details, '$.tuning.seed'), training_seed) AS trained_from,
        CASE json_type(details, '$.tuning.settings')
            WHEN 'object' THEN json_extract(details, '$.tuning.settings') END AS arm_settings,
        coalesce(
            json_extract(details, '$.tuning.perplexity.before'),
            json_extract(details, '$.steering.perplexity.before')
        ) AS perplexity_before,
        coalesce(
            json_extract(details, '$.tuning.perplexity.after'),
            json_extract(details, '$.steering.perplexity.after')
        ) AS perplexity_after
    FROM task_records
), grouped AS (
    SELECT *, CASE WHEN tuned AND outcome = 'scores' THEN json_array(
        model, revision, dtype, seed, learnt_from, json_extract(facts, '$.learnt_from'), intervention,
        arm_settings, json_extract(details, '$.tuning.fitted.dataset'),
        role, oracle, protocol, seen > 0, resolved
    ) ELSE fingerprint END AS arm
    FROM told
), dated AS (
    SELECT *, row_number() OVER (
        PARTITION BY question, arm, trained_from ORDER BY started DESC, id DESC
    ) > 1 AS outdated
    FROM grouped
), judged AS (
    SELECT *, outcome = 'scores' AND resolved AND NOT baseline AND NOT outdated AND (
        intervention = 'none' OR oracle = 0 AND protocol != 'paper' AND seen = 0
    ) IS TRUE AS fair
    FROM dated
), averaged AS (
    SELECT *,
        avg(accuracy) OVER (PARTITION BY question, arm, fair) AS arm_accuracy,
        row_number() OVER (PARTITION BY question, arm, fair ORDER BY trained_from, id) = 1 AS leads
    FROM judged
), placed AS (
    SELECT *, rank() OVER (PARTITION BY question, fair, leads ORDER BY arm_accuracy DESC) AS place
    FROM averaged
)
SELECT
    'task' AS kind,
    CASE WHEN fair THEN max(CASE WHEN leads THEN place END) OVER (PARTITION BY question, arm, fair) END
        AS rank,
    model, baseline, revision, intervention, learnt_from, seed, dtype,
    role, oracle, strength, protocol, seen, steered, steering, perplexity_before, perplexity_after,
    tuned, tuning, trained_from AS training_seed, arm_settings, CASE WHEN tuned THEN arm END AS arm,
    CASE WHEN tuned THEN outdated END AS outdated,
    task, task_version, problem_limit, outcome, accuracy, low, high, interval_level, interval_method,
    items, problems, chance, constant_answer, constant_accuracy, greedy_accuracy, people_accuracy,
    by_condition, details, reason, phase, exception, hint, resolved, started, seconds,
    fingerprint, question
FROM placed
"""
